/* The first serial port, COM1 (National Semiconductor 16550A). */
#pragma once
#include "lib/types.h"

/* Output works from here on. */
void uart_init(void);
/* Input: each byte that arrives is handed to `take`, in an interrupt handler. */
void uart_connect(void (*take)(u8 byte));
void uart_write(const char *bytes, size_t count);
