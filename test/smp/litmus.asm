; Litmus tests of the memory model. Each iteration has variables X, Y, Z in cache lines of their own and up to four results; CPUs run through a batch of
; them between two barriers. Prints a line for each test: its name, then results (and, where a test asks for them, final values of X and Y):number of times.
; n: batches for each test. Tests for two CPUs run where there are two, those for more where there are more.
%include "smp.inc"

%define BATCH 2048
%define CHUNK 4
%define LOOKS 10000                             ; RDTSC takes longer than they are to be apart: at first without
%define PATIENCE 10000000                       ; ticks of the TSC in a batch
%define XB FREE
%define YB (FREE + BATCH * 64 * 1)
%define ZB (FREE + BATCH * 64 * 2)
%define RB (FREE + BATCH * 64 * 3)
%define PRIVATE (RB + BATCH * 16)               ; a cache line for each CPU
%define COUNTS (PRIVATE + 64 * MAX_CPUS)        ; 4 to the power of 6 words

%define X esi + XB
%define Y esi + YB
%define Z esi + ZB
%define R0 edi + RB
%define R1 edi + RB + BATCH * 4
%define R2 edi + RB + BATCH * 8
%define R3 edi + RB + BATCH * 12

; A test: label, CPUs, results, whether X and Y at the end are results, too. Its threads are label_0, label_1 ...
%macro TEST 4
  dd %1_name, %2, %3, %4, %1_0, %1_1
  %if %2 > 2
    dd %1_2
  %else
    dd 0
  %endif
  %if %2 > 3
    dd %1_3
  %else
    dd 0
  %endif
%endmacro

%macro THREAD 1
%push thread
%1:
  xor esi, esi
  xor edi, edi
%$chunk:
  call meet
  lea ecx, [edi + CHUNK * 4]
%$next:
%endmacro
%macro END_THREAD 0
  add esi, 64
  add edi, 4
  cmp edi, ecx
  jb %$next
  cmp edi, BATCH * 4
  jb %$chunk
  ret
%pop
%endmacro
%macro STORE 2
  mov dword [%1], %2
%endmacro
%macro LOAD 2                                   ; result, variable
  mov eax, [%2]
  mov [%1], eax
%endmacro
%macro LOAD2 4                                  ; both loads first: nothing stands between them
  mov eax, [%2]
  mov edx, [%4]
  mov [%1], eax
  mov [%3], edx
%endmacro

; What may stand between a store and a load.
%macro NOTHING 0
%endmacro
%macro MFENCE 0
  mfence
%endmacro
%macro LOCKED 0
  lock add dword [ebp], 0
%endmacro
%macro LOCKED_CROSSING 0
  lock add dword [ebp + 62], 0
%endmacro
%macro CPUID 0
  xor eax, eax
  push ebx
  push ecx
  cpuid
  pop ecx
  pop ebx
%endmacro
%macro CR3 0
  mov eax, cr3
  mov cr3, eax
%endmacro
%macro INVLPG 0
  invlpg [ebp]
%endmacro
%macro IRET 0
  pushfd
  push cs
  push %%on
  iret
%%on:
%endmacro

; Store buffering with something between the store and the load.
%macro SB 2
THREAD %1_0
  STORE X, 1
  %2
  LOAD R0, Y
END_THREAD
THREAD %1_1
  STORE Y, 1
  %2
  LOAD R1, X
END_THREAD
%endmacro
SB sb, NOTHING
SB sb_mfence, MFENCE
SB sb_lock, LOCKED
SB sb_crossing, LOCKED_CROSSING
SB sb_cpuid, CPUID
SB sb_cr3, CR3
SB sb_invlpg, INVLPG
SB sb_iret, IRET

; All CPUs of a test meet, without giving way: only CPUs that run at the same moment show anything. But one may have no core: who has waited in vain
; for too long, all meetings of this batch together, waits no more in it.
meet:
  push edi
  lock inc dword [ready]
  inc dword [ebp + 36]
  cmp dword [ebp + 44], 0
  jle .out
  xor edi, edi                                  ; no time is known yet
.again:
  mov edx, LOOKS
  mov eax, [ebp + 36]
  imul eax, [ebp + 40]
.look:
  cmp [ready], eax
  jae .met
  dec edx
  jnz .look
  rdtsc
  test edi, edi
  jz .first
  sub edi, eax
  add [ebp + 44], edi
.first:
  mov edi, eax
  cmp dword [ebp + 44], 0
  jg .again
  jmp .out
.met:
  ; They begin a little out of step, each time differently.
  imul eax, [ebp + 32], 1103515245
  lea eax, [eax + ebx + 12345]
  mov [ebp + 32], eax
  shr eax, 20
  and eax, [delay]
.delay:
  dec eax
  jns .delay
.out:
  pop edi
  ret

THREAD sb_xchg_0
  mov eax, 1
  xchg eax, [X]
  LOAD R0, Y
END_THREAD
THREAD sb_xchg_1
  mov eax, 1
  xchg eax, [Y]
  LOAD R1, X
END_THREAD

THREAD mp_0
  STORE X, 1
  STORE Y, 1
END_THREAD
THREAD mp_1
  LOAD2 R0, Y, R1, X
END_THREAD

THREAD lb_0
  mov eax, [X]
  STORE Y, 1
  mov [R0], eax
END_THREAD
THREAD lb_1
  mov eax, [Y]
  STORE X, 1
  mov [R1], eax
END_THREAD

THREAD s_0
  STORE X, 2
  STORE Y, 1
END_THREAD
THREAD s_1
  mov eax, [Y]
  STORE X, 1
  mov [R0], eax
END_THREAD

%macro R 2
THREAD %1_0
  STORE X, 1
  %2
  STORE Y, 1
END_THREAD
THREAD %1_1
  STORE Y, 2
  %2
  LOAD R0, X
END_THREAD
%endmacro
R r, NOTHING
R r_mfence, MFENCE

THREAD corr_0
  STORE X, 1
  STORE X, 2
END_THREAD
THREAD corr_1
  LOAD2 R0, X, R1, X
END_THREAD

THREAD two_0
  STORE X, 1
  STORE Y, 2
END_THREAD
THREAD two_1
  STORE Y, 1
  STORE X, 2
END_THREAD

THREAD n5_0
  STORE X, 1
  LOAD R0, X
END_THREAD
THREAD n5_1
  STORE X, 2
  LOAD R1, X
END_THREAD

%macro N6 2
THREAD %1_0
  STORE X, 1
  %2
  LOAD2 R0, X, R1, Y
END_THREAD
THREAD %1_1
  STORE Y, 2
  STORE X, 2
END_THREAD
%endmacro
N6 n6, NOTHING
N6 n6_mfence, MFENCE

%macro IRIW 2
THREAD %1_0
  STORE X, 1
END_THREAD
THREAD %1_1
  STORE Y, 1
END_THREAD
THREAD %1_2
  mov eax, [X]
  %2
  mov edx, [Y]
  mov [R0], eax
  mov [R1], edx
END_THREAD
THREAD %1_3
  mov eax, [Y]
  %2
  mov edx, [X]
  mov [R2], eax
  mov [R3], edx
END_THREAD
%endmacro
IRIW iriw, NOTHING
IRIW iriw_mfence, MFENCE

THREAD wrc_0
  STORE X, 1
END_THREAD
THREAD wrc_1
  mov eax, [X]
  mov [Y], eax
  mov [R0], eax
END_THREAD
THREAD wrc_2
  LOAD2 R1, Y, R2, X
END_THREAD

; Store buffering, of three.
%macro SB3 2
THREAD %1_0
  STORE X, 1
  %2
  LOAD R0, Y
END_THREAD
THREAD %1_1
  STORE Y, 1
  %2
  LOAD R1, Z
END_THREAD
THREAD %1_2
  STORE Z, 1
  %2
  LOAD R2, X
END_THREAD
%endmacro
SB3 sb3, NOTHING
SB3 sb3_lock, LOCKED

align 4
tests:
  TEST sb, 2, 2, 0
  TEST sb_mfence, 2, 2, 0
  TEST sb_lock, 2, 2, 0
  TEST sb_crossing, 2, 2, 0
  TEST sb_xchg, 2, 2, 0
  TEST sb_cpuid, 2, 2, 0
  TEST sb_cr3, 2, 2, 0
  TEST sb_invlpg, 2, 2, 0
  TEST sb_iret, 2, 2, 0
  TEST mp, 2, 2, 0
  TEST lb, 2, 2, 0
  TEST s, 2, 1, 1
  TEST r, 2, 1, 1
  TEST r_mfence, 2, 1, 1
  TEST corr, 2, 2, 1
  TEST two, 2, 0, 1
  TEST n5, 2, 2, 1
  TEST n6, 2, 2, 1
  TEST n6_mfence, 2, 2, 1
  TEST iriw, 4, 4, 0
  TEST iriw_mfence, 4, 4, 0
  TEST wrc, 3, 3, 0
  TEST sb3, 3, 3, 0
  TEST sb3_lock, 3, 3, 0
  dd 0
%define TEST_BYTES 32

cpu_main:
  mov esi, name_delay
  mov eax, 0xf
  call option
  mov [delay], eax
  mov eax, ebx
  shl eax, 6
  lea ebp, [PRIVATE + eax]
  mov edx, tests                                ; EDX: the test
.test:
  cmp dword [edx], 0
  je .done
  cmp dword [cpus], 2
  setne al
  cmp dword [edx + 4], 2
  setne ah
  cmp al, ah
  jne .skip
  mov ecx, [n]
.batch:
  call barrier
  cmp ebx, [edx + 4]
  jae .ran
  push ecx
  push edx
  mov ecx, [round]
  imul ecx, BATCH / CHUNK                       ; meetings before this batch
  mov [ebp + 36], ecx
  mov ecx, [edx + 4]
  mov [ebp + 40], ecx
  mov dword [ebp + 44], PATIENCE
  call [edx + 16 + ebx * 4]
  pop edx
  pop ecx
.ran:
  call barrier
  test ebx, ebx
  jnz .counted
  call count
  inc dword [round]
.counted:
  dec ecx
  jnz .batch
  test ebx, ebx
  jnz .skip
  call report
  mov dword [round], 0
  mov dword [ready], 0
.skip:
  add edx, TEST_BYTES
  jmp .test
.done:
  FINISH 0

; Adds the results of a batch of test EDX to the histogram, and makes all variables zero.
count:
  pushad
  xor esi, esi
  xor edi, edi
.next:
  xor eax, eax
  mov ecx, [edx + 8]
  mov ebx, edi
  jecxz .results
.result:
  shl eax, 2
  or eax, [ebx + RB]
  add ebx, BATCH * 4
  dec ecx
  jnz .result
.results:
  cmp dword [edx + 12], 0
  je .whole
  shl eax, 4
  mov ecx, [X]
  shl ecx, 2
  or eax, ecx
  or eax, [Y]
.whole:
  inc dword [COUNTS + eax * 4]
  mov dword [X], 0
  mov dword [Y], 0
  mov dword [Z], 0
  add esi, 64
  add edi, 4
  cmp edi, BATCH * 4
  jb .next
  popad
  ret

; Prints the histogram and clears it.
report:
  pushad
  SAY_AT [edx]
  mov ebp, [edx + 8]                            ; digits
  cmp dword [edx + 12], 0
  je .digits
  add ebp, 2
.digits:
  xor esi, esi
.next:
  cmp dword [COUNTS + esi * 4], 0
  je .skip
  SAY " "
  mov ecx, ebp
.digit:
  dec ecx
  push ecx
  add ecx, ecx
  mov eax, esi
  shr eax, cl
  pop ecx
  and eax, 3
  SAY eax
  test ecx, ecx
  jnz .digit
  SAY ":", [COUNTS + esi * 4]
  mov dword [COUNTS + esi * 4], 0
.skip:
  inc esi
  cmp esi, 4096
  jb .next
  NEWLINE
  popad
  ret

align 64, db 0
ready: dd 0                                     ; how many have met, in all batches of the test so far
  align 64, db 0
round: dd 0
delay: dd 0                                     ; the option delay: passes of a short loop, a power of 2 less 1
name_delay: db "delay=", 0
%macro NAME 2
%1_name: db %2, 0
%endmacro
NAME sb, "SB"
NAME sb_mfence, "SB+mfence"
NAME sb_lock, "SB+lock"
NAME sb_crossing, "SB+crossing"
NAME sb_xchg, "SB+xchg"
NAME sb_cpuid, "SB+cpuid"
NAME sb_cr3, "SB+cr3"
NAME sb_invlpg, "SB+invlpg"
NAME sb_iret, "SB+iret"
NAME mp, "MP"
NAME lb, "LB"
NAME s, "S"
NAME r, "R"
NAME r_mfence, "R+mfence"
NAME corr, "CoRR"
NAME two, "2+2W"
NAME n5, "n5"
NAME n6, "n6"
NAME n6_mfence, "n6+mfence"
NAME iriw, "IRIW"
NAME iriw_mfence, "IRIW+mfence"
NAME wrc, "WRC"
NAME sb3, "3.SB"
NAME sb3_lock, "3.SB+lock"

%include "end.inc"
