/* What we keep of the loader's information: it lies somewhere in memory that is soon used for other things. */
#pragma once
#include "lib/types.h"

#define COMMAND_LINE_BYTES 512
#define MAX_RAM_RANGES 16

struct ram_range {
  u32 base, end;
};

struct boot_info {
  char command_line[COMMAND_LINE_BYTES];
  struct ram_range ram[MAX_RAM_RANGES];
  u32 ram_count;
};
extern struct boot_info boot_info;

void boot_info_read(u32 magic, u32 info_physical);
/* Whether the command line has this word, as `noacpi`. */
bool boot_option(const char *word);
