; { "about": "x87 errors with CR0.NE clear: the next WAIT stops for IRQ 13; behind a write to port 0xF0 its handler can use the x87, and FNCLEX ends it; the next error comes again; a masked one never", "mode": "flat32",
;   "qemu": { "skip": "QEMU 7.2 fails an assertion of its own when its emulation raises FERR#, and KVM does without" },
;   "interrupt": { "vector": 45, "fpuError": true },
;   "expect": { "log": ["00000001", "00000084", "00000084", "11110000", "00000001", "00000084", "00000084", "22220000", "00000004", "33330000"] } }
%include "common.inc"
%macro ERROR 0
  fldz
  fld1
  fdiv st0, st1                                 ; pending, with ZE and ES
%endmacro
main:
  SET_GATE IDT(0x2d), CODE0, ABS(handler), 0x8e, 0
  mov al, 0x11                                  ; 8259s: vectors 0x20 and 0x28, IRQ 2 and IRQ 13 open
  out 0x20, al
  out 0xa0, al
  mov al, 0x20
  out 0x21, al
  mov al, 0x28
  out 0xa1, al
  mov al, 4
  out 0x21, al
  mov al, 2
  out 0xa1, al
  mov al, 1
  out 0x21, al
  out 0xa1, al
  mov al, 0xfb
  out 0x21, al
  mov al, 0xdf
  out 0xa1, al
  mov eax, cr0
  and eax, ~0x2e                                ; NE, TS, EM, MP
  mov cr0, eax
  fninit
  mov dword [DATA], 0x37b
  fldcw [DATA]
  sti
  ERROR
  wait
  nop
  TOLOG 0x11110000
  ERROR
  wait
  nop
  TOLOG 0x22220000
  cli
  fninit
  ERROR                                         ; masked
  wait
  fnstsw ax
  movzx eax, al
  TOLOG eax
  TOLOG 0x33330000
  mov al, '.'
  out 0xe9, al
  DONE
handler:
  push eax
  mov al, 'E'
  out 0xe9, al                                  ; for test/unit/machine/fpu-error.test.ts, where the 8259s are real
  TOLOG 1
  fnstsw ax
  movzx eax, al
  TOLOG eax
  out 0xf0, al                                  ; IGNNE#: waiting instructions go on
  wait
  fnop
  fnstsw ax
  movzx eax, al
  TOLOG eax
  fnclex
  ffree st0
  ffree st1
  fincstp
  fincstp
  mov al, 0x20
  out 0xa0, al
  out 0x20, al
  pop eax
  iretd
EPILOGUE
