/* Threads: what the scheduler runs, in the kernel or in a process. */
#pragma once
#include "cpu/percpu.h"
#include "lib/types.h"

#define STACK_ORDER 1u
#define STACK_BYTES (PAGE_BYTES_FOR_STACK << STACK_ORDER)
#define PAGE_BYTES_FOR_STACK 4096u
#define NAME_BYTES 16
#define NOT_PINNED (-1)

struct process;

enum thread_state { THREAD_READY, THREAD_RUNNING, THREAD_BLOCKED, THREAD_DEAD };

struct thread {
  u32 esp;   /* while it does not run */
  u32 stack; /* lowest address; its lowest word holds STACK_GUARD */
  enum thread_state state;
  volatile bool on_cpu; /* a CPU still uses its stack: see thread_wake() */
  bool is_new;
  s32 pinned;       /* the only CPU that may run it, or NOT_PINNED */
  u32 cpu;          /* where it runs, or ran last */
  struct thread *next; /* in a run queue or wait queue */

  struct space *space;
  struct process *process; /* NULL: a kernel thread */
  void (*start)(void *argument);
  void *argument;

  u32 id;
  char name[NAME_BYTES];
  u64 ran_ns, since_ns; /* CPU time up to `since`, when it got the CPU */
  struct thread *all_next, *all_previous;
};

/* A thread that does not run yet; NULL where there is no memory. */
struct thread *thread_create(const char *name, void (*start)(void *), void *argument, s32 pinned);
/* Lets it run. */
void thread_start(struct thread *thread);
/* Both in one. False where there is no memory. */
bool thread_run(const char *name, void (*start)(void *), void *argument, s32 pinned);
/* Ends the thread that calls. What it started with has returned, or it does not want to go on. */
void thread_exit(void) __attribute__((noreturn));
/* Frees a thread that runs no more: for the scheduler. */
void thread_free(struct thread *thread);

/* Finds stacks that were too small, before they do more harm. */
void thread_check_stack(const struct thread *thread);

/* What `top` shows of a thread. */
struct thread_info {
  u32 id, cpu;
  enum thread_state state;
  bool is_user;
  char name[NAME_BYTES];
  u64 ran_ns;
};
/* Up to `most` threads; returns how many. */
u32 thread_list(struct thread_info *infos, u32 most);
