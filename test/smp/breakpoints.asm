; Each CPU has debug registers of its own: CPU 1 meets breakpoints on code and data, hundreds of times, while CPU 0 runs the same code on the same data, translated, and meets none.
; n: hundreds of turns of CPU 1 with breakpoints.
%include "smp.inc"

%define TURNS 300000

on_debug:
  push eax
  mov eax, [LAPIC + 0x20]
  shr eax, 24
  inc dword [met + eax * 4]
  or dword [esp + 12], 0x10000                  ; RF: go on behind an instruction breakpoint
  xor eax, eax
  mov dr6, eax
  pop eax
  iret

cpu_main:
  mov edi, ebx
  shl edi, 6
  add edi, cells
  test ebx, ebx
  jnz others
  GATE 1, on_debug
  call barrier
.turns:
  mov ecx, TURNS
  call work
  cmp dword [done], 0
  je .turns
  cmp dword [met], 0
  je .none
  LINE "CPU 0 met ", [met]
  jmp .of_cpu1
.none:
  LINE "CPU 0 ok"
.of_cpu1:
  mov eax, [n]
  imul eax, 200
  cmp [met + 4], eax
  je .all
  LINE "CPU 1 met ", [met + 4]
  jmp .finish
.all:
  LINE "CPU 1 ok"
.finish:
  FINISH 0

others:
  call barrier
  cmp ebx, 1
  jne .finish
  mov ecx, TURNS
  call work
  mov eax, work.middle
  mov dr0, eax
  mov eax, shared
  mov dr1, eax
  mov eax, 0x00f0040a                           ; G0: execution; G1: 4 bytes, read or written
  mov dr7, eax
  mov ecx, [n]
  imul ecx, 100
  call work
  xor eax, eax
  mov dr7, eax
  mov ecx, TURNS
  call work
  mov dword [done], 1
.finish:
  FINISH 0

  align 4096
work:
  inc dword [edi]
.middle:
  add eax, [shared]
  dec ecx
  jnz work
  ret

  align 4096
shared: dd 1
done: dd 0
met: times MAX_CPUS dd 0
  align 64, db 0
cells: times MAX_CPUS * 16 dd 0
%include "end.inc"
