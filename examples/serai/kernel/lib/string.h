/* Bytes and zero-terminated strings. */
#pragma once
#include "lib/types.h"

void *memset(void *to, int byte, size_t bytes);
void *memcpy(void *to, const void *from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
size_t strlen(const char *text);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t bytes);
/* Copies what fits; always ends in a zero. */
void copy_string(char *to, const char *from, size_t size);
/* Where `word` begins in `text`; NULL where it does not. */
const char *find_string(const char *text, const char *word);
/* A decimal number that is all of `text`; false for anything else. */
bool parse_number(const char *text, u32 *value);
