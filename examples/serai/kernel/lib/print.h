/* Formatted text for the console. */
#pragma once
#include <stdarg.h>
#include "lib/types.h"

/* %s %c %d %u %x %% with a width, '-' (left) and '0' (pad with zeros); %llu for a u64. Each call is written as a whole, without
 * output of other CPUs in between; what is longer than PRINT_BYTES is cut. */
#define PRINT_BYTES 512
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Into a buffer; returns the number of characters, without the ending zero. */
size_t format_text(char *buffer, size_t size, const char *format, va_list arguments);
