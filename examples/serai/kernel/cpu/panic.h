/* The end, where the kernel finds that it is wrong. */
#pragma once
#include "cpu/frame.h"
#include "lib/print.h"

void panic(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
/* With the registers of the code that was interrupted; `address` is CR2. */
void panic_with(const struct frame *frame, u32 address, const char *what) __attribute__((noreturn));
/* What the other CPUs do when one panics. */
void panic_stop(void) __attribute__((noreturn));

#define ASSERT(condition) ((condition) ? (void)0 : panic("%s:%d: not so: %s", __FILE__, __LINE__, #condition))
