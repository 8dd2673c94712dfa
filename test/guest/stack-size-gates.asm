; { "about": "interrupts and call gates of 16 and 32 bits from ring 3 with a 16- or 32-bit stack to ring 0 with either: the frame and the parameters are written by the inner stack's size and read by the outer one's; a 16-bit inner stack takes SP alone", "mode": "protected",
;   "expect": { "log": [
;     "0003efec", "000007d6", "0000006b", "00000002", "00038ff0", "00000053", "0003eff6", "000007d8", "0000006b", "00000002", "00008ff0", "00000053",
;     "00000000", "0003efe8", "000007e9", "0000006b", "11112222", "33334444", "00038fe8", "0003eff4", "000007f8", "0000006b", "00005555", "00006666",
;     "00008fec", "00000053", "0002efec", "000007d6", "0000006b", "00000002", "00038ff0", "00000053", "0002eff6", "000007d8", "0000006b", "00000002",
;     "00008ff0", "00000053", "00000000", "0002efe8", "000007e9", "0000006b", "11112222", "33334444", "00038fe8", "0002eff4", "000007f8", "0000006b",
;     "00005555", "00006666", "00008fec", "00000053", "0001efec", "000007d6", "0000006b", "00000002", "00018ff0", "0000005b", "0001eff6", "000007d8",
;     "0000006b", "00000002", "00008ff0", "0000005b", "00000000", "0001efe8", "000007e9", "0000006b", "11112222", "33334444", "00018fe8", "0001eff4",
;     "000007f8", "0000006b", "00005555", "00006666", "00008fec", "0000005b", "0002efec", "000007d6", "0000006b", "00000002", "00018ff0", "0000005b",
;     "0002eff6", "000007d8", "0000006b", "00000002", "00008ff0", "0000005b", "00000000", "0002efe8", "000007e9", "0000006b", "11112222", "33334444",
;     "00018fe8", "0002eff4", "000007f8", "0000006b", "00005555", "00006666", "00008fec", "0000005b"] } }
%include "common.inc"
%include "stack-size.inc"
%define GATE16 0x73
%define GATE32 0x7b
; outer stack, inner stack: INT through gates of 32 and 16 bits, then calls through gates with two parameters
%macro GATES 2
  mov dword [tss + 4], 0x2f000
  mov dword [tss + 8], %2
  FROM_USER %1, user.interrupt
  FROM_USER %1, user.interrupt16
  FROM_USER %1, user.call
  FROM_USER %1, user.call16
%endmacro
; outer stack, what to run in ring 3
%macro FROM_USER 2
  mov dword [user_return], %%back
  push dword %1
  push dword 0x18ff0
  push dword 2
  push dword CS_3
  push dword OFFSET(%2)
  iretd
%%back:
%endmacro
main:
  STACK_SEGMENTS
  SET_GATE IDT(0x31), CS_0, OFFSET(inner32), 0xee, 0
  SET_GATE IDT(0x32), CS_0, OFFSET(inner16), 0xe6, 0
  SET_GATE GDT(GATE32), CS_0, OFFSET(inner32), 0xec, 2
  SET_GATE GDT(GATE16), CS_0, OFFSET(inner16), 0xe4, 2
  GATES SS16_3, SS16
  GATES SS16_3, SS32
  GATES SS32_3, SS16
  GATES SS32_3, SS32
  DONE
user:
.interrupt:
  int 0x31
.interrupt16:
  int 0x32
.call:
  push dword 0x33334444
  push dword 0x11112222
  call GATE32:0
.call16:
  push word 0x6666
  push word 0x5555
  call GATE16:0
; Logs ESP and the frame: flags aside.
inner32:
  mov ecx, 5
  mov edx, 4
  jmp logs
inner16:
  mov ecx, 6
  mov edx, 2
logs:
  mov ax, DATA0
  mov ds, ax
  mov eax, esp
  NOTE eax
  mov esi, esp
  mov eax, ss
  lsl ebx, eax
  and esi, ebx
.next:
  mov eax, [ss:esi]
  cmp edx, 4
  je .whole
  movzx eax, ax
.whole:
  NOTE eax
  add esi, edx
  loop .next
  OLD_STACK
  jmp CODE0:.flat
.flat:
  jmp [user_return]
EPILOGUE
