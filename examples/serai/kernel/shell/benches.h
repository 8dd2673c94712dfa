/* The operations that `bench` and `rows` measure. */
#pragma once
#include "lib/types.h"

/* How many may do it at the same time. */
enum bench_crowd {
  BENCH_BY_ANY,
  BENCH_BY_ONE, /* several would count each other's */
  BENCH_BY_ALL, /* as any, and `bench` has every CPU do it */
};

struct bench {
  const char *name, *what;
  /* Does it `times` times in a thread of the kernel's, and says how many nanoseconds that took; NULL: a process does it. */
  u64 (*run)(u32 times);
  u32 user_number; /* then: an enum bench_operation, user/bench.h */
  u32 least_cpus;
  enum bench_crowd crowd;
};
extern const struct bench benches[];
extern const u32 bench_count;
/* NULL where there is none of that name. */
const struct bench *bench_find(const char *name);

/* Takes one lock, the same for all, and gives it back, so often. */
void take_lock(u32 times);
