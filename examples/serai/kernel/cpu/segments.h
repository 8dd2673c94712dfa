/* Selectors and numbers that C and assembly share. */
#pragma once

/* Where the upper half begins: physical address 0 is mapped here. */
#define KERNEL_BASE 0xC0000000

/* The order of the first five is what SYSENTER and SYSEXIT want (SDM vol. 2, SYSENTER: CS, SS = CS + 8; SYSEXIT: CS + 16, CS + 24). */
#define SELECTOR_KERNEL_CODE 0x08
#define SELECTOR_KERNEL_DATA 0x10
#define SELECTOR_USER_CODE 0x1B
#define SELECTOR_USER_DATA 0x23
#define SELECTOR_TSS 0x28
/* The only segment with a base: %fs:0 is this CPU's struct cpu. */
#define SELECTOR_PERCPU 0x30
#define GDT_ENTRIES 7

#define VECTOR_DEBUG 1
#define VECTOR_NMI 2
#define VECTOR_PROTECTION 13
#define VECTOR_PAGE_FAULT 14
/* IRQ 0 to 15 of the 8259s, and those that the I/O APIC delivers in their place. */
#define VECTOR_IRQ 0x20
#define VECTOR_SYSCALL 0x80
#define VECTOR_TIMER 0xE0
#define VECTOR_RESCHEDULE 0xF0
#define VECTOR_CALL 0xF1
#define VECTOR_SHOOTDOWN 0xF2
#define VECTOR_SELF_TEST 0xF3
#define VECTOR_SPURIOUS 0xFF

#define PHYSICAL(address) ((address) - KERNEL_BASE)
