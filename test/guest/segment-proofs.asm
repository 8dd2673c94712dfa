; { "about": "loads of segment registers that were made before, when what they rely on changes: descriptors in memory (base, type, presence, privilege, accessed bit), the null descriptor, the table (LGDT: base and limit), its page (INVLPG, CR3), the CPL, protected mode itself", "mode": "paged",
;   "expect": { "log": ["00000001", "00000002", "00000001", "00000000", "00000001", "00000002", "00000001", "00000000", "00000003", "00000004", "00000001", "00000000", "00000003", "00000004", "00000001", "00000000", "00000093", "00000093", "00000003", "00000004", "00000001", "00000000", "ee0b0040", "ee0d0048", "ee0d0050", "ee0b0040", "ee0d0048", "ee0d0050", "ee0b0040", "ee0d0048", "ee0d0050", "ee0b0040", "ee0d0048", "ee0d0050", "ee0b0040", "ee0d0048", "ee0d0050", "ee0b0040", "ee0d0048", "ee0d0050", "ee0d0050", "ee0d0050", "ee0d0050", "ee0d0050", "ee0d0050", "ee0d0050", "00000003", "00000004", "00000001", "00000000", "00000005", "00000004", "00000001", "00000000", "ee0d0048", "ee0d0050", "ee0d0048", "ee0d0050", "ee0d0048", "ee0d0050", "ee0d0048", "ee0d0050", "ee0d0048", "ee0d0050", "ee0d0048", "ee0d0050", "00000005", "00000004", "00000001", "00000000", "00000003", "00000004", "00000001", "00000000", "00000005", "00000004", "00000001", "00000000", "00000005", "00000004", "00000001", "00000000", "00000005", "00000004", "00000001", "00000000", "00000003", "00000004", "00000001", "00000000", "00000003", "00000004", "00000001", "00000000", "ee0d0040", "ee0d0050", "ee0d0040", "ee0d0050", "ee0d0040", "ee0d0050", "ee0d0040", "ee0d0050", "ee0d0040", "ee0d0050", "ee0d0040", "ee0d0050", "00000003", "00000004", "00000001", "00000000", "00000003", "00000004", "00000001", "00000000", "00000001", "00000002", "00000005", "00000004", "00000001", "00000000"] } }
%include "common.inc"
%define TABLE 0x60000                           ; the GDT: a page of its own
%define OTHER 0x61000                           ; another one
%define VALUES 0x62000                          ; dwords 1, 2, 3 ..., for the bases of segments
%define FREE0 FREE                              ; data of ring 0, found by its base
%define FREE3 (FREE + 8 | 3)                    ; data of ring 3
%define FLAT (FREE + 16)                        ; flat data

; Base of a descriptor (its bits 23 to 16 and 31 to 24 stay).
%macro SET_BASE 3
  mov word [(%1) + ((%2) & ~7) + 2], (%3) & 0xffff
%endmacro

; Loads FS, GS and ES, each a few times, and logs what FS and GS find, and what ES is.
loads:
  mov ecx, 4
.again:
  mov ax, FREE0
  mov fs, ax
  mov edx, [fs:0]
  xor eax, eax
  mov fs, ax
  mov ax, FREE3
  push eax
  pop gs
  mov ebx, [gs:0]
  mov ax, FLAT
  mov es, ax
  mov esi, [es:VALUES]
  mov ax, DATA0
  mov es, ax
  dec ecx
  jnz .again
  mov eax, fs
  TOLOG edx
  TOLOG ebx
  TOLOG esi
  TOLOG eax
  ret

; The same loads where they may fault, each twice.
%macro TRIES 0
  %rep 2
  mov ax, FREE0
  TRY mov fs, ax
  mov ax, FREE3
  TRY mov gs, ax
  mov ax, FLAT
  TRY mov es, ax
  mov ax, DATA3
  mov es, ax
  %endrep
%endmacro
tries:
  TRIES
  ret
three_times:
  mov ebp, 3
.again:
  call tries
  dec ebp
  jnz .again
  ret

main:
  PAGING_ON
  mov eax, cr4
  or eax, 0x80                                  ; PGE
  mov cr4, eax
  SET_DESC FREE0, VALUES, 0xfffff, 0x93, 0xc
  SET_DESC FREE3, VALUES + 4, 0xfffff, 0xf3, 0xc
  SET_DESC FLAT, 0, 0xfffff, 0x93, 0xc
  xor eax, eax
.values:
  lea ecx, [eax + 1]
  mov [VALUES + eax * 4], ecx
  inc eax
  cmp eax, 64
  jb .values
  mov esi, gdt
  mov edi, TABLE
  mov ecx, 64
  rep movsd
  lgdt [here]
  call loads
  call loads

  ; other bases, in memory alone
  SET_BASE TABLE, FREE0, (VALUES + 8)
  SET_BASE TABLE, FREE3, (VALUES + 12)
  call loads
  ; the accessed bit is set again
  and byte [TABLE + FREE0 + 5], ~1
  and byte [TABLE + FLAT + 5], ~1
  call loads
  movzx eax, byte [TABLE + FREE0 + 5]
  movzx edx, byte [TABLE + FLAT + 5]
  TOLOG eax
  TOLOG edx
  ; the null descriptor is anybody's
  mov dword [TABLE], 0x12345678
  call loads
  ; not present; not readable; a system segment; of ring 0, which FREE3's RPL may not
  call three_times
  and byte [TABLE + FREE0 + 5], 0x7f
  mov byte [TABLE + (FREE3 & ~7) + 5], 0x93
  mov byte [TABLE + FLAT + 5], 0x99
  call three_times
  mov byte [TABLE + FREE0 + 5], 0x93
  mov byte [TABLE + (FREE3 & ~7) + 5], 0xf3
  mov byte [TABLE + FLAT + 5], 0x83
  call three_times
  mov byte [TABLE + FLAT + 5], 0x93
  call three_times
  call loads

  ; another table at another place, shorter than one of the selectors, and back
  mov esi, TABLE
  mov edi, OTHER
  mov ecx, 64
  rep movsd
  SET_BASE OTHER, FREE0, (VALUES + 16)
  lgdt [elsewhere]
  call loads
  lgdt [shorter]
  call three_times
  lgdt [elsewhere]
  call loads

  ; the table's page becomes another one: seen behind INVLPG, or MOV CR3, at the latest
  SET_PTE OTHER, TABLE + 7
  call loads
  mov dword [PTE(OTHER)], OTHER + 7
  mov eax, cr3
  mov cr3, eax
  call loads
  SET_PTE OTHER, OTHER + 0x107                  ; a global page
  call loads
  mov eax, cr3
  mov cr3, eax
  call loads
  SET_PTE OTHER, TABLE + 0x107
  call loads
  SET_PTE OTHER, OTHER + 7
  lgdt [here]
  call loads

  ; in ring 3 the same loads by the same code
  mov eax, DATA3
  mov es, ax
  ENTER_USER .user
  mov ax, DATA0
  mov ds, ax
  mov es, ax
  call loads

  ; protected mode and out of it: with flat segments still there the same code is real mode's
  SET_PTE OTHER, TABLE + 0x107
  lgdt [elsewhere]
  call loads
  mov ax, DATA0
  mov fs, ax
  mov gs, ax
  mov eax, cr0
  and eax, 0x7fffffff
  mov cr0, eax
  jmp .no_paging
.no_paging:
  mov eax, cr0
  and al, 0xfe
  mov cr0, eax
  mov ecx, 3
.real:
  mov ax, FREE0
  mov fs, ax
  mov edx, [fs:(VALUES - FREE0 * 16)]
  mov ax, FREE3
  mov gs, ax
  mov esi, [gs:(VALUES - FREE3 * 16 + 4)]
  dec ecx
  jnz .real
  mov eax, cr0
  or al, 1
  mov cr0, eax
  TOLOG edx
  TOLOG esi
  call loads
  DONE
.user:
  mov ebp, 3
.user_again:
  TRIES
  dec ebp
  jnz .user_again
  LEAVE_USER

align 4
here:
  dw 0xff
  dd TABLE
elsewhere:
  dw 0xff
  dd OTHER
shorter:
  dw (FREE3 & ~7) + 6
  dd OTHER
EPILOGUE
