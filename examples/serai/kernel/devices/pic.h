/* The two 8259 interrupt controllers of a PC. */
#pragma once
#include "lib/types.h"

/* Moves them away from the vectors of exceptions, and masks all. */
void pic_init(void);
void pic_unmask(u32 irq);
void pic_end_of_interrupt(u32 irq);
