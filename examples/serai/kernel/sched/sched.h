/* The scheduler: which thread has which CPU. */
#pragma once
#include "cpu/percpu.h"
#include "lib/types.h"

/* Makes a CPU's idle thread; it is the stack that the CPU starts on. */
void sched_prepare(struct cpu *cpu);
/* The first CPU's: the code that boots becomes its idle thread. */
void sched_prepare_first(u32 stack);
/* The CPU takes part from now on. */
void sched_run_idle(struct cpu *cpu) __attribute__((noreturn));

/* Gives the CPU to the next thread, for good where the running one is blocked or dead. Interrupts are off. */
void schedule(void);
/* Lets others run first. */
void yield(void);
/* A blocked thread may run again: on the CPU that calls, unless it is pinned. Interrupts are off. */
void thread_wake(struct thread *thread);
/* Puts a thread that runs nowhere into a CPU's queue. Interrupts are off. */
void thread_put(struct thread *thread, u32 cpu);

/* Handlers of interrupts: somebody put a thread into our queue; our running thread's time is over. */
void sched_interrupt(void);
void sched_slice_ends(struct cpu *cpu);

/* The CPU with the fewest threads, but for the one that calls; its own where there is none with fewer. Interrupts are off. */
u32 sched_least_busy(void);
/* Asks with interrupts off whether a CPU idles. */
bool sched_is_idle(const struct cpu *cpu);
