// What kbench says, and how it ends.
#include "kbench.h"

enum { TCSBRK = 0x5409 };
extern const char *row_name;

void *memset(void *to, int value, size_t n) {
  void *result = to;
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(value) : "memory");
  return result;
}
size_t strlen(const char *s) {
  size_t n = 0;
  while (s[n]) n++;
  return n;
}

void put(struct line *line, const char *text) {
  for (; *text && line->n < sizeof line->text - 1; text++) line->text[line->n++] = *text;
}
void put_digits(struct line *line, u32 value, u32 digits) {
  char text[12];
  char *at = text + sizeof text;
  *--at = 0;
  do *--at = '0' + value % 10;
  while ((value /= 10) || at > text + sizeof text - 1 - digits);
  put(line, at);
}
void print(struct line *line) {
  put(line, "\n");
  sys(write, 1, line->text, line->n);
  sys(ioctl, 1, TCSBRK, 1);
  line->n = 0;
}

void leave(int code) {
  for (;;) sys(exit_group, code);
}
void fail(const char *what, long result) {
  struct line line = {.n = 0};
  put(&line, "kbench: ");
  put(&line, row_name);
  put(&line, " failed: ");
  put(&line, what);
  put(&line, " ");
  if (result < 0) put(&line, "-");
  put_digits(&line, result < 0 ? -result : result, 1);
  print(&line);
  leave(1);
}

const char *own_path(char *to, const char *name) {
  struct line line = {.n = 0};
  put(&line, place);
  put(&line, name);
  if (self) put_digits(&line, self, 1);
  for (u32 k = 0; k < line.n; k++) to[k] = line.text[k];
  to[line.n] = 0;
  return to;
}
