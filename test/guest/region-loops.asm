; { "about": "loops whose addresses move evenly, stand still or stay in a range: faults come in the pass they belong to, with that pass's registers and flags; pages that are not contiguous, read-only or hold the loop itself", "mode": "paged",
;   "expect": { "log": ["00000404", "00000000", "00065000", "00000000", "00000002", "00065000", "00066010", "00000405", "00000404", "00000001", "00000201", "00064ffe", "00066ffd", "00000000", "00000000", "00064ffe", "1b000000", "000647fa", "00000000", "000647fa", "000667f9", "00000085", "00000003", "00065060", "00001830", "000003f6", "00000382", "00000003", "00000006", "00000003", "00000009", "00000020", "00066000", "000667f9", "00000000", "00000000", "00066000", "00066080", "000000c0", "00066080", "00000000", "00000005", "00000002", "00000000", "00000600", "00c100c1", "00c000c0", "00000003", "00000cb4"] } }
%include "common.inc"
%include "mending.inc"
main:
  SET_GATE IDT(14), CODE0, ABS(page_fault), 0x8e, 0
  PAGING_ON
  SET_CR0 CR0_WP
  ; upwards by 4 through three pages, the second one missing
  UNMAP 0x65000
  mov edi, 0x64010
  mov ecx, 0x800
.fill:
  mov [edi], ecx
  add edi, 4
  dec ecx
  jnz .fill
  TOLOG_EACH edi, [0x64ffc], [0x65000], [0x6600c]
  ; downwards, from one pointer to another, the source's lower page missing; unaligned
  UNMAP 0x64000
  mov esi, 0x65ffa
  mov edi, 0x67ff9
  mov ecx, 0x600
.down:
  mov eax, [esi]
  sub esi, 4
  mov [edi], eax
  lea edi, [edi - 4]
  add ebx, eax
  dec ecx
  jnz .down
  TOLOG ebx
  TOLOG esi
  ; by a register, into a page that is read-only
  UNMAP 0x65000, 0x65005, 0x65007
  mov ebx, 100
  mov eax, 0x700
.stride:
  mov byte [eax + 0x64000], 0x5a
  add eax, ebx
  cmp eax, 0x1800
  jb .stride
  TOLOG eax
  TOLOG_EACH [0x65038]
  ; a read-modify-write by 1 that reads its own writes, up to the end of a page
  mov ecx, 0x80
  mov esi, 0x64f80
  mov byte [0x64f80], 1
.chain:
  mov al, [esi]
  add [esi + 1], al
  inc esi
  dec ecx
  jnz .chain
  mov al, [0x65000]
  TOLOG eax
  ; an index in a range that lies over two pages that are not contiguous; its first value is outside
  UNMAP 0x65000, 0x67007, 0x67007
  mov ecx, 0x40
.clear:
  mov dword [0x64f00 - 4 + ecx * 4], 0
  mov dword [0x66ffc + ecx * 4], 0
  dec ecx
  jnz .clear
  mov dword [0x67f00], 0
  mov eax, 0x400
  mov ecx, 0x100
.range:
  add dword [0x64f00 + eax * 4], 3
  add eax, 5
  and eax, 0x7f
  dec ecx
  jnz .range
  TOLOG_EACH [0x64f00]
  TOLOG_EACH [0x67000]                          ; element 0x40
  TOLOG_EACH [0x67f00]                          ; element 0x400, once
  ; the same with the range in one page: only the first pass is outside of it
  mov eax, 0x200
  mov ecx, 0x20
.first:
  add dword [0x64800 + eax * 4], 3
  inc eax
  and eax, 0x3f
  dec ecx
  jnz .first
  TOLOG_EACH [0x67000]
  ; the same page read and written, and taken away by the handler's INVLPG of another one
  UNMAP 0x66000
  mov esi, 0x65f00
  mov ecx, 0x60
  xor edx, edx
.both:
  mov eax, [esi]
  xor edx, eax
  mov [esi], ecx
  add esi, 4
  add eax, edx
  dec ecx
  jnz .both
  TOLOG esi
  ; over the end of the linear space; page 0 is missing
  mov dword [PAGES + 1023 * 4], PAGES + 0x1000 + 7
  UNMAP 0
  mov edi, 0xfffffe00
  mov ecx, 0x100
.wrap:
  mov [edi], cl
  mov [edi + 2], cx
  add edi, 8
  dec ecx
  jnz .wrap
  TOLOG_EACH edi, [0x3ffff8]
  mov eax, [0]
  and eax, 0xffff00ff                           ; the second byte is what the firmware left
  TOLOG eax
  ; the loop writes into itself: a NOP becomes INC EBX for the passes that follow
  mov edi, .patch - 64 * 5
  mov ecx, 9
  mov al, 0x43
  xor ebx, ebx
  jmp .patch
  times 64 * 5 nop
.patch:
  nop
  mov [edi], al
  add edi, 64
  dec ecx
  jnz .patch
  jmp .behind
  times 320 nop
.behind:
  TOLOG ebx
  ; two loops, one in the other; the inner one makes a single pass, or many
  mov ebx, 0x20
  xor edx, edx
.outer:
  mov esi, 0x64ff0
  mov ecx, ebx
.inner:
  add edx, [esi]
  add esi, 4
  dec ecx
  jnz .inner
  dec ebx
  jnz .outer
  TOLOG edx
  DONE
page_fault:                                     ; logs ECX, ESI, EDI, flags, error code and CR2; mends the page
  push eax
  TOLOG ecx
  TOLOG esi
  TOLOG_EACH edi
  LOG_PUSHED_FLAGS
  TOLOG_EACH [esp + 4], cr2
  MEND_AND_RETURN
EPILOGUE
