/* What each CPU has for itself. Segment register FS of the kernel has the CPU's own structure as its base, so the same
 * instruction reads another word on another CPU. */
#pragma once
#include "cpu/segments.h"
#include "lib/lock.h"
#include "lib/mask.h"
#include "lib/types.h"

struct thread;
struct timer;
struct space;

/* Task-state segment (SDM vol. 3, 8.2.1). Only ring 0's stack matters to us: we switch threads by software. */
struct tss {
  u32 link, esp0, ss0, unused[22];
  u16 trap, io_map;
} __attribute__((packed));

struct run_queue {
  struct spinlock lock;
  struct thread *first, *last;
  u32 length;
};

/* Free blocks of pages that this CPU keeps for itself, in two lists (memory/pages.c). It takes from and gives to `current`; `other` is
 * empty or has a whole batch. */
struct block_list {
  u32 first, count;
};
struct magazine {
  struct block_list current, other;
};
/* Of one page, and of two: kernel stacks. */
#define MAGAZINES 2u

/* How often things happened. Only the CPU itself writes them. */
struct cpu_counters {
  u32 interrupts, timers, ipis, switches, page_faults, protection_faults, system_calls, steals;
};

struct cpu {
  struct cpu *self;       /* %fs:0 */
  struct thread *current; /* %fs:4 */
  u32 index;              /* %fs:8 */

  u8 apic_id;
  volatile bool online;
  /* The running thread is to give way on the way out of the interrupt. */
  bool need_resched;
  struct thread *idle;
  /* Who ran before; only between the two halves of a switch. */
  struct thread *previous;
  struct space *space;
  struct run_queue queue;

  /* Timers by time, the end of the running thread's time slice (0: none), and what the APIC timer is set to (0: nothing). */
  struct timer *timers;
  u64 slice_end;
  u64 timer_armed;

  struct magazine magazines[MAGAZINES];
  struct cpu_counters counters;

  u64 gdt[GDT_ENTRIES];
  /* For the one debug exception that may hit the first instruction of sysenter_entry: there ESP points to tss.esp0. */
  u32 emergency_stack[16];
  struct tss tss;
} __attribute__((aligned(CACHE_LINE)));
_Static_assert(offsetof(struct cpu, current) == 4 && offsetof(struct cpu, index) == 8, "see this_cpu() and current()");

extern struct cpu cpus[MAX_CPUS];
/* CPUs that the firmware told of; those that did not start are not `online`. */
extern u32 cpu_count;

/* Interrupts are off, or the thread may be on another CPU when it uses the answer. */
static inline struct cpu *this_cpu(void) {
  struct cpu *cpu;
  __asm__ volatile("movl %%fs:0, %0" : "=r"(cpu));
  return cpu;
}

/* The thread that asks: right with interrupts on, too, as it is the same wherever the thread goes on. */
static inline struct thread *current(void) {
  struct thread *thread;
  __asm__("movl %%fs:4, %0" : "=r"(thread));
  return thread;
}

/* Loads segments, TSS, IDT and the registers of SYSENTER on the CPU that calls. */
void cpu_setup(struct cpu *cpu);

/* The stack that ring 3 enters the kernel on, by interrupt or SYSENTER. */
static inline void cpu_set_kernel_stack(struct cpu *cpu, u32 top) { cpu->tss.esp0 = top; }
