/* The terminal on the serial port: text out, keys in. */
#pragma once
#include "lib/types.h"

void console_init(void);
void console_connect(void);
/* A line feed becomes carriage return and line feed. What one call writes stays together. */
void console_write(const char *text, size_t length);
/* The next byte that was typed; waits for it. */
u8 console_read(void);
/* Whether Control-C was typed since the last call. Long commands ask now and then. */
bool console_interrupted(void);
/* No more waiting for locks. */
void console_panics(void);
