/* Pipes: bytes that one thread writes and another reads. */
#pragma once
#include "lib/types.h"

struct pipe;

/* With a reader and a writer; NULL where there is no memory. */
struct pipe *pipe_create(void);
/* One end less. */
void pipe_close(struct pipe *pipe, bool is_writer);
/* Waits for at least one byte; 0 where all writers have closed. */
s32 pipe_read(struct pipe *pipe, char *to, u32 bytes);
/* Waits for room for all bytes; false where all readers have closed. */
bool pipe_write(struct pipe *pipe, const char *from, u32 bytes);
