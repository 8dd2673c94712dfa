/* Where entry.S leads to. */
#pragma once
#include "cpu/frame.h"

void trap(struct frame *frame);
/* Begins to run ring-3 code with these registers; `frame` lies on the running thread's kernel stack. Interrupts are off. */
void enter_user(struct frame *frame) __attribute__((noreturn));
