/* What an interrupt, an exception or a system call leaves on the kernel stack: pushed by entry.S, the last word first. */
#pragma once
#include "lib/types.h"

struct frame {
  u32 fs, es, ds;
  u32 edi, esi, ebp, unused_esp, ebx, edx, ecx, eax; /* PUSHA */
  u32 vector;
  u32 error; /* 0 where the CPU pushes none */
  /* Pushed by the CPU (SDM vol. 3, 6.12.1); `esp` and `ss` only on the way from ring 3. */
  u32 eip, cs, eflags, esp, ss;
};

static inline bool frame_is_user(const struct frame *frame) { return (frame->cs & 3) == 3; }
