; { "about": "POPF and IRET change IOPL only in ring 0 and IF only where CPL <= IOPL; VM never by POPF", "mode": "protected",
;   "expect": { "log": ["00007202", "00200002", "00004002", "00007602", "00003002", "00003202", "00003002", "00000002", "ee0d0000", "00244cd7"] } }
%include "common.inc"
main:
  SET_FLAGS 0x27202                             ; VM by POPF: ignored
  TOLOG_FLAGS
  SET_FLAGS 0x200002                            ; ID
  TOLOG_FLAGS
  SET_FLAGS 2
  ENTER_USER user0
  SET_FLAGS 0x3002                              ; IOPL 3
  ENTER_USER user3
  SET_FLAGS 2
  TOLOG_FLAGS
  ENTER_USER user4
  SET_FLAGS 0x244ed7
  pushfd
  pop eax
  and eax, ~0x200
  SET_FLAGS 2
  TOLOG eax
  DONE
user0:
  SET_FLAGS 0x7202                              ; IOPL and IF stay
  TOLOG_FLAGS
  LEAVE_USER
user3:
  SET_FLAGS 0x4602                              ; IF may be set, IOPL stays 3
  TOLOG_FLAGS
  cli
  SET_FLAGS 2
  TOLOG_FLAGS
  sti
  TOLOG_FLAGS
  push dword CODE3                              ; IRET to the same level
  mov ebx, esp
  push dword 0
  mov [ebx - 4], ebx
  add esp, 8
  push dword 0x0002
  push dword CODE3
  push dword .after
  iretd
.after:
  TOLOG_FLAGS
  LEAVE_USER
user4:
  TRY cli
  LEAVE_USER
EPILOGUE
