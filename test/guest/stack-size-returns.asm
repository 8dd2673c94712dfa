; { "about": "RETF n and IRET from a 16- and a 32-bit stack, to the same ring and to an outer one with a stack of either size: what is popped and dropped goes by the old stack's size, what is dropped from the outer stack by the new one's; a 16-bit outer stack takes SP alone", "mode": "protected",
;   "expect": { "log": [
;     "00020006", "00020002", "00020006", "00020004", "00030006", "00030002", "00030006", "00030004", "00030004", "00000053", "0003fffc", "00000053",
;     "00030004", "00000053", "0003fffc", "00000053", "00010004", "0000005b", "0000fffc", "0000005b", "00020004", "0000005b", "0001fffc", "0000005b",
;     "00020004", "00000053", "0002fffc", "00000053", "00020004", "00000053", "0002fffc", "00000053", "00010004", "0000005b", "0000fffc", "0000005b",
;     "00020004", "0000005b", "0001fffc", "0000005b"] } }
%include "common.inc"
%include "stack-size.inc"
; Pushes a constant, 16 or 32 bits.
%macro SLOT 2
  %if %1 == 32
  push dword %2
  %else
  push word %2
  %endif
%endmacro
; stack, operand size: RETF 6 in one ring over the end of 64 KiB, and IRET
%macro SAME 2
  NEW_STACK %1, 0x30000
  SLOT %2, CS_0
  SLOT %2, OFFSET(%%there)
  and esp, ~0x10000                             ; another upper half, where only SP counts
  o%2 retf 6
  ud2
%%there:
  mov eax, esp
  NEW_STACK %1, 0x30000 + %2 / 8
  SLOT %2, 2
  SLOT %2, CS_0
  SLOT %2, OFFSET(%%back)
  and esp, ~0x10000
  o%2 iret
  ud2
%%back:
  mov ebx, esp
  jmp CODE0:%%flat
%%flat:
  OLD_STACK
  NOTE eax, ebx
%endmacro
; inner stack, outer stack, operand size: RETF 8 and IRET to ring 3
%macro OUTER 3
  mov dword [user_return], %%back
  mov dword [user_esp], STACK0
  NEW_STACK %1, 0x30004
  SLOT %3, %2
  SLOT %3, 0x1fffc
  SLOT %3, 0x4444
  SLOT %3, 0x3333
  %if %3 == 16
  SLOT %3, 0x2222
  SLOT %3, 0x1111
  %endif
  SLOT %3, CS_3
  SLOT %3, OFFSET(user)
  o%3 retf 8
  ud2
%%back:
  OLD_STACK
  NOTE ebx, ecx
  mov dword [user_return], %%again
  NEW_STACK %1, 0x30004
  SLOT %3, %2
  SLOT %3, 0x1fffc
  SLOT %3, 2
  SLOT %3, CS_3
  SLOT %3, OFFSET(user)
  o%3 iret
  ud2
%%again:
  OLD_STACK
  NOTE ebx, ecx
%endmacro
main:
  STACK_SEGMENTS
  SAME SS16, 16
  SAME SS16, 32
  SAME SS32, 16
  SAME SS32, 32
  OUTER SS16, SS16_3, 16
  OUTER SS16, SS16_3, 32
  OUTER SS16, SS32_3, 16
  OUTER SS16, SS32_3, 32
  OUTER SS32, SS16_3, 16
  OUTER SS32, SS16_3, 32
  OUTER SS32, SS32_3, 16
  OUTER SS32, SS32_3, 32
  DONE
user:
  mov ebx, esp
  mov ecx, ss
  LEAVE_USER
EPILOGUE
