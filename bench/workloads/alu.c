// Arithmetic and memory in a loop of exactly INSTRUCTIONS instructions, written out so that the compiler cannot change their number.
static unsigned from[1024], to[1024];

unsigned work(unsigned n) {
  unsigned sum = 1, i = 0, t;
  __asm__ volatile(
      "1: movl %c[from](,%[i],4), %[t]\n" // 1
      "addl %[t], %[sum]\n"               // 2
      "movl %[sum], %[t]\n"               // 3
      "shrl $3, %[t]\n"                   // 4
      "xorl %[t], %[sum]\n"               // 5
      "leal 7(%[sum],%[i],2), %[t]\n"     // 6
      "movl %[t], %c[to](,%[i],4)\n"      // 7
      "addl $1, %[i]\n"                   // 8
      "andl $1023, %[i]\n"                // 9
      "subl $1, %[n]\n"                   // 10
      "jne 1b\n"                          // 11
      : [sum] "+r"(sum), [i] "+r"(i), [n] "+r"(n), [t] "=&r"(t)
      : [from] "i"(from), [to] "i"(to)
      : "memory", "cc");
  return sum + to[5];
}
