/* The shell's commands. */
#pragma once
#include "lib/types.h"

#define MAX_WORDS 8

struct command {
  const char *name, *usage, *help;
  /* word[0] is the name. False: used wrongly. */
  bool (*run)(u32 count, char **words);
  /* What TAB offers behind the name; NULL behind the last one. */
  const char *(*words)(u32 index);
};
extern const struct command commands[];
extern const u32 command_count;

bool command_cpus(u32 count, char **words);
bool command_top(u32 count, char **words);
bool command_bench(u32 count, char **words);
const char *bench_words(u32 index);
bool command_parallel(u32 count, char **words);
const char *parallel_words(u32 index);
bool command_rows(u32 count, char **words);
const char *rows_words(u32 index);
bool command_primes(u32 count, char **words);
bool command_stress(u32 count, char **words);
bool command_run(u32 count, char **words);
const char *run_words(u32 index);
bool command_race(u32 count, char **words);
const char *race_words(u32 index);
bool command_bug(u32 count, char **words);
const char *bug_words(u32 index);
