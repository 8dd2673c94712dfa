; { "about": "a kernel's direct map (0xc0000000, 4 MiB global pages) and what takes parts of it away: pages not present, read-only, moved, dirty bits, its end, code in it, accesses over pages, data breakpoints, CR0.WP, CR4.PGE", "mode": "paged",
;   "expect": { "log": ["004001a3", "004001a3", "11111111", "004001e3", "22222222", "22222222", "33333333", "16141312", "00003c59", "00000016", "16141312", "44444444", "55555555", "66666666", "ee0e0000", "c0805000", "ee0e0000", "c0805000", "ee0e0000", "c0805000", "ee0e0002", "c0805000", "ee0e0002", "c0805000", "ee0e0002", "c0805000", "ee0e0002", "c0805000", "ee0e0002", "c0805000", "ee0e0002", "c0805000", "77777777", "55555555", "ee0e0003", "c0805000", "ee0e0003", "c0805000", "ee0e0003", "c0805000", "ee0e0003", "c0805000", "ee0e0003", "c0805000", "ee0e0003", "c0805000", "ee0e0003", "c0805000", "ee0e0003", "c0805000", "ee0e0003", "c0805000", "ee0e0003", "c0805000", "ee0e0003", "c0805000", "ee0e0003", "c0805000", "55555555", "99999999", "ee0e0003", "c0805000", "ee0e0003", "c0805000", "ee0e0003", "c0805000", "bbbbbbbb", "bbbbbbbb", "99999999", "00805123", "cccccccc", "00805163", "dddddddd", "12345678", "87654321", "87654321", "12345678", "eeeeeeee", "ee0e0000", "c1000000", "ee0e0000", "c1000000", "ee0e0000", "c1000000", "ee0e0002", "c1000000", "ee0e0002", "c1000000", "ee0e0002", "c1000000", "ee0e0000", "c1000000", "ee0e0000", "c1000000", "ee0e0000", "c1000000", "ee0e0002", "c1000000", "ee0e0002", "c1000000", "ee0e0002", "c1000000", "00000000", "00000000", "00000100", "00000100", "00000101", "00000402", "00000402", "00000402", "00000403", "00000302", "00000302", "00000302", "00000303", "00000202", "00000202", "00000202", "00000203", "00000102", "ee010000", "00000001", "00000002", "00000001", "00000003", "ee0e0005", "c0200020", "ee0e0007", "c0200020", "00000004"] } }
%include "common.inc"
%include "direct-map.inc"
%define MAP 0xc0000000
%define TABLE 0x72000                           ; page table of 8 to 12 MiB of the map
%define SPLIT (TABLE + 5 * 4)                   ; entry of its page 5
%define PAGE5 (MAP + 0x805000)

; Everything once to learn, then again: stores a constant at an address and loads it.
%macro TWICE 2
  mov ecx, 3
%%again:
  mov dword [%1], %2
  mov eax, [%1]
  dec ecx
  jnz %%again
  TOLOG eax
%endmacro

; An access that may fault, made three times.
%macro TRY_TWICE 1+
  %rep 3
  TRY %1
  %endrep
%endmacro

main:
  PAGING_ON
  LARGE_MAP MAP, 0x1a3                          ; present, writable, accessed, large, global: not dirty yet
  GLOBAL_PAGES_ON
  SET_CR0 CR0_WP
  jmp CODE0:.on
.on:
  ; what is stored through the map is there, and the other way round; the dirty bit is set by the first store
  TOLOG_EACH [PAGES + 0x301 * 4]
  mov eax, [MAP + 0x400000]
  TOLOG_EACH [PAGES + 0x301 * 4]
  TWICE MAP + 0x400000, 0x11111111
  TOLOG_EACH [PAGES + 0x301 * 4]
  TWICE MAP + 0x200010, 0x22222222
  TOLOG_EACH [0x200010]
  mov dword [0x200014], 0x33333333
  TOLOG_EACH [MAP + 0x200014]

  ; bytes, words, read-modify-writes, locked and not, over a page's end
  mov edi, MAP + 0x200ffe
  mov ecx, 4
.forms:
  mov dword [edi], 0x04030201
  add dword [edi], 0x10101010
  lock add dword [edi], 0x01010101
  inc byte [edi + 3]
  xchg [edi + 1], al
  movzx ebx, word [edi + 1]
  movsx edx, byte [edi + 3]
  xadd [edi + 8], ebx
  dec ecx
  jnz .forms
  TOLOG_EACH [edi]
  TOLOG ebx
  TOLOG edx
  TOLOG_EACH [0x200ffe]

  ; a large page becomes small ones, one of them not present; then read-only; then elsewhere; then as it was
  TWICE PAGE5, 0x44444444
  FILL_TABLE TABLE, 0x800163                    ; present, writable, accessed, dirty, global
  mov dword [PAGES + 0x302 * 4], TABLE + 0x63
  invlpg [MAP + 0x800000]
  TWICE PAGE5, 0x55555555
  TWICE PAGE5 + 0x1000, 0x66666666
  mov dword [SPLIT], 0
  invlpg [PAGE5]
  TRY_TWICE mov eax, [PAGE5]
  TRY_TWICE mov [PAGE5], eax
  TRY_TWICE mov [PAGE5 - 2], eax
  TWICE PAGE5 + 0x1000, 0x77777777
  mov dword [SPLIT], 0x805161
  invlpg [PAGE5]
  TOLOG_EACH [PAGE5]
  TRY_TWICE mov dword [PAGE5], 0x88888888
  TRY_TWICE mov dword [PAGE5 - 2], 0x88888888
  TRY_TWICE inc dword [PAGE5]
  TRY_TWICE lock inc dword [PAGE5]
  TOLOG_EACH [PAGE5]
  mov eax, cr0                                  ; read-only means little to the supervisor without WP
  and eax, ~CR0_WP
  mov cr0, eax
  TWICE PAGE5, 0x99999999
  SET_CR0 CR0_WP
  TRY_TWICE mov dword [PAGE5], 0xaaaaaaaa
  mov dword [SPLIT], 0x806163
  invlpg [PAGE5]
  TWICE PAGE5, 0xbbbbbbbb
  TOLOG_EACH [PAGE5 + 0x1000]
  mov dword [SPLIT], 0x805123                   ; not dirty
  invlpg [PAGE5]
  TOLOG_EACH [PAGE5]
  TOLOG_EACH [SPLIT]
  TWICE PAGE5 - 2, 0xcccccccc
  TOLOG_EACH [SPLIT]
  mov dword [PAGES + 0x302 * 4], 0x8001e3
  mov eax, cr4                                  ; everything is forgotten
  xor eax, 0x80
  mov cr4, eax
  xor eax, 0x80
  mov cr4, eax
  TWICE PAGE5, 0xdddddddd

  ; without PGE nothing outlives MOV CR3
  mov eax, cr4
  and eax, ~0x80
  mov cr4, eax
  TWICE MAP + 0xc00000, 0x12345678
  mov dword [PAGES + 0x303 * 4], 0x8001e3
  mov eax, cr3
  mov cr3, eax
  TWICE MAP + 0xc05000, 0x87654321
  TOLOG_EACH [PAGE5]
  mov dword [PAGES + 0x303 * 4], 0xc001e3
  mov eax, cr4
  or eax, 0x80
  mov cr4, eax
  TOLOG_EACH [MAP + 0xc00000]

  ; its end
  TWICE MAP + 0xfffffc, 0xeeeeeeee
  TRY_TWICE mov eax, [MAP + 0xfffffe]
  TRY_TWICE mov [MAP + 0xfffffe], eax
  TRY_TWICE mov eax, [MAP + 0x1000000]
  TRY_TWICE mov [MAP + 0x1000000], al

  ; code in the map, which is stored into, from in front of it as well
  TWICE MAP + 0x2fff00, 0x0
  TWICE MAP + 0x300f00, 0x0
  mov dword [MAP + 0x300000], 0x000100b8        ; mov eax, 0x100
  mov word [MAP + 0x300004], 0xc300             ; ret
  mov ebx, MAP + 0x300000
  mov edx, 4
.code:
  call ebx
  TOLOG eax
  call ebx
  TOLOG eax
  inc byte [MAP + 0x300001]
  call ebx
  TOLOG eax
  mov dword [MAP + 0x2ffffe], 0x02b82222        ; over the page's end: its first two bytes
  mov [MAP + 0x300002], dl
  call ebx
  TOLOG eax
  dec edx
  jnz .code

  ; data breakpoints
  mov eax, MAP + 0x200020
  mov dr0, eax
  mov eax, 0xd0401                              ; writes of four bytes, local
  mov dr7, eax
  EXPECT .hit, .hit
  mov dword [MAP + 0x200020], 1
.hit:
  mov dword [MAP + 0x200030], 2
  TOLOG_EACH [MAP + 0x200020], [MAP + 0x200030]
  mov eax, dr6
  and eax, 15
  TOLOG eax
  xor eax, eax
  mov dr7, eax
  TWICE MAP + 0x200020, 3

  ; the user has no rights there
  ENTER_USER .user
  TWICE MAP + 0x200020, 4
  DONE
.user:
  TRY mov eax, [MAP + 0x200020]
  TRY mov [MAP + 0x200020], eax
  LEAVE_USER
EPILOGUE
