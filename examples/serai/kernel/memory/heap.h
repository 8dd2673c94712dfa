/* Memory for the kernel's own structures, of any size up to a page. */
#pragma once
#include "lib/types.h"

/* Zeroed; NULL where there is no memory left. */
void *heap_allocate(size_t bytes);
/* NULL is allowed. */
void heap_free(void *object);
/* Pages that the heap has; it never gives them back. */
u32 heap_pages(void);
