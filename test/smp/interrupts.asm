; Interrupts among several CPUs: IPIs of every kind, each of which must arrive exactly where it should and exactly once; NMI; INIT and SIPI of CPUs that run;
; the I/O APIC; local timers; time-stamp counters. Even CPUs spin while they listen, odd ones sleep in HLT.
; n: IPIs of each kind. priorities=1: the machine delivers the lowest priority by task priority (QEMU does not).
%include "smp.inc"

%define COUNTS FREE                             ; per CPU a cache line: interrupts that came, by slot
%define EXPECTED (FREE + 64 * MAX_CPUS)         ; the same, as it should be
%define VECTOR 0x50                             ; slot s has vector VECTOR + s
%define SLOT_FIXED 0
%define SLOT_SELF 1
%define SLOT_LOGICAL 2
%define SLOT_LOWEST 3
%define SLOT_NMI 4
%define SLOT_PIT 5
%define SLOT_TIMER 6
%define SLOT_RING 7
%define SLOT_WAKE 15
%define PIT_INPUT 2                             ; of the I/O APIC, as the MADT has it

; A handler that counts, for a vector of the local APIC.
%macro HANDLER 1
on_slot_%1:
  push eax
  CPU_NUMBER eax
  shl eax, 6
  mov dword [LAPIC + 0xb0], 0                   ; first: an interrupt in service counts when the lowest priority is looked for
  inc dword [COUNTS + eax + %1 * 4]
  pop eax
  iret
%endmacro
%assign s 0
%rep 16
  HANDLER s
%assign s s + 1
%endrep
on_nmi:
  push eax
  CPU_NUMBER eax
  shl eax, 6
  inc dword [COUNTS + eax + SLOT_NMI * 4]
  pop eax
  iret

; The destination of the next IPI: a number, physical or logical.
%macro TO 1
  push eax
  mov eax, %1
  shl eax, 24
  mov [LAPIC + 0x310], eax
  pop eax
%endmacro
%macro SEND 1
  mov dword [LAPIC + 0x300], %1
  call icr_idle
%endmacro

; The CPUs of mask EAX get one more in slot %1: expects them, sends, waits until they have come.
%macro EXPECT 1
  push dword %1
  call expect_more
%endmacro
%macro AWAIT 1
  push dword %1
  call await
%endmacro
expect_more:
  pushad
  mov edx, [esp + 36]
  lea edx, [EXPECTED + edx * 4]
.next:
  shr eax, 1
  adc dword [edx], 0
  add edx, 64
  test eax, eax
  jnz .next
  popad
  ret 4
await:                                          ; until every CPU has at least what is expected
  pushad
  mov edx, [esp + 36]
  shl edx, 2
  mov ecx, [cpus]
.next:
  mov eax, [EXPECTED + edx]
.wait:
  pause
  cmp [COUNTS + edx], eax
  jb .wait
  add edx, 64
  dec ecx
  jnz .next
  popad
  ret 4

%macro PART 2                                   ; name and slot; CPU 0's part follows up to END_PART; the others listen
%push part
  %define %$name %1
  %define %$slot %2
  mov dword [over], 0
  call barrier
  test ebx, ebx
  jz %$manager
  call listen
  jmp %$done
%$manager:
  sti
%endmacro
%macro END_PART 0
  cli
  mov dword [over], 1
  SEND 0xc4000 | (VECTOR + SLOT_WAKE)
%$done:
  call barrier
  VERDICT %$name, %$slot
%pop
%endmacro
%macro VERDICT 2
  test ebx, ebx
  jnz %%out
  SAY %1
  mov edx, %2 * 4
  call verdict
%%out:
  call barrier
%endmacro
verdict:
  push edx
  mov ecx, [cpus]
.next:
  mov eax, [COUNTS + edx]
  cmp eax, [EXPECTED + edx]
  jne .bad
  add edx, 64
  dec ecx
  jnz .next
  pop edx
  cmp dword [wrong], 0
  jne .wrong
  LINE " ok"
  ret
.bad:
  LINE ": ", eax, " instead of ", [EXPECTED + edx], " at CPU ", [cpus], " - ", ecx
  pop edx
  ret
.wrong:
  LINE ": wrong ", [wrong], " times"
  mov dword [wrong], 0
  ret

listen:
  test bl, 1
  jnz .sleep
  sti
.spin:
  pause
  cmp dword [over], 0
  je .spin
  cli
  ret
.sleep:
  cli
  cmp dword [over], 0
  jne .out
  sti
  hlt
  jmp .sleep
.out:
  ret

cpu_main:
  cmp dword [restarting], 0
  jne restarted
  test ebx, ebx
  jnz .ready
%assign s 0
%rep 16
  GATE VECTOR + s, on_slot_%+s
%assign s s + 1
%endrep
  GATE 2, on_nmi
  mov esi, name_priorities
  xor eax, eax
  call option
  mov [priorities], eax
  mov ecx, [cpus]
  mov eax, 1
  shl eax, cl
  dec eax
  mov [all], eax
.ready:
  call barrier
  call logical_flat

  ; Every CPU sends to the next one, all at the same time.
  call barrier
  sti
  mov esi, [n]
  lea edx, [ebx + 1]
  cmp edx, [cpus]
  jb .ring
  xor edx, edx
.ring:
  mov eax, edx
  shl eax, 6
  TO edx
  SEND 0x4000 | (VECTOR + SLOT_RING)
  inc dword [EXPECTED + eax + SLOT_RING * 4]
  mov ecx, [EXPECTED + eax + SLOT_RING * 4]
.ring_wait:
  pause
  cmp [COUNTS + eax + SLOT_RING * 4], ecx
  jb .ring_wait
  dec esi
  jnz .ring
  call barrier
  cli
  VERDICT "ring", SLOT_RING

  PART "fixed", SLOT_FIXED                      ; to each CPU by its number, to all by number 255
  mov esi, [n]
.fixed:
  mov ecx, [cpus]
  mov eax, 1
  xor edx, edx
.fixed_cpu:
  EXPECT SLOT_FIXED
  TO edx
  SEND 0x4000 | (VECTOR + SLOT_FIXED)
  AWAIT SLOT_FIXED
  add eax, eax
  inc edx
  dec ecx
  jnz .fixed_cpu
  mov eax, [all]
  EXPECT SLOT_FIXED
  TO 255
  SEND 0x4000 | (VECTOR + SLOT_FIXED)
  AWAIT SLOT_FIXED
  dec esi
  jnz .fixed
  END_PART

  PART "shorthands", SLOT_SELF
  mov esi, [n]
.shorthands:
  mov eax, 1
  EXPECT SLOT_SELF
  SEND 0x44000 | (VECTOR + SLOT_SELF)
  AWAIT SLOT_SELF
  mov eax, [all]
  EXPECT SLOT_SELF
  SEND 0x84000 | (VECTOR + SLOT_SELF)
  AWAIT SLOT_SELF
  mov eax, [all]
  dec eax
  EXPECT SLOT_SELF
  SEND 0xc4000 | (VECTOR + SLOT_SELF)
  AWAIT SLOT_SELF
  dec esi
  jnz .shorthands
  END_PART

  PART "logical-flat", SLOT_LOGICAL             ; to every set of CPUs
  mov esi, [n]
  shr esi, 2
.flat:
  mov eax, [all]
.flat_set:
  EXPECT SLOT_LOGICAL
  TO eax
  SEND 0x4800 | (VECTOR + SLOT_LOGICAL)
  AWAIT SLOT_LOGICAL
  dec eax
  jnz .flat_set
  dec esi
  jns .flat
  END_PART

  call logical_cluster
  PART "logical-cluster", SLOT_LOGICAL          ; clusters of two
  mov esi, [n]
.cluster:
  xor ecx, ecx
  mov edi, [cpus]
.cluster_cpu:
  mov eax, 1
  shl eax, cl
  movzx edx, byte [logical_ids + ecx]
  EXPECT SLOT_LOGICAL
  TO edx
  SEND 0x4800 | (VECTOR + SLOT_LOGICAL)
  AWAIT SLOT_LOGICAL
  test cl, 1
  jz .cluster_next
  mov eax, 3                                    ; both of the cluster
  dec ecx
  shl eax, cl
  inc ecx
  or edx, 3
  EXPECT SLOT_LOGICAL
  TO edx
  SEND 0x4800 | (VECTOR + SLOT_LOGICAL)
  AWAIT SLOT_LOGICAL
.cluster_next:
  inc ecx
  cmp ecx, edi
  jb .cluster_cpu
  dec esi
  jnz .cluster
  END_PART
  call logical_flat

  ; The lowest priority: one CPU gets it; where one's task priority is lower than all others', that one.
  mov esi, 0
.lowest:
  sti                                           ; what came at the end of the last part is not to be in service while priorities are compared
  mov ecx, 100
.drain:
  pause
  dec ecx
  jnz .drain
  cli
  xor eax, eax
  cmp ebx, esi
  je .priority
  mov eax, 0x40
.priority:
  mov [LAPIC + 0x80], eax
  call barrier
  mov [favourite], esi
  PART "lowest-priority", SLOT_LOWEST
  mov esi, [n]
.lowest_send:
  call sum_lowest
  lea edx, [eax + 1]
  TO [all]
  SEND 0x4900 | (VECTOR + SLOT_LOWEST)
.lowest_wait:
  pause
  call sum_lowest
  cmp eax, edx
  jb .lowest_wait
  dec esi
  jnz .lowest_send
  cli
  mov dword [over], 1
  mov edi, [cpus]
  mov edx, SLOT_LOWEST * 4                      ; all that came to the favourite is right
  mov ecx, 0
.lowest_check:
  mov eax, [COUNTS + edx]
  cmp dword [priorities], 0
  je .lowest_any
  cmp ecx, [favourite]
  jne .lowest_next
  mov eax, [EXPECTED + edx]
  add eax, [n]
.lowest_any:
  mov [EXPECTED + edx], eax
.lowest_next:
  add edx, 64
  inc ecx
  cmp ecx, edi
  jb .lowest_check
  END_PART
  mov esi, [favourite]
  call barrier
  inc esi
  cmp esi, [cpus]
  jb .lowest
  mov dword [LAPIC + 0x80], 0
  call barrier

  PART "nmi", SLOT_NMI
  mov esi, [n]
.nmi:
  mov eax, [all]
  dec eax
  EXPECT SLOT_NMI
  SEND 0xc4400
  AWAIT SLOT_NMI
  mov eax, 2
  EXPECT SLOT_NMI
  TO 1
  SEND 0x4400
  AWAIT SLOT_NMI
  dec esi
  jnz .nmi
  END_PART

  ; NMIs to CPUs that take no interrupts: sleeping or spinning.
  mov dword [over], 0
  call barrier
  test ebx, ebx
  jz .nmi_off
.nmi_listen:
  test bl, 1
  jz .nmi_spin
  hlt
.nmi_spin:
  pause
  cmp dword [over], 0
  je .nmi_listen
  jmp .nmi_done
.nmi_off:
  mov esi, [n]
.nmi_next:
  cmp esi, 1
  jne .nmi_more
  mov dword [over], 1
.nmi_more:
  mov eax, [all]
  dec eax
  EXPECT SLOT_NMI
  SEND 0xc4400
  AWAIT SLOT_NMI
  dec esi
  jnz .nmi_next
.nmi_done:
  VERDICT "nmi-off", SLOT_NMI

  call restart
cpu_main.restarted:
  VERDICT "restart", SLOT_NMI

  ; The timer chip by the I/O APIC to each CPU in turn, then to the lowest priority of all.
  PART "ioapic", SLOT_PIT
  mov al, 0x34                                  ; counter 0, mode 2
  out 0x43, al
  mov al, 2000 & 0xff
  out 0x40, al
  mov al, 2000 >> 8
  out 0x40, al
  xor esi, esi
.pit_cpu:
  mov edx, esi
  shl edx, 24
  mov eax, VECTOR + SLOT_PIT
  call route
  mov edx, esi
  shl edx, 6
  mov eax, [COUNTS + edx + SLOT_PIT * 4]
  add eax, 5
.pit_wait:
  pause
  cmp [COUNTS + edx + SLOT_PIT * 4], eax
  jb .pit_wait
  mov eax, 0x10000
  call route
  ; One may be on its way. Then no other CPU has got any.
  mov ecx, 2000
.pit_settle:
  pause
  dec ecx
  jnz .pit_settle
  mov eax, [COUNTS + edx + SLOT_PIT * 4]
  mov [EXPECTED + edx + SLOT_PIT * 4], eax
  inc esi
  cmp esi, [cpus]
  jb .pit_cpu
  mov edx, [all]
  shl edx, 24
  mov eax, 0x900 | (VECTOR + SLOT_PIT)
  call route
  mov esi, SLOT_PIT * 4
  call sum_slot
  lea edx, [eax + 10]
.pit_lowest:
  pause
  call sum_slot
  cmp eax, edx
  jb .pit_lowest
  mov eax, 0x10000
  call route
  mov ecx, 2000
.pit_settle2:
  pause
  dec ecx
  jnz .pit_settle2
  mov ecx, [cpus]
  mov edx, SLOT_PIT * 4
.pit_take:
  mov eax, [COUNTS + edx]
  mov [EXPECTED + edx], eax
  add edx, 64
  dec ecx
  jnz .pit_take
  END_PART

  ; Timers of all CPUs at once: at least 20 ticks each, sleeping.
  call barrier
  mov dword [LAPIC + 0x3e0], 0x0b               ; divide by 1
  mov dword [LAPIC + 0x320], 0x20000 | (VECTOR + SLOT_TIMER)
  mov dword [LAPIC + 0x380], 1000000
  mov eax, ebx
  shl eax, 6
.tick:
  cli
  cmp dword [COUNTS + eax + SLOT_TIMER * 4], 20
  jae .ticked
  sti
  hlt
  jmp .tick
.ticked:
  mov dword [LAPIC + 0x320], 0x10000
  mov dword [LAPIC + 0x380], 0
  sti
  nop
  nop
  cli
  mov edx, [COUNTS + eax + SLOT_TIMER * 4]
  mov [EXPECTED + eax + SLOT_TIMER * 4], edx
  call barrier
  VERDICT "timers", SLOT_TIMER

  ; A time stamp that goes from CPU to CPU never goes back.
  mov esi, [n]
  shl esi, 4
.stamp:
  LOCK stamp_lock
  rdtsc
  cmp edx, [stamp + 4]
  ja .later
  jb .earlier
  cmp eax, [stamp]
  jae .later
.earlier:
  inc dword [wrong]
.later:
  mov [stamp], eax
  mov [stamp + 4], edx
  UNLOCK stamp_lock
  pause
  dec esi
  jnz .stamp
  call barrier
  VERDICT "tsc", SLOT_TIMER
  FINISH 0

logical_flat:
  mov dword [LAPIC + 0xe0], 0xffffffff
  mov ecx, ebx
  mov eax, 0x01000000
  shl eax, cl
  mov [LAPIC + 0xd0], eax
  jmp barrier
logical_cluster:
  mov dword [LAPIC + 0xe0], 0x0fffffff
  movzx eax, byte [logical_ids + ebx]
  shl eax, 24
  mov [LAPIC + 0xd0], eax
  jmp barrier
logical_ids: db 0x01, 0x02, 0x11, 0x12, 0x21, 0x22, 0x31, 0x32, 0, 0, 0, 0

sum_lowest:
  push esi
  mov esi, SLOT_LOWEST * 4
  call sum_slot
  pop esi
  ret
sum_slot:
  push ecx
  push esi
  mov ecx, [cpus]
  xor eax, eax
.next:
  add eax, [COUNTS + esi]
  add esi, 64
  dec ecx
  jnz .next
  pop esi
  pop ecx
  ret

; The timer chip's input of the I/O APIC: EAX the low word, EDX the high one.
route:
  mov dword [IOAPIC], 0x10 + PIT_INPUT * 2
  mov dword [IOAPIC + 0x10], 0x10000
  mov dword [IOAPIC], 0x11 + PIT_INPUT * 2
  mov [IOAPIC + 0x10], edx
  mov dword [IOAPIC], 0x10 + PIT_INPUT * 2
  mov [IOAPIC + 0x10], eax
  ret

; CPU 0 starts the others anew, one after the other, whatever they do: spin, sleep with interrupts off, sleep.
restart:
  mov dword [restarting], 1
  call barrier
  test ebx, ebx
  jnz restarted.again
  mov esi, [n]
  shr esi, 2
  inc esi
.round:
  mov ecx, 1
.cpu:
  mov edx, [restarts + ecx * 4]
  inc edx
  TO ecx
  SEND 0x4500
  SEND 0x4600 | (TRAMPOLINE >> 12)
.wait:
  pause
  cmp [restarts + ecx * 4], edx
  jb .wait
  cmp [restarts + ecx * 4], edx
  je .on
  inc dword [wrong]
.on:
  inc ecx
  cmp ecx, [cpus]
  jb .cpu
  dec esi
  jnz .round
  ; The last time they go on with the program.
  mov dword [restarting], 2
  mov ecx, 1
.last:
  TO ecx
  SEND 0x4500
  SEND 0x4600 | (TRAMPOLINE >> 12)
  inc ecx
  cmp ecx, [cpus]
  jb .last
  jmp barrier

; A CPU that was started anew.
restarted:
  mov edx, [restarting]                         ; before CPU 0 hears of this start: then it may set it for the next
  mov eax, [restarts + ebx * 4]
  inc eax
  mov [restarts + ebx * 4], eax
  cmp edx, 2
  je .go_on
  add eax, ebx
  and eax, 3
  jz .again
  dec eax
  jz .halt
  dec eax
  jz .idle
.again:
  pause
  jmp .again
.halt:
  hlt
  jmp .halt
.idle:
  sti
  hlt
  jmp .idle
.go_on:
  mov esp, ebx
  inc esp
  imul esp, STACK_BYTES
  add esp, STACKS - 4                           ; over the return address into ap_start
  call barrier
  call logical_flat_alone
  jmp cpu_main.restarted

logical_flat_alone:
  mov dword [LAPIC + 0xe0], 0xffffffff
  mov ecx, ebx
  mov eax, 0x01000000
  shl eax, cl
  mov [LAPIC + 0xd0], eax
  ret

name_priorities: db "priorities=", 0
priorities: dd 0
all: dd 0
align 64, db 0
over: dd 0
favourite: dd 0
restarting: dd 0
wrong: dd 0
restarts: times MAX_CPUS dd 0
  align 64, db 0
stamp_lock: dd 0
  align 64, db 0
stamp: dd 0, 0

%include "end.inc"
