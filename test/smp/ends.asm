; Ends of a run with several CPUs. The option end= says which:
; 0: the last CPU writes to the debug-exit port; 1: it switches the machine off; 2: it triple-faults; 3: all CPUs sleep with interrupts off, one after the
; other; 4: all spin with interrupts off; 5: all sleep with interrupts on, and none comes; 6: all take a lock n times each, in order and not, and spin with
; PAUSE for it; 7: as 6, by tickets. CPU 0 prints "ready" first.
%include "smp.inc"

cpu_main:
  test ebx, ebx
  jnz .ready
  mov esi, name_end
  xor eax, eax
  call option
  mov [how], eax
  mov esi, name_port
  mov eax, 0x604
  call option
  mov [port], eax
  LINE "ready"
.ready:
  call barrier
  mov eax, [how]
  cmp eax, 3
  je sleep
  cmp eax, 4
  je .spin
  cmp eax, 5
  je .idle
  cmp eax, 6
  je locks
  cmp eax, 7
  je tickets
  lea ecx, [ebx + 1]
  cmp ecx, [cpus]
  jne .spin
  cmp eax, 1
  je .off
  cmp eax, 2
  je .fault
  mov al, 7
  out EXIT_PORT, al
  jmp sleep
.off:
  mov edx, [port]
  mov ax, 0x2000
  out dx, ax
  jmp sleep
.fault:
  lidt [nowhere]
  int3
.spin:
  jmp .spin
.idle:
  mov dword [LAPIC + 0x350], 0x10000            ; no interrupt of the 8259s
  sti
.sleep:
  hlt
  jmp .sleep

; Each CPU N times; who has had it comes back at once.
locks:
  mov esi, [n]
.next:
  LOCK the_lock
  inc dword [inside]
  cmp dword [inside], 1
  jne .bad
  inc dword [total]
  dec dword [inside]
  UNLOCK the_lock
  dec esi
  jnz .next
  jmp counted
.bad:
  LINE "two are inside"
counted:
  call barrier
  test ebx, ebx
  jnz .out
  LINE "total ", [total]
.out:
  FINISH 0

tickets:
  mov esi, [n]
.next:
  mov eax, 1
  lock xadd [the_lock], eax
.wait:
  pause
  cmp [serving], eax
  jne .wait
  inc dword [total]
  inc dword [serving]
  dec esi
  jnz .next
  jmp counted

name_end: db "end=", 0
name_port: db "port=", 0
how: dd 0
port: dd 0
nowhere: dw 0
  dd 0
align 64, db 0
the_lock: dd 0
  align 64, db 0
serving: dd 0
inside: dd 0
total: dd 0

%include "end.inc"
