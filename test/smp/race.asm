; A real race: each CPU adds 1 to a counter n times without a lock (a load, an addition, a store), and to another one with a lock. What the first one
; holds in the end depends on how the CPUs took turns.
%include "smp.inc"

cpu_main:
  call barrier
  mov ecx, [n]
.again:
  mov eax, [plain]
  inc eax
  mov [plain], eax
  lock inc dword [locked]
  dec ecx
  jnz .again
  call barrier
  test ebx, ebx
  jnz .out
  mov eax, [plain]
  mov ecx, [locked]
  LINE "plain ", eax, " locked ", ecx
.out:
  FINISH 0

align 64
plain: dd 0
align 64
locked: dd 0
%include "end.inc"
