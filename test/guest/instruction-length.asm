; { "about": "an instruction of 15 bytes runs, one of 16 is #GP(0); LOCK on what cannot be locked is #UD; UD2", "mode": "flat32",
;   "expect": { "log": ["00000001", "ee0d0000", "00000001", "ee060000", "ee060000", "ee060000", "ee060000"] } }
%include "common.inc"
main:
  xor ecx, ecx
  times 14 db 0x3e
  inc ecx
  TOLOG ecx
  EXPECT .a, .b
.a:
  times 15 db 0x3e
  inc ecx
.b:
  TOLOG ecx
  TRY ud2
  TRY db 0xf0, 0x40                             ; lock inc eax
  TRY db 0xf0, 0x01, 0xc8                       ; lock add eax, ecx
  TRY db 0x8e, 0xc8                             ; mov cs, ax
  DONE
EPILOGUE
