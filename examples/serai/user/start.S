/* The first instructions of every program and of its threads, the two ways to call the kernel (abi.h), and what C cannot say. */
    .text

/* The kernel begins here with main()'s arguments in EBX and ESI. */
    .globl start
start:
    pushl %esi
    pushl %ebx
    call main
    pushl %eax
    call exit

/* The kernel begins threads here, with the argument in EBX. */
    .globl thread_start
thread_start:
    pushl %ebx
    call thread_main
    ud2

    .macro LOAD_ARGUMENTS
    pushl %ebx
    pushl %esi
    pushl %edi
    movl 16(%esp), %eax
    movl 20(%esp), %ebx
    movl 24(%esp), %esi
    movl 28(%esp), %edi
    .endm
    .macro RESTORE
    popl %edi
    popl %esi
    popl %ebx
    .endm

/* int32_t call_by_interrupt(number, a, b, c) */
    .globl call_by_interrupt
call_by_interrupt:
    LOAD_ARGUMENTS
    int $0x80
    RESTORE
    ret

/* int32_t call_by_sysenter(number, a, b, c) */
    .globl call_by_sysenter
call_by_sysenter:
    LOAD_ARGUMENTS
    movl %esp, %ecx
    movl $1f, %edx
    sysenter
1:  RESTORE
    ret

/* void protection_faults(uint32_t count): CLI is not for ring 3; each one goes to fault_handler, which goes on with the next. */
    .globl protection_faults, fault_handler
protection_faults:
    pushl %esi
    movl 8(%esp), %esi
1:  cli
    ud2
fault_handler:
    decl %esi
    jnz 1b
    popl %esi
    ret

/*
 * uint32_t fault_at(uint32_t address): reads there; the vector of the fault, with the handler set to fault_seen; 0 where there is
 * none. EBX, which the kernel does not touch, tells whether the address that it reports is the right one.
 */
    .globl fault_at, fault_seen
fault_at:
    pushl %ebx
    movl 8(%esp), %ebx
    movl (%ebx), %eax
    xorl %eax, %eax
    popl %ebx
    ret
fault_seen:
    cmpl %ebx, %edx
    je 1f
    movl $-1, %eax
1:  popl %ebx
    ret

/*
 * uint32_t registers_lost(uint32_t how): does a system call with a value in each register; how many came back changed. 0: by
 * INT 0x80; 1: by SYSENTER; 2: by SYSENTER with TF set, so that the debug exception comes in the kernel. The number is CALL_NULL, 0.
 */
    .globl registers_lost
registers_lost:
    pushl %ebp
    pushl %ebx
    pushl %esi
    pushl %edi
    movl $0x11111111, %ebx
    movl $0x44444444, %esi
    movl $0x55555555, %edi
    movl $0x66666666, %ebp
    cmpl $1, 20(%esp)
    je 1f
    ja 4f
    movl $0x22222222, %ecx
    movl $0x33333333, %edx
    xorl %eax, %eax
    int $0x80
    jmp 2f
4:  xorl %eax, %eax
    movl %esp, %ecx
    movl $3f, %edx
    pushfl
    orl $0x100, (%esp)
    popfl                       /* traps behind the next instruction */
    sysenter
1:  xorl %eax, %eax
    movl %esp, %ecx
    movl $3f, %edx
    sysenter
3:  movl $0x22222222, %ecx      /* not kept by SYSENTER */
    movl $0x33333333, %edx
2:  /* EAX is 0, the answer. */
    cmpl $0x11111111, %ebx
    je 1f
    incl %eax
1:  cmpl $0x22222222, %ecx
    je 1f
    incl %eax
1:  cmpl $0x33333333, %edx
    je 1f
    incl %eax
1:  cmpl $0x44444444, %esi
    je 1f
    incl %eax
1:  cmpl $0x55555555, %edi
    je 1f
    incl %eax
1:  cmpl $0x66666666, %ebp
    je 1f
    incl %eax
1:  popl %edi
    popl %esi
    popl %ebx
    popl %ebp
    ret

    .section .note.GNU-stack, "", @progbits
