; { "about": "where an x87 error with CR0.NE clear stops: before the next waiting instruction, x87 or MMX, which changes nothing; not before FNSTSW; MOV CR0 to NE makes #MF of it", "mode": "flat32",
;   "interrupt": { "vector": 45, "fpuError": true },
;   "qemu": { "skip": "QEMU 7.2 fails an assertion of its own when its emulation raises FERR#; and it looks for pending errors in WAIT alone" },
;   "expect": { "log": ["00000000", "0000b084", "00002800", "00000000", "0000b084", "00000000", "00000000", "0000b084", "0000a084", "ee100000", "0000a084"] } }
%include "common.inc"
%macro ERROR 1
  mov dword [base], %1
  fninit
  fldcw [DATA]
  fldz
  fld1
  fdiv st0, st1                                 ; pending, with ZE and ES
%endmacro
main:
  SET_GATE IDT(0x2d), CODE0, ABS(handler), 0x8e, 0
  mov eax, cr0
  and eax, ~0x2e                                ; NE, TS, EM, MP
  mov cr0, eax
  mov dword [DATA], 0x37b
  sti
  ERROR .load
  mov dword [clears], 1
  fnstsw ax
.load:
  fldpi
  call status
  ERROR .mmx
.mmx:
  movd mm0, eax
  call status
  mov dword [clears], 0
  ERROR .ignored
.ignored:
  fldpi
  fldpi
  call status
  cli
  mov eax, cr0
  or eax, 0x20                                  ; NE
  mov cr0, eax
  TRY fldpi
  call status
  DONE
status:
  fnstsw ax
  movzx eax, ax
  TOLOG eax
  ret
handler:
  push eax
  mov eax, [esp + 4]
  sub eax, [base]
  TOLOG eax
  call status
  cmp dword [clears], 0
  je .ignore
  fnclex
  jmp .go
.ignore:
  out 0xf0, al
.go:
  pop eax
  iretd
base: dd 0
clears: dd 0
EPILOGUE
