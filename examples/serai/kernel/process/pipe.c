/* A pipe: a ring of bytes, and two wait queues. Positions only grow; their difference is how much is in the ring. */
#include "process/pipe.h"
#include "lib/string.h"
#include "memory/heap.h"
#include "sched/wait.h"

#define RING_BYTES 1024u /* a power of two */

struct pipe {
  struct spinlock lock;
  struct wait_queue readers_wait, writers_wait;
  u32 read, written;
  u32 readers, writers;
  char ring[RING_BYTES];
};

struct pipe *pipe_create(void) {
  struct pipe *pipe = heap_allocate(sizeof *pipe);
  if (pipe != NULL) pipe->readers = pipe->writers = 1;
  return pipe;
}

void pipe_close(struct pipe *pipe, bool is_writer) {
  u32 flags = lock(&pipe->lock);
  if (is_writer)
    pipe->writers--;
  else
    pipe->readers--;
  /* Who waits for the other end has to hear that it is gone. */
  wake_all(&pipe->readers_wait);
  wake_all(&pipe->writers_wait);
  bool is_over = pipe->readers == 0 && pipe->writers == 0;
  unlock(&pipe->lock, flags);
  if (is_over) heap_free(pipe);
}

s32 pipe_read(struct pipe *pipe, char *to, u32 bytes) {
  u32 flags = lock(&pipe->lock);
  while (pipe->written == pipe->read && pipe->writers > 0) wait_on(&pipe->readers_wait, &pipe->lock);
  u32 count = MIN(bytes, pipe->written - pipe->read);
  for (u32 i = 0; i < count; i++) to[i] = pipe->ring[pipe->read++ % RING_BYTES];
  if (count > 0) wake_all(&pipe->writers_wait);
  unlock(&pipe->lock, flags);
  return (s32)count;
}

bool pipe_write(struct pipe *pipe, const char *from, u32 bytes) {
  u32 flags = lock(&pipe->lock);
  while (bytes > 0 && pipe->readers > 0) {
    if (pipe->written - pipe->read == RING_BYTES) {
      wait_on(&pipe->writers_wait, &pipe->lock);
      continue;
    }
    u32 count = MIN(bytes, RING_BYTES - (pipe->written - pipe->read));
    for (u32 i = 0; i < count; i++) pipe->ring[pipe->written++ % RING_BYTES] = from[i];
    from += count;
    bytes -= count;
    wake_all(&pipe->readers_wait);
  }
  bool is_written = bytes == 0;
  unlock(&pipe->lock, flags);
  return is_written;
}
