/*
 * The ways into the kernel and out again: interrupts, exceptions, INT 0x80, SYSENTER; and the switch from one thread to another.
 * All of them leave a struct frame (cpu/frame.h) on the kernel stack and call trap(), cpu/trap.c.
 *
 * GS is not saved: the kernel does not use it, and ring 3 can load it with nothing but the two flat user segments or 0.
 */
#include "cpu/segments.h"

    .text

/* The 256 stubs push what differs: a zero where the CPU pushes no error code (it does for 8, 10 to 14 and 17), and the vector. */
    .globl vector_stubs
    .balign 16
vector_stubs:
    .set vector, 0
    .rept 256
    .balign 16
    .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17)
    pushl $0
    .endif
    pushl $vector
    jmp trap_entry
    .set vector, vector + 1
    .endr

    .macro SAVE_REGISTERS
    pushal
    pushl %ds
    pushl %es
    pushl %fs
    /* Ring 3 may have put anything into these. */
    movl $SELECTOR_KERNEL_DATA, %eax
    movl %eax, %ds
    movl %eax, %es
    movl $SELECTOR_PERCPU, %eax
    movl %eax, %fs
    cld
    .endm

    .balign 16
trap_entry:
    SAVE_REGISTERS
    pushl %esp                  /* struct frame * */
    call trap
    addl $4, %esp
trap_return:
    popl %fs
    popl %es
    popl %ds
    popal
    addl $8, %esp               /* vector and error code */
    iret

/* void enter_user(struct frame *): a new process begins as if it came back from an interrupt. */
    .globl enter_user
enter_user:
    movl 4(%esp), %esp
    jmp trap_return

/*
 * SYSENTER (SDM vol. 2): no stack frame, no return address. Ours is the convention: ECX is the user's ESP, EDX where to go on;
 * number and arguments as with INT 0x80, in EAX, EBX, ESI and EDI.
 */
    .globl sysenter_entry
    .balign 16
sysenter_entry:
    movl (%esp), %esp           /* &tss.esp0 -> the thread's kernel stack; see cpu_setup() */
    pushl $SELECTOR_USER_DATA
    pushl %ecx
    pushfl
    orl $0x200, (%esp)          /* SYSENTER cleared IF; ring 3 had it set */
    pushl $SELECTOR_USER_CODE
    pushl %edx
    pushl $0
    pushl $VECTOR_SYSCALL
    SAVE_REGISTERS
    pushl %esp
    call trap
    addl $4, %esp
    popl %fs
    popl %es
    popl %ds
    popal
    movl 8(%esp), %edx          /* frame.eip */
    movl 20(%esp), %ecx         /* frame.esp */
    sti                         /* takes effect behind SYSEXIT: no interrupt finds ring 0 with its stack half gone */
    sysexit

/*
 * Debug exceptions. SYSENTER does not clear TF: a user that single-steps into it gets the exception in ring 0, at a moment where
 * ESP points to the TSS. So an exception of ring 0 ends here: TF is cleared in the pushed flags, nothing else is touched.
 */
    .globl debug_entry
    .balign 16
debug_entry:
    testl $3, 4(%esp)           /* CS */
    jnz 1f
    andl $~0x100, 8(%esp)       /* EFLAGS */
    iret
1:  pushl $0
    pushl $VECTOR_DEBUG
    jmp trap_entry

/*
 * void switch_stacks(u32 *save_esp, u32 load_esp): goes on where the other thread called this. Registers that a function may
 * change are saved by the compiler around the call; these four are the rest.
 */
    .globl switch_stacks
    .balign 16
switch_stacks:
    movl 4(%esp), %eax
    movl 8(%esp), %edx
    pushl %ebp
    pushl %ebx
    pushl %esi
    pushl %edi
    movl %esp, (%eax)
    movl %edx, %esp
    popl %edi
    popl %esi
    popl %ebx
    popl %ebp
    ret

/*
 * void switch_to_new(u32 *save_esp, u32 stack_top): the same for a thread that never ran. It begins with a CALL, not with a RET to
 * an invented return address, so that every RET of the kernel has its CALL.
 */
    .globl switch_to_new
switch_to_new:
    movl 4(%esp), %eax
    movl 8(%esp), %edx
    pushl %ebp
    pushl %ebx
    pushl %esi
    pushl %edi
    movl %esp, (%eax)
    movl %edx, %esp
    call thread_begin
    ud2

/* No executable stacks. */
    .section .note.GNU-stack, "", @progbits
