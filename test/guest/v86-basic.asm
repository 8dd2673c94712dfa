; { "about": "virtual-8086 mode: entry by IRET, addresses, faults push nine dwords and null the data segments, INT n with IOPL 3, INT, PUSHF, CLI with IOPL 0, HLT", "mode": "v86",
;   "expect": { "log": ["0000c0de", "00023202", "00007000", "00001000", "00008000", "00000000", "0000abcd", "00000011", "0000dddd", "0000dddd", "0000dddd", "0000dddd", "0000dddd", "0000000d", "00000e0f"] } }
%include "common.inc"
main:
  SET_GATE IDT(0x31), CODE0, ABS(from_v86), 0xee, 0
  SET_GATE IDT(0x32), CODE0, ABS(second), 0xee, 0
  SET_GATE IDT(13), CODE0, ABS(v86_gp), 0x8e, 0
  mov dword [0x71234], 0xc0de
  mov [main_esp], esp
  mov dword [leave_to], after_first
  push dword 0x6000                             ; GS FS DS ES
  push dword 0x5000
  push dword 0x7000
  push dword 0x1000
  push dword 0x7000                             ; SS
  push dword 0x8000
  push dword 0x23202                            ; VM, IOPL 3
  push dword 0x1000
  push dword ABS(v86) & 0xffff
  iretd
after_first:
  mov dword [leave_to], after_second
  push dword 0
  push dword 0
  push dword 0x7000
  push dword 0
  push dword 0x7000
  push dword 0x8000
  push dword 0x20202                            ; IOPL 0
  push dword 0x1000
  push dword ABS(v86_iopl0) & 0xffff
  iretd
after_second:
  TOLOG 0xe0f
  DONE
main_esp: dd 0
leave_to: dd 0
from_v86:                                       ; EIP CS EFLAGS ESP SS ES DS FS GS
  push eax
  mov ax, ds                                    ; null now
  movzx eax, ax
  mov bx, DATA0
  mov ds, bx
  mov [.ds], eax
  pop eax
  TOLOG eax
  TOLOG_EACH [esp + 8], [esp + 16], [esp + 4], [esp + 12], [.ds]
  iretd
.ds: dd 0
second:
  mov bx, DATA0
  mov ds, bx
  TOLOG ecx
  movzx eax, word [esp + 24]                    ; DS that V86 code had
  shr eax, 8
  and eax, 0xff
  xor eax, 0x61
  TOLOG eax
  mov esp, [main_esp]
  mov es, bx
  jmp [leave_to]
v86_gp:                                         ; error, EIP ...: HLT ends, everything else is skipped by its length in BP
  mov bx, DATA0
  mov ds, bx
  mov eax, [esp + 4]
  cmp byte [eax + ORIGIN], 0xf4
  je .hlt
  TOLOG 0xdddd
  and ebp, 0xffff
  add [esp + 4], ebp
  add esp, 4
  iretd
.hlt:
  mov eax, [esp]
  add eax, 13
  TOLOG eax
  mov es, bx
  mov esp, [main_esp]
  jmp [leave_to]
bits 16
v86:
  mov eax, [0x1234]                             ; DS = 0x7000
  int 0x31
  mov ax, 0x7100
  mov ds, ax
  mov word [0x0010], 0xabcd                     ; 0x71010
  mov ax, 0x7000
  mov ds, ax
  movzx ecx, word [0x1010]
  pushf
  popf
  cli
  sti
  int 0x32
v86_iopl0:
  mov bp, 2
  int 0x32
  mov bp, 1
  cli
  pushf
  popf
  iret
  hlt
bits 32
EPILOGUE
