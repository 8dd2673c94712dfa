; { "about": "MOV of control registers that do not exist, LMSW cannot clear PE, SMSW, CR2 and CR3 round trips", "mode": "protected",
;   "expect": { "log": ["ee060000", "ee060000", "00000013", "00000013", "0000001b", "12345678", "00055000", "00000011"] } }
%include "common.inc"
main:
  TRY db 0x0f, 0x20, 0xc8                       ; CR1
  TRY db 0x0f, 0x22, 0xe8                       ; CR5
  mov eax, 0x13
  lmsw ax
  smsw eax
  and eax, 0x1f
  TOLOG eax
  mov eax, 0x12
  lmsw ax                                       ; cannot clear PE
  smsw eax
  and eax, 0x1f
  TOLOG eax
  mov eax, 0x1b
  lmsw ax
  smsw eax
  and eax, 0x1f
  TOLOG eax
  mov eax, 0x12345678
  mov cr2, eax
  TOLOG_EACH cr2
  mov eax, 0x55000
  mov cr3, eax
  TOLOG_EACH cr3
  mov eax, cr0
  and eax, 0x11
  TOLOG eax
  DONE
EPILOGUE
