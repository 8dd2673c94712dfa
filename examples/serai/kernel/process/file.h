/* What a process's file numbers stand for: the console, or an end of a pipe. */
#pragma once
#include "lib/types.h"

struct pipe;
enum file_kind { FILE_CONSOLE, FILE_PIPE_READ, FILE_PIPE_WRITE };

struct file {
  enum file_kind kind;
  u32 references;
  struct pipe *pipe;
};

struct file *file_create(enum file_kind kind, struct pipe *pipe);
struct file *file_share(struct file *file);
/* The last one closes it; NULL is allowed. */
void file_release(struct file *file);
/* The addresses are in the running process. Bytes, or an enum error. */
s32 file_read(struct file *file, u32 address, u32 bytes);
s32 file_write(struct file *file, u32 address, u32 bytes);
