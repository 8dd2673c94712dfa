// Two calls with their returns an iteration; the compiler passes the arguments in registers.
__attribute__((noinline, noclone)) static unsigned leaf(unsigned a, unsigned b) {
  __asm__ volatile("");
  return (a ^ b) + 3;
}

unsigned work(unsigned n) {
  unsigned x = 1;
  while (n--) {
    x = leaf(x, n);
    x = leaf(n, x);
  }
  return x;
}
