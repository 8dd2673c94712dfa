; { "about": "#DE names the instruction; the handler mends the divisor and the instruction runs again", "mode": "flat32",
;   "expect": { "log": ["00000000", "00000007", "00000002", "00000000", "80000000"] } }
%include "common.inc"
main:
  SET_GATE IDT(0), CODE0, ABS(mend), 0x8e, 0
  mov eax, 100
  xor edx, edx
  xor ecx, ecx
base:
  div ecx
  TOLOG eax
  TOLOG edx
  mov eax, 0x80000000
  mov edx, -1
  mov ecx, -1                                   ; overflow: 2^31
  mov dword [expected], .second
.second:
  idiv ecx
  TOLOG eax
  DONE
expected: dd base
mend:
  push eax
  mov eax, [esp + 4]
  sub eax, [expected]
  TOLOG eax
  pop eax
  cmp eax, 100
  mov ecx, 14
  je .done
  mov ecx, 1
.done:
  iretd
EPILOGUE
