/*
 * `race`: a data race on purpose, for tools that look for such, and to see one happen. A worker on each CPU adds to one counter, by a load,
 * an addition and a store: what another CPU adds in between is lost. `locked` holds a spin lock meanwhile, `atomic` does it in one locked instruction.
 */
#include "cpu/percpu.h"
#include "lib/lock.h"
#include "lib/print.h"
#include "lib/string.h"
#include "shell/commands.h"
#include "shell/workers.h"

#define MOST_TURNS 10000000u

struct counting {
  u32 turns, counter;
  struct spinlock lock;
};

/* One turn each, not inlined: tools show where they are by name. */
static __attribute__((noinline)) void add_plain(struct counting *counting) {
  u32 value = *(volatile u32 *)&counting->counter;
  *(volatile u32 *)&counting->counter = value + 1;
}

static __attribute__((noinline)) void add_locked(struct counting *counting) {
  u32 flags = lock(&counting->lock);
  counting->counter++;
  unlock(&counting->lock, flags);
}

static __attribute__((noinline)) void add_atomic(struct counting *counting) {
  __atomic_fetch_add(&counting->counter, 1, __ATOMIC_RELAXED);
}

static void work_plain(u32 cpu, void *argument) {
  (void)cpu;
  struct counting *counting = argument;
  for (u32 turn = 0; turn < counting->turns; turn++) add_plain(counting);
}

static void work_locked(u32 cpu, void *argument) {
  (void)cpu;
  struct counting *counting = argument;
  for (u32 turn = 0; turn < counting->turns; turn++) add_locked(counting);
}

static void work_atomic(u32 cpu, void *argument) {
  (void)cpu;
  struct counting *counting = argument;
  for (u32 turn = 0; turn < counting->turns; turn++) add_atomic(counting);
}

static const struct {
  const char *name;
  void (*work)(u32 cpu, void *argument);
} ways[] = {{"plain", work_plain}, {"locked", work_locked}, {"atomic", work_atomic}};

const char *race_words(u32 index) { return index < ARRAY_LENGTH(ways) ? ways[index].name : NULL; }

bool command_race(u32 count, char **words) {
  struct counting counting = {0};
  if (count != 3 || !parse_number(words[2], &counting.turns) || counting.turns == 0 || counting.turns > MOST_TURNS) return false;
  for (u32 i = 0; i < ARRAY_LENGTH(ways); i++) {
    if (strcmp(ways[i].name, words[1]) != 0) continue;
    if (!workers_run("race", cpu_count, ways[i].work, &counting)) {
      print("no memory\n");
      return true;
    }
    u32 all = counting.turns * cpu_count;
    print("race %s: %u of %u counted, %u lost\n", ways[i].name, counting.counter, all, all - counting.counter);
    return true;
  }
  return false;
}
