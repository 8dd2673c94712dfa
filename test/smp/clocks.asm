; What clocks tell of each other. Option what=:
; 0: measures the time-stamp counter as firmware and boot loaders do, n times: against the 8254's channel 2 (SeaBIOS: one shot of 800H, output polled at
;    port 61H), against the ACPI PM timer (GRUB: 3,580 ticks), and the local APIC's timer against channel 2 (seL4); a line each:
;    "pit COUNTS", "pm COUNTS", "apic COUNTS";
; 1: what n reads or writes of a register take, at best: "REGISTER COUNTS".
; All counts are of the time-stamp counter, but those of "apic".
%include "smp.inc"

; Words that are not in the page of the code.
%define start_tsc FREE
%define passes FREE + 4
%define least FREE + 8
%define PASSES 200
%define RESULTS FREE + 0x1000

%define PIT_COUNT 0x800
%define PM_TICKS 3580
%define PM_TIMER 0x608

; Channel 2 counts down once from PIT_COUNT.
%macro START_CHANNEL_2 0
  in al, 0x61
  and al, 0xfc
  or al, 1
  out 0x61, al
  mov al, 0xb0
  out 0x43, al
  mov al, PIT_COUNT & 0xff
  out 0x42, al
  mov al, PIT_COUNT >> 8
  out 0x42, al
%endmacro
%macro AWAIT_CHANNEL_2 0
%%poll:
  in al, 0x61
  test al, 0x20
  jz %%poll
%endmacro
; EDX:EAX less the 64 bits at `start`; only what is below 2^32 is asked for.
%macro SINCE_START 0
  rdtsc
  sub eax, [start_tsc]
%endmacro
%macro NOTE_START 0
  rdtsc
  mov [start_tsc], eax
%endmacro

cpu_main:
  mov esi, name_what
  xor eax, eax
  call option
  test eax, eax
  jnz costs
  mov edi, [n]
  mov esi, RESULTS
.again:
  START_CHANNEL_2
  NOTE_START
  AWAIT_CHANNEL_2
  SINCE_START
  mov [esi], eax

  mov dx, PM_TIMER
  in eax, dx
  mov ebp, eax
  NOTE_START
.pm:
  mov dx, PM_TIMER
  in eax, dx
  sub eax, ebp
  and eax, 0xffffff
  cmp eax, PM_TICKS
  jb .pm
  SINCE_START
  mov [esi + 4], eax

  mov dword [LAPIC + 0x320], 0x10000
  mov dword [LAPIC + 0x3e0], 11
  START_CHANNEL_2
  mov dword [LAPIC + 0x380], 0xffffffff
  AWAIT_CHANNEL_2
  mov eax, [LAPIC + 0x390]
  mov dword [LAPIC + 0x380], 0
  not eax
  mov [esi + 8], eax
  add esi, 12
  dec edi
  jnz .again
  mov edi, [n]
  mov esi, RESULTS
.print:
  LINE "pit ", [esi]
  LINE "pm ", [esi + 4]
  LINE "apic ", [esi + 8]
  add esi, 12
  dec edi
  jnz .print
  FINISH 0

; COST "name", instructions that may change EAX and EDX: the least of PASSES passes, for the host does other things, too
%macro COST 2+
  mov dword [passes], PASSES
  mov dword [least], -1
%%pass:
  NOTE_START
  mov ecx, [n]
%%turn:
  %2
  dec ecx
  jnz %%turn
  SINCE_START
  cmp eax, [least]
  jae %%more
  mov [least], eax
%%more:
  dec dword [passes]
  jnz %%pass
  LINE %1, " ", [least]
%endmacro

costs:
  mov dword [LAPIC + 0x3e0], 11
  mov dword [LAPIC + 0x320], 0x10000
  mov dword [LAPIC + 0x380], 0xffffffff
  COST "nothing", nop
  COST "rdtsc", rdtsc
  COST "apic-id", mov eax, [LAPIC + 0x20]
  COST "apic-tpr", mov eax, [LAPIC + 0x80]
  COST "apic-isr", mov eax, [LAPIC + 0x110]
  COST "apic-irr", mov eax, [LAPIC + 0x210]
  COST "apic-icr", mov eax, [LAPIC + 0x300]
  COST "apic-ccr", mov eax, [LAPIC + 0x390]
  COST "apic-set-tpr", mov dword [LAPIC + 0x80], 0
  COST "apic-eoi", mov dword [LAPIC + 0xb0], 0
  COST "pit-61h", in al, 0x61
  mov dx, PM_TIMER
  COST "pm-timer", in eax, dx
  FINISH 0

name_what: db "what=", 0
%include "end.inc"
