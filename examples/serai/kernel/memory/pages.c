/*
 * A buddy allocator (Knuth, The Art of Computer Programming, vol. 1, 2.5): free memory is kept in blocks of 2^order pages, each at
 * a multiple of its size. A block that is too large is halved; when a block is freed and its other half ("buddy", the address with
 * one bit flipped) is free, too, they become one again.
 *
 * What it knows of a page is in an array beside the pages, never in them: memory that was never handed out is never touched.
 *
 * In front of it each CPU has magazines of the smallest blocks. It takes and gives there with interrupts off but without a lock. Where
 * one is empty or full, blocks move by the batch, as lists that are already made: then the common lock is held for a few
 * instructions, and not for as long as it takes to halve and join so many (Bonwick and Adams, Magazines and Vmem, USENIX 2001).
 * Batches are taken apart when somebody finds no block.
 */
#include "memory/pages.h"
#include "boot/bootinfo.h"
#include "cpu/panic.h"
#include "cpu/percpu.h"
#include "lib/string.h"

#define NONE 0xffffffffu
#define NOT_FREE 0xff
#define BATCH_PAGES 64u

struct page {
  u32 next, previous; /* page numbers: in the list of its order. In a magazine's list only `next`; `previous` of a batch's first is the next batch */
  u8 free_order;      /* of the free block that begins here, or NOT_FREE */
  u8 note;
};

extern char kernel_end[];

static struct spinlock pages_lock;
static struct page *pages;
static u32 page_count; /* of the array: one more than the highest page's number */
static u32 lists[MAX_ORDER + 1];
static u32 free_count, total_count; /* `free_count`: in blocks and batches */
static u32 batches[MAGAZINES];      /* the first page of the first batch */

static void *address_of(u32 number) { return linear(number * PAGE_BYTES); }
static u32 number_of(const void *address) { return physical_of(address) / PAGE_BYTES; }

static void push(u32 number, u32 order) {
  pages[number] = (struct page){.next = lists[order], .previous = NONE, .free_order = (u8)order};
  if (lists[order] != NONE) pages[lists[order]].previous = number;
  lists[order] = number;
}

static void take_out(u32 number) {
  struct page *page = &pages[number];
  if (page->previous != NONE)
    pages[page->previous].next = page->next;
  else
    lists[page->free_order] = page->next;
  if (page->next != NONE) pages[page->next].previous = page->previous;
  page->free_order = NOT_FREE;
}

static void *allocate_locked(u32 order) {
  u32 found = order;
  while (found <= MAX_ORDER && lists[found] == NONE) found++;
  if (found > MAX_ORDER) return NULL;
  u32 number = lists[found];
  take_out(number);
  while (found > order) {
    found--;
    push(number + (1u << found), found);
  }
  free_count -= 1u << order;
  return address_of(number);
}

static void free_locked(void *block, u32 order) {
  u32 number = number_of(block);
  if (pages[number].free_order != NOT_FREE) panic("page 0x%x is freed twice", number);
  free_count += 1u << order;
  for (; order < MAX_ORDER; order++) {
    u32 buddy = number ^ (1u << order);
    if (buddy >= page_count || pages[buddy].free_order != order) break;
    take_out(buddy);
    number &= ~(1u << order);
  }
  push(number, order);
}

/* Gives pages [first, end) in blocks as large as their addresses allow. */
static void add_range(u32 first, u32 end) {
  while (first < end) {
    u32 order = 0;
    while (order < MAX_ORDER && (first & (1u << order)) == 0 && first + (2u << order) <= end) order++;
    push(first, order);
    free_count += 1u << order;
    first += 1u << order;
  }
}

void pages_init(void) {
  for (u32 i = 0; i < boot_info.ram_count; i++) page_count = MAX(page_count, boot_info.ram[i].end / PAGE_BYTES);
  for (u32 order = 0; order <= MAX_ORDER; order++) lists[order] = NONE;
  for (u32 order = 0; order < MAGAZINES; order++) batches[order] = NONE;
  /* The array lies behind the kernel. */
  u32 array = (physical_of(kernel_end) + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
  u32 array_end = (array + page_count * sizeof(struct page) + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
  bool fits = false;
  for (u32 i = 0; i < boot_info.ram_count; i++) fits |= array >= boot_info.ram[i].base && array_end <= boot_info.ram[i].end;
  if (!fits) panic("not enough memory");
  pages = linear(array);
  for (u32 number = 0; number < page_count; number++) pages[number] = (struct page){.free_order = NOT_FREE};
  for (u32 i = 0; i < boot_info.ram_count; i++) {
    u32 base = MAX(boot_info.ram[i].base, boot_info.ram[i].base < array_end && boot_info.ram[i].end > array ? array_end : 0);
    add_range((base + PAGE_BYTES - 1) / PAGE_BYTES, boot_info.ram[i].end / PAGE_BYTES);
  }
  total_count = free_count;
}

static u32 batch_blocks(u32 order) { return BATCH_PAGES >> order; }

/* False where there is none. */
static bool take_batch_apart(void) {
  u32 order = 0;
  while (order < MAGAZINES && batches[order] == NONE) order++;
  if (order == MAGAZINES) return false;
  u32 number = batches[order];
  batches[order] = pages[number].previous;
  free_count -= BATCH_PAGES;
  for (u32 i = 0; i < batch_blocks(order); i++) {
    u32 next = pages[number].next;
    free_locked(address_of(number), order);
    number = next;
  }
  return true;
}

static void *find_locked(u32 order) {
  void *block;
  do block = allocate_locked(order);
  while (block == NULL && take_batch_apart());
  return block;
}

/* --- Magazines. ------------------------------------------------------------------------------------------------------- */

static void list_push(struct block_list *list, u32 number) {
  pages[number].next = list->first;
  list->first = number;
  list->count++;
}

/* A whole batch, or the blocks that there are. */
static struct block_list take_batch(u32 order) {
  struct block_list list = {NONE, 0};
  lock_raw(&pages_lock);
  if (batches[order] != NONE) {
    list = (struct block_list){batches[order], batch_blocks(order)};
    batches[order] = pages[list.first].previous;
    free_count -= BATCH_PAGES;
  }
  while (list.count < batch_blocks(order)) {
    void *block = list.count == 0 ? find_locked(order) : allocate_locked(order);
    if (block == NULL) break;
    list_push(&list, number_of(block));
  }
  unlock_raw(&pages_lock);
  return list;
}

static void give_batch(u32 order, struct block_list list) {
  lock_raw(&pages_lock);
  pages[list.first].previous = batches[order];
  batches[order] = list.first;
  free_count += BATCH_PAGES;
  unlock_raw(&pages_lock);
}

/* Interrupts are off. */
static void *take(u32 order) {
  struct magazine *magazine = &this_cpu()->magazines[order];
  if (magazine->current.count == 0) {
    magazine->current = magazine->other.count > 0 ? magazine->other : take_batch(order);
    magazine->other.count = 0;
    if (magazine->current.count == 0) return NULL;
  }
  u32 number = magazine->current.first;
  magazine->current.first = pages[number].next;
  magazine->current.count--;
  return address_of(number);
}

static void give(void *block, u32 order) {
  struct magazine *magazine = &this_cpu()->magazines[order];
  if (magazine->current.count == batch_blocks(order)) {
    if (magazine->other.count > 0) give_batch(order, magazine->other);
    magazine->other = magazine->current;
    magazine->current.count = 0;
  }
  list_push(&magazine->current, number_of(block));
}

void *pages_allocate(u32 order) {
  u32 flags = interrupts_save();
  void *block;
  if (order < MAGAZINES) {
    block = take(order);
  } else {
    lock_raw(&pages_lock);
    block = find_locked(order);
    unlock_raw(&pages_lock);
  }
  interrupts_restore(flags);
  return block;
}

void pages_free(void *block, u32 order) {
  u32 flags = interrupts_save();
  if (order < MAGAZINES) {
    give(block, order);
  } else {
    lock_raw(&pages_lock);
    free_locked(block, order);
    unlock_raw(&pages_lock);
  }
  interrupts_restore(flags);
}

void *page_allocate_zeroed(void) {
  void *page = page_allocate();
  if (page != NULL) memset(page, 0, PAGE_BYTES);
  return page;
}

u32 pages_free_count(void) {
  u32 flags = lock(&pages_lock);
  u32 count = free_count;
  unlock(&pages_lock, flags);
  for (u32 i = 0; i < cpu_count; i++)
    for (u32 order = 0; order < MAGAZINES; order++)
      count += (cpus[i].magazines[order].current.count + cpus[i].magazines[order].other.count) << order;
  return count;
}

u32 pages_total_count(void) { return total_count; }

u8 *page_note(const void *address) { return &pages[number_of(address)].note; }
