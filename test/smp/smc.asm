; Code that changes under several CPUs: a CPU patches what another one runs (with CPUID or IRET before the new code is used), CPUs that change their own code
; at the same time, and patching through INT3 as Linux does it. Now and then a CPU stays with the same code for a while, so that it is translated.
; n: rounds of each part.
%include "smp.inc"

%define PAGES 0x300000                          ; code is copied to here
%define ROUND_BURST 15                          ; each 16th round lasts for BURST ticks of the TSC
%define BURST 10000000
%define IPI 0x40
%define LINES FREE                              ; a cache line for each CPU: flag, and 64 * MAX_CPUS on, done
%define DONE_AT (LINES + 64 * MAX_CPUS)

; How far a CPU's code lies from that of the CPU before it.
%define APART 0x1000
%define TOGETHER 0x60

cpu_main:
  mov ebp, ebx
  shl ebp, 6
%macro CROSS 4                                  ; name, runner, bytes between runners, where the patched instruction is in the code
  mov eax, %2
  mov edx, %2.end - %2
  mov ecx, %3
  mov esi, %4
  call cross
  VERDICT %1
%endmacro
%macro VERDICT 1
  call barrier
  test ebx, ebx
  jnz %%out
  cmp dword [wrong], 0
  jne %%bad
  LINE %1, " ok"
  jmp %%out
%%bad:
  LINE %1, ": wrong ", [wrong], " times, once ", [wrong_got], " instead of ", [wrong_wanted]
  mov dword [wrong], 0
%%out:
  call barrier
%endmacro
  CROSS "cross-cpuid-pages", cross_cpuid, APART, cross_cpuid.patched - cross_cpuid
  CROSS "cross-iret-pages", cross_iret, APART, cross_iret.patched - cross_iret
  CROSS "cross-cpuid-one-page", cross_cpuid, 0x100, cross_cpuid.patched - cross_cpuid
  CROSS "cross-iret-one-page", cross_iret, 0x100, cross_iret.patched - cross_iret
  CROSS "cross-cpuid-apart", cross_apart, 0x100, cross_apart.patched - cross_apart
  mov ecx, APART
  call self
  VERDICT "self-pages"
  mov ecx, TOGETHER
  call self
  VERDICT "self-one-page"
  call text_patching
  VERDICT "int3"
  call beside
  VERDICT "beside"
  FINISH 0

; Number of rounds in ECX; each CPU patches the next one's code, in both directions where there are two. EAX, EDX: code and its bytes. ECX: bytes between
; the copies. ESI: where in the code the instruction with the immediate is.
cross:
  mov [stride], ecx                             ; all CPUs write the same
  push esi
  imul ecx, ebx
  lea edi, [PAGES + ecx]
  mov esi, eax
  mov ecx, edx
  push edi
  rep movsb
  pop edi
  pop esi
  mov dword [LINES + ebp], 0
  mov dword [DONE_AT + ebp], 0
  mov [LINES + ebp + 4], esi
  call barrier
  ; EDI: this CPU's code; EDX: the immediate of the next CPU's; EBP, ECX: lines of this CPU and of the next one.
  lea ecx, [ebx + 1]
  cmp ecx, [cpus]
  jb .next
  xor ecx, ecx
.next:
  mov edx, [stride]
  imul edx, ecx
  lea edx, [edx + PAGES + 1]
  add edx, esi
  shl ecx, 6
  push ebx
  push ebp
  call edi
  pop ebp
  pop ebx
  ret

; A runner: at the start EDI its own address, EDX what it patches, ECX the line of the CPU that it patches, EBP that of its own.
; The callee is near enough to be copied into the caller's region, or in its own page (the 3rd parameter: instructions that go there).
%macro RUNNER 3
align 16
%1:
  mov esi, 1                                    ; the round
.round:
  mov eax, esi
  shl eax, 4
  mov [edx], eax                                ; the new code, then the flag
  mov [LINES + ecx], esi
  push edx
  push ecx
  rdtsc
  mov [LINES + ebp + 8], eax
.wait:
  pause
  cmp [LINES + ebp], esi
  jb .wait
  %2
  %3
  mov edx, esi
  shl edx, 4
  cmp eax, edx
  je .right
  lock inc dword [wrong]
  mov [wrong_got], eax
  mov [wrong_wanted], edx
.right:
  mov eax, esi
  and eax, ROUND_BURST
  jnz .done
  rdtsc
  sub eax, [LINES + ebp + 8]
  cmp eax, BURST
  jb .wait
.done:
  pop ecx
  pop edx
  mov [DONE_AT + ebp], esi
.others:
  pause
  cmp [DONE_AT + ecx], esi
  jb .others
  inc esi
  cmp esi, [n]
  jbe .round
  ret
.patched:
  mov eax, 0
  ret
.end:
%endmacro
%macro WITH_CPUID 0
  xor eax, eax
  cpuid
%endmacro
%macro WITH_IRET 0
  lea eax, [edi + .on - cross_iret]
  pushfd
  push cs
  push eax
  iret
.on:
%endmacro
%macro CALL_NEAR 0
  call .patched
%endmacro
RUNNER cross_cpuid, WITH_CPUID, CALL_NEAR
RUNNER cross_iret, WITH_IRET, CALL_NEAR

; The same, with the patched instructions of all CPUs in a page that has none of the runners: a runner's own page stays as it is.
align 16
cross_apart:
  lea eax, [edi + 0x2000 + .patched - cross_apart]
  mov dword [eax], 0xb8                         ; MOV EAX, 0; RET
  mov word [eax + 4], 0xc300
  add edx, 0x2000
  mov esi, 1
.meet:
  mov [DONE_AT + ebp + 4], esi                  ; all have written theirs before somebody patches it
  mov eax, barrier
  call eax
.round:
  mov eax, esi
  shl eax, 4
  mov [edx], eax
  mov [LINES + ecx], esi
  push edx
  push ecx
  rdtsc
  mov [LINES + ebp + 8], eax
.wait:
  pause
  cmp [LINES + ebp], esi
  jb .wait
  xor eax, eax
  cpuid
  lea eax, [edi + 0x2000 + .patched - cross_apart]
  call eax
  mov edx, esi
  shl edx, 4
  cmp eax, edx
  je .right
  lock inc dword [wrong]
  mov [wrong_got], eax
  mov [wrong_wanted], edx
.right:
  mov eax, esi
  and eax, ROUND_BURST
  jnz .done
  rdtsc
  sub eax, [LINES + ebp + 8]
  cmp eax, BURST
  jb .wait
.done:
  pop ecx
  pop edx
  mov [DONE_AT + ebp], esi
.others:
  pause
  cmp [DONE_AT + ecx], esi
  jb .others
  inc esi
  cmp esi, [n]
  jbe .round
  ret
.patched:
  mov eax, 0
  ret
.end:

; Each CPU changes its own code and runs into it without a jump, and by a jump. ECX: bytes between the copies.
self:
  imul ecx, ebx
  lea edi, [PAGES + ecx]
  mov esi, changing
  mov ecx, changing.end - changing
  push edi
  rep movsb
  pop edi
  call barrier
  mov ecx, [n]
.next:
  mov edx, edi
  call edi
  test cl, 31
  jnz .on
  mov esi, 600                                  ; the same code for a while
  mov edx, LINES + 64 * 32                      ; and stores elsewhere
.again:
  call edi
  dec esi
  jnz .again
.on:
  dec ecx
  jnz .next
  ret
; EDI is its address, EDX the same or, where it shall change nothing, some other; ECX the immediate.
changing:
  cmp edx, edi
  jne .run
  pause
  mov [edx + .first + 1 - changing], ecx
.first:
  mov eax, 0
  cmp eax, ecx
  jne .bad
  mov [edx + .second + 1 - changing], ecx
.run:
  jmp short .second
  nop
.second:
  mov eax, 0
  cmp edx, edi
  jne .out
  cmp eax, ecx
  jne .bad
.out:
  ret
.bad:
  lock inc dword [wrong]
  mov [wrong_got], eax
  mov [wrong_wanted], ecx
  ret
.end:
%if changing.end - changing > TOGETHER
  %error "too long"
%endif

; CPU 0 patches an instruction that the others run, as Linux's text patching does: INT3 in its first byte, a round of IPIs, the rest, a round of IPIs, the
; first byte, a round of IPIs. The others see the old instruction, INT3 or the new one, and none that is older than what was complete when they looked.
text_patching:
  GATE 3, on_breakpoint
  GATE IPI, on_ipi
  cmp ebx, 0
  jne .copied
  mov esi, patched_loop
  mov edi, PAGES
  mov ecx, patched_loop.end - patched_loop
  rep movsb
  mov dword [complete], 0
  mov dword [over], 0
.copied:
  mov eax, LINES
  call barrier
  test ebx, ebx
  jz .patcher
  sti
  mov eax, PAGES
  call eax
  cli
  ret
.patcher:
  mov esi, 1
  mov edi, PAGES + patched_loop.site - patched_loop
  mov ebp, [n]
  shr ebp, 2
.version:
  mov byte [edi], 0xcc
  call round_of_ipis
  imul eax, esi, 0x10001
  mov [edi + 1], eax
  call round_of_ipis
  mov byte [edi], 0xb8
  call round_of_ipis
  mov [complete], esi
  test esi, 7
  jnz .on
  rdtsc
  mov ecx, eax
.burst:
  pause
  rdtsc
  sub eax, ecx
  cmp eax, BURST
  jb .burst
.on:
  inc esi
  cmp esi, ebp
  jbe .version
  mov dword [over], 1
  xor ebp, ebp
  ret
round_of_ipis:
  mov eax, [cpus]
  dec eax
  mov dword [acknowledged], 0
  mov dword [LAPIC + 0x300], 0xc4000 | IPI
.wait:
  pause
  cmp [acknowledged], eax
  jne .wait
  ret
on_ipi:
  lock inc dword [acknowledged]
  mov dword [LAPIC + 0xb0], 0
  iret
on_breakpoint:
  add dword [esp], 4                            ; as if the instruction had given -1
  mov eax, -1
  iret
patched_loop:
  mov edx, [complete]
  call .site
  cmp eax, -1
  je .next
  movzx ecx, ax
  imul ecx, ecx, 0x10001
  cmp eax, ecx
  jne .bad
  cmp cx, dx
  jb .bad
  movzx ecx, ax
  cmp ecx, [complete]
  jbe .next
  dec ecx                                       ; ahead of what is complete by one at the most
  cmp ecx, [complete]
  jbe .next
.bad:
  lock inc dword [wrong]
  mov [wrong_got], eax
  mov [wrong_wanted], edx
.next:
  cmp dword [over], 0
  je patched_loop
  ret
.site:
  mov eax, 0
  ret
.end:

; CPU 0 counts in what is no code, in hot loops, beside code or, below its stack, on a page that has none; meanwhile CPU 1 runs just that for the first time. Behind the last count it sees it all.
%define BESIDE 0x500000                         ; pages of: RET, 32 slots of 64 bytes
%define UNDER 0x600000                          ; pages with a slot
%define UNDER_PAGES 2048
%define LAST_US 120
beside:
  push ebp
  mov dword [round], 0
  test ebx, ebx
  jnz .round
  mov edi, BESIDE + 0xf00
  rdtsc
  mov esi, eax
.warm:                                          ; until the loop is translated
  mov ecx, 1000
  call burst
  mov ecx, 1000
  call under_stack
  rdtsc
  sub eax, esi
  cmp eax, 4 * BURST
  jb .warm
.round:
  mov eax, [round]
  mov edi, eax
  shr edi, 5
  shl edi, 12
  and eax, 31
  shl eax, 6
  lea edi, [edi + eax + BESIDE + 64]            ; the slot
  test byte [round], 4
  jz .beside
  mov edi, [round]
  and edi, UNDER_PAGES - 1
  shl edi, 12
  add edi, UNDER + 0x800
.beside:
  test ebx, ebx
  jnz .ready
  mov dword [counted], 0
  test byte [round], 4
  jnz .slot
  mov esi, edi
  and esi, -4096
  mov byte [esi], 0xc3
  call esi
.slot:
  mov dword [edi], 0xb8                         ; MOV EAX, 0; RET
  mov word [edi + 4], 0xc300
.ready:
  call barrier
  cmp ebx, 1
  je .runs
  ja .next
  rdtsc
  mov esi, eax
  imul ebp, eax, 1103515245
  shr ebp, 16
  imul ebp, ebp, LAST_US * 1000
  shr ebp, 16                                   ; ticks until it ends
  test byte [round], 4
  jz .counts
  shl ebp, 3
.counts:
  mov ecx, 1000
  test byte [round], 4
  jnz .under
  test byte [round], 3
  jz .locked
  call burst
  jmp .counted
.under:                                         ; short, so that code is entered again and again
  mov ecx, 2
  call under_stack
  jmp .counted
.locked:
  call locked_burst
.counted:
  rdtsc
  sub eax, esi
  cmp eax, ebp
  jb .counts
  mov eax, [edi + 1]
  mov [counted], eax
  jmp .next
.runs:
  rdtsc
  imul ecx, eax, 1103515245
  shr ecx, 19                                   ; up to 8191 turns
  inc ecx
.delay:
  dec ecx
  jnz .delay
  call edi
.wait:
  cmp dword [counted], 0
  je .wait
  xor eax, eax
  mov esi, ebx
  cpuid
  mov ebx, esi
  call edi
  cmp eax, [counted]
  je .next
  lock inc dword [wrong]
  mov [wrong_got], eax
  mov eax, [counted]
  mov [wrong_wanted], eax
.next:
  call barrier
  test ebx, ebx
  jnz .same
  inc dword [round]
.same:
  call barrier
  mov eax, [n]
  cmp [round], eax
  jb .round
  pop ebp
  ret
align 64
burst:
  mov eax, itself
.pass:                                          ; long passes, so that many of them last for as long as it takes to decode something
  inc dword [edi + 1]
  times 24 mov eax, [eax]
  dec ecx
  jnz .pass
  ret
under_stack:                                    ; the slot is below the stack
  mov [stack_before], esp
  lea esp, [edi + 0x30]
  call stack_burst
  mov esp, [stack_before]
  ret
align 64
stack_burst:
  mov eax, itself
.pass:
  inc dword [esp - 0x2b]
  times 24 mov eax, [eax]
  dec ecx
  jnz .pass
  ret
align 64
locked_burst:
  lock inc dword [edi + 1]
  dec ecx
  jnz locked_burst
  ret

align 64, db 0
itself: dd itself
round: dd 0
stack_before: dd 0
  align 64, db 0
counted: dd 0
  align 64, db 0
wrong: dd 0
wrong_got: dd 0
wrong_wanted: dd 0
stride: dd 0
  align 64, db 0
complete: dd 0
over: dd 0
  align 64, db 0
acknowledged: dd 0
  align 64, db 0

%include "end.inc"
