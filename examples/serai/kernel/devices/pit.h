/* The 8254 timer, as a ruler for the other clocks. */
#pragma once
#include "lib/types.h"

#define PIT_HZ 1193182u

/* Lets channel 2 count down from 65536 (55 ms), without an interrupt. */
void pit_start(void);
/* Its count. */
u32 pit_read(void);
void pit_stop(void);
