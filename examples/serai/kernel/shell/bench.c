/*
 * `bench`: how long the kernel's operations take:
 *
 *     bench NAME NANOSECONDS ns (what it is)
 *
 * Each is tried some times, then four times as often, and so on, until a try is long enough to be measured well, and then some more
 * times. The line tells the best try: whatever disturbs a measurement makes it longer.
 *
 * Names do not change, so that programs can read these lines. benches.c has the operations; what needs ring 3 is measured there, by
 * user/bench.c.
 */
#include "cpu/percpu.h"
#include "devices/console.h"
#include "lib/math.h"
#include "lib/print.h"
#include "lib/string.h"
#include "process/file.h"
#include "process/process.h"
#include "sched/clock.h"
#include "shell/benches.h"
#include "shell/commands.h"
#include "shell/workers.h"

/* A try is long enough: this over TRIES. */
#define LONG_NS (100u * NS_PER_MS)
#define QUICK_NS (4u * NS_PER_MS)
#define TRIES 16u
#define FIRST_TIMES 16u
#define MOST_TIMES (1u << 24)
/* A slow machine gets no more than so many times what should be enough. */
#define PATIENCE 8u

static u32 enough_ns;

/* All CPUs want one lock. This one runs for some time, not for some number of times: where the CPUs are threads of an emulator, and
 * more than the host has cores, a lock may suddenly be a thousand times slower. */

#define BETWEEN_LOOKS 16

static struct {
  u32 taken;
  u64 until;
} contended;

static void take_lock_often(u32 cpu, void *unused) {
  (void)cpu;
  (void)unused;
  u32 taken = 0;
  for (; clock_ns() < contended.until; taken += BETWEEN_LOOKS) take_lock(BETWEEN_LOOKS);
  __atomic_fetch_add(&contended.taken, taken, __ATOMIC_RELAXED);
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

/* user/bench.c has the same loop. */
static u32 measure_in_kernel(const struct bench *bench) {
  if (bench->crowd == BENCH_BY_ALL) return contend();
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
  return index <= bench_count ? benches[index - 1].name : NULL;
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
  for (u32 i = 0; i < bench_count && !console_interrupted(); i++) {
    const struct bench *bench = &benches[i];
    if (only != NULL && strcmp(only, bench->name) != 0) continue;
    matches++;
    if (cpu_count < bench->least_cpus) {
      print("bench %-16s        - ns (%s: wants %u CPUs)\n", bench->name, bench->what, bench->least_cpus);
      continue;
    }
    s32 ns = bench->run != NULL ? (s32)measure_in_kernel(bench) : measure_in_ring3(bench);
    if (ns >= 0)
      print("bench %-16s %8d ns (%s)\n", bench->name, ns, bench->what);
    else
      print("bench %-16s   failed (error %d)\n", bench->name, ns);
  }
  if (matches == 0) return false;
  print("bench: done\n");
  return true;
}
