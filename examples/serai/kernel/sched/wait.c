/*
 * Wait queues. The classic mistake is to lose a wake-up between the look at what one waits for and going to sleep. Here both happen
 * under the lock of that thing, and who wakes holds it, too: thread_wake() then waits until the sleeper has left its CPU.
 */
#include "sched/wait.h"
#include "sched/sched.h"
#include "sched/thread.h"

void wait_on(struct wait_queue *queue, struct spinlock *lock) {
  struct thread *self = current();
  self->state = THREAD_BLOCKED;
  self->next = NULL;
  if (queue->first == NULL)
    queue->first = self;
  else
    queue->last->next = self;
  queue->last = self;
  unlock_raw(lock); /* interrupts stay off */
  schedule();
  lock_raw(lock);
}

void wake_one(struct wait_queue *queue) {
  struct thread *thread = queue->first;
  if (thread == NULL) return;
  queue->first = thread->next;
  thread_wake(thread);
}

void wake_all(struct wait_queue *queue) {
  while (queue->first != NULL) wake_one(queue);
}

void complete(struct completion *completion) {
  u32 flags = lock(&completion->lock);
  completion->count++;
  wake_one(&completion->waiters);
  unlock(&completion->lock, flags);
}

void wait_for(struct completion *completion) {
  u32 flags = lock(&completion->lock);
  while (completion->count == 0) wait_on(&completion->waiters, &completion->lock);
  completion->count--;
  unlock(&completion->lock, flags);
}
