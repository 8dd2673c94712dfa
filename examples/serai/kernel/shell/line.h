/* A line of input, with editing, history and completion. */
#pragma once
#include "lib/types.h"

#define LINE_BYTES 128

/* Prints the prompt and reads a line, without its end. */
void line_read(const char *prompt, char line[LINE_BYTES]);
