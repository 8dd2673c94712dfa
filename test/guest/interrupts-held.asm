; { "about": "an interrupt that waited through loops with IF clear is taken where IF becomes set: behind exactly one instruction after STI, at once after POPF, IRET and a task switch, behind STI HLT; PUSHF and POPF with IF clear let nothing in", "mode": "protected",
;   "interrupt": { "vector": 40, "port": 128 },
;   "expect": { "log": ["00000027", "00000002", "00000028", "00000001", "00000000", "00000000", "00000002", "00000003"] } }
%include "common.inc"
; The interrupt is raised by the test engine at port 0x80, and on a PC by IRQ 0: the PIT's counter 0 ends in mode 0, once.
%macro COUNT 1
  mov al, 0x30
  out 0x43, al
  mov al, (%1) & 0xff
  out 0x40, al
  mov al, (%1) >> 8
  out 0x40, al
%endmacro
; Raises it, waits until the 8259 has it (ports without a device read as all ones), and goes round in loops that cannot take it. It is to come at a label.
%macro RAISE 1
  mov dword [place], %1
  COUNT 1
%%wait:
  in al, 0x20
  test al, 1
  jz %%wait
  out 0x80, al
  mov ecx, 100
%%turn:
  mov edx, 2
%%inner:
  dec edx
  jnz %%inner
  loop %%turn
%endmacro
main:
  SET_GATE IDT(0x28), CODE0, ABS(handler), 0x8e, 0
  SET_DESC 0x40, ABS(tss2), 103, 0x89, 0
  COUNT 0xffff
  mov al, 0x11                                  ; the 8259: vector 0x28 for IRQ 0, automatic EOI
  out 0x20, al
  mov al, 0x28
  out 0x21, al
  mov al, 4
  out 0x21, al
  mov al, 3
  out 0x21, al
  mov al, 0xfe
  out 0x21, al
  ; flags that come and go without IF; then STI
  RAISE .sti
  mov eax, 0x27
  pushfd
  popfd
  TOLOG eax
.sti:
  sti
  inc eax
  cli                                           ; +2
  TOLOG eax
  ; POPF
  RAISE .popf
  push dword 0x202
.popf:
  popfd
  cli                                           ; +1
  ; IRET
  RAISE .behind
  push dword 0x202
  push cs
  push dword .behind
  iretd
  nop
.behind:
  cli                                           ; +0
  ; a task switch
  mov dword [tss2 + 36], 0x202
  RAISE second
  jmp 0x40:0
second:
  cli                                           ; +0
  mov esp, STACK0
  ; STI HLT
  RAISE .halt
.halt:
  sti
  hlt
  cli                                           ; +2
  TOLOG 3
  DONE
handler:
  push eax
  mov eax, [esp + 4]
  sub eax, [place]
  TOLOG eax
  pop eax
  iretd
place: dd 0
align 4
tss2:
  TASK_STATE second, 0x3c000, 0xcafe
EPILOGUE
