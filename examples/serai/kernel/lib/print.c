/* printf, as much of it as the kernel wants. */
#include "lib/print.h"
#include "devices/console.h"
#include "lib/math.h"
#include "lib/string.h"

/* Digits of a number, from the last to the first, before `end`; returns the first. */
static char *digits(char *end, u64 value, u32 base) {
  do {
    u32 digit;
    value = divide(value, base, &digit);
    *--end = "0123456789abcdef"[digit];
  } while (value != 0);
  return end;
}

size_t format_text(char *buffer, size_t size, const char *format, va_list arguments) {
  size_t used = 0;
#define PUT(character) (used + 1 < size ? (void)(buffer[used++] = (character)) : (void)0)
  for (; *format != 0; format++) {
    if (*format != '%') {
      PUT(*format);
      continue;
    }
    format++;
    bool left = *format == '-', zeros = *format == '0';
    if (left || zeros) format++;
    size_t width = 0;
    for (; *format >= '0' && *format <= '9'; format++) width = width * 10 + (size_t)(*format - '0');
    bool wide = strncmp(format, "ll", 2) == 0;
    if (wide) format += 2;

    char number[24];
    char *end = number + sizeof number;
    const char *text = end;
    size_t length = 0;
    switch (*format) {
    case 's':
      text = va_arg(arguments, const char *);
      length = strlen(text);
      break;
    case 'c':
      *--end = (char)va_arg(arguments, int);
      text = end;
      length = 1;
      break;
    case 'd': {
      s32 value = va_arg(arguments, s32);
      char *first = digits(end, value < 0 ? -(u32)value : (u32)value, 10);
      if (value < 0) *--first = '-';
      text = first;
      length = (size_t)(end - first);
      break;
    }
    case 'u':
    case 'x':
      text = digits(end, wide ? va_arg(arguments, u64) : va_arg(arguments, u32), *format == 'x' ? 16 : 10);
      length = (size_t)(end - text);
      break;
    default:
      PUT(*format);
      continue;
    }
    if (!left)
      for (size_t i = length; i < width; i++) PUT(zeros ? '0' : ' ');
    for (size_t i = 0; i < length; i++) PUT(text[i]);
    if (left)
      for (size_t i = length; i < width; i++) PUT(' ');
  }
#undef PUT
  buffer[used] = 0;
  return used;
}

void print(const char *format, ...) {
  char buffer[PRINT_BYTES];
  va_list arguments;
  va_start(arguments, format);
  size_t length = format_text(buffer, sizeof buffer, format, arguments);
  va_end(arguments);
  console_write(buffer, length);
}
