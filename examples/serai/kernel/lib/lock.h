/*
 * Spin locks, the kind called ticket locks: who comes draws a number from `next` and waits until `owner` shows it. So CPUs get
 * the lock in the order in which they came, and none starves.
 *
 * Rules that keep the kernel free of deadlocks:
 *  - a CPU that holds a spin lock has interrupts off. So no interrupt handler can wait for a lock that the code which it
 *    interrupted holds, and the holder is never preempted;
 *  - nobody sleeps, copies from or to user memory, or waits for an answer to an IPI while holding one;
 *  - where two are held at once, the order is: wait queue's owner (pipe, process ...), then run queue; address space
 *    or heap, then page allocator. A second run queue is only ever tried, never waited for (sched/sched.c).
 */
#pragma once
#include "cpu/x86.h"

struct spinlock {
  u32 next;
  u32 owner;
};

/* For code that runs with interrupts off already. */
static inline void lock_raw(struct spinlock *lock) {
  u32 ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_ACQUIRE);
  while (__atomic_load_n(&lock->owner, __ATOMIC_ACQUIRE) != ticket) pause();
}

static inline void unlock_raw(struct spinlock *lock) {
  /* Only the holder writes `owner`, and stores are seen in order (SDM vol. 3, 9.2.2): no LOCK prefix is needed to give it up. */
  __atomic_store_n(&lock->owner, lock->owner + 1, __ATOMIC_RELEASE);
}

/* Draws a number only where it would be served at once. */
static inline bool try_lock_raw(struct spinlock *lock) {
  u32 ticket = __atomic_load_n(&lock->owner, __ATOMIC_ACQUIRE);
  u32 expected = ticket;
  return __atomic_compare_exchange_n(&lock->next, &expected, ticket + 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/* Returns what unlock() wants: the interrupt flag as it was. */
static inline u32 lock(struct spinlock *l) {
  u32 flags = interrupts_save();
  lock_raw(l);
  return flags;
}

static inline void unlock(struct spinlock *l, u32 flags) {
  unlock_raw(l);
  interrupts_restore(flags);
}
