; { "about": "faults in the middle of loops: registers, flags and memory are those of the faulting instruction, and the instruction goes on when its cause is mended", "mode": "paged",
;   "expect": { "log": ["00000003", "0000001e", "00000003", "00000001", "00000002", "00064000", "00000001", "00000004", "00000028", "00000095", "00000006", "00000003", "00000044", "00000003", "00064000", "12345678", "43214321", "00000095", "00000002", "00065000", "ffffffff", "43211111", "00432143"] } }
%include "common.inc"
%include "mending.inc"
main:
  SET_GATE IDT(14), CODE0, ABS(page_fault), 0x8e, 0
  SET_GATE IDT(0), CODE0, ABS(divide_error), 0x8e, 0
  PAGING_ON
  ; a load in a loop: the page is missing in the third turn; the flags before it decide a jump behind it
  xor eax, eax
  xor ebx, ebx
  xor edx, edx
  mov dword [0x64000], 0x28
  mov ecx, DATA
  mov dword [DATA], 0
  UNMAP 0x64000
.loop:
  inc eax
  add ebx, 10
  cmp eax, 3
  jne .same
  mov ecx, 0x64000
.same:
  cmp eax, 3                                    ; ZF in the third turn
  mov edi, [ecx]                                ; faults in the third turn
  jne .not
  inc edx                                       ; the flags of the comparison are still there
.not:
  cmp eax, 4
  jb .loop
  TOLOG edx
  TOLOG eax
  TOLOG ebx
  ; DIV in a loop: CF, PF, AF and SF set before it
  mov ecx, 2
  mov ebx, 4
.divide:
  mov eax, 20
  xor edx, edx
  dec ebx
  dec ebx                                       ; 2, then 0
  stc
  mov esi, 0
  sbb esi, 0                                    ; -1: CF PF AF SF
  div ebx
  dec ecx
  jnz .divide
  TOLOG eax
  ; a read-modify-write faults as a write before anything has changed, and happens once
  mov dword [0x64000], 0x12345677
  SET_CR0 CR0_WP
  UNMAP 0x64000, 0x64005, 0x64007
  mov ecx, 3
  mov ebx, DATA
  mov dword [DATA], 5
  xor eax, eax
.rmw:
  inc eax
  cmp ecx, 1
  jne .data
  mov ebx, 0x64000
.data:
  add dword [ebx], 1
  dec ecx
  jnz .rmw
  TOLOG_EACH [0x64000]
  ; a store across pages, the second one missing: the first keeps its bytes; CF is as it was
  UNMAP 0x65000
  mov dword [0x64ffc], 0x11111111
  mov eax, 0x43214321
  mov ebx, 2
.across:
  xor ecx, ecx
  stc
  sbb ecx, 0
  mov [0x64ffe], eax
  jc .carry
  TOLOG 0xbad
.carry:
  dec ebx
  jnz .across
  TOLOG ecx
  TOLOG_EACH [0x64ffc], [0x64fff]
  DONE
page_fault:                                     ; logs EAX, EBX, error code, and CR2; maps the page
  push eax
  TOLOG eax
  cmp dword [count], 0
  jne .other
  TOLOG ebx
  mov eax, [esp + 16]
  shr eax, 6
  and eax, 1
  or eax, 2
  TOLOG eax                                     ; ZF
  mov eax, [esp + 16]
  and eax, 1
  xor eax, 1
  TOLOG eax
  TOLOG 2
  jmp .address
.other:
  LOG_PUSHED_FLAGS
  TOLOG_EACH [esp + 4]
.address:
  TOLOG_EACH cr2
  inc dword [count]
  MEND_AND_RETURN
divide_error:
  push eax
  mov eax, [esp + 12]
  and eax, 0x8d5
  TOLOG eax
  pop eax
  mov ebx, 3
  iretd
count: dd 0
EPILOGUE
