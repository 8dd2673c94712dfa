/* Bytes and strings. The compiler calls the first four by itself, for instance to copy a structure. */
#include "lib/string.h"

void *memset(void *to, int byte, size_t bytes) {
  void *at = to;
  u32 pattern = (u8)byte * 0x01010101u;
  size_t words = bytes / 4;
  __asm__ volatile("rep stosl" : "+D"(at), "+c"(words) : "a"(pattern) : "memory");
  size_t rest = bytes % 4;
  __asm__ volatile("rep stosb" : "+D"(at), "+c"(rest) : "a"(pattern) : "memory");
  return to;
}

void *memcpy(void *to, const void *from, size_t bytes) {
  void *at = to;
  size_t words = bytes / 4;
  __asm__ volatile("rep movsl" : "+D"(at), "+S"(from), "+c"(words) : : "memory");
  size_t rest = bytes % 4;
  __asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(rest) : : "memory");
  return to;
}

void *memmove(void *to, const void *from, size_t bytes) {
  char *target = to;
  const char *source = from;
  if (target <= source || target >= source + bytes) return memcpy(to, from, bytes);
  while (bytes-- > 0) target[bytes] = source[bytes];
  return to;
}

int memcmp(const void *a, const void *b, size_t bytes) {
  const u8 *x = a, *y = b;
  for (size_t i = 0; i < bytes; i++)
    if (x[i] != y[i]) return x[i] - y[i];
  return 0;
}

size_t strlen(const char *text) {
  size_t length = 0;
  while (text[length] != 0) length++;
  return length;
}

int strcmp(const char *a, const char *b) {
  while (*a != 0 && *a == *b) a++, b++;
  return (u8)*a - (u8)*b;
}

int strncmp(const char *a, const char *b, size_t bytes) {
  for (size_t i = 0; i < bytes; i++)
    if (a[i] != b[i] || a[i] == 0) return (u8)a[i] - (u8)b[i];
  return 0;
}

void copy_string(char *to, const char *from, size_t size) {
  size_t i = 0;
  for (; i + 1 < size && from[i] != 0; i++) to[i] = from[i];
  to[i] = 0;
}

const char *find_string(const char *text, const char *word) {
  size_t length = strlen(word);
  for (; *text != 0; text++)
    if (strncmp(text, word, length) == 0) return text;
  return NULL;
}

bool parse_number(const char *text, u32 *value) {
  u32 number = 0;
  if (*text == 0) return false;
  for (; *text != 0; text++) {
    u32 digit = (u32)(*text - '0');
    if (digit > 9 || number > (0xffffffffu - digit) / 10) return false;
    number = number * 10 + digit;
  }
  *value = number;
  return true;
}
