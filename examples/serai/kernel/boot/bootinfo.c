/* Copies memory map and command line. */
#include "boot/bootinfo.h"
#include "boot/multiboot.h"
#include "cpu/panic.h"
#include "lib/string.h"
#include "memory/paging.h"

#define RAM 1

struct boot_info boot_info;

/* RAM above 1 MiB that the linear map reaches; the rest is left alone. */
static void add_ram(u64 base, u64 length) {
  u64 end = base + length;
  if (end > LINEAR_BYTES) end = LINEAR_BYTES;
  if (base < MIB) base = MIB;
  if (base >= end || boot_info.ram_count == MAX_RAM_RANGES) return;
  boot_info.ram[boot_info.ram_count++] = (struct ram_range){(u32)base, (u32)end};
}

void boot_info_read(u32 magic, u32 info_physical) {
  if (magic != MULTIBOOT_LOADER_MAGIC) panic("not started by a multiboot loader: EAX is 0x%x", magic);
  const struct multiboot_info *info = linear(info_physical);
  if (info->flags & MULTIBOOT_HAS_COMMAND_LINE)
    copy_string(boot_info.command_line, linear(info->command_line), COMMAND_LINE_BYTES);
  if (info->flags & MULTIBOOT_HAS_MAP) {
    for (u32 at = info->map; at < info->map + info->map_bytes;) {
      const struct multiboot_range *range = linear(at);
      if (range->type == RAM) add_ram(range->base, range->length);
      at += range->size + sizeof range->size;
    }
  } else if (info->flags & MULTIBOOT_HAS_MEMORY) {
    add_ram(MIB, (u64)info->memory_upper_kib * KIB);
  }
  if (boot_info.ram_count == 0) panic("the loader tells of no memory");
}

bool boot_option(const char *word) {
  size_t length = strlen(word);
  for (const char *at = boot_info.command_line; *at != 0; at++) {
    if (strncmp(at, word, length) == 0 && (at[length] == 0 || at[length] == ' ')) return true;
    while (*at != 0 && *at != ' ') at++;
    if (*at == 0) break;
  }
  return false;
}
