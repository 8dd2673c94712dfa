/* Splits lines into words, finds the command, runs it. Several commands in a line are separated by semicolons. */
#include "shell/shell.h"
#include "boot/bootinfo.h"
#include "cpu/panic.h"
#include "devices/console.h"
#include "firmware/power.h"
#include "lib/print.h"
#include "lib/string.h"
#include "memory/heap.h"
#include "memory/pages.h"
#include "process/elf.h"
#include "process/file.h"
#include "process/process.h"
#include "sched/timer.h"
#include "shell/commands.h"
#include "shell/line.h"

#define PROMPT "serai> "

static bool command_help(u32 count, char **words) {
  (void)words;
  if (count != 1) return false;
  for (u32 i = 0; i < command_count; i++) print("  %-31s %s\n", commands[i].usage, commands[i].help);
  return true;
}

static bool command_memory(u32 count, char **words) {
  (void)words;
  if (count != 1) return false;
  print("%u of %u KiB free; %u KiB are the heap's\n", pages_free_count() * 4, pages_total_count() * 4, heap_pages() * 4);
  return true;
}

bool command_run(u32 count, char **words) {
  u32 arguments[2] = {0, 0};
  if (count < 2 || count > 4) return false;
  for (u32 i = 2; i < count; i++)
    if (!parse_number(words[i], &arguments[i - 2])) return false;
  struct file *console = file_create(FILE_CONSOLE, NULL);
  struct process *process = console != NULL ? process_spawn(words[1], arguments, console, console, NULL) : NULL;
  if (process != NULL)
    print("%s: status %d\n", words[1], process_wait(process));
  else
    print("%s: no such program, or no memory\n", words[1]);
  file_release(console);
  return true;
}

const char *run_words(u32 index) { return index < (u32)(programs_end - programs) ? programs[index].name : NULL; }

static bool command_sleep(u32 count, char **words) {
  u32 seconds;
  if (count != 2 || !parse_number(words[1], &seconds)) return false;
  sleep_ns((u64)seconds * NS_PER_S);
  return true;
}

static bool command_panic(u32 count, char **words) {
  if (count == 2 && strcmp(words[1], "fault") == 0) {
    const bool *volatile nowhere = (const bool *)16; /* not mapped */
    return *nowhere;
  }
  if (count != 1) return false;
  panic("as you wish");
}

static const char *panic_words(u32 index) { return index == 0 ? "fault" : NULL; }

static bool command_halt(u32 count, char **words) {
  (void)words;
  if (count != 1) return false;
  print("serai: power off\n");
  power_off();
}

const struct command commands[] = {
    {"help", "help", "shows this list", command_help, NULL},
    {"cpus", "cpus", "shows the CPUs and what they have done", command_cpus, NULL},
    {"top", "top [COUNT]", "CPU time of threads since boot; or COUNT times, each for a second", command_top, NULL},
    {"bench", "bench [quick] [NAME]", "measures the kernel, one line each: bench NAME NANOSECONDS ns (what)", command_bench, bench_words},
    {"parallel", "parallel NAME TIMES [PROCESSES]", "what bench measures, shared by processes side by side", command_parallel, parallel_words},
    {"rows", "rows MS SLICES NAME[*N],...", "what bench measures, for so long each, by N at once, for programs", command_rows, rows_words},
    {"primes", "primes N [CPUS]", "counts the primes up to N on all CPUs, or on as many as you say", command_primes, NULL},
    {"stress", "stress SECONDS", "processes, pipes, faults, shoot-downs, allocators: all at once, with checks", command_stress, NULL},
    {"race", "race WAY TURNS", "counts on all CPUs, plain (a data race), locked or atomic", command_race, race_words},
    {"bug", "bug MISTAKE", "a driver's mistakes on the heap, for tools that find them", command_bug, bug_words},
    {"run", "run NAME [A [B]]", "runs a program with one or two numbers", command_run, run_words},
    {"memory", "memory", "shows how much memory is free", command_memory, NULL},
    {"sleep", "sleep SECONDS", "does nothing for so long", command_sleep, NULL},
    {"panic", "panic [fault]", "shows what a panic looks like", command_panic, panic_words},
    {"halt", "halt", "switches the machine off", command_halt, NULL},
};
const u32 command_count = ARRAY_LENGTH(commands);

static void run_command(char *line) {
  char *words[MAX_WORDS];
  u32 count = 0;
  for (char *at = line; *at != 0;) {
    if (*at == ' ') {
      *at++ = 0;
      continue;
    }
    if (count == MAX_WORDS) {
      print("too many words\n");
      return;
    }
    words[count++] = at;
    while (*at != 0 && *at != ' ') at++;
  }
  if (count == 0) return;
  for (u32 i = 0; i < command_count; i++) {
    if (strcmp(commands[i].name, words[0]) != 0) continue;
    console_interrupted(); /* an old Control-C is not for this one */
    if (!commands[i].run(count, words)) print("usage: %s\n", commands[i].usage);
    return;
  }
  print("%s: no such command; try 'help'\n", words[0]);
}

static void run_line(char *line) {
  while (line != NULL) {
    char *next = line;
    while (*next != 0 && *next != ';') next++;
    if (*next == ';')
      *next++ = 0;
    else
      next = NULL;
    run_command(line);
    line = next;
  }
}

/* run="cpus; primes 1000" on the kernel's command line: commands that are run before the first prompt. */
static void run_from_command_line(void) {
  const char *at = find_string(boot_info.command_line, "run=");
  if (at == NULL) return;
  at += strlen("run=");
  char end = *at == '"' || *at == '\'' ? *at++ : ' ';
  char line[COMMAND_LINE_BYTES];
  size_t length = 0;
  while (at[length] != 0 && at[length] != end) {
    line[length] = at[length];
    length++;
  }
  line[length] = 0;
  print("%s%s\n", PROMPT, line);
  run_line(line);
}

void shell_main(void *unused) {
  (void)unused;
  run_from_command_line();
  for (;;) {
    char line[LINE_BYTES];
    line_read(PROMPT, line);
    run_line(line);
  }
}
