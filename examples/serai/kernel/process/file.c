/* Reading and writing go through a buffer on the kernel stack: user memory may fault, and nobody may fault with a lock held. */
#include "process/file.h"
#include "devices/console.h"
#include "lib/lock.h"
#include "memory/heap.h"
#include "memory/usercopy.h"
#include "process/pipe.h"
#include "user/abi.h"

#define CHUNK_BYTES 512u

struct file *file_create(enum file_kind kind, struct pipe *pipe) {
  struct file *file = heap_allocate(sizeof *file);
  if (file != NULL) *file = (struct file){kind, 1, pipe};
  return file;
}

struct file *file_share(struct file *file) {
  __atomic_fetch_add(&file->references, 1, __ATOMIC_RELAXED);
  return file;
}

void file_release(struct file *file) {
  if (file == NULL || __atomic_sub_fetch(&file->references, 1, __ATOMIC_ACQ_REL) > 0) return;
  if (file->pipe != NULL) pipe_close(file->pipe, file->kind == FILE_PIPE_WRITE);
  heap_free(file);
}

s32 file_read(struct file *file, u32 address, u32 bytes) {
  char chunk[CHUNK_BYTES];
  if (bytes == 0) return 0;
  s32 count;
  if (file->kind == FILE_PIPE_READ) {
    count = pipe_read(file->pipe, chunk, MIN(bytes, CHUNK_BYTES));
  } else if (file->kind == FILE_CONSOLE) {
    chunk[0] = (char)console_read();
    count = 1;
  } else {
    return ERROR_BAD;
  }
  if (count > 0 && !copy_to_user(address, chunk, (u32)count)) return ERROR_FAULT;
  return count;
}

s32 file_write(struct file *file, u32 address, u32 bytes) {
  char chunk[CHUNK_BYTES];
  u32 done = 0;
  if (file->kind == FILE_PIPE_READ || bytes > 0x7fffffff) return ERROR_BAD;
  while (done < bytes) {
    u32 count = MIN(bytes - done, CHUNK_BYTES);
    if (!copy_from_user(chunk, address + done, count)) return ERROR_FAULT;
    if (file->kind == FILE_CONSOLE)
      console_write(chunk, count);
    else if (!pipe_write(file->pipe, chunk, count))
      return ERROR_CLOSED;
    done += count;
  }
  return (s32)done;
}
