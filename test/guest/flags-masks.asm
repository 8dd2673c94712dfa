; { "about": "POPF and IRET change IOPL only in ring 0 and IF only where CPL <= IOPL; VM never by POPF", "mode": "protected",
;   "expect": { "log": ["00007202", "00200002", "00004002", "00007602", "00003002", "00003202", "00003002", "00000002", "ee0d0000", "00244cd7"] } }
%include "common.inc"
%macro FLAGS_TO_LOG 0
  pushfd
  pop eax
  TOLOG eax
%endmacro
main:
  push dword 0x27202                            ; VM by POPF: ignored
  popfd
  FLAGS_TO_LOG
  push dword 0x200002                           ; ID
  popfd
  FLAGS_TO_LOG
  push dword 2
  popfd
  ENTER_USER user0
  push dword 0x3002                             ; IOPL 3
  popfd
  ENTER_USER user3
  push dword 2
  popfd
  FLAGS_TO_LOG
  ENTER_USER user4
  push dword 0x244ed7
  popfd
  pushfd
  pop eax
  and eax, ~0x200
  push dword 2
  popfd
  TOLOG eax
  DONE
user0:
  push dword 0x7202                             ; IOPL and IF stay
  popfd
  FLAGS_TO_LOG
  LEAVE_USER
user3:
  push dword 0x4602                             ; IF may be set, IOPL stays 3
  popfd
  FLAGS_TO_LOG
  cli
  push dword 2
  popfd
  FLAGS_TO_LOG
  sti
  FLAGS_TO_LOG
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
  FLAGS_TO_LOG
  LEAVE_USER
user4:
  TRY cli
  LEAVE_USER
EPILOGUE
