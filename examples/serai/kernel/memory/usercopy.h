/* Copies between the kernel and user memory: the only code of the kernel that may fault. */
#pragma once
#include "lib/types.h"

/* False where the process may not access all of that memory; part of it may have been copied. Without a spin lock held: a page may
 * have to be found. */
bool copy_from_user(void *to, u32 from, size_t bytes);
bool copy_to_user(u32 to, const void *from, size_t bytes);
/* Where to go on after a fault at this instruction; 0 where it is not one that may fault. */
u32 usercopy_mend(u32 eip);
