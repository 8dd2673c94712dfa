/* System calls: takes arguments out of registers, checks them, and calls who knows. user/abi.h says what each one does. */
#include "process/syscall.h"
#include "cpu/percpu.h"
#include "lib/string.h"
#include "memory/space.h"
#include "memory/usercopy.h"
#include "process/file.h"
#include "process/pipe.h"
#include "process/process.h"
#include "sched/clock.h"
#include "sched/sched.h"
#include "sched/thread.h"
#include "sched/timer.h"

static s32 transfer(u32 number, u32 address, u32 bytes, s32 (*how)(struct file *, u32, u32)) {
  struct file *file = process_file(number);
  if (file == NULL) return ERROR_BAD;
  s32 count = how(file, address, bytes);
  file_release(file);
  return count;
}

static s32 make_pipe(u32 address) {
  struct pipe *pipe = pipe_create();
  if (pipe == NULL) return ERROR_FULL;
  struct file *ends[2] = {file_create(FILE_PIPE_READ, pipe), file_create(FILE_PIPE_WRITE, pipe)};
  s32 numbers[2] = {ERROR_FULL, ERROR_FULL};
  for (u32 i = 0; i < 2; i++)
    if (ends[i] != NULL) numbers[i] = process_add_file(ends[i]);
  if (numbers[0] >= 0 && numbers[1] >= 0) {
    if (copy_to_user(address, numbers, sizeof numbers)) return 0;
    process_close_file((u32)numbers[0]);
    process_close_file((u32)numbers[1]);
    return ERROR_FAULT;
  }
  for (u32 i = 0; i < 2; i++) {
    if (numbers[i] >= 0)
      process_close_file((u32)numbers[i]);
    else if (ends[i] != NULL)
      file_release(ends[i]);
    else
      pipe_close(pipe, i == 1);
  }
  return ERROR_FULL;
}

static s32 spawn(u32 address) {
  struct spawn spawn;
  if (!copy_from_user(&spawn, address, sizeof spawn)) return ERROR_FAULT;
  spawn.name[SPAWN_NAME_BYTES - 1] = 0;
  struct file *input = process_file((u32)spawn.input), *output = process_file((u32)spawn.output);
  s32 result = ERROR_BAD;
  if (input != NULL && output != NULL) {
    struct process *child = process_spawn(spawn.name, spawn.arguments, input, output, current()->process);
    result = child != NULL ? (s32)child->id : ERROR_FULL;
  }
  file_release(input);
  file_release(output);
  return result;
}

static s32 wait(u32 id, u32 address) {
  struct process *child = process_take_child(current()->process, id);
  if (child == NULL) return ERROR_BAD;
  s32 status = process_wait(child);
  return copy_to_user(address, &status, sizeof status) ? 0 : ERROR_FAULT;
}

static s32 discard(u32 start, u32 bytes) {
  if (start >= KERNEL_BASE || bytes > KERNEL_BASE - start) return ERROR_BAD;
  space_discard(current()->space, start, bytes);
  return 0;
}

static s32 tell_time(u32 address) {
  u64 now = clock_ns();
  return copy_to_user(address, &now, sizeof now) ? 0 : ERROR_FAULT;
}

static s32 dispatch(u32 number, u32 a, u32 b, u32 c) {
  switch (number) {
  case CALL_NULL: return 0;
  case CALL_EXIT: process_exit((s32)a);
  case CALL_READ: return transfer(a, b, c, file_read);
  case CALL_WRITE: return transfer(a, b, c, file_write);
  case CALL_CLOSE: return process_close_file(a);
  case CALL_PIPE: return make_pipe(a);
  case CALL_SPAWN: return spawn(a);
  case CALL_WAIT: return wait(a, b);
  case CALL_MAP: return (s32)space_map(current()->space, a);
  case CALL_UNMAP: return space_unmap(current()->space, a) ? 0 : ERROR_BAD;
  case CALL_DISCARD: return discard(a, b);
  case CALL_CLOCK: return tell_time(a);
  case CALL_SLEEP: sleep_ns((u64)a * NS_PER_US); return 0;
  case CALL_YIELD: yield(); return 0;
  case CALL_THREAD: return process_start_thread(a, b, c);
  case CALL_THREAD_EXIT: process_leave();
  case CALL_HANDLER: current()->process->handler = a; return 0;
  case CALL_CPU: return (s32)current()->cpu;
  default: return ERROR_BAD;
  }
}

void system_call(struct frame *frame) {
  frame->eax = (u32)dispatch(frame->eax, frame->ebx, frame->esi, frame->edi);
}
