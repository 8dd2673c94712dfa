/* `top`: who used the CPUs, since boot or in each of the next seconds. Processes that come and go in between are not seen. */
#include "cpu/percpu.h"
#include "devices/console.h"
#include "lib/math.h"
#include "lib/print.h"
#include "lib/string.h"
#include "memory/pages.h"
#include "sched/clock.h"
#include "sched/thread.h"
#include "sched/timer.h"
#include "shell/commands.h"

#define MOST_THREADS 256
#define SNAPSHOT_ORDER 2u
#define ROWS 20u

struct snapshot {
  u64 at;
  u32 count;
  struct thread_info threads[MOST_THREADS];
};

_Static_assert(sizeof(struct snapshot) <= PAGE_BYTES << SNAPSHOT_ORDER, "see pages_allocate()");

static void take(struct snapshot *snapshot) {
  snapshot->at = clock_ns();
  snapshot->count = thread_list(snapshot->threads, MOST_THREADS);
}

/* What a thread had used by the time of an older snapshot. */
static u64 used_before(const struct snapshot *before, u32 id) {
  for (u32 i = 0; i < before->count; i++)
    if (before->threads[i].id == id) return before->threads[i].ran_ns;
  return 0;
}

static u32 percent_of(u64 ns, u32 us) { return us == 0 ? 0 : (u32)divide(divide(ns, 10, NULL) + us / 2, us, NULL); }

static void show(struct snapshot *now, const struct snapshot *before) {
  static const char *const states[] = {"ready", "running", "blocked", "dead"};
  u32 us = (u32)divide(now->at - before->at, NS_PER_US, NULL);
  for (u32 i = 0; i < now->count; i++) now->threads[i].ran_ns -= MIN(used_before(before, now->threads[i].id), now->threads[i].ran_ns);
  print("%u.%03u s on %u CPUs; busy:", us / 1000000, us / 1000 % 1000, cpu_count);
  for (u32 cpu = 0; cpu < cpu_count; cpu++)
    for (u32 i = 0; i < now->count; i++)
      if (now->threads[i].id == cpus[cpu].idle->id) print(" %u%%", 100 - MIN(100u, percent_of(now->threads[i].ran_ns, us)));
  print("\n");
  /* Most time first. */
  for (u32 i = 1; i < now->count; i++)
    for (u32 k = i; k > 0 && now->threads[k].ran_ns > now->threads[k - 1].ran_ns; k--) {
      struct thread_info other = now->threads[k];
      now->threads[k] = now->threads[k - 1];
      now->threads[k - 1] = other;
    }
  print("   id name             ring cpu state            ms   %%\n");
  for (u32 i = 0; i < MIN(now->count, ROWS); i++) {
    const struct thread_info *thread = &now->threads[i];
    u32 used = (u32)divide(thread->ran_ns, NS_PER_US, NULL);
    print("%5u %-16s %4u %3u %-8s %7u.%03u %3u\n", thread->id, thread->name, thread->is_user ? 3 : 0, thread->cpu, states[thread->state],
          used / 1000, used % 1000, percent_of(thread->ran_ns, us));
  }
  if (now->count > ROWS) print("... %u threads\n", now->count);
}

bool command_top(u32 count, char **words) {
  u32 times = 0;
  if (count > 2 || (count == 2 && !parse_number(words[1], &times))) return false;
  struct snapshot *now = pages_allocate(SNAPSHOT_ORDER), *before = pages_allocate(SNAPSHOT_ORDER);
  if (now == NULL || before == NULL) {
    print("no memory\n");
  } else if (times == 0) {
    before->at = before->count = 0; /* since boot */
    take(now);
    show(now, before);
  } else {
    for (; times > 0 && !console_interrupted(); times--) {
      take(before);
      sleep_ns(NS_PER_S);
      take(now);
      show(now, before);
    }
  }
  if (now != NULL) pages_free(now, SNAPSHOT_ORDER);
  if (before != NULL) pages_free(before, SNAPSHOT_ORDER);
  return true;
}
