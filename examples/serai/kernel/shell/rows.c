/*
 * `rows`: what `bench` measures, for a program that wants to know how it changes with time, and to hold our clock against its own:
 *
 *     kbench: begin NAME NANOSECONDS              (the clock, when time begins to count)
 *     kbench: NAME NANOSECONDS OPERATIONS ...     (of each slice, one behind the other)
 *     kbench: NAME failed: WHY
 *     kbench: done                                (behind the last row)
 *
 * NAME is one of bench's operations, or NAME*N: N workers at once, whose operations are added up. A worker is a thread of the kernel's
 * or a process of user/bench.c. All write reports into one pipe: so many operations, at that time. The report that comes when a slice
 * has had its time ends it; so all time counts, what operations need in between, too. When the last slice is over the pipe's other end
 * is closed, which ends the workers.
 *
 * `bench` tells the best try; this tells everything.
 */
#include "cpu/percpu.h"
#include "devices/console.h"
#include "lib/math.h"
#include "lib/print.h"
#include "lib/string.h"
#include "process/file.h"
#include "process/pipe.h"
#include "process/process.h"
#include "sched/clock.h"
#include "sched/sched.h"
#include "sched/thread.h"
#include "sched/wait.h"
#include "shell/benches.h"
#include "shell/commands.h"
#include "user/bench.h"

#define MOST_WORKERS 64u
#define MOST_SLICES 64u
#define MOST_MS 3600000u
/* A worker reports about so often in a slice. */
#define REPORTS 64u
/* All workers are there after so much time, or one has failed. */
#define READY_NS (10ull * NS_PER_S)

struct row {
  const char *name; /* as it was asked for */
  const struct bench *bench;
  u32 workers, slices;
  u64 slice_ns;
  struct pipe *reports;
  struct process *processes[MOST_WORKERS];
  struct completion ended; /* of the threads */
  struct slice {
    u64 ns;
    u32 operations;
  } done[MOST_SLICES];
};

/* --- Workers. ---------------------------------------------------------------------------------------------------------- */

static u32 enough_us(const struct row *row) { return (u32)divide(row->slice_ns, REPORTS * NS_PER_US, NULL); }

/* user/bench.c has the same loop. */
static void work(void *argument) {
  struct row *row = argument;
  u32 times = BENCH_FIRST_TIMES;
  struct bench_report done = {.ns = clock_ns()};
  while (pipe_write(row->reports, (const char *)&done, sizeof done)) {
    yield();
    u64 ns = row->bench->run(times);
    done.operations = times;
    done.ns = clock_ns();
    if (ns < (u64)enough_us(row) * NS_PER_US && times < BENCH_MOST_TIMES) times *= 2;
  }
  complete(&row->ended);
}

/* Each on a CPU of its own, as far as there are enough. Returns how many could be started. */
static u32 start_threads(struct row *row) {
  for (u32 made = 0; made < row->workers; made++)
    if (!thread_run("rows", work, row, (s32)(made % cpu_count))) return made;
  return row->workers;
}

static u32 start_processes(struct row *row, struct file *console, struct file *reports) {
  u32 arguments[2] = {row->bench->user_number | BENCH_REPORTS, enough_us(row)};
  if (console == NULL || reports == NULL) return 0;
  for (u32 made = 0; made < row->workers; made++) {
    row->processes[made] = process_spawn("bench", arguments, console, reports, NULL);
    if (row->processes[made] == NULL) return made;
  }
  return row->workers;
}

/* --- What they report. -------------------------------------------------------------------------------------------------- */

/* False where all workers have ended. */
static bool next_report(struct row *row, struct bench_report *report) {
  return pipe_read(row->reports, (char *)report, sizeof *report) == (s32)sizeof *report;
}

/* Waits for the first report of each. */
static bool all_are_there(struct row *row) {
  struct bench_report report;
  u64 until = clock_ns() + READY_NS;
  for (u32 ready = 0; ready < row->workers; ready += report.operations == 0)
    if (!next_report(row, &report) || report.ns > until) return false;
  return true;
}

static bool take_slices(struct row *row) {
  struct bench_report report;
  u64 start = clock_ns(), last = start;
  u32 operations = 0, slice = 0;
  while (slice < row->slices) {
    if (!next_report(row, &report)) return false;
    /* It was on its way before the time began. */
    if (report.ns < start) continue;
    operations += report.operations;
    if (report.ns < last + row->slice_ns) continue;
    row->done[slice++] = (struct slice){report.ns - last, operations};
    last = report.ns;
    operations = 0;
  }
  return true;
}

/* --- A row. -------------------------------------------------------------------------------------------------------------- */

static void fail(const struct row *row, const char *why) { print("kbench: %s failed: %s\n", row->name, why); }

/* Prints nothing but the line of the begin; a text: why it failed. */
static const char *measure(struct row *row) {
  bool in_kernel = row->bench->run != NULL;
  row->reports = pipe_create();
  if (row->reports == NULL) return "no memory for a pipe";
  struct file *console = in_kernel ? NULL : file_create(FILE_CONSOLE, NULL);
  struct file *reports = in_kernel ? NULL : file_create(FILE_PIPE_WRITE, row->reports);
  u32 made = in_kernel ? start_threads(row) : start_processes(row, console, reports);
  file_release(console);
  /* The processes have this end now: when the last one ends, so do the reports. */
  file_release(reports);
  const char *wrong = made == row->workers ? NULL : "no memory for the workers";
  if (wrong == NULL && !all_are_there(row)) wrong = "a worker did not begin";
  if (wrong == NULL) {
    print("kbench: begin %s %llu\n", row->name, clock_ns());
    if (!take_slices(row)) wrong = "all workers have ended";
  }
  pipe_close(row->reports, false);
  for (u32 i = 0; i < made; i++) {
    if (in_kernel)
      wait_for(&row->ended);
    else if (process_wait(row->processes[i]) != 0)
      wrong = "a process failed";
  }
  if (reports == NULL) pipe_close(row->reports, true);
  return wrong;
}

static void print_figures(const struct row *row) {
  print("kbench: %s", row->name);
  for (u32 i = 0; i < row->slices; i++) print(" %llu %u", row->done[i].ns, row->done[i].operations);
  print("\n");
}

/* NAME or NAME*N. */
static void run_row(char *name, u32 ms, u32 slices) {
  /* Too large for a stack; the shell is the only one to call. */
  static struct row row;
  char plain[32]; /* longer than all of them */
  copy_string(plain, name, sizeof plain);
  row = (struct row){.name = name, .workers = 1, .slices = slices, .slice_ns = divide((u64)ms * NS_PER_MS, slices, NULL)};
  char *at = plain;
  while (*at != 0 && *at != '*') at++;
  bool numbered = *at == '*';
  if (numbered) *at++ = 0;
  row.bench = bench_find(plain);
  if (row.bench == NULL || (numbered && (!parse_number(at, &row.workers) || row.workers == 0 || row.workers > MOST_WORKERS)))
    return fail(&row, "no such row");
  if (row.bench->least_cpus > cpu_count) return fail(&row, "it wants more CPUs");
  if (row.bench->crowd == BENCH_BY_ONE && row.workers > 1) return fail(&row, "several would count each other's");
  const char *wrong = measure(&row);
  if (wrong != NULL)
    fail(&row, wrong);
  else
    print_figures(&row);
}

const char *rows_words(u32 index) { return index < bench_count ? benches[index].name : NULL; }

bool command_rows(u32 count, char **words) {
  u32 ms, slices;
  if (count != 4 || !parse_number(words[1], &ms) || !parse_number(words[2], &slices)) return false;
  if (ms == 0 || ms > MOST_MS || slices == 0 || slices > MOST_SLICES) return false;
  for (char *at = words[3]; at != NULL && !console_interrupted();) {
    char *next = at;
    while (*next != 0 && *next != ',') next++;
    char end = *next;
    *next = 0;
    run_row(at, ms, slices);
    at = end == ',' ? next + 1 : NULL;
  }
  print("kbench: done\n");
  return true;
}
