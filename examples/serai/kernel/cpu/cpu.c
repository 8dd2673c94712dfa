/* A CPU's tables: segments, task-state segment, system call registers. */
#include "cpu/percpu.h"
#include "cpu/idt.h"
#include "cpu/panic.h"

struct cpu cpus[MAX_CPUS];
u32 cpu_count;

void sysenter_entry(void);

/* Segment descriptor (SDM vol. 3, 3.4.5). `flags`: 4 bits G, D/B, L, AVL; `access`: P, DPL, S, type. */
static u64 descriptor(u32 base, u32 limit, u32 access, u32 flags) {
  u32 low = (base << 16) | (limit & 0xffff);
  u32 high = (base & 0xff000000) | (flags << 20) | (limit & 0xf0000) | (access << 8) | ((base >> 16) & 0xff);
  return (u64)high << 32 | low;
}

void cpu_setup(struct cpu *cpu) {
  if ((cpuid_features() & CPUID_SEP) == 0) panic("this CPU has no SYSENTER");
  cpu->self = cpu;
  cpu->gdt[SELECTOR_KERNEL_CODE / 8] = descriptor(0, 0xfffff, 0x9b, 0xc);
  cpu->gdt[SELECTOR_KERNEL_DATA / 8] = descriptor(0, 0xfffff, 0x93, 0xc);
  cpu->gdt[SELECTOR_USER_CODE / 8] = descriptor(0, 0xfffff, 0xfb, 0xc);
  cpu->gdt[SELECTOR_USER_DATA / 8] = descriptor(0, 0xfffff, 0xf3, 0xc);
  cpu->gdt[SELECTOR_TSS / 8] = descriptor((u32)&cpu->tss, sizeof cpu->tss - 1, 0x89, 0);
  cpu->gdt[SELECTOR_PERCPU / 8] = descriptor((u32)cpu, sizeof *cpu - 1, 0x93, 0x4);
  cpu->tss.ss0 = SELECTOR_KERNEL_DATA;
  cpu->tss.io_map = sizeof cpu->tss; /* behind the limit: no ports for ring 3 */

  struct {
    u16 limit;
    u32 base;
  } __attribute__((packed)) gdtr = {sizeof cpu->gdt - 1, (u32)cpu->gdt};
  __asm__ volatile("lgdt %0\n\t"
                   "ljmp %1, $1f\n"
                   "1:\tmovl %2, %%ds\n\t"
                   "movl %2, %%es\n\t"
                   "movl %2, %%ss\n\t"
                   "movl %3, %%fs\n\t"
                   "movl %4, %%gs\n\t"
                   "ltr %w5"
                   :
                   : "m"(gdtr), "i"(SELECTOR_KERNEL_CODE), "r"(SELECTOR_KERNEL_DATA), "r"(SELECTOR_PERCPU), "r"(0), "r"(SELECTOR_TSS)
                   : "memory");
  idt_load();
  /* Nobody saves FPU registers at a switch of threads, so nobody gets to use them: EM makes x87 and SSE instructions fault. */
  write_cr0(read_cr0() | CR0_EM);

  /* SYSENTER takes one constant for ESP, but each thread has a stack of its own. So it gets the address of the word that holds
   * the running thread's stack, and entry.S loads that: no MSR has to be written at a switch of threads. */
  write_msr(MSR_SYSENTER_CS, SELECTOR_KERNEL_CODE);
  write_msr(MSR_SYSENTER_ESP, (u32)&cpu->tss.esp0);
  write_msr(MSR_SYSENTER_EIP, (u32)sysenter_entry);
}
