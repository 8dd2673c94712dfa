/*
 * Processes from spawn to wait.
 *
 * A process ends when its last thread leaves. Nobody takes a thread by force: `dying` is set, and each thread leaves by itself when it
 * is on its way to ring 3. One that waits in a pipe leaves when the pipe's other end is closed.
 */
#include "process/process.h"
#include "cpu/ipi.h"
#include "cpu/panic.h"
#include "cpu/percpu.h"
#include "cpu/trap.h"
#include "lib/string.h"
#include "memory/heap.h"
#include "memory/space.h"
#include "memory/pages.h"
#include "process/elf.h"
#include "process/file.h"
#include "sched/thread.h"

#define STACK_BYTES_OF_USER (64 * KIB)
#define STACK_TOP KERNEL_BASE

u32 process_count;

/* What a new thread of ring 3 begins with. */
struct start {
  u32 eip, esp, ebx, esi;
};

static void enter_ring3(void *argument) {
  struct start start = *(struct start *)argument;
  heap_free(argument);
  interrupts_off();
  if (current()->process->dying) process_leave();
  /* As an interrupt would have pushed it. What is on the kernel stack now is given up: the next way in begins at its top. */
  struct frame frame = {
      .fs = SELECTOR_USER_DATA,
      .es = SELECTOR_USER_DATA,
      .ds = SELECTOR_USER_DATA,
      .ebx = start.ebx,
      .esi = start.esi,
      .eip = start.eip,
      .cs = SELECTOR_USER_CODE,
      .eflags = EFLAGS_FIXED | EFLAGS_IF,
      .esp = start.esp,
      .ss = SELECTOR_USER_DATA,
  };
  enter_user(&frame);
}

static struct thread *create_thread(struct process *process, struct start start) {
  struct start *copy = heap_allocate(sizeof *copy);
  if (copy == NULL) return NULL;
  *copy = start;
  struct thread *thread = thread_create(process->name, enter_ring3, copy, NOT_PINNED);
  if (thread == NULL) {
    heap_free(copy);
    return NULL;
  }
  thread->space = process->space;
  thread->process = process;
  return thread;
}

struct process *process_spawn(const char *name, const u32 arguments[2], struct file *input, struct file *output, struct process *parent) {
  const struct program *program = program_find(name);
  struct process *process = program != NULL ? heap_allocate(sizeof *process) : NULL;
  if (process == NULL) return NULL;
  copy_string(process->name, name, sizeof process->name);
  process->threads = 1;
  process->space = space_create();
  struct thread *thread = NULL;
  if (process->space != NULL) {
    u32 entry = program_load(program, process->space);
    bool has_stack = space_add(process->space, STACK_TOP - STACK_BYTES_OF_USER, STACK_BYTES_OF_USER, true);
    if (entry != 0 && has_stack) thread = create_thread(process, (struct start){entry, STACK_TOP, arguments[0], arguments[1]});
  }
  if (thread == NULL) {
    if (process->space != NULL) space_destroy(process->space);
    heap_free(process);
    return NULL;
  }
  process->files[0] = file_share(input);
  process->files[1] = file_share(output);
  process->id = __atomic_add_fetch(&process_count, 1, __ATOMIC_RELAXED);
  if (parent != NULL) {
    u32 flags = lock(&parent->lock);
    process->sibling = parent->children;
    parent->children = process;
    unlock(&parent->lock, flags);
  }
  thread_start(thread);
  return process;
}

s32 process_start_thread(u32 eip, u32 esp, u32 argument) {
  struct process *process = current()->process;
  struct thread *thread = create_thread(process, (struct start){eip, esp, argument, 0});
  if (thread == NULL) return ERROR_FULL;
  u32 flags = lock(&process->lock);
  process->threads++;
  unlock(&process->lock, flags);
  thread_start(thread);
  return 0;
}

/* The last thread is gone, but for us. Whether somebody waits, or nobody ever will. Returns with interrupts off. */
static void end_process(struct process *process) {
  for (u32 i = 0; i < USER_FILES; i++) file_release(process->files[i]);
  space_destroy(process->space);
  /* None of its threads is left to change the list. A child and its parent may end at the same time: the child's lock says who is last. */
  while (process->children != NULL) {
    struct process *child = process->children;
    process->children = child->sibling;
    u32 flags = lock(&child->lock);
    child->orphan = true;
    bool has_ended = child->ended;
    unlock(&child->lock, flags);
    if (has_ended) heap_free(child);
  }
  /* Who is woken is not to wait for the next time slice of a thread that has nothing to do but to give its CPU away. */
  interrupts_off();
  lock_raw(&process->lock);
  process->ended = true;
  bool is_orphan = process->orphan;
  wake_all(&process->waiters);
  unlock_raw(&process->lock);
  if (is_orphan) heap_free(process);
}

void process_leave(void) {
  struct thread *thread = current();
  struct process *process = thread->process;
  /* Leave the address space before the process forgets this thread: whoever is last destroys it. */
  interrupts_off();
  thread->space = &kernel_space;
  thread->process = NULL;
  space_switch(this_cpu(), &kernel_space);
  interrupts_on();
  u32 flags = lock(&process->lock);
  bool is_last = --process->threads == 0;
  unlock(&process->lock, flags);
  if (is_last) end_process(process);
  thread_exit();
}

void process_exit(s32 status) {
  struct process *process = current()->process;
  u32 flags = lock(&process->lock);
  if (!process->dying) process->status = status; /* the first one counts */
  process->dying = true;
  unlock(&process->lock, flags);
  /* Its other threads may run in ring 3, and nothing else interrupts them where no thread waits for their CPU. Not on
   * ours: who gets it next looks at `dying` on the way. */
  for (u32 cpu = mask_next(&process->space->active, 0); cpu < MAX_CPUS; cpu = mask_next(&process->space->active, cpu + 1))
    if (cpu != current()->cpu) ipi_reschedule(cpu);
  process_leave();
}

void process_fault(const struct frame *frame, u32 address) {
  print("process %u (%s): vector %u, error 0x%x, address 0x%x, eip 0x%x: ended\n", current()->process->id, current()->process->name,
        frame->vector, frame->error, address, frame->eip);
  process_exit(STATUS_FAULT - (s32)frame->vector);
}

s32 process_wait(struct process *child) {
  u32 flags = lock(&child->lock);
  while (!child->ended) wait_on(&child->waiters, &child->lock);
  unlock(&child->lock, flags);
  s32 status = child->status;
  heap_free(child);
  return status;
}

struct process *process_take_child(struct process *parent, u32 id) {
  u32 flags = lock(&parent->lock);
  struct process **at = &parent->children;
  while (*at != NULL && (*at)->id != id) at = &(*at)->sibling;
  struct process *child = *at;
  if (child != NULL) *at = child->sibling;
  unlock(&parent->lock, flags);
  return child;
}

struct file *process_file(u32 number) {
  if (number >= USER_FILES) return NULL;
  struct process *process = current()->process;
  u32 flags = lock(&process->lock);
  struct file *file = process->files[number];
  if (file != NULL) file_share(file);
  unlock(&process->lock, flags);
  return file;
}

s32 process_add_file(struct file *file) {
  struct process *process = current()->process;
  u32 flags = lock(&process->lock);
  s32 number = 0;
  while (number < USER_FILES && process->files[number] != NULL) number++;
  if (number < USER_FILES)
    process->files[number] = file;
  else
    number = ERROR_FULL;
  unlock(&process->lock, flags);
  return number;
}

s32 process_close_file(u32 number) {
  if (number >= USER_FILES) return ERROR_BAD;
  struct process *process = current()->process;
  u32 flags = lock(&process->lock);
  struct file *file = process->files[number];
  process->files[number] = NULL;
  unlock(&process->lock, flags);
  file_release(file);
  return file != NULL ? 0 : ERROR_BAD;
}
