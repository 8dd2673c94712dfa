/* Time since boot, by the time-stamp counter. */
#pragma once
#include "lib/types.h"

/* Measures TSC and APIC timer against the 8254. */
void clock_calibrate(void);
u64 clock_ns(void);
/* Spins. */
void clock_wait(u64 ns);

/* Thousands of ticks a second. */
u32 clock_tsc_khz(void);
u32 clock_apic_khz(void);
