/* Timers, and the APIC timer that they share with the scheduler's time slices. */
#pragma once
#include "cpu/percpu.h"
#include "lib/types.h"

struct timer {
  u64 when; /* clock_ns() */
  void (*fire)(struct timer *timer);
  struct timer *next;
};

/* On the CPU that calls, with interrupts off; `fire` is called there, too, in an interrupt handler. The timer is the caller's memory. */
void timer_start(struct timer *timer);
/* A time slice of so many nanoseconds begins now. */
void timer_start_slice(struct cpu *cpu, u32 ns);
void timer_interrupt(void);
/* Blocks the running thread. */
void sleep_ns(u64 ns);
