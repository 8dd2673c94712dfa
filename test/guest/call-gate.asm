; { "about": "call gates to an inner ring with parameters, to the same ring, with too low a DPL, not present; RETF n to the outer ring drops the parameters on both stacks and null-loads inner data segments", "mode": "protected",
;   "expect": { "log": ["00000008", "00000010", "00043fe8", "0000001b", "11111111", "22222222", "00047ff8", "00000023", "0000001b", "00000000", "00000023", "00048000", "ee0d0048", "ee0b0050", "ee0d0058", "00000008", "0003ffb8"] } }
%include "common.inc"
main:
  SET_GATE GDT(0x40), CODE0, ABS(inner), 0xec, 2
  SET_GATE GDT(0x48), CODE0, ABS(inner), 0x8c, 2          ; DPL 0
  SET_GATE GDT(0x50), CODE0, ABS(inner), 0x6c, 2          ; not present
  SET_GATE GDT(0x58), 0x58, ABS(inner), 0xec, 2           ; to something that is no code segment
  SET_GATE GDT(0x60), CODE0, ABS(same), 0x8c, 2
  ENTER_USER user
  mov esp, 0x3ffc0
  call 0x60:0
  DONE
user:
  push dword 0x22222222
  push dword 0x11111111
  call 0x43:0xdeadbeef                          ; the offset is ignored
  TOLOG_EACH cs, es, ds, esp
  TRY call 0x4b:0
  TRY call 0x53:0
  TRY call 0x5b:0
  LEAVE_USER
inner:
  TOLOG_EACH cs, ss, esp, [esp + 4], [esp + 8], [esp + 12], [esp + 16], [esp + 20]
  mov ax, DATA0
  mov es, ax                                    ; RETF makes this null
  retf 8
same:
  TOLOG_EACH cs
  TOLOG_EACH esp                                ; parameters are not copied
  retf
EPILOGUE
