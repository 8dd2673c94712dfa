/* Physical memory by the page. */
#pragma once
#include "lib/types.h"
#include "memory/paging.h"

/* Blocks are 2^order pages. */
#define MAX_ORDER 10u

void pages_init(void);

/* Addresses in the linear map; NULL where there is no memory left. The contents are whatever was there. Blocks of one or two pages
 * are mostly served without a lock. */
void *pages_allocate(u32 order);
void pages_free(void *block, u32 order);
static inline void *page_allocate(void) { return pages_allocate(0); }
static inline void page_free(void *page) { pages_free(page, 0); }
void *page_allocate_zeroed(void);

/* Pages that nobody has. */
u32 pages_free_count(void);
u32 pages_total_count(void);

/* A byte beside each page for whoever has it: the heap notes its size class there. */
u8 *page_note(const void *address);
