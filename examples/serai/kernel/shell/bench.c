/*
 * `bench`: how long the kernel's operations take:
 *
 *     bench NAME NANOSECONDS ns (what it is)
 *
 * Each is tried some times, then four times as often, and so on, until a try is long enough to be measured well, and then some more
 * times. The line tells the best try: whatever disturbs a measurement makes it longer.
 *
 * Names do not change, so that programs can read these lines. What needs ring 3 is measured there, by user/bench.c.
 */
#include "cpu/ipi.h"
#include "cpu/percpu.h"
#include "devices/console.h"
#include "lib/math.h"
#include "lib/print.h"
#include "lib/string.h"
#include "memory/pages.h"
#include "process/file.h"
#include "process/process.h"
#include "sched/clock.h"
#include "sched/sched.h"
#include "sched/thread.h"
#include "sched/wait.h"
#include "shell/commands.h"
#include "shell/workers.h"
#include "user/bench.h"

/* A try is long enough: this over TRIES. */
#define LONG_NS (100u * NS_PER_MS)
#define QUICK_NS (4u * NS_PER_MS)
#define TRIES 16u
#define FIRST_TIMES 16u
#define MOST_TIMES (1u << 24)
/* A slow machine gets no more than so many times what should be enough. */
#define PATIENCE 8u

static u32 enough_ns;

/* --- Operations: each does it `times` times, and says how long that took. -------------------------------------------- */

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

/* --- All CPUs want one lock. This one runs for some time, not for some number of times: where the CPUs are threads of an emulator, and
 * more than the host has cores, a lock may suddenly be a thousand times slower. -------------------------------------------------- */

#define BETWEEN_LOOKS 16

static struct {
  struct spinlock lock;
  u32 taken;
  u64 until;
} contended;

static void take_lock_often(u32 cpu, void *unused) {
  (void)cpu;
  (void)unused;
  while (clock_ns() < contended.until) {
    for (u32 i = 0; i < BETWEEN_LOOKS; i++) {
      u32 flags = lock(&contended.lock);
      contended.taken++;
      unlock(&contended.lock, flags);
    }
  }
}

static u32 contend(void) {
  u32 best = ~0u;
  for (u32 i = 0; i < TRIES; i++) {
    u64 start = clock_ns();
    contended.taken = 0;
    contended.until = start + enough_ns / TRIES;
    workers_run("contend", cpu_count, take_lock_often, NULL);
    best = MIN(best, (u32)divide(clock_ns() - start, MAX(contended.taken, 1u), NULL));
  }
  return best;
}

/* --- The list. -------------------------------------------------------------------------------------------------------- */

#define IS_CONTENTION BENCH_OPERATIONS

struct bench {
  const char *name, *what;
  u64 (*run)(u32 times); /* NULL: contend(), or ring 3 */
  u32 user_number;       /* an enum bench_operation, user/bench.h */
  u32 least_cpus;
};

static const struct bench benches[] = {
    {"call-int80", "system call that does nothing, by INT 0x80", NULL, BENCH_CALL_INTERRUPT, 1},
    {"call-sysenter", "the same by SYSENTER", NULL, BENCH_CALL_SYSENTER, 1},
    {"page-fault", "first touch of a page", NULL, BENCH_PAGE_FAULT, 1},
    {"protection-fault", "CLI in ring 3, to the program's handler", NULL, BENCH_PROTECTION_FAULT, 1},
    {"context-switch", "one kernel thread gives the CPU to another", switch_threads, 0, 1},
    {"pipe-round-trip", "one byte to another process and back", NULL, BENCH_PIPE_ROUND_TRIP, 1},
    {"spawn-exit", "a process that ends at once, waited for", NULL, BENCH_SPAWN_EXIT, 1},
    {"ipi-self", "interrupt to this CPU by its local APIC", interrupt_self, 0, 1},
    {"ipi-round-trip", "function call on another CPU, waited for", interrupt_other, 0, 2},
    {"lock-contention", "a spin lock that all CPUs want", NULL, IS_CONTENTION, 1},
    {"page-allocate", "a page taken and given back", allocate_pages, 0, 1},
    {"block-allocate", "four pages in one block taken and given back", allocate_blocks, 0, 1},
};

/* user/bench.c has the same loop. */
static u32 measure_in_kernel(const struct bench *bench) {
  if (bench->user_number == IS_CONTENTION) return contend();
  u64 total = 0;
  u32 best = ~0u, times = FIRST_TIMES;
  for (u32 tries = 0; tries < TRIES && total < (u64)enough_ns * PATIENCE;) {
    u64 ns = bench->run(times);
    total += ns;
    best = MIN(best, (u32)divide(ns, times, NULL));
    if ((u64)best * times < enough_ns / TRIES && times < MOST_TIMES)
      times *= 4;
    else
      tries++;
  }
  return best;
}

/* The program's status is the answer. */
static s32 measure_in_ring3(const struct bench *bench) {
  u32 arguments[2] = {bench->user_number, enough_ns / NS_PER_US};
  struct file *console = file_create(FILE_CONSOLE, NULL);
  struct process *process = console != NULL ? process_spawn("bench", arguments, console, console, NULL) : NULL;
  s32 status = process != NULL ? process_wait(process) : ERROR_FULL;
  file_release(console);
  return status;
}

const char *bench_words(u32 index) {
  if (index == 0) return "quick";
  return index <= ARRAY_LENGTH(benches) ? benches[index - 1].name : NULL;
}

bool command_bench(u32 count, char **words) {
  u32 at = 1;
  enough_ns = LONG_NS;
  if (at < count && strcmp(words[at], "quick") == 0) {
    enough_ns = QUICK_NS;
    at++;
  }
  const char *only = at < count ? words[at++] : NULL;
  if (at < count) return false;
  u32 matches = 0;
  for (u32 i = 0; i < ARRAY_LENGTH(benches) && !console_interrupted(); i++) {
    const struct bench *bench = &benches[i];
    if (only != NULL && strcmp(only, bench->name) != 0) continue;
    matches++;
    if (cpu_count < bench->least_cpus) {
      print("bench %-16s        - ns (%s: wants %u CPUs)\n", bench->name, bench->what, bench->least_cpus);
      continue;
    }
    s32 ns = bench->run != NULL || bench->user_number == IS_CONTENTION ? (s32)measure_in_kernel(bench) : measure_in_ring3(bench);
    if (ns >= 0)
      print("bench %-16s %8d ns (%s)\n", bench->name, ns, bench->what);
    else
      print("bench %-16s   failed (error %d)\n", bench->name, ns);
  }
  if (matches == 0) return false;
  print("bench: done\n");
  return true;
}
