; { "about": "limits of 64 KiB in real mode: #GP and #SS through the IVT, without an error code", "mode": "real",
;   "qemu": { "skipTcg": "it has no segment limits" },
;   "expect": { "log": ["0000000d", "00000000", "0000000c", "00000000", "0000000d", "00000000", "00000ec0"] } }
%include "common.inc"
%include "real-mode.inc"
main:
  SET_IVT 13, real_gp
  SET_IVT 12, real_ss
  mov dword [0x71234], 0x11223344
  TO_REAL
  mov bx, 0xffff
  mov word [expected], A(.a)
.a:
  mov ax, [bx]                                  ; a word at the last byte: #GP
.b:
  mov bp, 0xffff
  mov word [expected], A(.c)
.c:
  mov ax, [bp]                                  ; through SS: #SS
  mov bx, 0xfffe
  mov ax, [bx]
  mov ebx, 0x10000
  mov word [expected], A(.d)
.d:
  a32 mov al, [ebx]                             ; 32-bit offsets do not wrap: #GP (3 bytes with the prefix)
  RLOG 0x0ec0
  TO_PROTECTED
  DONE
bits 16
expected: dw 0
real_gp:
  RLOG 13
  jmp skip
real_ss:
  RLOG 12
skip:
  push bp
  mov bp, sp
  mov cx, [bp + 2]
  sub cx, [expected]
  movzx ecx, cx
  add word [bp + 2], 2
  mov bx, [expected]
  cmp byte [bx], 0x67
  je .long
  cmp byte [bx], 0x8b
  je .two
.long:
  inc word [bp + 2]
.two:
  cmp byte [bx + 1], 0x46
  jne .done
  inc word [bp + 2]
.done:
  RLOG ecx
  pop bp
  iret
EPILOGUE
