/* The instructions that C has no words for, and the names of their bits. SDM: Intel 64 and IA-32 Architectures Software
 * Developer's Manual. */
#pragma once
#include "lib/types.h"

/* EFLAGS (SDM vol. 1, 3.4.3). */
#define EFLAGS_FIXED 0x2u
#define EFLAGS_TF 0x100u
#define EFLAGS_IF 0x200u

/* Control registers (SDM vol. 3, 2.5). */
#define CR0_EM 0x4u

/* Model-specific registers (SDM vol. 4). */
#define MSR_SYSENTER_CS 0x174u
#define MSR_SYSENTER_ESP 0x175u
#define MSR_SYSENTER_EIP 0x176u

/* CPUID leaf 1, EDX (SDM vol. 2, CPUID). */
#define CPUID_TSC (1u << 4)
#define CPUID_APIC (1u << 9)
#define CPUID_SEP (1u << 11)
#define CPUID_PSE (1u << 3)
#define CPUID_PGE (1u << 13)

static inline u8 in8(u16 port) {
  u8 value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}
static inline u16 in16(u16 port) {
  u16 value;
  __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}
static inline void out8(u16 port, u8 value) { __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }
static inline void out16(u16 port, u16 value) { __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port)); }

static inline void interrupts_off(void) { __asm__ volatile("cli" : : : "memory"); }
static inline void interrupts_on(void) { __asm__ volatile("sti" : : : "memory"); }
/* STI takes effect behind the next instruction (SDM vol. 2, STI): no interrupt comes between the two, and none is slept through. */
static inline void interrupts_on_and_halt(void) { __asm__ volatile("sti; hlt" : : : "memory"); }
static inline void halt(void) { __asm__ volatile("hlt" : : : "memory"); }
static inline void pause(void) { __asm__ volatile("pause" : : : "memory"); }

/* Interrupts off; returns how they were. */
static inline u32 interrupts_save(void) {
  u32 flags;
  __asm__ volatile("pushfl; popl %0; cli" : "=r"(flags) : : "memory");
  return flags;
}
static inline void interrupts_restore(u32 flags) {
  if (flags & EFLAGS_IF) interrupts_on();
}

static inline u64 read_tsc(void) {
  u32 low, high;
  __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
  return (u64)high << 32 | low;
}
static inline void write_msr(u32 msr, u32 low) { __asm__ volatile("wrmsr" : : "c"(msr), "a"(low), "d"(0) : "memory"); }

static inline void cpuid(u32 leaf, u32 *eax, u32 *ebx, u32 *ecx, u32 *edx) {
  __asm__ volatile("cpuid" : "=a"(*eax), "=b"(*ebx), "=c"(*ecx), "=d"(*edx) : "a"(leaf), "c"(0));
}
static inline u32 cpuid_features(void) {
  u32 eax, ebx, ecx, edx;
  cpuid(1, &eax, &ebx, &ecx, &edx);
  return edx;
}

static inline u32 read_cr0(void) {
  u32 value;
  __asm__ volatile("movl %%cr0, %0" : "=r"(value));
  return value;
}
static inline void write_cr0(u32 value) { __asm__ volatile("movl %0, %%cr0" : : "r"(value) : "memory"); }
static inline u32 read_cr2(void) {
  u32 value;
  __asm__ volatile("movl %%cr2, %0" : "=r"(value));
  return value;
}
static inline u32 read_cr3(void) {
  u32 value;
  __asm__ volatile("movl %%cr3, %0" : "=r"(value));
  return value;
}
static inline u32 read_cr4(void) {
  u32 value;
  __asm__ volatile("movl %%cr4, %0" : "=r"(value));
  return value;
}
static inline void write_cr3(u32 value) { __asm__ volatile("movl %0, %%cr3" : : "r"(value) : "memory"); }
/* Drops the TLB entry of one page, on this CPU alone (SDM vol. 3, 4.10.4.1). */
static inline void invalidate_page(u32 address) { __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory"); }
