// What the parts of the stress program share.
#pragma once
#include "sys.h"

enum { PARTS = 9, COUNTERS = 4, MOST_CPUS = 64, STACK = 16 * 4096 };

/** In memory that all processes share. */
struct shared {
  volatile u32 failed;
  volatile u32 counts[PARTS][COUNTERS];
};
struct part {
  const char *name;
  /** Runs until running() says no, at least once. */
  void (*run)(void);
  const char *counters[COUNTERS];
};

extern struct shared *shared;
/** How many CPUs to keep busy. */
extern u32 cpus;
/** The part that this process belongs to. */
extern u32 part;
/** Even where a part has the CPUs for itself, odd where all run together; goes up by two after that. */
extern u32 slice;
extern char **environment;

/** 1 until the slice of time is over or somebody failed. */
int running(void);
void count(u32 counter, u32 n);
/** Tells what is wrong and ends this process. */
__attribute__((noreturn)) void fail(const char *what, u32 a, u32 b);
#define check(what, got, wanted) \
  do { \
    u32 got_ = (u32)(got), wanted_ = (u32)(wanted); \
    if (got_ != wanted_) fail(what, got_, wanted_); \
  } while (0)
/** A system call that must not fail. */
long sure(const char *what, long result);

u32 now_ms(void);
u32 random32(u32 *state);
/** In half of the slices, the calling thread runs on one CPU from now on; in the others, where the kernel likes. */
void pin(u32 worker);
/** A step of a loop that waits for another thread. */
void wait_a_little(u32 *spins);

u8 *map(u32 bytes, int protection, int flags);
void unmap(void *at, u32 bytes);
void on_signal(int signal, handler_t *handler, u32 flags);
i32 fork(void);
__attribute__((noreturn)) void leave(int code);
/** Waits for a child; its status must be as said. */
void reap(i32 pid, u32 status);
/** Runs work(n) in a process each for n in 0 to `workers` - 1, and waits for all. */
void in_processes(u32 workers, void (*work)(u32 n));
/** The same with threads of this process; its own thread does nothing. */
void in_threads(u32 workers, void (*work)(u32 n));

static inline u32 add_fetch(volatile u32 *at, u32 n) {
  u32 old = n;
  __asm__ volatile("lock xaddl %0, %1" : "+r"(old), "+m"(*at) : : "memory");
  return old + n;
}
static inline u32 cas(volatile u32 *at, u32 old, u32 new) {
  u32 was;
  __asm__ volatile("lock cmpxchgl %2, %1" : "=a"(was), "+m"(*at) : "r"(new), "0"(old) : "memory");
  return was;
}
static inline u32 swap(volatile u32 *at, u32 value) {
  __asm__ volatile("xchgl %0, %1" : "+r"(value), "+m"(*at) : : "memory");
  return value;
}
#define pause() __asm__ volatile("pause" : : : "memory")
#define barrier() __asm__ volatile("" : : : "memory")

/** All `workers` threads meet here. */
struct meeting { volatile u32 arrived, round; };
void meet(struct meeting *meeting, u32 workers);

void processes(void);
void pipes(void);
void signals(void);
void memory(void);
void shootdown(void);
void locks(void);
void code(void);
void files(void);
void floats(void);
/** What random code met, for stress random. */
enum { RANDOM_COUNTS = 8 };
const u32 *random_code(u32 seconds, u32 seed, u32 workers);
int child_main(int argc, char **argv);
