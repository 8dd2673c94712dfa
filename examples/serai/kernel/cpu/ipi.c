/*
 * Inter-processor interrupts. A reschedule IPI says all by its vector. For the others there is one request in the machine at a
 * time: who wants to send one waits for `busy`. That does not scale to hundreds of CPUs, but one can see that it is right:
 *
 *  - who waits, for `busy` or for answers, has interrupts off, but serves requests to itself meanwhile (ipi_poll). So two CPUs
 *    that ask each other do not wait forever;
 *  - a CPU takes its bit out of `waiting` when it is done, so the interrupt of a request that was served by polling finds nothing.
 */
#include "cpu/ipi.h"
#include "cpu/lapic.h"
#include "cpu/percpu.h"

static struct {
  u32 busy;
  void (*call)(void *);
  void *argument;
  struct cpu_mask waiting;
} request;

volatile u32 ipi_self_tests;

struct cpu_mask ipi_online(void) {
  struct cpu_mask all = {{0}};
  for (u32 i = 0; i < cpu_count; i++)
    if (cpus[i].online) mask_add(&all, i);
  return all;
}

void ipi_poll(void) {
  u32 self = this_cpu()->index;
  if (!mask_has(&request.waiting, self)) return;
  request.call(request.argument);
  mask_remove(&request.waiting, self);
}

void ipi_call(const struct cpu_mask *targets, u8 vector, void (*call)(void *), void *argument) {
  u32 flags = interrupts_save();
  u32 self = this_cpu()->index;
  if (mask_has(targets, self)) call(argument);
  struct cpu_mask others = *targets;
  mask_remove(&others, self);
  if (!mask_is_empty(&others)) {
    while (__atomic_exchange_n(&request.busy, 1, __ATOMIC_SEQ_CST) != 0) {
      ipi_poll();
      pause();
    }
    request.call = call;
    request.argument = argument;
    for (u32 cpu = mask_next(&others, 0); cpu < MAX_CPUS; cpu = mask_next(&others, cpu + 1)) {
      mask_add(&request.waiting, cpu);
      lapic_send(cpus[cpu].apic_id, vector);
    }
    while (!mask_is_empty(&request.waiting)) pause();
    __atomic_store_n(&request.busy, 0, __ATOMIC_SEQ_CST);
  }
  interrupts_restore(flags);
}

void ipi_reschedule(u32 cpu) { lapic_send(cpus[cpu].apic_id, VECTOR_RESCHEDULE); }

void ipi_to_self(void) { lapic_send(this_cpu()->apic_id, VECTOR_SELF_TEST); }
