/* User address spaces: what is mapped below KERNEL_BASE. */
#pragma once
#include "cpu/percpu.h"
#include "lib/types.h"

#define MAX_REGIONS 16

/* Addresses that may be used. Pages come when they are touched. */
struct region {
  u32 start, end; /* end 0: not in use */
  bool writable;
  bool closing; /* is being unmapped: no new pages, but the addresses are still taken */
};

struct space {
  struct spinlock lock; /* for regions and page tables */
  u32 *directory;
  struct region regions[MAX_REGIONS];
  struct cpu_mask active; /* CPUs that have it in CR3 */
};

/* Has no regions: for threads that stay in the kernel. */
extern struct space kernel_space;

void space_init(void);
struct space *space_create(void);
/* No CPU may have it in CR3. */
void space_destroy(struct space *space);
/* Loads CR3, where it has something else. Interrupts are off. */
void space_switch(struct cpu *cpu, struct space *space);

/* False where something else is there, or the table is full. */
bool space_add(struct space *space, u32 start, u32 bytes, bool writable);
/* Like space_add, at an address of our choice; 0 where there is no place. */
u32 space_map(struct space *space, u32 bytes);
/* Removes a region as a whole: `start` is its first address. */
bool space_unmap(struct space *space, u32 start);
/* Takes the pages out of a range; they come back as zeros. */
void space_discard(struct space *space, u32 start, u32 bytes);

/* A page fault: maps a page where a region allows the access. */
bool space_fault(struct space *space, u32 address, bool is_write);
/* Shows a page of the kernel's, read-only, at an address where nothing was touched yet. It stays the kernel's. False where there is no
 * memory. */
bool space_share(struct space *space, u32 address, const void *page);
/* The page at an address, for the kernel to fill; NULL as for space_fault. */
void *space_page(struct space *space, u32 address);
