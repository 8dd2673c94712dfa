; { "about": "INT3, INTO, INT n and BOUND: which EIP and flags are pushed (BOUND is a fault, the others are traps); IRET restores them", "mode": "flat32", "without": ["returns", "entries", "frames"],
;   "expect": { "log": ["00000001", "00000046", "00000003", "00000892", "00000002", "00000046", "00000000", "00000097", "00000001", "0003fff4"] } }
%include "common.inc"
main:
  SET_GATE IDT(3), CODE0, ABS(handler), 0x8e, 0
  SET_GATE IDT(4), CODE0, ABS(handler), 0x8f, 0
  SET_GATE IDT(5), CODE0, ABS(bound_handler), 0x8e, 0
  SET_GATE IDT(0x31), CODE0, ABS(handler), 0x8f, 0
  mov dword [base], .a
  xor eax, eax
.a:
  int3                                          ; pushes +1
  mov dword [base], .b
  mov al, 0x7f
.b:
  inc al                                        ; 2 bytes: OF, SF, AF
  into                                          ; pushes +3
  mov dword [base], .c
  xor eax, eax
.c:
  int 0x31                                      ; pushes +2
  mov dword [base], .d
  xor eax, eax
  dec eax
  stc
.d:
  bound eax, [range]                            ; pushes +0
  mov edx, 0
  setc dl
  TOLOG edx
  TOLOG ebx
  DONE
range: dd 0, 10
base: dd 0
handler:
  mov ecx, [esp]
  sub ecx, [base]
  TOLOG ecx
  mov ecx, [esp + 8]
  or ecx, 0
  TOLOG ecx
  mov ebx, esp
  iretd
bound_handler:
  mov ecx, [esp]
  sub ecx, [base]
  TOLOG ecx
  mov ecx, [esp + 8]
  and ecx, ~0x10000                             ; RF: a fault pushes 1 (SDM vol. 3, 17.3.1.1), QEMU 0
  TOLOG ecx
  mov ebx, esp
  add dword [esp], 6
  iretd
EPILOGUE
