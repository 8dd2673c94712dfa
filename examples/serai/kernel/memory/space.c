/*
 * User address spaces. A region says what a process may touch; a page is found when it touches it: zeroed, and its own. Only a program's
 * code is the kernel's, and there from the beginning (PTE_SHARED).
 *
 * Taking a page away is the hard part on several CPUs: each has a TLB that may still hold the page's entry, so the page may go to
 * somebody else only when all TLBs have forgotten it (SDM vol. 3, 4.10.5). space_discard() first clears the entries, then asks every
 * CPU in `active` to invalidate them, and only then frees the pages. A CPU joins `active` before it loads CR3, so it is either
 * asked, or it loads CR3 after the entries were cleared.
 */
#include "memory/space.h"
#include "cpu/ipi.h"
#include "cpu/panic.h"
#include "lib/string.h"
#include "memory/heap.h"
#include "memory/pages.h"

#define MAP_FIRST 0x10000000u
#define MAP_END 0x80000000u /* so that the answer of a system call is not negative */
/* Pages taken away by one shoot-down. */
#define BATCH 32u

struct space kernel_space;

void space_init(void) { kernel_space.directory = linear(kernel_directory_physical()); }

struct space *space_create(void) {
  struct space *space = heap_allocate(sizeof *space);
  if (space == NULL) return NULL;
  space->directory = page_allocate_zeroed();
  if (space->directory == NULL) {
    heap_free(space);
    return NULL;
  }
  paging_copy_kernel_half(space->directory);
  return space;
}

/* Frees the page of an entry, if there is one that is ours. */
static void give_back(u32 entry) {
  if (entry != 0 && (entry & PTE_SHARED) == 0) page_free(linear(entry & PTE_ADDRESS));
}

void space_destroy(struct space *space) {
  ASSERT(mask_is_empty(&space->active));
  for (u32 i = 0; i < FIRST_KERNEL_ENTRY; i++) {
    if (space->directory[i] == 0) continue;
    u32 *table = linear(space->directory[i] & PTE_ADDRESS);
    for (u32 k = 0; k < DIRECTORY_ENTRIES; k++) give_back(table[k]);
    page_free(table);
  }
  page_free(space->directory);
  heap_free(space);
}

void space_switch(struct cpu *cpu, struct space *space) {
  struct space *old = cpu->space;
  if (old == space) return;
  mask_add(&space->active, cpu->index);
  cpu->space = space;
  write_cr3(physical_of(space->directory));
  if (old != NULL) mask_remove(&old->active, cpu->index);
}

/* The entry of an address; NULL where there is no page table and `create` is not set, or no memory for one. */
static u32 *entry_of(struct space *space, u32 address, bool create) {
  u32 *slot = &space->directory[address >> 22];
  if (*slot == 0) {
    void *table = create ? page_allocate_zeroed() : NULL;
    if (table == NULL) return NULL;
    *slot = physical_of(table) | PTE_PRESENT | PTE_WRITABLE | PTE_USER; /* the page's own entry decides */
  }
  return (u32 *)linear(*slot & PTE_ADDRESS) + ((address >> 12) & (DIRECTORY_ENTRIES - 1));
}

static struct region *region_of(struct space *space, u32 address) {
  for (u32 i = 0; i < MAX_REGIONS; i++)
    if (address >= space->regions[i].start && address < space->regions[i].end) return &space->regions[i];
  return NULL;
}

static bool is_free(struct space *space, u32 start, u32 end) {
  for (u32 i = 0; i < MAX_REGIONS; i++)
    if (start < space->regions[i].end && end > space->regions[i].start) return false;
  return true;
}

static bool add_locked(struct space *space, u32 start, u32 end, bool writable) {
  if (start >= end || end > KERNEL_BASE || !is_free(space, start, end)) return false;
  for (u32 i = 0; i < MAX_REGIONS; i++) {
    if (space->regions[i].end != 0) continue;
    space->regions[i] = (struct region){.start = start, .end = end, .writable = writable};
    return true;
  }
  return false;
}

static u32 whole_pages(u32 bytes) { return (bytes + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1); }

bool space_add(struct space *space, u32 start, u32 bytes, bool writable) {
  u32 flags = lock(&space->lock);
  bool added = add_locked(space, start, start + whole_pages(bytes), writable);
  unlock(&space->lock, flags);
  return added;
}

u32 space_map(struct space *space, u32 bytes) {
  if (bytes == 0 || bytes > MAP_END - MAP_FIRST) return 0;
  u32 size = whole_pages(bytes), flags = lock(&space->lock), start = MAP_FIRST;
  /* The first place behind a region, or the first of all, that is large enough. */
  for (u32 i = 0; i <= MAX_REGIONS; i++) {
    if (start >= MAP_FIRST && start <= MAP_END - size && add_locked(space, start, start + size, true)) {
      unlock(&space->lock, flags);
      return start;
    }
    if (i < MAX_REGIONS) start = space->regions[i].end;
  }
  unlock(&space->lock, flags);
  return 0;
}

bool space_unmap(struct space *space, u32 start) {
  u32 flags = lock(&space->lock), bytes = 0;
  struct region *region = region_of(space, start);
  if (region != NULL && region->start == start && !region->closing) {
    bytes = region->end - start;
    region->closing = true;
  }
  unlock(&space->lock, flags);
  if (bytes == 0) return false;
  space_discard(space, start, bytes);
  flags = lock(&space->lock);
  *region = (struct region){.end = 0};
  unlock(&space->lock, flags);
  return true;
}

struct shootdown {
  u32 pages[BATCH]; /* addresses */
  u32 count;
};

/* Runs on every CPU that has the address space in CR3. */
static void invalidate(void *argument) {
  const struct shootdown *shootdown = argument;
  for (u32 i = 0; i < shootdown->count; i++) invalidate_page(shootdown->pages[i]);
}

void space_discard(struct space *space, u32 start, u32 bytes) {
  u32 at = start & ~(PAGE_BYTES - 1), end = start + bytes;
  while (at < end) {
    struct shootdown shootdown = {.count = 0};
    u32 taken[BATCH]; /* entries */
    u32 flags = lock(&space->lock);
    for (; at < end && shootdown.count < BATCH; at += PAGE_BYTES) {
      u32 *entry = entry_of(space, at, false);
      if (entry == NULL) {
        at |= (DIRECTORY_ENTRIES - 1) << 12; /* no page table: go on at the next */
        continue;
      }
      if (*entry == 0) continue;
      taken[shootdown.count] = *entry;
      shootdown.pages[shootdown.count++] = at;
      *entry = 0;
    }
    unlock(&space->lock, flags);
    if (shootdown.count == 0) continue;
    /* Our stores must be out before we look who is there, or a CPU that joins in between might still read the old entries. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    struct cpu_mask active = space->active;
    ipi_call(&active, VECTOR_SHOOTDOWN, invalidate, &shootdown);
    for (u32 i = 0; i < shootdown.count; i++) give_back(taken[i]);
  }
}

bool space_fault(struct space *space, u32 address, bool is_write) {
  void *page = page_allocate_zeroed(); /* before the lock is taken: it takes a while */
  if (page == NULL) return false;
  u32 flags = lock(&space->lock);
  struct region *region = region_of(space, address);
  bool allowed = region != NULL && !region->closing && (region->writable || !is_write);
  u32 *entry = allowed ? entry_of(space, address, true) : NULL;
  /* Another thread may have been faster: then the access works when it is tried again. */
  if (entry != NULL && *entry == 0) {
    *entry = physical_of(page) | PTE_PRESENT | PTE_USER | (region->writable ? PTE_WRITABLE : 0);
    page = NULL;
  }
  unlock(&space->lock, flags);
  if (page != NULL) page_free(page);
  return entry != NULL;
}

bool space_share(struct space *space, u32 address, const void *page) {
  u32 flags = lock(&space->lock);
  u32 *entry = entry_of(space, address, true);
  if (entry != NULL) *entry = physical_of(page) | PTE_PRESENT | PTE_USER | PTE_SHARED;
  unlock(&space->lock, flags);
  return entry != NULL;
}

void *space_page(struct space *space, u32 address) {
  if (!space_fault(space, address, false)) return NULL;
  return linear(*entry_of(space, address, false) & PTE_ADDRESS);
}
