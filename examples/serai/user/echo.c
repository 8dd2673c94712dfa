/* Writes what it reads, until there is no more. */
#include "library.h"

int main(uint32_t first, uint32_t second) {
  (void)first;
  (void)second;
  char buffer[512];
  int32_t count;
  while ((count = read(0, buffer, sizeof buffer)) > 0)
    if (write(1, buffer, (uint32_t)count) != count) return 1;
  return count == 0 ? 0 : 2;
}
