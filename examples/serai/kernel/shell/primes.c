/* `primes`: counts primes by division, a task that is easily shared: each CPU takes the next handful of numbers until there are none. */
#include "cpu/percpu.h"
#include "lib/math.h"
#include "lib/print.h"
#include "lib/string.h"
#include "sched/clock.h"
#include "shell/commands.h"
#include "shell/workers.h"

#define HANDFUL 256u
#define LARGEST 100000000u /* squares of divisors stay below 2^32 */

struct search {
  u32 last, next, found;
};

static bool is_prime(u32 number) {
  if (number < 4) return number >= 2;
  if (number % 2 == 0) return false;
  for (u32 divisor = 3; divisor * divisor <= number; divisor += 2)
    if (number % divisor == 0) return false;
  return true;
}

static void work(u32 cpu, void *argument) {
  (void)cpu;
  struct search *search = argument;
  u32 found = 0;
  for (;;) {
    u32 first = __atomic_fetch_add(&search->next, HANDFUL, __ATOMIC_RELAXED);
    if (first > search->last) break;
    for (u32 number = first; number < first + HANDFUL && number <= search->last; number++) found += is_prime(number);
  }
  __atomic_fetch_add(&search->found, found, __ATOMIC_RELAXED);
}

bool command_primes(u32 count, char **words) {
  struct search search = {0};
  u32 on = cpu_count;
  if (count < 2 || count > 3 || !parse_number(words[1], &search.last) || search.last > LARGEST) return false;
  if (count == 3 && (!parse_number(words[2], &on) || on == 0 || on > cpu_count)) return false;
  u64 start = clock_ns();
  if (!workers_run("primes", on, work, &search)) {
    print("no memory\n");
    return true;
  }
  u32 us = (u32)divide(clock_ns() - start, NS_PER_US, NULL);
  print("%u primes up to %u, on %u CPUs, in %u.%03u ms\n", search.found, search.last, on, us / 1000, us % 1000);
  return true;
}
