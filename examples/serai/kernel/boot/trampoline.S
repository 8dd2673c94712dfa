/*
 * The first instructions of an application processor: from real mode to paging in the upper half. smp_start() copies
 * trampoline_start to trampoline_end to the physical address TRAMPOLINE, so addresses in here are reckoned from there.
 */
#include "boot/trampoline.h"
#include "cpu/segments.h"

#define LOW(label) (label - trampoline_start + TRAMPOLINE)

    .text
    .globl trampoline_start, trampoline_end
    .code16
trampoline_start:
    cli
    cld
    xorw %ax, %ax
    movw %ax, %ds
    lgdtl LOW(gdtr)
    movl %cr0, %eax
    orl $1, %eax                /* PE */
    movl %eax, %cr0
    ljmpl $SELECTOR_KERNEL_CODE, $LOW(protected)

    .code32
protected:
    movl $SELECTOR_KERNEL_DATA, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl %cr4, %eax
    orl $0x10, %eax             /* PSE: pages of 4 MiB */
    movl %eax, %cr4
    movl $PHYSICAL(boot_directory), %eax
    movl %eax, %cr3
    movl %cr0, %eax
    andl $~0x60000000, %eax     /* CD, NW: INIT leaves the caches off (SDM vol. 3, 9.1.1) */
    orl $0x80010000, %eax       /* PG, WP */
    movl %eax, %cr0
    movl %cr4, %eax
    orl $0x80, %eax             /* PGE: only with paging on (SDM vol. 3, 2.5) */
    movl %eax, %cr4
    movl $high, %eax
    jmp *%eax

    .balign 8
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff    /* SELECTOR_KERNEL_CODE: flat, 32-bit */
    .quad 0x00cf93000000ffff    /* SELECTOR_KERNEL_DATA */
gdtr:
    .word gdtr - gdt - 1
    .long LOW(gdt)
trampoline_end:

/* From here on we run where we are linked. */
high:
    movl trampoline_stack, %esp
    pushl trampoline_cpu
    call smp_enter
    ud2

    .section .note.GNU-stack, "", @progbits
