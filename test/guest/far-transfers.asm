; { "about": "far calls, jumps and returns in one ring, direct and through memory, 16- and 32-bit operands, LDS LES LSS LFS LGS, PUSH and POP of segment registers", "mode": "protected",
;   "expect": { "log": ["0003fff8", "00000008", "0003fff0", "00000008", "11111111", "0003fffc", "22222222", "0003fffc", "00000010", "00000023", "12345678", "00000010", "9abcdef0", "00000010", "00003344", "0000ffff", "ffff0010", "00040000"] } }
%include "common.inc"
main:
  call CODE0:sub0
  push dword 1
  push dword 2
  call far [pointer]
  TOLOG_EACH esp
  mov ebx, 0x22222222
  jmp far [pointer2]
back:
  TOLOG ebx
  push dword 5
  pop eax
  TOLOG_EACH esp
  les edi, [pointer3]
  TOLOG_EACH es
  mov cx, DATA0
  mov es, cx
  lfs ebx, [pointer4]
  TOLOG_EACH fs
  TOLOG ebx
  lgs edx, [pointer5]
  TOLOG_EACH gs
  TOLOG edx
  lss esp, [pointer6]
  TOLOG_EACH ss
  o16 lfs cx, [pointer7]
  movzx ecx, cx
  TOLOG ecx
  push dword 0xffffffff                         ; PUSH of a segment register may leave the high half: only the low half is looked at
  mov eax, [esp]
  and eax, 0xffff
  TOLOG eax
  pop eax
  mov dword [esp - 4], 0xffffffff
  push word 0xffff
  push ds                                       ; 32-bit operand
  mov eax, [esp]
  shl eax, 16
  shr eax, 16
  or eax, 0xffff0000
  TOLOG eax
  pop es
  pop ax
  TOLOG_EACH esp
  DONE
sub0:
  TOLOG_EACH esp, [esp + 4]
  retf
sub1:
  TOLOG_EACH esp, [esp + 4]
  mov ebx, 0x11111111
  TOLOG ebx
  retf 4
there:
  jmp CODE0:back
align 4
pointer: dd sub1
  dw CODE0
pointer2: dd there
  dw CODE0
pointer3: dd 0xabcdef01
  dw DATA0
pointer4: dd 0x12345678
  dw DATA3
pointer5: dd 0x9abcdef0
  dw DATA0
pointer6: dd 0x40000
  dw DATA0
pointer7: dw 0x3344, DATA0
EPILOGUE
