; { "about": "hardware task switches: CALL, IRET by the back link, JMP; busy bits, NT, saved registers, CR0.TS; a busy or absent TSS faults", "mode": "protected",
;   "expect": { "log": ["00000040", "00004002", "0000cafe", "0000008b", "0000008b", "00000028", "1234abcd", "0000008b", "00000089", "00000008", "00000002", "0000cafe", "00000089", "0000008b", "0000beef", "0000008b", "00000089", "ee0d0028", "ee0b0048", "ee0d0010"] } }
%include "common.inc"
%macro BUSY 0                                   ; type bytes of the first and the second TSS
  movzx eax, byte [GDT(TSS0) + 5]
  TOLOG eax
  movzx eax, byte [GDT(0x40) + 5]
  TOLOG eax
%endmacro
main:
  SET_DESC 0x40, ABS(tss2), 103, 0x89, 0
  SET_DESC 0x48, ABS(tss2), 103, 0x09, 0        ; not present
  mov ebx, 0x1234abcd
  clts
  call 0x40:0xffffffff
  TOLOG ebx
  BUSY
  mov eax, cr0
  and eax, 8                                    ; TS
  TOLOG eax
  TOLOG_FLAGS 0x4002
  jmp 0x40:0                                    ; goes on behind its IRET
back:
  BUSY
  TRY call TSS0:0                               ; busy: it is the current one
  TRY jmp 0x48:0
  TRY call DATA0:0
  DONE
second:
  str eax
  TOLOG eax
  TOLOG_FLAGS 0x4002
  TOLOG ecx
  BUSY
  movzx eax, word [tss2]                        ; back link
  TOLOG eax
  mov ebx, 0x5555
  iretd
  TOLOG ecx
  BUSY
  TOLOG 0xbeef
  jmp TSS0:0
align 4
tss2:
  TASK_STATE second, 0x3c000, 0xcafe
EPILOGUE
