; The HPET's timer 0 in the place of the 8254: periodic and one-shot interrupts by the I/O APIC to the last CPU, which sleeps in HLT; the comparator of a periodic
; timer; the 8254, which is not heard meanwhile. Nothing here depends on how late an interrupt is. n: interrupts.
%include "smp.inc"

%define HPET 0xfed00000
%define CONFIG HPET + 0x10
%define COUNTER HPET + 0xf0
%define TIMER0 HPET + 0x100
%define COMPARATOR0 HPET + 0x108
; Bits of a timer's configuration.
%define ENABLE 0x04
%define PERIODIC 0x08
%define VALUE_SET 0x40
%define MODE_32 0x100
; The HPET counts; and replaces the 8254.
%define ON 1
%define LEGACY 2
%define VECTOR 0x50
%define SETTLE_VECTOR 0x40
%define INPUT 2                                 ; of the I/O APIC
%define PERIOD 100000                           ; ticks of 10 ns
%define came FREE
%define elapsed FREE + 4
%define settled FREE + 8
%define later FREE + 12

%macro REDIRECT 1                               ; low word of the input's entry
  mov dword [IOAPIC], 0x10 + 2 * INPUT
  mov dword [IOAPIC + 0x10], %1
%endmacro
%macro WAIT_COUNTER 1                           ; until the counter is at least so much
%%wait:
  pause
  cmp dword [COUNTER], %1
  jb %%wait
%endmacro
%macro STOP 0
  mov dword [CONFIG], 0
  mov dword [TIMER0], 0
  mov dword [COUNTER], 0
  mov dword [COUNTER + 4], 0
%endmacro
; Until the last CPU has taken all interrupts that were sent to it: an IPI of a lower priority comes behind them.
%macro SETTLE 0
  mov dword [settled], 0
  mov dword [LAPIC + 0x310], ebp
  mov dword [LAPIC + 0x300], SETTLE_VECTOR
%%wait:
  pause
  cmp dword [settled], 0
  je %%wait
%endmacro
; A line: the part's name, ok or wrong (by the flags), and what came.
%macro VERDICT 2                                ; condition, name
  j%1 %%ok
  LINE %2, " wrong ", [came], " ", [elapsed], " ", [COUNTER]
  jmp %%done
%%ok:
  LINE %2, " ok ", [came]
%%done:
%endmacro

on_timer:
  lock inc dword [came]
  push eax
  mov eax, [COUNTER]
  mov [elapsed], eax
  pop eax
  mov dword [LAPIC + 0xb0], 0
  iret

on_settle:
  mov dword [settled], 1
  mov dword [LAPIC + 0xb0], 0
  iret

cpu_main:
  test ebx, ebx
  jz first
  sti
.sleep:
  hlt
  jmp .sleep

first:
  GATE VECTOR, on_timer
  GATE SETTLE_VECTOR, on_settle
  mov dword [came], 0
  mov dword [IOAPIC], 0x11 + 2 * INPUT
  mov eax, [cpus]
  dec eax
  shl eax, 24
  mov [IOAPIC + 0x10], eax
  mov ebp, eax                                  ; the last CPU, as ICR and I/O APIC have it
  REDIRECT VECTOR

  ; The 8254 stands still until it is set again: between two parts it is connected.
  mov al, 0x30
  out 0x43, al

  ; n interrupts take n periods at least.
  STOP
  mov dword [TIMER0], ENABLE | PERIODIC | VALUE_SET | MODE_32
  mov dword [COMPARATOR0], PERIOD
  mov dword [CONFIG], ON | LEGACY
  mov ecx, [n]
.periodic:
  pause
  cmp [came], ecx
  jb .periodic
  mov eax, ecx
  mov edx, PERIOD
  mul edx
  cmp [COUNTER], eax
  VERDICT ae, "periodic"

  ; The comparator is a multiple of the period, ahead of the counter, which is looked at before it and behind it: between these two looks any time may go by.
  mov dword [TIMER0], PERIODIC | MODE_32
.ahead:
  mov ecx, [COUNTER]
  mov eax, [COMPARATOR0]
  mov edi, [COUNTER]
  mov [later], edi
  mov edi, eax
  xor edx, edx
  mov esi, PERIOD
  div esi
  ; The remainder is 0, and it is at most a period ahead, or the counter has just come there.
  test edx, edx
  jnz .verdict
  cmp ecx, edi
  ja .verdict
  sub edi, [later]
  jb .verdict
  cmp edi, PERIOD
.verdict:
  VERDICT be, "comparator"

  ; Once, where the counter is at the comparator, and never again.
  STOP
  SETTLE
  mov dword [came], 0
  mov dword [TIMER0], ENABLE | MODE_32
  mov dword [COMPARATOR0], 2 * PERIOD
  mov dword [CONFIG], ON | LEGACY
  WAIT_COUNTER 8 * PERIOD
.once:
  pause
  cmp dword [came], 0
  je .once
  mov eax, [COUNTER]
  add eax, 4 * PERIOD
  WAIT_COUNTER eax
  SETTLE
  cmp dword [came], 1
  jne .never
  cmp dword [elapsed], 2 * PERIOD
  jb .never
  cmp eax, eax
.never:
  VERDICT e, "once"

  ; The 8254 at 1 kHz is not heard while it is replaced, and is heard behind that.
  STOP
  mov dword [CONFIG], ON | LEGACY
  mov al, 0x34
  out 0x43, al
  mov al, 1193 & 0xff
  out 0x40, al
  mov al, 1193 >> 8
  out 0x40, al
  SETTLE
  mov dword [came], 0
  mov eax, [COUNTER]
  add eax, 10 * PERIOD
  WAIT_COUNTER eax
  SETTLE
  cmp dword [came], 0
  VERDICT e, "replaced"
  mov dword [CONFIG], ON
.heard:
  pause
  cmp dword [came], 5
  jb .heard
  VERDICT ae, "given-back"
  REDIRECT 0x10000
  ; The other CPUs listen for ever.
  mov al, 0
  out EXIT_PORT, al
  jmp sleep
%include "end.inc"
