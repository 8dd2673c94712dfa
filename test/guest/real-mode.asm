; { "about": "to real mode and back: IVT interrupts, segment arithmetic, SP and offset wrap, 32-bit operands, #DE through the IVT", "mode": "real",
;   "expect": { "log": ["00000060", "00000202", "11223344", "0000beef", "00000000", "00000d0d", "000000aa", "00010000"] } }
%include "common.inc"
%include "real-mode.inc"
main:
  SET_IVT 0x60, real_int
  SET_IVT 0, real_de
  mov dword [0x71234], 0x11223344
  TO_REAL
  push word 0x202
  popf
  int 0x60
  cli
  RLOG [es:0x1234]
  ; a word is pushed at SP = 0: wraps to 0xfffe
  mov sp, 0
  push word 0xbeef
  movzx ecx, word [es:0xfffe]
  RLOG ecx
  pop cx
  movzx ecx, sp
  RLOG ecx
  mov sp, 0x8000
  mov dx, 1                                     ; #DE: the IVT gets a return to the instruction itself
  mov ax, 0
  mov cx, 1
  div cx
  ; offsets wrap: [bx+si] with a sum of 0x10010
  mov byte [es:0x0010], 0xaa
  mov bx, 0xfff0
  mov si, 0x0020
  movzx ecx, byte [es:bx + si]
  RLOG ecx
  mov ebx, 0xf000
  mov cx, 0x1000
  xor eax, eax
  mov ax, bx
  add eax, 0x1000
  RLOG eax
  TO_PROTECTED
  DONE
bits 16
real_int:
  pushf
  pop ax
  RLOG 0x60
  mov bp, sp
  movzx ecx, word [bp + 4]                      ; FLAGS as pushed
  RLOG ecx
  iret
real_de:
  push bp
  mov bp, sp
  add word [bp + 2], 2                          ; skip DIV CX
  RLOG 0x0d0d
  pop bp
  iret
EPILOGUE
