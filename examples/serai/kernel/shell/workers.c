/* Kernel threads that work together. They begin at the same time: when the last one has been made. */
#include "shell/workers.h"
#include "cpu/percpu.h"
#include "sched/sched.h"
#include "sched/thread.h"
#include "sched/wait.h"

struct team {
  void (*work)(u32 cpu, void *argument);
  void *argument;
  struct completion done;
};

struct member {
  struct team *team;
  u32 cpu;
};

static void member_main(void *argument) {
  struct member *member = argument;
  member->team->work(member->cpu, member->team->argument);
  complete(&member->team->done);
}

bool workers_run(const char *name, u32 count, void (*work)(u32 cpu, void *argument), void *argument) {
  struct team team = {.work = work, .argument = argument};
  struct member members[MAX_CPUS];
  struct thread *threads[MAX_CPUS];
  u32 made = 0;
  for (; made < count; made++) {
    members[made] = (struct member){&team, made};
    threads[made] = thread_create(name, member_main, &members[made], (s32)made);
    if (threads[made] == NULL) break;
  }
  for (u32 i = 0; i < made; i++) thread_start(threads[i]);
  for (u32 i = 0; i < made; i++) wait_for(&team.done);
  return made == count;
}
