/* What `bench` and `rows` measure: the operations of the kernel's own, and the list of all. Those that need ring 3 are in user/bench.c. */
#include "shell/benches.h"
#include "cpu/ipi.h"
#include "cpu/percpu.h"
#include "lib/lock.h"
#include "lib/string.h"
#include "memory/pages.h"
#include "sched/clock.h"
#include "sched/sched.h"
#include "sched/thread.h"
#include "sched/wait.h"
#include "user/bench.h"

static u64 allocate_pages(u32 times) {
  u64 start = clock_ns();
  for (u32 i = 0; i < times; i++) {
    void *page = page_allocate();
    if (page != NULL) page_free(page);
  }
  return clock_ns() - start;
}

/* Four pages in one block are not kept in magazines: this is the buddy allocator itself. */
static u64 allocate_blocks(u32 times) {
  u64 start = clock_ns();
  for (u32 i = 0; i < times; i++) {
    void *block = pages_allocate(2);
    if (block != NULL) pages_free(block, 2);
  }
  return clock_ns() - start;
}

static u64 interrupt_self(u32 times) {
  u64 start = clock_ns();
  for (u32 i = 0; i < times; i++) {
    /* The thread may be on another CPU by the time of the answer, so it counts, wherever that is. */
    u32 flags = interrupts_save(), before = ipi_self_tests;
    ipi_to_self();
    interrupts_restore(flags);
    while (ipi_self_tests == before) pause();
  }
  return clock_ns() - start;
}

static void nothing(void *unused) { (void)unused; }

static u64 interrupt_other(u32 times) {
  u64 start = clock_ns();
  for (u32 i = 0; i < times; i++) {
    u32 flags = interrupts_save();
    struct cpu_mask other = {{0}};
    mask_add(&other, (this_cpu()->index + 1) % cpu_count);
    ipi_call(&other, VECTOR_CALL, nothing, NULL);
    interrupts_restore(flags);
  }
  return clock_ns() - start;
}

/* Two threads on one CPU that give it to each other. Their making and their end are not measured. */
struct yielders {
  u32 times, here;
  u64 start, end;
  struct completion done;
};

static void yield_often(void *argument) {
  struct yielders *yielders = argument;
  __atomic_fetch_add(&yielders->here, 1, __ATOMIC_RELAXED);
  while (*(volatile u32 *)&yielders->here < 2) yield();
  if (yielders->start == 0) yielders->start = clock_ns();
  for (u32 i = 0; i < yielders->times; i++) yield();
  yielders->end = clock_ns();
  complete(&yielders->done);
}

static u64 switch_threads(u32 times) {
  struct yielders yielders = {.times = (times + 1) / 2};
  u32 flags = interrupts_save();
  s32 cpu = (s32)this_cpu()->index;
  interrupts_restore(flags);
  struct thread *threads[2] = {NULL};
  for (u32 i = 0; i < 2; i++) threads[i] = thread_create("yield", yield_often, &yielders, cpu);
  /* Without memory for both nobody would wait for the other: each counts as the other, too. */
  if (threads[0] == NULL || threads[1] == NULL) yielders.here = 1;
  for (u32 i = 0; i < 2; i++)
    if (threads[i] != NULL) thread_start(threads[i]);
  for (u32 i = 0; i < 2; i++)
    if (threads[i] != NULL) wait_for(&yielders.done);
  return yielders.end - yielders.start;
}

void take_lock(u32 times) {
  static struct {
    struct spinlock lock;
    volatile u32 taken;
  } wanted;
  for (u32 i = 0; i < times; i++) {
    u32 flags = lock(&wanted.lock);
    wanted.taken++;
    unlock(&wanted.lock, flags);
  }
}

static u64 take_lock_timed(u32 times) {
  u64 start = clock_ns();
  take_lock(times);
  return clock_ns() - start;
}

const struct bench benches[] = {
    {"call-int80", "system call that does nothing, by INT 0x80", NULL, BENCH_CALL_INTERRUPT, 1, BENCH_BY_ANY},
    {"call-sysenter", "the same by SYSENTER", NULL, BENCH_CALL_SYSENTER, 1, BENCH_BY_ANY},
    {"page-fault", "first touch of a page", NULL, BENCH_PAGE_FAULT, 1, BENCH_BY_ANY},
    {"protection-fault", "CLI in ring 3, to the program's handler", NULL, BENCH_PROTECTION_FAULT, 1, BENCH_BY_ANY},
    {"context-switch", "one kernel thread gives the CPU to another", switch_threads, 0, 1, BENCH_BY_ANY},
    {"pipe-round-trip", "one byte to another process and back", NULL, BENCH_PIPE_ROUND_TRIP, 1, BENCH_BY_ANY},
    {"spawn-exit", "a process that ends at once, waited for", NULL, BENCH_SPAWN_EXIT, 1, BENCH_BY_ANY},
    {"ipi-self", "interrupt to this CPU by its local APIC", interrupt_self, 0, 1, BENCH_BY_ONE},
    {"ipi-round-trip", "function call on another CPU, waited for", interrupt_other, 0, 2, BENCH_BY_ANY},
    {"lock-contention", "a spin lock that all CPUs want", take_lock_timed, 0, 1, BENCH_BY_ALL},
    {"page-allocate", "a page taken and given back", allocate_pages, 0, 1, BENCH_BY_ANY},
    {"block-allocate", "four pages in one block taken and given back", allocate_blocks, 0, 1, BENCH_BY_ANY},
};
const u32 bench_count = ARRAY_LENGTH(benches);

const struct bench *bench_find(const char *name) {
  for (u32 i = 0; i < bench_count; i++)
    if (strcmp(name, benches[i].name) == 0) return &benches[i];
  return NULL;
}
