/* What the boot loader tells (Multiboot Specification 0.6.96, 3.3). */
#pragma once
#include "lib/types.h"

#define MULTIBOOT_LOADER_MAGIC 0x2BADB002u
#define MULTIBOOT_HAS_MEMORY 1u
#define MULTIBOOT_HAS_COMMAND_LINE 4u
#define MULTIBOOT_HAS_MAP 0x40u

struct multiboot_info {
  u32 flags, memory_lower_kib, memory_upper_kib, boot_device, command_line, modules_count, modules;
  u32 symbols[4];
  u32 map_bytes, map;
};

struct multiboot_range {
  u32 size; /* of the rest */
  u64 base, length;
  u32 type; /* 1: RAM */
} __attribute__((packed));
