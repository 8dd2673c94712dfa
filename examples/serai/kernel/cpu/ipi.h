/* Work for other CPUs, asked for by inter-processor interrupts. */
#pragma once
#include "lib/mask.h"
#include "lib/types.h"

/* Runs call(argument) on every CPU in `targets`, and returns when all are done. It runs with interrupts off and must not wait for
 * anything. The caller holds no spin lock. `vector` tells what it is for. */
void ipi_call(const struct cpu_mask *targets, u8 vector, void (*call)(void *), void *argument);
/* All CPUs that are online. */
struct cpu_mask ipi_online(void);
/* Does what another CPU has asked this one for, if anything. */
void ipi_poll(void);
/* Tells a CPU to look at its run queue. */
void ipi_reschedule(u32 cpu);

/* For the benchmark: sends this CPU an interrupt, which counts. */
void ipi_to_self(void);
extern volatile u32 ipi_self_tests;
