; { "about": "a task gate in the IDT: the exception's error code is on the new stack, IRET returns to the faulting task; an invalid TSS gives #TS", "mode": "protected",
;   "expect": { "log": ["00000040", "00000038", "00000028", "00000000", "77777777", "ee0a0048"] } }
%include "common.inc"
main:
  SET_DESC 0x40, ABS(tss2), 103, 0x89, 0
  SET_DESC 0x48, ABS(tss3), 102, 0x89, 0        ; limit too small
  SET_GATE IDT(13), 0x40, 0, 0x85, 0
  mov dword [tss + 0x20], 0
  mov eax, 0x38 + 0x200
  mov ds, ax                                    ; beyond the GDT: #GP(selector), its handler is a task
after:
  TOLOG 0x77777777
  TRY call 0x48:0
  DONE
handler:
  str eax
  TOLOG eax
  pop eax
  and eax, 0x1ff
  TOLOG eax
  movzx eax, word [tss2]
  TOLOG eax
  mov eax, [tss + 0x20]                         ; the EIP that was saved
  sub eax, after - 2
  TOLOG eax
  add dword [tss + 0x20], 2
  iretd
align 4
tss2:
  TASK_STATE handler
tss3:
  TASK_STATE handler, 0x3a000
EPILOGUE
