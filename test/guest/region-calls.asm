; { "about": "small functions called in loops (which a region may hold in the place of their calls), a changed return address, RET with a count; faults show the flags of the turn before, CF kept by INC and DEC too", "mode": "paged", "without": ["returns", "entries", "frames"],
;   "expect": { "log": ["0000001e", "00000002", "00000000", "0000000b", "00000001", "ffffffff", "00000010", "fffffffb", "00000001", "0000005a", "00000091", "0000005a"] } }
%include "common.inc"
%include "mending.inc"
main:
  SET_GATE IDT(14), CODE0, ABS(page_fault), 0x8e, 0
  PAGING_ON
  mov dword [0x64000], 0x5a
  mov dword [DATA], 0
  ; one function from two places
  mov ecx, 5
  xor eax, eax
.two:
  call leaf
  call leaf
  dec ecx
  jnz .two
  TOLOG eax
  ; a function that returns behind the next instruction when ECX is odd
  mov ecx, 4
  xor eax, eax
.skip:
  call skipper
  inc eax
  dec ecx
  jnz .skip
  TOLOG eax
  ; RET with a count
  mov ebx, esp
  mov ecx, 3
.count:
  push 5
  push 6
  call adder
  dec ecx
  jnz .count
  sub ebx, esp
  TOLOG ebx
  TOLOG edx
  ; DEC over the edge of a loop, with CF from before it
  UNMAP 0x64000
  mov edi, table
  mov ecx, 3
  stc
.dec:
  mov esi, [edi]
  lea edi, [edi + 4]
  mov eax, [esi]                                ; faults in the third turn
  dec ecx
  jnz .dec
  sbb edx, edx
  TOLOG edx
  ; SUB over the edge of a loop
  UNMAP 0x64000
  mov edi, table
  mov ebx, 0x3a
.sub:
  mov esi, [edi]
  lea edi, [edi + 4]
  mov eax, [esi]                                ; faults in the third turn
  sub ebx, 7
  ja .sub
  TOLOG ebx
  ; the fault is in the function
  UNMAP 0x64000
  mov ebx, DATA
  mov ecx, 2
  stc
.fault:
  call loader
  mov ebx, 0x64000
  dec ecx
  jnz .fault
  TOLOG eax
  ; the comparison's input is overwritten before the fault of the next block
  UNMAP 0x64000
  mov esi, 0x64000
  mov ebx, 5
  mov ecx, 7
  cmp ebx, ecx
  jae .above
  mov ebx, 0
  mov eax, [esi]
.above:
  TOLOG eax
  DONE
leaf:
  add eax, 3
  ret
skipper:
  test cl, 1
  jz .even
  inc dword [esp]
.even:
  ret
adder:
  mov edx, [esp + 4]
  add edx, [esp + 8]
  ret 8
loader:
  mov eax, [ebx]
  ret
page_fault:                                     ; logs the arithmetic flags and maps the page
  push eax
  LOG_PUSHED_FLAGS
  MEND_AND_RETURN
align 4
table: dd DATA, DATA, 0x64000, DATA, DATA, DATA, DATA, DATA, DATA
EPILOGUE
