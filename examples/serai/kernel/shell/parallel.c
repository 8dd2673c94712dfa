/*
 * `parallel`: the same work for one CPU and for several, to see how the kernel scales. Processes do one of `bench`'s operations side by
 * side, each its share of the times, and need nothing of each other: what they wait for, they wait for in the kernel.
 *
 * The loops are those of `bench`, in user/bench.c. The time is that of everything: making the processes, cleaning up in between, the end.
 */
#include "cpu/percpu.h"
#include "lib/math.h"
#include "lib/print.h"
#include "lib/string.h"
#include "process/file.h"
#include "process/process.h"
#include "sched/clock.h"
#include "shell/commands.h"
#include "user/bench.h"

#define MOST_PROCESSES 64u
_Static_assert(MOST_PROCESSES >= MAX_CPUS, "there are as many as CPUs unless somebody says otherwise");

static const struct operation {
  const char *name;
  enum bench_operation number;
} operations[] = {
    {"call-sysenter", BENCH_CALL_SYSENTER},
    {"page-fault", BENCH_PAGE_FAULT},
    {"pipe-round-trip", BENCH_PIPE_ROUND_TRIP},
    {"spawn-exit", BENCH_SPAWN_EXIT},
};

const char *parallel_words(u32 index) { return index < ARRAY_LENGTH(operations) ? operations[index].name : NULL; }

static const struct operation *operation_find(const char *name) {
  for (u32 i = 0; i < ARRAY_LENGTH(operations); i++)
    if (strcmp(operations[i].name, name) == 0) return &operations[i];
  return NULL;
}

/* Says what went wrong, if anything. */
static bool run_all(const struct operation *operation, u32 times, u32 wanted) {
  struct process *running[MOST_PROCESSES];
  u32 made = 0, failed = 0;
  struct file *console = file_create(FILE_CONSOLE, NULL);
  for (; console != NULL && made < wanted; made++) {
    /* What does not divide evenly is one more for each of the first. */
    u32 arguments[2] = {operation->number | BENCH_EXACTLY, times / wanted + (made < times % wanted)};
    running[made] = process_spawn("bench", arguments, console, console, NULL);
    if (running[made] == NULL) break;
  }
  for (u32 i = 0; i < made; i++) failed += process_wait(running[i]) != 0;
  file_release(console);
  if (made < wanted)
    print("parallel %s: no memory for %u processes\n", operation->name, wanted);
  else if (failed > 0)
    print("parallel %s: %u of %u processes failed\n", operation->name, failed, wanted);
  return made == wanted && failed == 0;
}

bool command_parallel(u32 count, char **words) {
  u32 times, processes = cpu_count;
  if (count < 3 || count > 4 || !parse_number(words[2], &times) || times == 0) return false;
  if (count == 4 && (!parse_number(words[3], &processes) || processes == 0 || processes > MOST_PROCESSES)) return false;
  const struct operation *operation = operation_find(words[1]);
  if (operation == NULL) return false;
  u64 start = clock_ns();
  if (!run_all(operation, times, processes)) return true;
  u32 us = (u32)divide(clock_ns() - start, NS_PER_US, NULL);
  print("parallel %s: %u on %u CPUs by %u processes, in %u.%03u ms\n", operation->name, times, cpu_count, processes, us / 1000, us % 1000);
  return true;
}
