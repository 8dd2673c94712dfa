; { "about": "loads of SS from a 16- and a 32-bit stack to either: POP SS moves the stack pointer by the old stack's size (SDM vol. 2, POP), LSS and MOV SS leave it; PUSH, POP of other segments, ENTER and LEAVE go by the size of the stack they are on", "mode": "protected",
;   "expect": { "log": [
;     "00020000", "00000048", "0001fffc", "00020000", "00000048", "0001fffc", "00030000", "00000040", "0003fffc", "00030000", "00000040", "0003fffc",
;     "00020000", "00000040", "0002fffc", "00020000", "00000040", "0002fffc", "00030000", "00000048", "0002fffc", "00030000", "00000048", "0002fffc",
;     "0003b000", "0003affc", "00000048", "0002c000", "00000048", "0003b000", "0003affc", "00000040", "0002c000", "00000040", "0003b000", "0003affc",
;     "00000040", "0002c000", "00000040", "0003b000", "0003affc", "00000048", "0002c000", "00000048", "00020000", "0002fffe", "00027fde", "00027ffe",
;     "00029002", "00028888", "00027fda", "00020000", "0002fffc", "00027fdc", "00027ffc", "00029004", "77778888", "00027fd4", "00030000", "0002fffe",
;     "00027fde", "00027ffe", "00029002", "00028888", "00027fda", "00030000", "0002fffc", "00027fdc", "00027ffc", "00029004", "77778888", "00027fd4"] } }
%include "common.inc"
%include "stack-size.inc"
; POP SS, LSS, LEAVE and the rest are so on a real processor as well (an AMD EPYC, in ring 3 with stacks in its LDT). ENTER with an operand size that is not
; the stack's is shown with equal upper halves of ESP and EBP alone: that processor sets EBP by the operand size, the manual and QEMU by the stack's.
; old stack, new stack, operand size: ESP and SS behind POP SS; then a PUSH on the new stack
%macro POP_SS 3
  mov word [STACKS + 0xfffc], %2
  mov word [STACKS + 0xfffe], %2
  mov word [STACKS + 0x2fffc], %2
  mov word [STACKS + 0x2fffe], %2
  NEW_STACK %1, 0x30000 - %3 / 8
  o%3 pop ss
  mov eax, esp
  mov ebx, ss
  push ecx
  mov edx, esp
  OLD_STACK
  NOTE eax, ebx, edx
%endmacro
; old stack, new stack: ESP and SS behind LSS ESP and LSS SP through the old one
%macro LOAD_SS 2
  mov dword [STACKS + 0xa000], 0x0003b000
  mov word [STACKS + 0xa004], %2
  NEW_STACK %1, 0xa000
  lss esp, [esp]
  mov eax, esp
  push ecx
  mov ebx, esp
  mov edx, ss
  OLD_STACK
  NOTE eax, ebx, edx
  mov dword [STACKS + 0xa000], 0xc000 | (%2 << 16)
  NEW_STACK %1, 0xa000
  mov ebp, 0xa000
  mov esp, 0x2a000
  o16 lss sp, [ebp]
  mov eax, esp
  mov edx, ss
  OLD_STACK
  NOTE eax, edx
%endmacro
; stack, operand size: ESP behind POP ES and PUSH ES over the end of 64 KiB, and behind ENTER and LEAVE
%macro ON_STACK 2
  mov word [STACKS + 0xfffc], DATA0
  mov word [STACKS + 0xfffe], DATA0
  mov word [STACKS + 0x2fffc], DATA0
  mov word [STACKS + 0x2fffe], DATA0
  NEW_STACK %1, 0x30000 - %2 / 8
  o%2 pop es
  mov eax, esp
  o%2 push es
  mov ebx, esp
  NOTE eax, ebx
  mov ebp, 0x21234
  mov esp, 0x28000
  o%2 enter 0x20, 0
  mov eax, esp
  mov ebx, ebp
  NOTE eax, ebx
  mov ebp, 0x29000
  mov dword [STACKS + 0x9000], 0x77778888
  mov dword [STACKS + 0x29000], 0x77778888
  o%2 leave
  mov eax, esp
  mov ebx, ebp
  NOTE eax, ebx
  mov ebp, 0x29000
  mov esp, 0x28000
  o%2 enter 0x20, 2
  mov eax, esp
  OLD_STACK
  NOTE eax
%endmacro
main:
  STACK_SEGMENTS
  POP_SS SS16, SS32, 16
  POP_SS SS16, SS32, 32
  POP_SS SS32, SS16, 16
  POP_SS SS32, SS16, 32
  POP_SS SS16, SS16, 16
  POP_SS SS16, SS16, 32
  POP_SS SS32, SS32, 16
  POP_SS SS32, SS32, 32
  LOAD_SS SS16, SS32
  LOAD_SS SS32, SS16
  LOAD_SS SS16, SS16
  LOAD_SS SS32, SS32
  ON_STACK SS16, 16
  ON_STACK SS16, 32
  ON_STACK SS32, 16
  ON_STACK SS32, 32
  DONE
EPILOGUE
