; { "about": "SYSENTER and SYSEXIT: flat segments by SYSENTER_CS, ESP and EIP; #GP with a null SYSENTER_CS and for SYSEXIT in ring 3", "mode": "protected", "without": ["returns", "entries", "frames"],
;   "expect": { "log": ["ee0d0000", "00000008", "00000010", "0003c000", "00000002", "0000001b", "00000023", "00046000", "ee0d0000", "99999999"] } }
%include "common.inc"
main:
  TRY sysexit                                   ; SYSENTER_CS is 0
  mov ecx, 0x174
  xor edx, edx
  mov eax, CODE0
  wrmsr
  inc ecx
  mov eax, 0x3c000
  wrmsr
  inc ecx
  mov eax, entry
  wrmsr
  SET_FLAGS 0x202
  ENTER_USER user
  TOLOG 0x99999999
  DONE
user:
  sysenter
entry:
  TOLOG_EACH cs, ss, esp
  TOLOG_FLAGS 0x202                             ; IF is clear
  mov edx, .user
  mov ecx, 0x46000
  sysexit
.user:
  TOLOG_EACH cs, ss, esp
  TRY sysexit
  LEAVE_USER
EPILOGUE
