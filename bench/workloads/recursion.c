// Fibonacci numbers by recursion: calls that no region can hold in the place of their call.
__attribute__((noinline)) static unsigned fib(unsigned n) {
  if (n < 2) return n;
  return fib(n - 1) + fib(n - 2);
}

unsigned work(unsigned n) {
  unsigned sum = 0;
  while (n--) sum += fib(16);
  return sum;
}
