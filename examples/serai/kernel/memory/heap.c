/* The heap: one list of free objects for each power of two. A page is cut into objects of one size, which its note remembers. The
 * smallest are a cache line: two CPUs never write the same one for different objects. */
#include "memory/heap.h"
#include "cpu/panic.h"
#include "lib/lock.h"
#include "lib/string.h"
#include "memory/pages.h"

#define SMALLEST_SHIFT 6 /* 64 bytes: CACHE_LINE */
#define CLASSES 7        /* up to a page */

struct object {
  struct object *next;
};

static struct spinlock heap_lock;
static struct object *lists[CLASSES];
static u32 pages_taken;

static size_t class_bytes(u32 class) { return (size_t)1 << (class + SMALLEST_SHIFT); }

void *heap_allocate(size_t bytes) {
  u32 class = 0;
  while (class < CLASSES && class_bytes(class) < bytes) class ++;
  ASSERT(class < CLASSES);
  u32 flags = lock(&heap_lock);
  if (lists[class] == NULL) {
    char *page = page_allocate();
    if (page != NULL) {
      *page_note(page) = (u8)class;
      pages_taken++;
      for (u32 at = 0; at < PAGE_BYTES; at += class_bytes(class)) {
        struct object *object = (struct object *)(page + at);
        object->next = lists[class];
        lists[class] = object;
      }
    }
  }
  struct object *object = lists[class];
  if (object != NULL) lists[class] = object->next;
  unlock(&heap_lock, flags);
  return object != NULL ? memset(object, 0, class_bytes(class)) : NULL;
}

void heap_free(void *pointer) {
  if (pointer == NULL) return;
  u32 class = *page_note(pointer);
  struct object *object = pointer;
  u32 flags = lock(&heap_lock);
  object->next = lists[class];
  lists[class] = object;
  unlock(&heap_lock, flags);
}

u32 heap_pages(void) { return pages_taken; }
