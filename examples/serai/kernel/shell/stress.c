/*
 * `stress`: everything at once for some seconds, each part with checks of its own. Five kinds of programs in ring 3 (user/stress.c),
 * and threads in the kernel for the allocators, the heap, function calls on other CPUs and sleep. In the end all memory must be back.
 */
#include "cpu/ipi.h"
#include "cpu/percpu.h"
#include "devices/console.h"
#include "lib/math.h"
#include "lib/print.h"
#include "lib/string.h"
#include "memory/heap.h"
#include "memory/pages.h"
#include "process/file.h"
#include "process/process.h"
#include "sched/clock.h"
#include "sched/thread.h"
#include "sched/timer.h"
#include "shell/commands.h"

#define LONGEST_SECONDS 3600u
#define MOST_PROGRAMS 32u
#define HELD 16u

static struct {
  u64 until;
  struct completion done;
  const char *wrong; /* NULL: nothing */
  u32 rounds;        /* of the kernel's threads */
} state;

static bool is_over(void) { return clock_ns() >= state.until; }

/* A cheap sequence of numbers that looks random (Marsaglia, Xorshift RNGs). */
static u32 next_random(u32 *seed) {
  *seed ^= *seed << 13;
  *seed ^= *seed >> 17;
  *seed ^= *seed << 5;
  return *seed;
}

/* --- Threads of the kernel. Each says what went wrong, or NULL. ------------------------------------------------------- */

/* Holds blocks of memory with its own number in every page, and looks whether somebody else wrote there. */
static const char *check_pages(u32 seed) {
  u32 *held[HELD] = {NULL}, orders[HELD], tag = seed;
  const char *wrong = NULL;
  while (!is_over()) {
    u32 i = next_random(&seed) % HELD;
    if (held[i] == NULL) {
      orders[i] = next_random(&seed) % 4;
      held[i] = orders[i] == 0 ? page_allocate() : pages_allocate(orders[i]);
      for (u32 page = 0; held[i] != NULL && page < 1u << orders[i]; page++) held[i][page * PAGE_BYTES / 4] = tag + i;
    } else {
      for (u32 page = 0; page < 1u << orders[i]; page++)
        if (held[i][page * PAGE_BYTES / 4] != tag + i) wrong = "a page belongs to two";
      if (orders[i] == 0)
        page_free(held[i]);
      else
        pages_free(held[i], orders[i]);
      held[i] = NULL;
    }
    __atomic_fetch_add(&state.rounds, 1, __ATOMIC_RELAXED);
  }
  for (u32 i = 0; i < HELD; i++) {
    if (held[i] == NULL) continue;
    if (orders[i] == 0)
      page_free(held[i]);
    else
      pages_free(held[i], orders[i]);
  }
  return wrong;
}

static const char *check_heap(u32 seed) {
  while (!is_over()) {
    u32 words = 2 + next_random(&seed) % 500;
    u32 *first = heap_allocate(words * 4), *second = heap_allocate(words * 4);
    if (first != NULL && second != NULL) {
      for (u32 i = 0; i < words; i++) {
        if (first[i] != 0 || second[i] != 0) return "memory of the heap is not zeroed";
        first[i] = seed;
        second[i] = ~seed;
      }
      for (u32 i = 0; i < words; i++)
        if (first[i] != seed || second[i] != ~seed) return "memory of the heap belongs to two";
    }
    heap_free(first);
    heap_free(second);
    __atomic_fetch_add(&state.rounds, 1, __ATOMIC_RELAXED);
  }
  return NULL;
}

static void count_cpu(void *counter) { __atomic_fetch_add((u32 *)counter, 1, __ATOMIC_RELAXED); }

static const char *check_calls(u32 seed) {
  (void)seed;
  while (!is_over()) {
    u32 counter = 0;
    struct cpu_mask all = ipi_online();
    ipi_call(&all, VECTOR_CALL, count_cpu, &counter);
    if (counter != cpu_count) return "a function was not called once on each CPU";
    __atomic_fetch_add(&state.rounds, 1, __ATOMIC_RELAXED);
    sleep_ns(200 * NS_PER_US);
  }
  return NULL;
}

static const char *check_sleep(u32 seed) {
  while (!is_over()) {
    u64 ns = 100 * NS_PER_US + next_random(&seed) % (3 * NS_PER_MS), before = clock_ns();
    sleep_ns(ns);
    if (clock_ns() - before < ns) return "a sleep was too short";
    __atomic_fetch_add(&state.rounds, 1, __ATOMIC_RELAXED);
  }
  return NULL;
}

static void run_check(void *argument) {
  const char *(*check)(u32 seed) = argument;
  const char *wrong = check(current()->id * 2654435761u + 1);
  if (wrong != NULL) state.wrong = wrong;
  complete(&state.done);
}

static const char *(*const checks[])(u32 seed) = {check_pages, check_heap, check_calls, check_sleep};

/* --- Programs in ring 3. ---------------------------------------------------------------------------------------------- */

static const char *const programs_modes[] = {"faults", "pipes", "shoot-down", "registers", "spawn", "handlers"};
#define MODES ARRAY_LENGTH(programs_modes)

static u32 count_events(void) {
  u32 sum = 0;
  for (u32 i = 0; i < cpu_count; i++) {
    const struct cpu_counters *c = &cpus[i].counters;
    sum += c->page_faults + c->protection_faults + c->system_calls + c->ipis + c->switches;
  }
  return sum;
}

static void run_all(u32 seconds) {
  struct process *running[MOST_PROGRAMS];
  /* One of each, and more where there are CPUs for more. */
  u32 wanted = MIN(MOST_PROGRAMS, MAX((u32)MODES, cpu_count)), threads = 0, count = 0;
  state.until = clock_ns() + (u64)seconds * NS_PER_S;
  state.wrong = NULL;
  state.rounds = 0;
  for (u32 i = 0; i < ARRAY_LENGTH(checks); i++) threads += thread_run("stress", run_check, checks[i], NOT_PINNED);
  struct file *console = file_create(FILE_CONSOLE, NULL);
  for (; console != NULL && count < wanted; count++) {
    u32 arguments[2] = {count % MODES, seconds * 1000};
    running[count] = process_spawn("stress", arguments, console, console, NULL);
    if (running[count] == NULL) break;
  }
  if (count < wanted || threads < ARRAY_LENGTH(checks)) state.wrong = "no memory to start all";
  for (u32 i = 0; i < count; i++) {
    s32 status = process_wait(running[i]);
    if (status == 0) continue;
    print("stress: program '%s' ended with status %d\n", programs_modes[i % MODES], status);
    state.wrong = "a program found a fault";
  }
  for (u32 i = 0; i < threads; i++) wait_for(&state.done);
  file_release(console);
}

bool command_stress(u32 count, char **words) {
  u32 seconds;
  if (count != 2 || !parse_number(words[1], &seconds) || seconds == 0 || seconds > LONGEST_SECONDS) return false;
  /* A process tells its end a moment before its last stack is freed. */
  sleep_ns(20 * NS_PER_MS);
  u32 before = pages_free_count() + heap_pages(), events = count_events(), processes = process_count;
  run_all(seconds);
  /* The same here. */
  u64 until = clock_ns() + NS_PER_S;
  while (pages_free_count() + heap_pages() != before && clock_ns() < until) sleep_ns(5 * NS_PER_MS);
  u32 after = pages_free_count() + heap_pages();
  if (after != before && state.wrong == NULL) {
    print("stress: %d pages are lost\n", (s32)(before - after));
    state.wrong = "memory is lost";
  }
  print("stress: %u processes, %u faults, calls, IPIs and switches, %u rounds in the kernel\n", process_count - processes,
        count_events() - events, state.rounds);
  if (state.wrong == NULL)
    print("stress: ok\n");
  else
    print("stress: FAILED: %s\n", state.wrong);
  return true;
}
