/* Copies from and to user memory. The address range is checked here; what is mapped there, the CPU checks. */
#include "memory/usercopy.h"
#include "cpu/segments.h"

struct mending {
  u32 may_fault, mend;
};
extern const struct mending exception_table[], exception_table_end[];

u32 copy_with_mending(void *to, const void *from, u32 bytes);

static bool is_user(u32 address, size_t bytes) { return address <= KERNEL_BASE && bytes <= KERNEL_BASE - address; }

bool copy_from_user(void *to, u32 from, size_t bytes) {
  return is_user(from, bytes) && copy_with_mending(to, (const void *)from, bytes) == 0;
}

bool copy_to_user(u32 to, const void *from, size_t bytes) {
  return is_user(to, bytes) && copy_with_mending((void *)to, from, bytes) == 0;
}

u32 usercopy_mend(u32 eip) {
  for (const struct mending *entry = exception_table; entry < exception_table_end; entry++)
    if (entry->may_fault == eip) return entry->mend;
  return 0;
}
