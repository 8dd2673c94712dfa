/* 64-bit divisions by the CPU's 64-by-32-bit DIV: the compiler would call its library, which a kernel does not have. */
#pragma once
#include "lib/types.h"

/* The quotient; the rest goes to *rest where that is not NULL. */
static inline u64 divide(u64 dividend, u32 divisor, u32 *rest) {
  u32 high = (u32)(dividend >> 32), low = (u32)dividend, quotient_high = high / divisor, quotient_low, remainder = high % divisor;
  /* The high word of this dividend is less than the divisor, so the quotient fits and DIV does not fault. */
  __asm__("divl %4" : "=a"(quotient_low), "=d"(remainder) : "a"(low), "d"(remainder), "r"(divisor) : "cc");
  if (rest != NULL) *rest = remainder;
  return (u64)quotient_high << 32 | quotient_low;
}
