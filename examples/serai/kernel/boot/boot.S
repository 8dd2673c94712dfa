/*
 * The first instructions. A multiboot loader starts us in protected mode without paging, at the physical address that we are
 * loaded to; EAX has a magic number, EBX the address of what the loader tells (Multiboot Specification 0.6.96, 3.2). The kernel
 * is linked for the upper half, so this file turns paging on and jumps there.
 */
#include "cpu/segments.h"

#define HEADER_MAGIC 0x1BADB002
#define HEADER_FLAGS 3          /* modules on page boundaries; tell us about memory */
#define BOOT_STACK_BYTES 8192
#define PAGE_PRESENT_WRITABLE_BIG 0x83
#define PAGE_GLOBAL 0x100
#define BIG_PAGE 0x400000
#define LINEAR_BIG_PAGES 192    /* 768 MiB; memory/paging.c makes a table for as much as there is */

    .section .multiboot, "a"
    .balign 4
    .long HEADER_MAGIC, HEADER_FLAGS, -(HEADER_MAGIC + HEADER_FLAGS)

    .section .boot, "ax"
    .globl boot
boot:
    cli
    cld
    movl %eax, %esi
    movl %ebx, %edi

    /* The first 4 MiB are mapped where they are, too: there we are when paging goes on. */
    movl $PHYSICAL(boot_directory), %edx
    movl $PAGE_PRESENT_WRITABLE_BIG, (%edx)
    movl $(PAGE_PRESENT_WRITABLE_BIG | PAGE_GLOBAL), %eax
    movl $LINEAR_BIG_PAGES, %ecx
    addl $(KERNEL_BASE >> 22) * 4, %edx
1:  movl %eax, (%edx)
    addl $BIG_PAGE, %eax
    addl $4, %edx
    decl %ecx
    jnz 1b

    movl %cr4, %eax
    orl $0x10, %eax             /* PSE: pages of 4 MiB */
    movl %eax, %cr4
    movl $PHYSICAL(boot_directory), %eax
    movl %eax, %cr3
    movl %cr0, %eax
    orl $0x80010000, %eax       /* PG; WP: the kernel, too, may not write to read-only pages */
    movl %eax, %cr0
    movl %cr4, %eax
    orl $0x80, %eax             /* PGE: only with paging on (SDM vol. 3, 2.5) */
    movl %eax, %cr4
    movl $high, %eax
    jmp *%eax

    .text
high:
    movl $boot_stack_top, %esp
    pushl %edi
    pushl %esi
    call kernel_main
    ud2

    .bss
    .balign 4096
    .globl boot_directory
boot_directory:
    .skip 4096
    .globl boot_stack
boot_stack:
    .skip BOOT_STACK_BYTES
boot_stack_top:

    .section .note.GNU-stack, "", @progbits
