; { "about": "a 16-bit code and stack segment in protected mode: operand and address sizes, SP wrap keeps the high half of ESP, 16-bit far calls and returns, loop with CX", "mode": "16-bit",
;   "expect": { "log": ["12345678", "abcd1234", "fffffffe", "00001234", "0003fffc", "00000077", "00010000", "00000030"] } }
%include "common.inc"
main:
  mov [saved_esp], esp
  SET_DESC 0x40, 0x60000, 0xffff, 0x92, 0       ; 16-bit stack
  jmp CODE16:ABS(code16) & 0xffff
saved_esp: dd 0
bits 16
code16:
  mov eax, 0x12345678
  a32 mov [dword 0x61000], eax
  mov ecx, [dword 0x61000]
  mov edi, [dword LOG_POINTER]
  mov [edi], ecx
  mov ebx, 0xabcd0000
  mov bx, 0x1234
  mov [edi + 4], ebx
  mov ax, 0x40
  mov ss, ax
  mov esp, 0xffff0000
  push word 0x1234                              ; SP wraps, the high half stays
  mov [edi + 8], esp
  xor eax, eax
  pop ax
  mov [edi + 12], eax
  mov esp, 0x0003fffc - 0                       ; only SP counts
  mov [edi + 16], esp
  mov sp, 0x1000
  call word CODE16:ABS(far16) & 0xffff
  mov [edi + 20], edx
  mov ecx, 0x10005
.again:
  loop .again                                   ; CX
  mov [edi + 24], ecx
  xor eax, eax
  mov ax, cs
  mov [edi + 28], eax
  add edi, 32
  mov [dword LOG_POINTER], edi
  mov ax, DATA0
  mov ss, ax
  mov esp, [dword saved_esp]
  jmp dword CODE0:ABS(out)
far16:
  mov edx, 0x77
  retf
bits 32
out:
  DONE
EPILOGUE
