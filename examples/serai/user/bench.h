/* What the kernel's commands and the program `bench` agree on: its operations, main()'s first argument. */
#pragma once
#include <stdint.h>

enum bench_operation {
  BENCH_CALL_INTERRUPT,
  BENCH_CALL_SYSENTER,
  BENCH_PAGE_FAULT,
  BENCH_PROTECTION_FAULT,
  BENCH_PIPE_ROUND_TRIP,
  BENCH_SPAWN_EXIT,
  BENCH_OPERATIONS,
};

/* Beside the operation: the second argument is how often it is to be done, and the status 0 when it has been. Without it, the second
 * argument is how many microseconds are enough to measure it, and the status what it takes, in nanoseconds. */
#define BENCH_EXACTLY 0x100u

/* Instead of that: the operation is done over and over, and file 1, a pipe, is told, by a first report of no operations and then one
 * behind each handful of them, until nobody reads it any more: then the status is 0. Handfuls grow until one takes longer than the
 * second argument, in microseconds. */
#define BENCH_REPORTS 0x200u
struct bench_report {
  uint64_t ns; /* since boot */
  uint32_t operations;
  uint32_t unused; /* a pipe's ring holds a whole number of reports, so none is ever cut */
};
/* Of the smallest and the largest handful. */
#define BENCH_FIRST_TIMES 2u
#define BENCH_MOST_TIMES (1u << 24)
