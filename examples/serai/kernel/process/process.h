/* Processes: an address space, files, and threads of ring 3. */
#pragma once
#include "cpu/frame.h"
#include "lib/types.h"
#include "sched/wait.h"
#include "user/abi.h"

struct space;
struct file;

struct process {
  u32 id;
  char name[SPAWN_NAME_BYTES];
  struct space *space;
  u32 handler; /* CALL_HANDLER's address */

  struct spinlock lock; /* for all that follows, but for `sibling`, which is under the parent's */
  struct file *files[USER_FILES];
  u32 threads;
  volatile bool dying; /* its threads are to leave as soon as they come from or go to ring 3 */
  s32 status;

  struct process *children, *sibling;
  bool ended, orphan;
  struct wait_queue waiters;
};

/* Starts a program; `parent` NULL is the kernel. `input` and `output` stay the caller's. NULL where there is no memory or no such
 * program. */
struct process *process_spawn(const char *name, const u32 arguments[2], struct file *input, struct file *output, struct process *parent);
/* Waits for the end of a process that the kernel has started, or taken from its parent, and frees it; its status. */
s32 process_wait(struct process *child);
/* Takes a child, by its number, out of its parent's children: nobody else can wait for it then. NULL where there is none. */
struct process *process_take_child(struct process *parent, u32 id);

/* These are of the running process. */
s32 process_start_thread(u32 eip, u32 esp, u32 argument);
void process_exit(s32 status) __attribute__((noreturn));
/* Ends the running thread; with the last one, the process. */
void process_leave(void) __attribute__((noreturn));
/* Ends it because of a fault. */
void process_fault(const struct frame *frame, u32 address) __attribute__((noreturn));

/* File numbers; process_file() shares the file, so the caller releases it. NULL, or an enum error, where there is none. */
struct file *process_file(u32 number);
s32 process_add_file(struct file *file);
s32 process_close_file(u32 number);

/* How many were started since boot. */
extern u32 process_count;
