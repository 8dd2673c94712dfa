; { "about": "LOOP, LOOPE and LOOPNE out of the limit of CS are #GP(0) if taken, with ECX (CX) as it was before; so are JECXZ and JCXZ", "mode": "protected",
;   "qemu": { "skipTcg": "it has no segment limits" },
;   "expect": { "log": ["00000010", "00000005", "00000012", "00000000", "00000010", "00070002", "00000013", "00020000", "00000010", "00000003", "00000012", "00000002", "00000010", "00000004", "00000012", "00000001", "00000010", "00000000", "00000013", "00030000"] } }
%include "common.inc"
; Runs the instructions at 0x40:0x10 with a count; the handler logs the faulting EIP and ECX.
%macro CASE 2
  mov dword [resume], %%after
  mov esi, %%code
  mov edi, DATA + 0x10
  mov ecx, %%end - %%code
  rep movsb
  mov ecx, %1
  jmp 0x40:0x10
%%code:
  %2
%%end:
%%after:
%endmacro
main:
  SET_DESC 0x40, DATA, 0x3f, 0x9b, 4
  SET_GATE IDT(13), CODE0, ABS(handler), 0x8e, 0
  CASE 5, {db 0xe2, 0x40}                       ; loop: taken
  CASE 1, {db 0xe2, 0x40, 0xe3, 0x40}           ; loop: not taken, it counts; jecxz
  CASE 0x70002, {db 0x67, 0xe2, 0x40}           ; loop, cx
  CASE 0x20001, {db 0x67, 0xe2, 0x40 - 1, 0x67, 0xe3, 0x40}
  cmp eax, eax
  CASE 3, {db 0xe1, 0x40}                       ; loope: taken
  cmp eax, eax
  CASE 3, {db 0xe0, 0x40, 0xe1, 0x40}           ; loopne: not taken with ZF; loope
  or esp, esp
  CASE 4, {db 0xe0, 0x40}                       ; loopne: taken
  or esp, esp
  CASE 2, {db 0xe1, 0x40, 0xeb, 0x40}           ; loope: not taken without ZF
  CASE 0, {db 0xe3, 0x40}                       ; jecxz: taken
  CASE 0x30000, {db 0xe3, 0x40, 0x90, 0x67, 0xe3, 0x40} ; jecxz: not taken; jcxz
  DONE
handler:
  add esp, 4
  mov eax, [esp]
  TOLOG eax
  TOLOG ecx
  add esp, 12
  jmp [resume]
resume: dd 0
EPILOGUE
