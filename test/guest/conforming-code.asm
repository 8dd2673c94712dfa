; { "about": "conforming code segments keep the CPL; non-conforming ones want RPL and CPL right; RETF cannot go inwards; IRET to bad frames", "mode": "protected",
;   "expect": { "log": ["00000043", "00000023", "ee0d0048", "ee0d0008", "ee0d0008", "ee0d0008", "ee0d0000", "ee0b0050", "cccc0000"] } }
%include "common.inc"
main:
  SET_DESC 0x40, 0, 0xfffff, 0x9f, 0xc          ; conforming, DPL 0
  SET_DESC 0x48, 0, 0xfffff, 0x9b, 0xc
  SET_DESC 0x50, 0, 0xfffff, 0x7b, 0xc          ; DPL 3, not present
  ENTER_USER user
  TOLOG 0xcccc0000
  DONE
user:
  call 0x40:conforming
  TRY call 0x4b:conforming
  push dword CODE0
  push dword user
  TRY retf
  add esp, 8
  push dword CODE0 | 3
  push dword user
  TRY retf
  add esp, 8
  push dword 0x3202
  push dword CODE0
  push dword user
  TRY iretd
  add esp, 12
  push dword 0
  push dword 0
  TRY retf
  add esp, 8
  push dword 0x53
  push dword user
  TRY retf
  add esp, 8
  LEAVE_USER
conforming:
  TOLOG_EACH cs, ss
  retf
EPILOGUE
