// Entry, and system calls: by SYSENTER where the kernel's vDSO says so, else by INT 80H.
  .text
  .globl _start
_start:
  xor %ebp, %ebp
  mov %esp, %eax
  and $-16, %esp
  sub $12, %esp
  push %eax
  call start
  hlt

// long syscall6(number, a, b, c, d, e, f)
  .globl syscall6
syscall6:
  push %ebp
  push %edi
  push %esi
  push %ebx
  mov 20(%esp), %eax
  mov 24(%esp), %ebx
  mov 28(%esp), %ecx
  mov 32(%esp), %edx
  mov 36(%esp), %esi
  mov 40(%esp), %edi
  mov 44(%esp), %ebp
  cmpl $0, vsyscall
  je 1f
  call *vsyscall
  jmp 2f
1:
  int $0x80
2:
  pop %ebx
  pop %esi
  pop %edi
  pop %ebp
  ret

  .bss
  .globl vsyscall
  .align 4
vsyscall:
  .space 4
  .section .note.GNU-stack, "", @progbits
