; { "about": "near branches out of the limit of CS are #GP(0) at the branch, with ESP as it was: JMP, Jcc only if taken, JMP and CALL through registers, RET, CALL", "mode": "protected",
;   "qemu": { "skipTcg": "it has no segment limits" },
;   "expect": { "log": ["00000010", "00000000", "00000012", "00000000", "00000010", "00000000", "00000010", "00000000", "00000010", "00000000", "00000010", "00000000", "00000777", "0000003e", "00000000"] } }
%include "common.inc"
; Runs the instruction of up to 8 bytes at 0x40:0x10; the handler logs the faulting EIP and the change of ESP.
%macro CASE 1
  mov dword [DATA + 0x10], 0x90909090
  mov dword [DATA + 0x14], 0x90909090
  mov dword [resume], %%after
  mov [stack], esp
  mov esi, %%code
  mov edi, DATA + 0x10
  mov ecx, %%end - %%code
  rep movsb
  mov edx, 0x1000
  jmp 0x40:0x10
%%code:
  %1
%%end:
%%after:
%endmacro
main:
  SET_DESC 0x40, DATA, 0x3f, 0x9b, 4
  SET_GATE IDT(13), CODE0, ABS(handler), 0x8e, 0
  CASE {db 0xeb, 0x40}                          ; jmp 0x52
  xor eax, eax
  inc eax
  CASE {db 0x74, 0x40, 0x75, 0x40}              ; jz: not taken; jnz: taken
  CASE {db 0xff, 0xe2}                          ; jmp edx
  CASE {db 0xff, 0xd2}                          ; call edx
  push dword 0x1000
  CASE {db 0xc3}                                ; ret: the address stays
  add esp, 4
  CASE {db 0xe8, 0x80, 0, 0, 0}                 ; call 0x95
  TOLOG 0x777
  ; an instruction that is only half inside
  mov dword [DATA + 0x3c], 0x01b89090           ; nop, nop, mov eax, ...
  mov dword [resume], last
  mov [stack], esp
  jmp 0x40:0x3c
last:
  DONE
handler:
  add esp, 4
  mov eax, [esp]
  TOLOG eax
  add esp, 12
  mov eax, esp
  sub eax, [stack]
  TOLOG eax
  mov esp, [stack]
  mov eax, [resume]
  jmp eax
resume: dd 0
stack: dd 0
EPILOGUE
