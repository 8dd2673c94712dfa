/* Waiting for something to happen. */
#pragma once
#include "lib/lock.h"

struct thread;

/* Threads that wait, in order. The lock of whatever they wait for protects it. */
struct wait_queue {
  struct thread *first, *last;
};

/* Gives `lock` back, waits to be woken, and takes it again. What was waited for may be gone again by then: ask in a loop. */
void wait_on(struct wait_queue *queue, struct spinlock *lock);
/* With the lock held. */
void wake_one(struct wait_queue *queue);
void wake_all(struct wait_queue *queue);

/* A counter that one can wait for: `complete` adds one, `wait_for` takes one. Zeros are a fresh one. */
struct completion {
  struct spinlock lock;
  struct wait_queue waiters;
  u32 count;
};
void complete(struct completion *completion);
void wait_for(struct completion *completion);
