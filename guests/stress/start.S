// Threads, ends of signal handlers, and accesses that may fault: their addresses are known to the SIGSEGV handlers.
  .text
// long thread(function, argument, top, done)
  .globl thread
thread:
  push %edi
  push %esi
  push %ebx
  mov 24(%esp), %ecx
  and $-16, %ecx
  sub $16, %ecx
  mov 20(%esp), %eax
  mov %eax, (%ecx)
  mov 16(%esp), %eax
  mov %eax, 4(%ecx)
  mov 28(%esp), %edi
  mov $0x00250f00, %ebx
  xor %edx, %edx
  xor %esi, %esi
  mov $120, %eax
  int $0x80
  test %eax, %eax
  jz 1f
  pop %ebx
  pop %esi
  pop %edi
  ret
1:
  xor %ebp, %ebp
  mov 4(%esp), %eax
  call *%eax
  xor %ebx, %ebx
  mov $1, %eax
  int $0x80
  hlt

  .globl restorer
restorer:
  mov $173, %eax
  int $0x80

// For a handler that got no siginfo.
  .globl old_restorer
old_restorer:
  pop %eax
  mov $119, %eax
  int $0x80

// int try_read(const u32 *from, u32 *value): 1 where it faulted.
  .globl try_read, try_read_at, try_failed
try_read:
  mov 4(%esp), %ecx
  mov 8(%esp), %edx
  xor %eax, %eax
  push %ebx
try_read_at:
  mov (%ecx), %ebx
  mov %ebx, (%edx)
  pop %ebx
  ret
try_failed:
  mov $1, %eax
  pop %ebx
  ret

// int try_write(u32 *to, u32 value)
  .globl try_write, try_write_at
try_write:
  mov 4(%esp), %ecx
  mov 8(%esp), %edx
  xor %eax, %eax
  push %ebx
try_write_at:
  mov %edx, (%ecx)
  pop %ebx
  ret

// int bump_while(u32 *slot, const u32 *flag, u32 value, u32 *count): increments *slot, and *count for each time that was done, while *flag is
// value and at most as many times as *count says at first. 1: it faulted.
  .globl bump_while, bump_at, bump_failed
bump_while:
  push %ebx
  push %esi
  push %edi
  mov 16(%esp), %ecx
  mov 20(%esp), %ebx
  mov 24(%esp), %edx
  mov 28(%esp), %edi
  mov (%edi), %esi
  xor %eax, %eax
1:
  cmp %edx, (%ebx)
  jne 2f
bump_at:
  incl (%ecx)
  inc %eax
  cmp %esi, %eax
  jb 1b
2:
  mov %eax, (%edi)
  xor %eax, %eax
3:
  pop %edi
  pop %esi
  pop %ebx
  ret
bump_failed:
  mov %eax, (%edi)
  mov $1, %eax
  jmp 3b

// int read_while(const u32 *slot, const u32 *flag, u32 value, u32 *count): reads *slot in the same way; *count becomes the last that was read.
  .globl read_while, read_at
read_while:
  push %ebx
  push %esi
  push %edi
  mov 16(%esp), %ecx
  mov 20(%esp), %ebx
  mov 24(%esp), %edx
  mov 28(%esp), %edi
  mov (%edi), %esi
  xor %eax, %eax
1:
  cmp %edx, (%ebx)
  jne 2b
read_at:
  mov (%ecx), %eax
  dec %esi
  jnz 1b
  jmp 2b

// void fp_hold(struct fp *state, u32 rounds, u32 pid): loads all that there is of floating point, gives the CPU away and gets
// signals in between, stores it again. struct fp: x87 control word, MXCSR, 8 times 16 bytes (10 used), 8 XMM registers.
  .globl fp_hold
fp_hold:
  push %ebx
  push %esi
  push %edi
  mov 16(%esp), %esi
  mov 20(%esp), %edi
  fninit
  fldcw (%esi)
  ldmxcsr 4(%esi)
  fldt 16(%esi)
  fldt 32(%esi)
  fldt 48(%esi)
  fldt 64(%esi)
  fldt 80(%esi)
  fldt 96(%esi)
  fldt 112(%esi)
  fldt 128(%esi)
  movdqu 144(%esi), %xmm0
  movdqu 160(%esi), %xmm1
  movdqu 176(%esi), %xmm2
  movdqu 192(%esi), %xmm3
  movdqu 208(%esi), %xmm4
  movdqu 224(%esi), %xmm5
  movdqu 240(%esi), %xmm6
  movdqu 256(%esi), %xmm7
1:
  mov $158, %eax
  int $0x80
  mov $300, %ecx
2:
  fxch %st(1)
  fxch %st(1)
  pxor %xmm1, %xmm0
  pxor %xmm1, %xmm0
  dec %ecx
  jnz 2b
  test $3, %edi
  jnz 3f
  mov $37, %eax
  mov 24(%esp), %ebx
  mov $10, %ecx
  int $0x80
3:
  dec %edi
  jnz 1b
  fstpt 128(%esi)
  fstpt 112(%esi)
  fstpt 96(%esi)
  fstpt 80(%esi)
  fstpt 64(%esi)
  fstpt 48(%esi)
  fstpt 32(%esi)
  fstpt 16(%esi)
  movdqu %xmm0, 144(%esi)
  movdqu %xmm1, 160(%esi)
  movdqu %xmm2, 176(%esi)
  movdqu %xmm3, 192(%esi)
  movdqu %xmm4, 208(%esi)
  movdqu %xmm5, 224(%esi)
  movdqu %xmm6, 240(%esi)
  movdqu %xmm7, 256(%esi)
  fnstcw (%esi)
  stmxcsr 4(%esi)
  fninit
  pop %edi
  pop %esi
  pop %ebx
  ret

  .section .note.GNU-stack, "", @progbits
