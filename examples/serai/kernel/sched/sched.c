/*
 * The scheduler: round robin on each CPU, with a run queue and a lock for each, so that CPUs do not meet where they need not.
 * Work is spread in three ways:
 *
 *  - a new thread goes to the CPU with the fewest threads, not counting the one that starts it;
 *  - a CPU that has nothing to do looks through the others' queues and takes a thread ("steals") before it idles;
 *  - a CPU whose time slice ends while threads wait wakes an idle CPU, which then steals. Slices are short while there is one.
 *
 * A thread that wakes waits for the CPU that it was woken on, even where another idles. Who woke it, or started it, is most often about
 * to wait itself, perhaps for the answer, and then the CPU is free at once: without an IPI and a CPU that leaves HLT for every
 * byte in a pipe. If not, the end of the short slice lets the idle CPU in.
 *
 * A run queue's lock is taken by schedule() on one stack and given back on the stack of the next thread (finish_switch). So a
 * thread that was preempted, and is in the queue already, cannot be stolen while its CPU still uses its stack.
 */
#include "sched/sched.h"
#include "cpu/ipi.h"
#include "cpu/panic.h"
#include "memory/pages.h"
#include "memory/space.h"
#include "sched/clock.h"
#include "sched/thread.h"
#include "sched/timer.h"

void switch_stacks(u32 *save_esp, u32 load_esp);
void switch_to_new(u32 *save_esp, u32 stack_top);
/* entry.S calls it. */
void thread_begin(void) __attribute__((noreturn));

#define SLICE_NS (10 * NS_PER_MS)
#define SHORT_SLICE_NS NS_PER_MS

static struct cpu_mask idle_cpus __attribute__((aligned(CACHE_LINE)));

bool sched_is_idle(const struct cpu *cpu) { return cpu->current == cpu->idle; }

static void start_slice(struct cpu *cpu) { timer_start_slice(cpu, mask_is_empty(&idle_cpus) ? SLICE_NS : SHORT_SLICE_NS); }

/* --- A run queue; its lock is held. ---------------------------------------------------------------------------------- */

static void append(struct run_queue *queue, struct thread *thread) {
  thread->next = NULL;
  if (queue->first == NULL)
    queue->first = thread;
  else
    queue->last->next = thread;
  queue->last = thread;
  queue->length++;
}

/* The first thread, or the first that is not pinned; NULL where there is none. */
static struct thread *take_first(struct run_queue *queue, bool may_be_pinned) {
  struct thread *before = NULL;
  for (struct thread *thread = queue->first; thread != NULL; before = thread, thread = thread->next) {
    if (!may_be_pinned && thread->pinned != NOT_PINNED) continue;
    if (before == NULL)
      queue->first = thread->next;
    else
      before->next = thread->next;
    if (queue->last == thread) queue->last = before;
    queue->length--;
    return thread;
  }
  return NULL;
}

/* --- Switching. ------------------------------------------------------------------------------------------------------- */

/* We hold our own queue's lock, so we may not wait for another's: two CPUs that steal from each other would wait forever. */
static struct thread *steal(struct cpu *thief) {
  for (u32 i = 1; i < cpu_count; i++) {
    struct run_queue *queue = &cpus[(thief->index + i) % cpu_count].queue;
    if (__atomic_load_n(&queue->length, __ATOMIC_RELAXED) == 0 || !try_lock_raw(&queue->lock)) continue;
    struct thread *thread = take_first(queue, false);
    unlock_raw(&queue->lock);
    if (thread == NULL) continue;
    thief->counters.steals++;
    return thread;
  }
  return NULL;
}

/* The second half of a switch, on the next thread's stack. */
static void finish_switch(void) {
  struct cpu *cpu = this_cpu();
  struct thread *previous = cpu->previous;
  bool is_dead = previous->state == THREAD_DEAD; /* a blocked one may run elsewhere as soon as `on_cpu` is cleared */
  __atomic_store_n(&previous->on_cpu, false, __ATOMIC_RELEASE);
  unlock_raw(&cpu->queue.lock);
  if (is_dead) thread_free(previous);
}

void thread_begin(void) {
  finish_switch();
  interrupts_on();
  struct thread *self = current();
  self->start(self->argument);
  thread_exit();
}

static void switch_to(struct cpu *cpu, struct thread *previous, struct thread *next) {
  u64 now = clock_ns();
  previous->ran_ns += now - previous->since_ns;
  next->since_ns = now;
  next->state = THREAD_RUNNING;
  next->cpu = cpu->index;
  next->on_cpu = true;
  cpu->current = next;
  cpu->previous = previous;
  cpu->counters.switches++;
  cpu_set_kernel_stack(cpu, next->stack + STACK_BYTES);
  space_switch(cpu, next->space);
  if (next->is_new) {
    next->is_new = false;
    switch_to_new(&previous->esp, next->stack + STACK_BYTES);
  } else {
    switch_stacks(&previous->esp, next->esp);
  }
  /* Here `previous` runs again, some time later and perhaps on another CPU. */
  finish_switch();
}

void schedule(void) {
  struct cpu *cpu = this_cpu();
  struct thread *previous = cpu->current;
  thread_check_stack(previous);
  lock_raw(&cpu->queue.lock);
  cpu->need_resched = false;
  if (previous->state == THREAD_RUNNING) {
    previous->state = THREAD_READY;
    if (previous != cpu->idle) append(&cpu->queue, previous); /* the idle thread is in no queue */
  }
  struct thread *next = take_first(&cpu->queue, true);
  if (next == NULL) next = steal(cpu);
  if (next == NULL) next = cpu->idle;
  if (next == cpu->idle)
    mask_add(&idle_cpus, cpu->index);
  else if (mask_has(&idle_cpus, cpu->index))
    mask_remove(&idle_cpus, cpu->index);
  if (cpu->queue.length > 0)
    start_slice(cpu);
  else
    cpu->slice_end = 0;
  if (next != previous)
    return switch_to(cpu, previous, next);
  previous->state = THREAD_RUNNING;
  unlock_raw(&cpu->queue.lock);
}

void yield(void) {
  u32 flags = interrupts_save();
  schedule();
  interrupts_restore(flags);
}

/* --- Waking. ---------------------------------------------------------------------------------------------------------- */

void thread_wake(struct thread *thread) {
  /* It has said that it is blocked, but may not have left its CPU yet. That takes a moment only: interrupts are off there. */
  while (__atomic_load_n(&thread->on_cpu, __ATOMIC_ACQUIRE)) pause();
  thread_put(thread, thread->pinned != NOT_PINNED ? (u32)thread->pinned : this_cpu()->index);
}

void thread_put(struct thread *thread, u32 index) {
  struct cpu *self = this_cpu(), *cpu = &cpus[index];
  /* It has something to do now: whoever looks for an idle CPU is to find another. */
  if (mask_has(&idle_cpus, index)) mask_remove(&idle_cpus, index);
  lock_raw(&cpu->queue.lock);
  thread->state = THREAD_READY;
  thread->cpu = index;
  append(&cpu->queue, thread);
  bool is_first = cpu->queue.length == 1;
  unlock_raw(&cpu->queue.lock);
  /* With others in the queue, the CPU has been told already, or has a time slice that ends. */
  if (!is_first) return;
  if (cpu == self)
    sched_interrupt();
  else
    ipi_reschedule(index);
}

void sched_interrupt(void) {
  struct cpu *cpu = this_cpu();
  if (sched_is_idle(cpu))
    cpu->need_resched = true;
  else if (cpu->slice_end == 0)
    start_slice(cpu);
}

void sched_slice_ends(struct cpu *cpu) {
  cpu->need_resched = true;
  if (cpu->queue.length == 0) return;
  u32 idle = mask_next(&idle_cpus, 0);
  if (idle < MAX_CPUS && mask_remove(&idle_cpus, idle)) ipi_reschedule(idle);
}

u32 sched_least_busy(void) {
  u32 first = this_cpu()->index, best = first, fewest = ~0u;
  for (u32 i = 0; i < cpu_count; i++) {
    u32 at = (first + i) % cpu_count;
    if (!cpus[at].online) continue;
    u32 load = cpus[at].queue.length + (at != first && !sched_is_idle(&cpus[at]));
    if (load >= fewest) continue;
    fewest = load;
    best = at;
  }
  return best;
}

/* --- Idling. ---------------------------------------------------------------------------------------------------------- */

static void nothing(void *unused) { (void)unused; }

void sched_prepare(struct cpu *cpu) {
  char name[] = "idle 00";
  name[5] = (char)('0' + cpu->index / 10);
  name[6] = (char)('0' + cpu->index % 10);
  struct thread *idle = thread_create(name, nothing, NULL, (s32)cpu->index);
  if (idle == NULL) panic("no memory for an idle thread");
  idle->cpu = cpu->index;
  idle->is_new = false;
  idle->on_cpu = true;
  cpu->idle = idle;
  cpu->current = idle;
  cpu->space = &kernel_space;
}

void sched_prepare_first(u32 stack) {
  struct cpu *cpu = &cpus[0];
  sched_prepare(cpu);
  /* It runs on the boot stack; its own one goes back. */
  void *unused = (void *)cpu->idle->stack;
  *(u32 *)stack = *(u32 *)unused; /* the guard word */
  cpu->idle->stack = stack;
  cpu->online = true; /* it does not idle yet, but it answers, and nobody is to run before it is counted */
  pages_free(unused, STACK_ORDER);
  cpu->idle->state = THREAD_RUNNING;
}

void sched_run_idle(struct cpu *cpu) {
  cpu->idle->state = THREAD_RUNNING;
  cpu->idle->since_ns = clock_ns();
  mask_add(&kernel_space.active, cpu->index);
  mask_add(&idle_cpus, cpu->index);
  cpu->online = true;
  for (;;) {
    interrupts_off();
    if (cpu->need_resched)
      schedule();
    else
      interrupts_on_and_halt();
  }
}
