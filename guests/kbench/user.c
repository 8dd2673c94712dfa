// Rows without work of the kernel's.
#include "kbench.h"

enum { SIEVE = 32768 };

ROW(sieve) {
  while (n--) {
    memset(buffer, 1, SIEVE);
    for (u32 k = 2; k * k < SIEVE; k++)
      if (buffer[k])
        for (u32 j = k * k; j < SIEVE; j += k) buffer[j] = 0;
    // The largest prime below.
    must_be("sieve", buffer[32749], 1);
  }
}
__attribute__((noinline, noclone)) static u32 fibonacci(u32 k) { return k < 2 ? k : fibonacci(k - 1) + fibonacci(k - 2); }
ROW(fib) {
  while (n--) must_be("fib(15)", fibonacci(15), 610);
}
