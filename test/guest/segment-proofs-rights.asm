; { "about": "loads of DS and ES that were made before, of a flat segment that becomes read-only or shorter in memory, and flat again: accesses go by what it is now", "mode": "protected",
;   "expect": { "log": ["00000040", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "00000002", "00000040", "00000040", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "00000002", "00000040"] },
;   "qemu": { "skipTcg": "checks neither rights nor limits" } }
%include "common.inc"
%define TABLE 0x60000                           ; the GDT: a page of its own

; Loads DS and ES with a selector and stores a constant by each, three times, then as usual.
stores:
  mov ecx, 3
.again:
  mov ax, FREE
  mov es, ax
  TRY mov dword [es:0x62000], 1
  mov ax, DATA0
  mov es, ax
  mov dword [es:0x62000], 2
  EXPECT .store, .behind
  mov eax, FREE
  push eax
  pop ds
.store:
  mov [0x62000], eax
.behind:
  mov ax, DATA0
  mov ds, ax
  dec ecx
  jnz .again
  mov eax, [0x62000]
  TOLOG eax
  ret

main:
  mov esi, gdt
  mov edi, TABLE
  mov ecx, 64
  rep movsd
  mov dword [TABLE + FREE], 0x0000ffff
  mov dword [TABLE + FREE + 4], 0x00cf9300
  lgdt [here]
  call stores
  mov byte [TABLE + FREE + 5], 0x91             ; read-only
  call stores
  mov byte [TABLE + FREE + 5], 0x93
  call stores
  mov byte [TABLE + FREE + 6], 0xc0             ; 256 MiB
  call stores
  mov byte [TABLE + FREE + 6], 0x40             ; 64 KiB
  call stores
  mov byte [TABLE + FREE + 6], 0xcf
  call stores
  DONE

align 4
here:
  dw 0xff
  dd TABLE
EPILOGUE
