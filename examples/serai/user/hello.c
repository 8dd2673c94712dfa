/* The smallest program that one can see. */
#include "library.h"

int main(uint32_t first, uint32_t second) {
  (void)first;
  (void)second;
  say("Hello from ring 3.\n");
  return 0;
}
