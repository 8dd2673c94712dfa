/* Starting the other CPUs. */
#pragma once
void smp_start(void);
