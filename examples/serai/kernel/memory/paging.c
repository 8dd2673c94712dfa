/*
 * The upper half of every address space is the kernel's, and the same everywhere:
 *
 *   0xC0000000  RAM from physical address 0 on, in pages of 4 MiB, writable, global (they stay in the TLB over a write to CR3)
 *   0xF0000000  devices and far tables of the firmware, in pages of 4 MiB, not cached
 *
 * It is made once, at boot, before there is a second CPU or a process. So it never needs a TLB shoot-down.
 */
#include "memory/paging.h"
#include "boot/bootinfo.h"
#include "cpu/panic.h"
#include "cpu/x86.h"
#include "lib/string.h"

#define BIG_PAGE_BYTES (4 * MIB)
#define DEVICE_WINDOW 0xF0000000u
#define DEVICE_PAGES 64u

extern u32 boot_directory[];

static u32 directory[DIRECTORY_ENTRIES] __attribute__((aligned(PAGE_BYTES)));
static u32 device_pages;
static u32 linear_end;

u32 kernel_directory_physical(void) { return physical_of(directory); }

void paging_init(void) {
  if ((cpuid_features() & CPUID_PSE) == 0 || (cpuid_features() & CPUID_PGE) == 0) panic("this CPU has no big or no global pages");
  for (u32 i = 0; i < boot_info.ram_count; i++) linear_end = MAX(linear_end, boot_info.ram[i].end);
  for (u32 at = 0; at < linear_end; at += BIG_PAGE_BYTES)
    directory[FIRST_KERNEL_ENTRY + at / BIG_PAGE_BYTES] = at | PTE_PRESENT | PTE_WRITABLE | PTE_BIG | PTE_GLOBAL;
  /* Application processors start in the boot directory and find their stacks there. */
  memcpy(boot_directory + FIRST_KERNEL_ENTRY, directory + FIRST_KERNEL_ENTRY, (DIRECTORY_ENTRIES - FIRST_KERNEL_ENTRY) * sizeof(u32));
  write_cr3(kernel_directory_physical());
}

void paging_copy_kernel_half(u32 *to) {
  memcpy(to + FIRST_KERNEL_ENTRY, directory + FIRST_KERNEL_ENTRY, (DIRECTORY_ENTRIES - FIRST_KERNEL_ENTRY) * sizeof(u32));
}

/* The window's page that shows the 4 MiB at `base`. */
static u32 window_of(u32 base) {
  u32 *window = directory + DEVICE_WINDOW / BIG_PAGE_BYTES;
  u32 wanted = base | PTE_PRESENT | PTE_WRITABLE | PTE_BIG | PTE_GLOBAL | PTE_WRITE_THROUGH | PTE_UNCACHED;
  u32 page = 0;
  for (; page < device_pages; page++)
    if ((window[page] & ~(BIG_PAGE_BYTES - 1)) == base) break;
  if (page == device_pages) {
    ASSERT(device_pages < DEVICE_PAGES);
    window[device_pages++] = wanted;
  }
  return DEVICE_WINDOW + page * BIG_PAGE_BYTES;
}

void *map_device(u32 physical, u32 bytes) {
  if (physical < linear_end && bytes <= linear_end - physical) return linear(physical);
  u32 base = physical & ~(BIG_PAGE_BYTES - 1), offset = physical - base;
  u32 address = window_of(base);
  /* What reaches into the next 4 MiB wants the next page of the window to follow. */
  if (offset + bytes > BIG_PAGE_BYTES) {
    u32 next = window_of(base + BIG_PAGE_BYTES);
    if (next != address + BIG_PAGE_BYTES) panic("a table of the firmware at 0x%x cannot be mapped in one piece", physical);
  }
  return (void *)(address + offset);
}
