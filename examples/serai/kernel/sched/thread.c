/* Making threads, ending them, listing them. */
#include "sched/thread.h"
#include "cpu/panic.h"
#include "lib/string.h"
#include "memory/heap.h"
#include "memory/pages.h"
#include "memory/space.h"
#include "sched/clock.h"
#include "sched/sched.h"

#define STACK_GUARD 0x6b617473u

static struct spinlock list_lock;
static struct thread *all;
static u32 last_id;

struct thread *thread_create(const char *name, void (*start)(void *), void *argument, s32 pinned) {
  struct thread *thread = heap_allocate(sizeof *thread);
  if (thread == NULL) return NULL;
  void *stack = pages_allocate(STACK_ORDER);
  if (stack == NULL) {
    heap_free(thread);
    return NULL;
  }
  thread->stack = (u32)stack;
  *(u32 *)stack = STACK_GUARD;
  thread->state = THREAD_BLOCKED;
  thread->is_new = true;
  thread->pinned = pinned;
  thread->space = &kernel_space;
  thread->start = start;
  thread->argument = argument;
  copy_string(thread->name, name, NAME_BYTES);

  u32 flags = lock(&list_lock);
  thread->id = ++last_id;
  thread->all_next = all;
  if (all != NULL) all->all_previous = thread;
  all = thread;
  unlock(&list_lock, flags);
  return thread;
}

void thread_start(struct thread *thread) {
  u32 flags = interrupts_save();
  thread_put(thread, thread->pinned != NOT_PINNED ? (u32)thread->pinned : sched_least_busy());
  interrupts_restore(flags);
}

bool thread_run(const char *name, void (*start)(void *), void *argument, s32 pinned) {
  struct thread *thread = thread_create(name, start, argument, pinned);
  if (thread != NULL) thread_start(thread);
  return thread != NULL;
}

void thread_exit(void) {
  interrupts_off();
  current()->state = THREAD_DEAD;
  schedule();
  panic("a dead thread runs");
}

void thread_free(struct thread *thread) {
  u32 flags = lock(&list_lock);
  if (thread->all_previous != NULL)
    thread->all_previous->all_next = thread->all_next;
  else
    all = thread->all_next;
  if (thread->all_next != NULL) thread->all_next->all_previous = thread->all_previous;
  unlock(&list_lock, flags);
  pages_free((void *)thread->stack, STACK_ORDER);
  heap_free(thread);
}

void thread_check_stack(const struct thread *thread) {
  if (*(const u32 *)thread->stack != STACK_GUARD) panic("the kernel stack of thread '%s' was too small", thread->name);
}

u32 thread_list(struct thread_info *infos, u32 most) {
  u64 now = clock_ns();
  u32 count = 0, flags = lock(&list_lock);
  for (struct thread *thread = all; thread != NULL && count < most; thread = thread->all_next) {
    struct thread_info *info = &infos[count++];
    *info = (struct thread_info){thread->id, thread->cpu, thread->state, thread->process != NULL, "", thread->ran_ns};
    /* The words change while we read: the sum is right within a time slice. */
    if (thread->state == THREAD_RUNNING && now > thread->since_ns) info->ran_ns += now - thread->since_ns;
    memcpy(info->name, thread->name, NAME_BYTES);
  }
  unlock(&list_lock, flags);
  return count;
}
