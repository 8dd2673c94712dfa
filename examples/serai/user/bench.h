/* What the kernel's commands and the program `bench` agree on: its operations, main()'s first argument. */
#pragma once

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
