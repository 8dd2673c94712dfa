/* Kernel threads that work together on something, one to a CPU. */
#pragma once
#include "lib/types.h"

/* Runs work(cpu, argument) on CPUs 0 to `count` - 1, each in a thread that stays there, and waits for all. False where there is no
 * memory. */
bool workers_run(const char *name, u32 count, void (*work)(u32 cpu, void *argument), void *argument);
