/* Programs: 32-bit ELF files inside the kernel's image. */
#pragma once
#include "lib/types.h"

struct space;

struct program {
  const char *name;
  const u8 *start, *end;
};
extern const struct program programs[], programs_end[];

const struct program *program_find(const char *name);
/* Puts the program's segments into the address space. Its entry; 0 where that fails. */
u32 program_load(const struct program *program, struct space *space);
