// The program that the workload build builds and runs once: the units of bench/workloads, each against a result that is known without them.
#include "stress/sys.h"

unsigned unit_calls(unsigned n), unit_hash(unsigned n), unit_matrix(unsigned n), unit_quicksort(unsigned n), unit_recursion(unsigned n), unit_sieve(unsigned n), unit_strings(unsigned n);

static const struct { const char *name; unsigned (*work)(unsigned n); unsigned count, result; } units[] = {
  // leaf(1, 0), then leaf(0, that): (1 ^ 0) + 3 = 4, (0 ^ 4) + 3 = 7.
  {"calls\n", unit_calls, 1, 7},
  // fib(16)
  {"recursion\n", unit_recursion, 3, 3 * 987},
  // 32749 is a prime; 1 and 0 are not taken out.
  {"sieve\n", unit_sieve, 2, 4},
  // Each fourth byte is its own number's low byte: 4 * (0 + ... + 63), all others are 0.
  {"strings\n", unit_strings, 257, 8064},
  // These two must give the same again.
  {"hash\n", unit_hash, 100, 0},
  {"matrix\n", unit_matrix, 8, 0},
  {"quicksort\n", unit_quicksort, 2, 0},
};

void start(u32 *stack) {
  int wrong = 0;
  (void)stack;
  for (u32 k = 0; k < sizeof units / sizeof *units; k++) {
    unsigned result = units[k].work(units[k].count), wanted = units[k].result ? units[k].result : units[k].work(units[k].count);
    if (result == wanted && result) continue;
    size_t length = 0;
    while (units[k].name[length]) length++;
    sys(write, 2, units[k].name, length);
    wrong = 1;
  }
  for (;;) sys(exit_group, wrong);
}
