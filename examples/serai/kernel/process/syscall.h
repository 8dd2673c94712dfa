/* System calls. */
#pragma once
#include "cpu/frame.h"

/* Interrupts are on. */
void system_call(struct frame *frame);
