; { "about": "INT n against the gate's DPL, gates that are not present or no gates at all, beyond the IDT; interrupt gates clear IF, trap gates do not", "mode": "protected", "without": ["returns", "entries", "frames"],
;   "expect": { "log": ["ee0d010a", "ee0d01fa", "ee030000", "ee040000", "ee0d0402", "ee0d01ca", "ee0b01d2", "ee0d0010", "00000202", "00000002", "00000202", "00000202", "0000001b", "00000023", "00048000", "ee0d000a"] } }
%include "common.inc"
main:
  mov byte [IDT(3) + 5], 0xee
  mov byte [IDT(4) + 5], 0xee
  SET_GATE IDT(0x39), CODE0, 0, 0x9c, 0         ; no gate type
  mov byte [IDT(0x39) + 5], 0xf2
  mov byte [IDT(0x3a) + 5], 0x6e                ; not present
  mov word [IDT(0x3b) + 2], 0x10 * 0 + DATA0    ; selector of a data segment
  mov byte [IDT(0x3b) + 5], 0xee
  SET_GATE IDT(0x31), CODE0, ABS(record), 0xee, 0
  SET_GATE IDT(0x32), CODE0, ABS(record), 0xef, 0
  SET_GATE IDT(0x33), CODE0, ABS(frame), 0xee, 0
  SET_FLAGS 0x202
  ENTER_USER user
  DONE
user:
  TRY int 0x21
  TRY int 0x3f
  ; INT3 and INTO are traps: EIP is behind them
  EXPECT .after3, .after3
  int3
.after3:
  EXPECT .after4, .after4
  mov al, 0x7f
  inc al                                        ; OF
  into
.after4:
  TRY int 0x80                                  ; beyond the limit
  TRY int 0x39
  TRY int 0x3a
  TRY int 0x3b
  int 0x31
  int 0x32
  int 0x33
  TRY int 0x01
  LEAVE_USER
record:                                         ; pushed EFLAGS, and EFLAGS now
  mov eax, [esp + 8]
  and eax, 0x302
  TOLOG eax
  TOLOG_FLAGS 0x302
  iretd
frame:
  TOLOG_EACH [esp + 4], [esp + 16], [esp + 12]
  iretd
EPILOGUE
