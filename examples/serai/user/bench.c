/* What `bench`, `parallel` and `rows` have to do in ring 3; see the files of these names in the kernel's shell, and bench.h. The status
 * is negative where an operation failed. */
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

static void handle_faults(void) { set_handler(fault_handler); }

static uint64_t faults_with_handler(uint32_t times) {
  uint64_t start = clock();
  protection_faults(times);
  return clock() - start;
}

static struct {
  int to, from;
  int32_t process;
} echo;

static void start_echo(void) {
  int there[2], back[2];
  char byte = 0;
  if (!make_pipe(there) || !make_pipe(back)) exit(FAILED);
  echo.process = spawn("echo", 0, 0, there[0], back[1]);
  if (echo.process < 0) exit(FAILED);
  close(there[0]);
  close(back[1]);
  echo.to = there[1];
  echo.from = back[0];
  /* One before anybody looks at the clock: the process is there then. */
  write(echo.to, &byte, 1);
  read(echo.from, &byte, 1);
}

static uint64_t round_trips(uint32_t times) {
  char byte = 0;
  uint64_t start = clock();
  for (uint32_t i = 0; i < times; i++) {
    write(echo.to, &byte, 1);
    if (read(echo.from, &byte, 1) != 1) exit(FAILED);
  }
  return clock() - start;
}

static void end_echo(void) {
  close(echo.to);
  close(echo.from);
  if (wait(echo.process) != 0) exit(FAILED);
}

static uint64_t spawns(uint32_t times) {
  uint64_t start = clock();
  for (uint32_t i = 0; i < times; i++) {
    int32_t child = spawn("nothing", 7, 0, 0, 1);
    if (child < 0 || wait(child) != 7) exit(FAILED);
  }
  return clock() - start;
}

/* `work` does it `times` times, and says how many nanoseconds that took, without what has to be done in between. */
static const struct {
  void (*prepare)(void);
  uint64_t (*work)(uint32_t times);
  void (*finish)(void);
} benches[BENCH_OPERATIONS] = {
    [BENCH_CALL_INTERRUPT] = {NULL, calls_by_interrupt, NULL},
    [BENCH_CALL_SYSENTER] = {NULL, calls_by_sysenter, NULL},
    [BENCH_PAGE_FAULT] = {NULL, page_faults, NULL},
    [BENCH_PROTECTION_FAULT] = {handle_faults, faults_with_handler, NULL},
    [BENCH_PIPE_ROUND_TRIP] = {start_echo, round_trips, end_echo},
    [BENCH_SPAWN_EXIT] = {NULL, spawns, NULL},
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
    uint64_t ns = benches[which].work(times);
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

/* For the kernel's shell/rows.c, which has the same loop. Whoever reads the reports gets the CPU at once, if it has waited for it. */
static int report(uint32_t which, uint32_t enough_us) {
  uint32_t times = BENCH_FIRST_TIMES;
  struct bench_report done = {.ns = clock()};
  for (;;) {
    int32_t written = write(1, &done, sizeof done);
    if (written != sizeof done) return written == ERROR_CLOSED ? 0 : FAILED;
    yield();
    uint64_t ns = benches[which].work(times);
    done.operations = times;
    done.ns = clock();
    if (ns < (uint64_t)enough_us * 1000 && times < BENCH_MOST_TIMES) times *= 2;
  }
}

int main(uint32_t how, uint32_t amount) {
  uint32_t which = how & ~(BENCH_EXACTLY | BENCH_REPORTS);
  int status = 0;
  if (which >= BENCH_OPERATIONS) return FAILED;
  if (benches[which].prepare != NULL) benches[which].prepare();
  if (how & BENCH_REPORTS)
    status = report(which, amount);
  else if (how & BENCH_EXACTLY)
    benches[which].work(amount);
  else
    status = (int)measure(which, amount);
  if (benches[which].finish != NULL) benches[which].finish();
  return status;
}
