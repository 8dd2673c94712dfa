; { "about": "#GP whose gate is no gate becomes #DF with error code 0; #NP of a gate in an INT n is no double fault", "mode": "protected",
;   "expect": { "log": ["ee0b0182", "000000df", "00000000"] } }
%include "common.inc"
main:
  mov byte [IDT(0x30) + 5], 0x6e                ; INT through an absent gate
  TRY int 0x30
  SET_GATE IDT(8), CODE0, ABS(handler), 0x8e, 0
  mov byte [IDT(13) + 5], 0x0e                  ; not present
  mov ax, 0x200
  mov ds, ax
  DONE
handler:
  TOLOG 0xdf
  pop eax
  TOLOG eax
  DONE
EPILOGUE
