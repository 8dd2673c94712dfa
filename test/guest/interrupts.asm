; { "about": "where a maskable interrupt is taken: at the way back of a loop, behind exactly one instruction after STI, not in STI CLI, not between MOV SS and MOV ESP, at once after POPF and IRET, behind STI HLT", "mode": "flat32",
;   "interrupt": { "vector": 40, "port": 128 },
;   "qemu": { "skip": "the interrupts come from the test engine's port" },
;   "expect": { "log": ["00000003", "00000000", "00000050", "00000002", "00000028", "00000001", "00001001", "00000005", "00000001", "00000002", "00000002", "00000202", "00000003"] } }
%include "common.inc"
; Raises the interrupt; IF is clear.
%macro RAISE 0
  out 0x80, al
%endmacro
main:
  SET_GATE IDT(0x28), CODE0, ABS(handler), 0x8e, 0
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
  RAISE
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
  ; MOV SS in the shadow of STI: the next instruction is covered too
  mov dword [base], .ss
  mov ax, ss
  mov edx, esp
  RAISE
.ss:
  sti                                           ; 1 byte
  mov ss, ax                                    ; 2 bytes
  mov esp, edx                                  ; 2 bytes
  inc ecx                                       ; 1 byte
  inc ecx
  cli
  times 2 nop
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
  push eax
  mov eax, [esp + 4]
  sub eax, [base]
  TOLOG eax
  pop eax
  iretd
.in_loop:
  TOLOG eax
  xor ebp, ebp                                  ; flags of the handler must not come through
  iretd
base: dd 0
kind: dd 0
EPILOGUE
