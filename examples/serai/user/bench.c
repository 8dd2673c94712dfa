/* What `bench` and `parallel` have to do in ring 3; see shell/bench.c and shell/parallel.c in the kernel, and bench.h. The status is
 * negative where an operation failed. */
#include "library.h"
#include "bench.h"

#define PAGE 4096u
/* Few enough to stay in the caches of a processor: it is the fault that is measured, not the way to memory. */
#define MOST_PAGES 64u
#define FAILED (-100)

static uint64_t calls_by_interrupt(uint32_t times) {
  uint64_t start = clock();
  for (uint32_t i = 0; i < times; i++) call_by_interrupt(CALL_NULL, 0, 0, 0);
  return clock() - start;
}

static uint64_t calls_by_sysenter(uint32_t times) {
  uint64_t start = clock();
  for (uint32_t i = 0; i < times; i++) call_by_sysenter(CALL_NULL, 0, 0, 0);
  return clock() - start;
}

/* Giving the pages back is not measured. */
static uint64_t page_faults(uint32_t times) {
  static char *memory;
  uint64_t ns = 0;
  if (memory == NULL) memory = map(MOST_PAGES * PAGE);
  while (times > 0) {
    uint32_t pages = times < MOST_PAGES ? times : MOST_PAGES;
    uint64_t start = clock();
    for (uint32_t i = 0; i < pages; i++) *(volatile char *)(memory + i * PAGE) = 1;
    ns += clock() - start;
    discard(memory, pages * PAGE);
    times -= pages;
  }
  return ns;
}

static uint64_t faults_with_handler(uint32_t times) {
  set_handler(fault_handler);
  uint64_t start = clock();
  protection_faults(times);
  uint64_t ns = clock() - start;
  set_handler(NULL);
  return ns;
}

static uint64_t round_trips(uint32_t times) {
  int there[2], back[2];
  char byte = 0;
  if (!make_pipe(there) || !make_pipe(back)) exit(FAILED);
  int32_t echo = spawn("echo", 0, 0, there[0], back[1]);
  if (echo < 0) exit(FAILED);
  close(there[0]);
  close(back[1]);
  /* One before the clock starts: the process is there then. */
  write(there[1], &byte, 1);
  read(back[0], &byte, 1);
  uint64_t start = clock();
  for (uint32_t i = 0; i < times; i++) {
    write(there[1], &byte, 1);
    if (read(back[0], &byte, 1) != 1) exit(FAILED);
  }
  uint64_t ns = clock() - start;
  close(there[1]);
  close(back[0]);
  if (wait(echo) != 0) exit(FAILED);
  return ns;
}

static uint64_t spawns(uint32_t times) {
  uint64_t start = clock();
  for (uint32_t i = 0; i < times; i++) {
    int32_t child = spawn("nothing", 7, 0, 0, 1);
    if (child < 0 || wait(child) != 7) exit(FAILED);
  }
  return clock() - start;
}

static uint64_t (*const benches[BENCH_OPERATIONS])(uint32_t times) = {
    [BENCH_CALL_INTERRUPT] = calls_by_interrupt, [BENCH_CALL_SYSENTER] = calls_by_sysenter,
    [BENCH_PAGE_FAULT] = page_faults,            [BENCH_PROTECTION_FAULT] = faults_with_handler,
    [BENCH_PIPE_ROUND_TRIP] = round_trips,       [BENCH_SPAWN_EXIT] = spawns,
};

/* A division of 64 by 32 bits; the compiler would call its library. The quotient must fit into 32 bits, else it is the largest number. */
static uint32_t divide(uint64_t dividend, uint32_t divisor) {
  uint32_t high = (uint32_t)(dividend >> 32), quotient;
  if (high >= divisor) return 0xffffffff;
  __asm__("divl %2" : "=a"(quotient), "+d"(high) : "r"(divisor), "a"((uint32_t)dividend) : "cc");
  return quotient;
}

/* Nanoseconds for one operation: the best try, found as in shell/bench.c. */
static uint32_t measure(uint32_t which, uint32_t enough_us) {
  enum { TRIES = 16, FIRST_TIMES = 16, MOST_TIMES = 1 << 24, PATIENCE = 8 };
  uint64_t total = 0, enough = (uint64_t)enough_us * 1000;
  uint32_t best = 0xffffffff, times = FIRST_TIMES;
  for (uint32_t tries = 0; tries < TRIES && total < enough * PATIENCE;) {
    uint64_t ns = benches[which](times);
    total += ns;
    uint32_t each = divide(ns, times);
    if (each < best) best = each;
    if ((uint64_t)best * times < enough / TRIES && times < MOST_TIMES)
      times *= 4;
    else
      tries++;
  }
  return best;
}

int main(uint32_t how, uint32_t amount) {
  uint32_t which = how & ~BENCH_EXACTLY;
  if (which >= BENCH_OPERATIONS) return FAILED;
  if ((how & BENCH_EXACTLY) == 0) return (int)measure(which, amount);
  benches[which](amount);
  return 0;
}
