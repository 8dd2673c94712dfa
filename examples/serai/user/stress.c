/* `stress` in ring 3: each mode does one thing over and over, and checks what comes of it. The status is 0, or the line that found
 * a fault. */
#include "library.h"

#define PAGE 4096u
#define CHECK(condition) \
  do { \
    if (!(condition)) exit(__LINE__); \
  } while (0)

static uint64_t until;
static uint32_t seed;

static bool is_over(void) { return clock() >= until; }

static uint32_t next_random(void) {
  seed ^= seed << 13;
  seed ^= seed >> 17;
  seed ^= seed << 5;
  return seed;
}

/* Fresh pages are zeros, and keep what is written. */
static void faults(void) {
  enum { PAGES = 48 };
  while (!is_over()) {
    volatile uint32_t *memory = map(PAGES * PAGE);
    CHECK(memory != NULL);
    for (uint32_t round = 0; round < 4; round++) {
      for (uint32_t i = 0; i < PAGES; i++) {
        volatile uint32_t *page = memory + i * PAGE / 4;
        CHECK(page[i] == 0 && page[1023] == 0);
        page[i] = seed + i;
        page[1023] = ~i;
      }
      for (uint32_t i = 0; i < PAGES; i++) CHECK(memory[i * PAGE / 4 + i] == seed + i && memory[i * PAGE / 4 + 1023] == ~i);
      discard((void *)memory, PAGES * PAGE);
      next_random();
    }
    CHECK(unmap((void *)memory));
  }
}

/* What goes through two pipes and another process comes back the same. */
static void pipes(void) {
  while (!is_over()) {
    static uint8_t out[512], in[512];
    int there[2], back[2];
    CHECK(make_pipe(there) && make_pipe(back));
    int32_t echo = spawn("echo", 0, 0, there[0], back[1]);
    CHECK(echo > 0);
    close(there[0]);
    close(back[1]);
    for (uint32_t round = 0; round < 100 && !is_over(); round++) {
      uint32_t bytes = 1 + next_random() % sizeof out;
      for (uint32_t i = 0; i < bytes; i++) out[i] = (uint8_t)(seed >> (i % 24)) + (uint8_t)i;
      CHECK(write(there[1], out, bytes) == (int32_t)bytes);
      CHECK(read_all(back[0], in, bytes));
      for (uint32_t i = 0; i < bytes; i++) CHECK(in[i] == out[i]);
    }
    close(there[1]);
    CHECK(read(back[0], in, 1) == 0);
    close(back[0]);
    CHECK(wait(echo) == 0);
  }
}

/*
 * Threads on other CPUs have read a page, so it is in their TLBs. It is thrown away and comes back as another page: they must see
 * that one, never what the old one holds by now.
 */
enum { READERS = 2, STACK = 2 * PAGE, PATIENCE = 3000 };
static struct {
  volatile uint32_t round, seen[READERS], wrong, gone;
  volatile uint32_t *page;
} shared;

/* Spins for a while before it gives the CPU away: a switch to another process empties the TLB, and then there is nothing to find. */
static void wait_while(volatile uint32_t *word, uint32_t value, bool is_equal) {
  for (uint32_t turn = 1; (*word == value) == is_equal; turn++) {
    __asm__ volatile("pause");
    if (turn % PATIENCE == 0) yield();
  }
}

static void read_page(void *argument) {
  uint32_t me = (uint32_t)argument, last = 0;
  for (;;) {
    wait_while(&shared.round, last, true);
    last = shared.round;
    if (last == ~0u) break;
    if (shared.page[0] != last || shared.page[1] != ~last) shared.wrong++;
    shared.seen[me] = last;
  }
  __atomic_fetch_add(&shared.gone, 1, __ATOMIC_SEQ_CST);
}

static void shoot_down(void) {
  static struct thread threads[READERS];
  char *stacks = map(READERS * STACK);
  shared.page = map(PAGE);
  volatile uint32_t *other = map(PAGE);
  CHECK(stacks != NULL && shared.page != NULL && other != NULL);
  for (uint32_t i = 0; i < READERS; i++) {
    threads[i] = (struct thread){read_page, (void *)i};
    CHECK(start_thread(&threads[i], stacks + (i + 1) * STACK));
  }
  for (uint32_t round = 1; !is_over(); round++) {
    /* The allocator gives the page back first that was freed last: so the other address gets what the readers' TLBs may still hold. */
    discard((void *)other, PAGE);
    discard((void *)shared.page, PAGE);
    other[0] = other[1] = 0xbad;
    CHECK(shared.page[0] == 0 && shared.page[1] == 0);
    shared.page[0] = round;
    shared.page[1] = ~round;
    shared.round = round;
    for (uint32_t i = 0; i < READERS; i++) wait_while(&shared.seen[i], round, false);
    CHECK(shared.wrong == 0);
  }
  shared.round = ~0u;
  wait_while(&shared.gone, READERS, false);
}

/* Registers survive system calls, and being preempted. */
static void registers(void) {
  while (!is_over())
    for (uint32_t i = 0; i < 200; i++) CHECK(registers_lost(i % 3) == 0);
}

static void spawns(void) {
  while (!is_over()) {
    int32_t children[3];
    for (uint32_t i = 0; i < 3; i++) CHECK((children[i] = spawn("nothing", seed % 1000 + i, 0, 0, 1)) > 0);
    for (uint32_t i = 3; i-- > 0;) CHECK(wait(children[i]) == (int32_t)(seed % 1000 + i));
    CHECK(wait(children[0]) < 0);
    next_random();
  }
}

/* Faults go to the handler, with the right vector and address; bad pointers are errors. */
static void handlers(void) {
  while (!is_over()) {
    set_handler(fault_seen);
    for (uint32_t i = 0; i < 50; i++) {
      uint32_t address = next_random() | 0xC0000000; /* the kernel's */
      CHECK(fault_at(address & ~3u) == 14);
    }
    CHECK(fault_at(16) == 14);
    CHECK(fault_at((uint32_t)&seed) == 0);
    set_handler(fault_handler);
    protection_faults(20);
    set_handler(NULL);
    CHECK(call_by_interrupt(CALL_CLOCK, 0xC0100000, 0, 0) == ERROR_FAULT);
    CHECK(call_by_interrupt(CALL_CLOCK, 16, 0, 0) == ERROR_FAULT);
    CHECK(write(1, (void *)0xBFFFFFF0, 64) == ERROR_FAULT);
    CHECK(call_by_sysenter(12345, 0, 0, 0) == ERROR_BAD);
  }
}

int main(uint32_t mode, uint32_t ms) {
  static void (*const modes[])(void) = {faults, pipes, shoot_down, registers, spawns, handlers};
  if (mode >= sizeof modes / sizeof modes[0]) return 1;
  uint64_t now = clock();
  until = now + (uint64_t)ms * 1000000;
  seed = (uint32_t)now | 1;
  modes[mode]();
  return 0;
}
