// Locked instructions, locks made of them, and the order of stores and loads between threads.
#include "stress.h"

enum { TIMES = 300, LITMUS = 512 };
static u32 workers;
static struct meeting meeting;
/** Everything that is counted, with a place for each kind far from the others. */
static struct {
  volatile u32 plain, xadd, cmpxchg, byte, word, spin, spun, futex, mutexed, waits, tickets[2], bits;
  __attribute__((aligned(64))) volatile u64 wide, wide_add;
  __attribute__((aligned(64))) volatile u32 odd[32];
  volatile u32 over;
} c;
static u8 *crossing;
static volatile u32 x[LITMUS], y[LITMUS];
static u8 saw_x[LITMUS], saw_y[LITMUS];
static volatile u32 message[LITMUS * 2];

static void spin_lock(volatile u32 *lock) {
  u32 spins = 0;
  while (swap(lock, 1))
    while (*lock) wait_a_little(&spins);
}
static void spin_unlock(volatile u32 *lock) {
  barrier();
  *lock = 0;
}
/** 0: free, 1: taken, 2: taken and somebody may wait. */
static void mutex_lock(volatile u32 *mutex) {
  u32 was = cas(mutex, 0, 1);
  if (was == 0) return;
  if (was != 2) was = swap(mutex, 2);
  while (was) {
    sys(futex, mutex, FUTEX_WAIT, 2, NULL);
    count(3, 1);
    was = swap(mutex, 2);
  }
}
static void mutex_unlock(volatile u32 *mutex) {
  if (add_fetch(mutex, -1) == 0) return;
  *mutex = 0;
  sys(futex, mutex, FUTEX_WAKE, 1);
}
static void cmpxchg8b(volatile u64 *at, u32 low, u32 high) {
  u64 was = *at, expected;
  do {
    expected = was;
    u64 new = was + low + ((u64)high << 32);
    __asm__ volatile("lock cmpxchg8b (%1)" : "+A"(was) : "S"(at), "b"((u32)new), "c"((u32)(new >> 32)) : "memory", "cc");
  } while (was != expected);
}
#define LOCKED(instruction, at) __asm__ volatile("lock " instruction : "+m"(*(at)) : : "memory", "cc")

static void increments(u32 n) {
  u32 mine = n + 1;
  u8 *odd = (u8 *)c.odd;
  for (u32 k = 0; k < TIMES; k++) {
    LOCKED("incl %0", &c.plain);
    add_fetch(&c.xadd, 3);
    u32 was = c.cmpxchg;
    for (u32 now; (now = cas(&c.cmpxchg, was, was + mine)) != was; was = now);
    LOCKED("incb %0", (volatile u8 *)&c.byte + 1);
    LOCKED("decw %0", (volatile u16 *)&c.word + 1);
    cmpxchg8b(&c.wide, 0x80000001, n);
    spin_lock(&c.spin);
    c.spun += mine;
    spin_unlock(&c.spin);
    if (k % 4 == 0) {
      mutex_lock(&c.futex);
      c.mutexed += mine;
      // Now and then it is held for long enough that others must wait.
      if (k % 64 == 0) sys(sched_yield);
      mutex_unlock(&c.futex);
    }
    // Not aligned, over the ends of 8 bytes, of 64 bytes, of a page.
    LOCKED("incl %0", (volatile u32 *)(odd + 1));
    LOCKED("subl $-1, %0", (volatile u32 *)(odd + 14));
    LOCKED("addl $7, %0", (volatile u32 *)(odd + 61));
    LOCKED("incw %0", (volatile u16 *)(odd + 79));
    LOCKED("incl %0", (volatile u32 *)(crossing + PAGE - 1));
    LOCKED("notl %0", (volatile u32 *)(crossing + 2 * PAGE - 3));
    if (k % 8 == 0) cmpxchg8b((volatile u64 *)(crossing + 3 * PAGE - 5), 0xffff0001, 1);
    // A ticket lock: tickets are given once, and served in order.
    u32 ticket = add_fetch(&c.tickets[0], 1) - 1, spins = 0;
    while (c.tickets[1] != ticket) wait_a_little(&spins);
    c.waits = mine;
    barrier();
    check("what stands in a ticket lock", c.waits, mine);
    c.tickets[1] = ticket + 1;
    // Each has a bit of its own.
    u32 bit = n % 32, set;
    if (n < 32) {
      __asm__ volatile("lock btsl %2, %0\n sbbl %1, %1" : "+m"(c.bits), "=r"(set) : "r"(bit) : "memory", "cc");
      check("bit before", set, 0);
      __asm__ volatile("lock btrl %2, %0\n sbbl %1, %1" : "+m"(c.bits), "=r"(set) : "r"(bit) : "memory", "cc");
      check("bit after", set, -1);
    }
  }
  count(1, TIMES * 15);
}
static void totals(u32 rounds) {
  u32 times = rounds * TIMES * workers, ids = rounds * TIMES * (workers * (workers + 1) / 2);
  u8 *odd = (u8 *)c.odd;
  u32 eighth = rounds * ((TIMES + 7) / 8) * workers;
  check("lock inc", c.plain, times);
  check("lock xadd", c.xadd, times * 3);
  check("lock cmpxchg", c.cmpxchg, ids);
  check("lock inc of a byte", c.byte, (times & 0xff) << 8);
  check("lock dec of a word", c.word, -times << 16);
  u64 wide = (u64)times * 0x80000001u + ((u64)(ids - times) << 32);
  check("lock cmpxchg8b, low", (u32)c.wide, (u32)wide);
  check("lock cmpxchg8b, high", (u32)(c.wide >> 32), (u32)(wide >> 32));
  check("under a spin lock", c.spun, ids);
  check("under a mutex", c.mutexed, rounds * ((TIMES + 3) / 4) * (workers * (workers + 1) / 2));
  check("misaligned", *(u32 *)(odd + 1), times);
  check("over 8 bytes", *(u32 *)(odd + 14), times);
  check("over 64 bytes", *(u32 *)(odd + 61), times * 7);
  check("a misaligned word", *(u16 *)(odd + 79), (u16)times);
  check("over a page", *(u32 *)(crossing + PAGE - 1), times);
  check("not, over a page", *(u32 *)(crossing + 2 * PAGE - 3), times & 1 ? -1 : 0);
  u64 far = (u64)eighth * 0xffff0001u + ((u64)eighth << 32);
  check("lock cmpxchg8b over a page", *(u32 *)(crossing + 3 * PAGE - 5), (u32)far);
  check("lock cmpxchg8b over a page, high", *(u32 *)(crossing + 3 * PAGE - 1), (u32)(far >> 32));
  check("tickets", c.tickets[1], times);
  check("bits", c.bits, 0);
  for (u32 k = 0; k < 96 / 4; k++)
    if (k != 0 && k != 1 && k != 3 && k != 4 && k != 15 && k != 16 && k != 19 && k != 20) check("a neighbour", c.odd[k], 0);
}

/** Stores and then loads, with a fence between: not both may see the old. Stores in order are seen in order. */
static void litmus(u32 n, u32 round) {
  u32 fence = round % 4;
  volatile u32 *mine = n ? y : x, *others = n ? x : y;
  u8 *saw = n ? saw_y : saw_x;
  u32 dummy = 0;
  // Readers of messages that thread 0 writes: the second word is written first.
  if (n > 1 || (n == 1 && round & 4))
    for (u32 k = LITMUS; k--;) {
      u32 a = message[k], b = message[k + LITMUS];
      if (a && !b) fail("a store seen before an earlier one", k, round);
    }
  if (n > 1) return;
  for (u32 k = 0; k < LITMUS; k++) {
    if (n == 0) {
      message[k + LITMUS] = 1;
      message[k] = 1;
    }
    mine[k] = 1;
    if (fence == 0) __asm__ volatile("mfence" : : : "memory");
    else if (fence == 1) __asm__ volatile("lock orl $0, (%%esp)" : : : "memory", "cc");
    else if (fence == 2) __asm__ volatile("xchgl %0, %1" : "+r"(dummy), "+m"(dummy) : : "memory");
    else swap(&mine[k], 1);
    saw[k] = others[k];
  }
}

static void worker(u32 n) {
  u32 rounds = 0;
  for (;;) {
    increments(n);
    rounds++;
    meet(&meeting, workers);
    if (n == 0) {
      totals(rounds);
      for (u32 k = 0; k < LITMUS; k++) x[k] = y[k] = message[k] = message[k + LITMUS] = 0;
      c.over = !running();
      count(0, 1);
    }
    meet(&meeting, workers);
    litmus(n, rounds);
    meet(&meeting, workers);
    if (n == 0)
      for (u32 k = 0; k < LITMUS; k++)
        if (!saw_x[k] && !saw_y[k]) fail("both loads before both stores", k, rounds % 4);
    if (n == 1) count(2, LITMUS);
    u32 over = c.over;
    meet(&meeting, workers);
    if (over) return;
  }
}
void locks(void) {
  crossing = map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  workers = cpus > 1 ? cpus : 2;
  in_threads(workers, worker);
}
