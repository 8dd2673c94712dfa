; { "about": "an exception with an IDT of limit 0 is a triple fault", "mode": "protected", "expect": { "end": "shutdown", "log": ["00001234"] } }
%include "common.inc"
main:
  TOLOG 0x1234
  lidt [empty]
  int3
  DONE
empty:
  dw 0
  dd 0
EPILOGUE
