// What tcc calls where a structure is copied, in programs without a libc.
#include "stress/sys.h"

void *memmove(void *to, const void *from, size_t n) {
  u8 *a = to;
  const u8 *b = from;
  if (a < b)
    while (n--) *a++ = *b++;
  else
    while (n--) a[n] = b[n];
  return to;
}
