/* The kernel's half of every address space. */
#pragma once
#include "cpu/segments.h"
#include "lib/types.h"

#define PAGE_BYTES 4096u
/* Page-table entries (SDM vol. 3, 4.3). */
#define PTE_PRESENT 0x001u
#define PTE_WRITABLE 0x002u
#define PTE_USER 0x004u
#define PTE_WRITE_THROUGH 0x008u
#define PTE_UNCACHED 0x010u
#define PTE_BIG 0x080u
#define PTE_GLOBAL 0x100u
#define PTE_SHARED 0x200u /* for software: the page is not the address space's own */
#define PTE_ADDRESS 0xFFFFF000u

#define DIRECTORY_ENTRIES 1024u
#define FIRST_KERNEL_ENTRY (KERNEL_BASE >> 22)
/* The linear map: physical address 0 to this, from KERNEL_BASE on. More RAM is not used. */
#define LINEAR_BYTES 0x30000000u

/* RAM by its physical address. */
static inline void *linear(u32 physical) { return (void *)(physical + KERNEL_BASE); }
static inline u32 physical_of(const void *pointer) { return (u32)pointer - KERNEL_BASE; }

/* Makes the kernel's own page directory and changes to it. */
void paging_init(void);
u32 kernel_directory_physical(void);
/* Copies the kernel's half into a new directory. */
void paging_copy_kernel_half(u32 *directory);

/* Device registers, or tables of the firmware. Only while one CPU runs and no other directory was made: the kernel's half never
 * changes later. */
void *map_device(u32 physical, u32 bytes);
