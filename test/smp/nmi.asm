; NMIs that meet: one may wait while another is being served, no more; two that come before the first is taken are two; HLT in an NMI's handler is not ended
; by the one that waits. Each part n times. halt=1: all CPUs sleep for good, CPU 0 in its handler, with an NMI that waits.
%include "smp.inc"

%define TIMER_VECTOR 0x50
%define MOST 8                                  ; NMIs that are noted

; An NMI to this CPU (0).
%macro NMI 0
  mov dword [LAPIC + 0x300], 0x4400
%endmacro
; A character to the trace.
%macro NOTE 1
  push eax
  mov eax, [trace_end]
  mov byte [eax], %1
  mov byte [eax + 1], 0
  inc dword [trace_end]
  pop eax
%endmacro

on_nmi:
  push eax
  push ecx
  mov ecx, [count]
  cmp ecx, MOST
  jae .many
  mov eax, [esp + 8]
  mov [places + ecx * 4], eax
.many:
  inc dword [count]
  NOTE 'N'
  call [inside]
  NOTE 'n'
  pop ecx
  pop eax
  iret
on_timer:
  mov dword [LAPIC + 0xb0], 0
  NOTE 'T'
  iret

; What the handler does inside.
nothing:
  ret
send_two:                                       ; the first time: two more, of which one must be lost
  cmp dword [count], 1
  jne nothing
  NMI
  call icr_idle
  NMI
  call icr_idle
  ret
ask:                                            ; the first time: CPU 1 sends them
  cmp dword [count], 1
  jne nothing
  mov dword [asked], 1
.wait:
  pause
  cmp dword [asked], 0
  jne .wait
  ret
sleep_inside:                                   ; the first time: HLT, with an NMI that waits, until the timer's interrupt, whose IRET lets the NMI in
  cmp dword [count], 1
  jne nothing
  NMI
  call icr_idle
  mov dword [LAPIC + 0x3e0], 0xb
  mov dword [LAPIC + 0x320], TIMER_VECTOR
  mov dword [LAPIC + 0x380], 100000
  sti
  hlt
  NOTE 'H'
  cli
  ret
sleep_for_good:
  NMI
  call icr_idle
.again:
  cli
  hlt
  LINE "woken by an NMI that waits"
  mov al, 1
  out EXIT_PORT, al
  jmp .again

; PART name, what the handler does, trace, whether the second NMI must come before an instruction behind the first; the code that follows raises them.
%macro PART 4
%push part
  %define %$name %1
  %define %$follows %4
  mov dword [inside], %2
  mov esi, [n]
%$next:
  mov dword [count], 0
  mov dword [trace_end], trace
  mov byte [trace], 0
  %define %$trace %%wanted
  jmp %%on
%%wanted: db %3, 0
%%on:
%endmacro
%macro END_PART 0
  mov edi, %$trace
  mov edx, %$follows
  call judge
  jc %$wrong
  dec esi
  jnz %$next
  LINE %$name, " ok"
  jmp %$done
%$wrong:
  SAY %$name, ": "
  SAY_AT trace
  LINE " at ", [places], " ", [places + 4]
%$done:
%pop
%endmacro
; Waits a little for what should not come; carry: the trace is not the one at EDI, or (EDX) the second NMI came late.
judge:
  mov ecx, 300
.wait:
  pause
  dec ecx
  jnz .wait
  test edx, edx
  jz .compare
  mov eax, [places]
  cmp eax, [places + 4]
  jne .wrong
.compare:
  mov eax, trace
.character:
  mov cl, [eax]
  cmp cl, [edi]
  jne .wrong
  inc eax
  inc edi
  test cl, cl
  jnz .character
  clc
  ret
.wrong:
  stc
  ret

cpu_main:
  test ebx, ebx
  jnz others
  GATE 2, on_nmi
  GATE TIMER_VECTOR, on_timer
  mov dword [LAPIC + 0x310], 0
  mov esi, name_halt
  xor eax, eax
  call option
  mov [halt], eax
  call barrier
  cmp dword [halt], 0
  jne .halt

  PART "latched", send_two, "NnNn", 1
  NMI
  END_PART

  PART "two", nothing, "NnNn", 0
  NMI
  NMI
  END_PART

  PART "behind", ask, "NnNn", 1
  NMI
  END_PART

  PART "hlt", sleep_inside, "NTNnHn", 0
  NMI
  END_PART
  mov dword [asked], 2
  jmp finish
.halt:
  mov dword [inside], sleep_for_good
  NMI
  jmp $
others:
  call barrier
  cmp dword [halt], 0
  jne sleep
  cmp ebx, 1
  jne finish
.look:
  pause
  cmp dword [asked], 0
  je .look
  cmp dword [asked], 1
  jne finish
  mov dword [LAPIC + 0x310], 0
  NMI
  call icr_idle
  NMI
  call icr_idle
  mov dword [asked], 0
  jmp .look
finish:
  FINISH 0

name_halt: db "halt=", 0
align 4
inside: dd nothing
count: dd 0
halt: dd 0
places: times MOST dd 0
trace_end: dd trace
trace: times 64 db 0
  align 64, db 0
asked: dd 0
  align 64, db 0
%include "end.inc"
