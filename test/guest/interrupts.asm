; { "about": "where a maskable interrupt is taken: at the way back of a loop, behind exactly one instruction after STI, not in STI CLI, not between MOV SS and MOV ESP, at once after POPF and IRET, behind STI HLT", "mode": "flat32", "without": ["returns", "entries", "frames"],
;   "interrupt": { "vector": 40, "port": 128 },
;   "expect": { "log": ["00000003", "00000000", "00000050", "00000002", "00000028", "00000001", "00001001", "00000010", "00000000", "00000001", "00000002", "00000002", "00000202", "00000003"] } }
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
; Raises it, and waits until the 8259 has it; IF is clear. Ports without a device read as all ones.
%macro RAISE 0
  pushfd
  push eax
  COUNT 1
%%wait:
  in al, 0x20
  test al, 1
  jz %%wait
  pop eax
  popfd
  out 0x80, al
%endmacro
main:
  SET_GATE IDT(0x28), CODE0, ABS(handler), 0x8e, 0
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
  ; in a loop: taken at its way back at the latest, registers and flags are right in the handler and behind it
  mov dword [base], .loop
  mov dword [kind], 1
  push dword 0x202
  popfd
  xor eax, eax
  xor ebx, ebx
  mov ecx, 8
  mov edx, 0x10
.loop:
  inc eax
  add ebx, 10
  cmp eax, 3
  jne .next
  cli
  push eax
  COUNT 500
  pop eax
  sti
  out 0x80, al
.wait:
  cmp dword [taken], 0
  je .wait
.next:
  dec ecx
  jnz .loop
  cli
  TOLOG ecx
  TOLOG ebx
  mov dword [kind], 0

  ; exactly one instruction behind STI
  mov dword [base], .sti
  RAISE
  mov eax, 0x27
.sti:
  sti
  inc eax
  cli                                           ; +2
  TOLOG eax
  ; STI CLI opens no window; the interrupt comes with the next one
  mov dword [base], .window
  RAISE
  xor eax, eax
  sti
  cli
  nop
  sti
.window:
  nop
  inc eax
  cli
  TOLOG 0x1001
  ; sixteen interrupts in a loop of MOV SS and MOV ESP come, but never between the two. (MOV SS directly behind STI would be
  ; another case: only the first of several such instructions delays interrupts for certain.)
  mov dword [base], .between
  mov dword [kind], 2
  mov ebx, ss
  mov edx, esp
  xor ecx, ecx
.round:
  mov dword [taken], 0
  COUNT 500
  sti
  out 0x80, al
.pair:
  mov ss, bx
.between:
  mov esp, edx
  cmp dword [taken], 0
  je .pair
  cli
  inc ecx
  cmp ecx, 16
  jb .round
  mov dword [kind], 0
  TOLOG ecx
  mov eax, [torn]
  TOLOG eax
  ; POPF
  mov dword [base], .popf
  RAISE
  push dword 0x202
.popf:
  popfd
  cli
  ; IRET
  mov dword [base], .iret
  RAISE
  push dword 0x202
  push cs
  push dword .iret + 2
.iret:
  iretd
  nop
  cli                                           ; + 2
  ; STI HLT
  mov dword [base], .halt
  RAISE
.halt:
  sti
  hlt
  cli                                           ; + 2
  pushfd
  pop eax
  or eax, 0x200
  TOLOG eax
  TOLOG 3
  DONE
handler:
  cmp dword [kind], 1
  je .in_loop
  cmp dword [kind], 2
  je .in_pairs
  push eax
  mov eax, [esp + 4]
  sub eax, [base]
  TOLOG eax
  pop eax
  iretd
.in_loop:
  inc dword [taken]
  TOLOG eax
  xor ebp, ebp                                  ; flags of the handler must not come through
  iretd
.in_pairs:
  inc dword [taken]
  push eax
  mov eax, [esp + 4]
  cmp eax, [base]
  jne .whole
  inc dword [torn]
.whole:
  pop eax
  iretd
base: dd 0
kind: dd 0
taken: dd 0
torn: dd 0
EPILOGUE
