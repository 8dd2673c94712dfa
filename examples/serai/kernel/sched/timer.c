/*
 * There is no tick. The APIC timer is one-shot and armed for the next thing that is due on its CPU: the first of its timers, or the
 * end of a time slice, which only matters where another thread waits for the CPU. An idle CPU without timers is not woken at all.
 *
 * A timer that was armed for something that is no longer due is left alone: arming costs more than the one interrupt that finds
 * nothing to do. So a slice that begins with every switch of threads arms the timer only once in the time that a slice is long.
 */
#include "sched/timer.h"
#include "cpu/lapic.h"
#include "lib/math.h"
#include "sched/clock.h"
#include "sched/sched.h"
#include "sched/thread.h"

/* What the APIC timer's 32 bits hold, with some room. */
#define LONGEST_COUNT 0xf0000000ull
#define NEVER ~0ull

static void arm(struct cpu *cpu, u64 now) {
  u64 due = cpu->timers != NULL ? cpu->timers->when : NEVER;
  if (cpu->slice_end != 0) due = MIN(due, cpu->slice_end);
  if (due == NEVER || (cpu->timer_armed != 0 && cpu->timer_armed <= due)) return;
  u64 left = due > now ? due - now : 0, longest_ns = divide(LONGEST_COUNT * 1000000, clock_apic_khz(), NULL);
  if (left > longest_ns) left = longest_ns; /* it will find that it is too early, and arm itself again */
  cpu->timer_armed = now + left;
  /* One more, so that it is not too early; and 0 would stop it. */
  lapic_timer_start((u32)divide(left * clock_apic_khz(), 1000000, NULL) + 1);
}

void timer_start(struct timer *timer) {
  struct cpu *cpu = this_cpu();
  struct timer **at = &cpu->timers;
  while (*at != NULL && (*at)->when <= timer->when) at = &(*at)->next;
  timer->next = *at;
  *at = timer;
  arm(cpu, clock_ns());
}

void timer_start_slice(struct cpu *cpu, u32 ns) {
  u64 now = clock_ns();
  cpu->slice_end = now + ns;
  arm(cpu, now);
}

void timer_interrupt(void) {
  struct cpu *cpu = this_cpu();
  u64 now = clock_ns();
  cpu->timer_armed = 0;
  while (cpu->timers != NULL && cpu->timers->when <= now) {
    struct timer *timer = cpu->timers;
    cpu->timers = timer->next;
    timer->fire(timer);
  }
  if (cpu->slice_end != 0 && cpu->slice_end <= now) {
    cpu->slice_end = 0;
    sched_slice_ends(cpu);
  }
  arm(cpu, now);
}

struct sleeper {
  struct timer timer;
  struct thread *thread;
};

static void wake_sleeper(struct timer *timer) { thread_wake(CONTAINER(timer, struct sleeper, timer)->thread); }

void sleep_ns(u64 ns) {
  u32 flags = interrupts_save();
  struct sleeper sleeper = {.timer = {.when = clock_ns() + ns, .fire = wake_sleeper}, .thread = current()};
  /* The timer is this CPU's, and interrupts are off until we are off the CPU: it cannot fire too early. */
  current()->state = THREAD_BLOCKED;
  timer_start(&sleeper.timer);
  schedule();
  interrupts_restore(flags);
}
