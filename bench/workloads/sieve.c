// A sieve of 32 KiB, a byte a number: stores with a stride, a short inner loop.
static unsigned char composite[32768];

unsigned work(unsigned n) {
  unsigned sum = 0;
  while (n--) {
    for (int i = 0; i < 32768; i++) composite[i] = 1;
    for (int i = 2; i < 182; i++)
      if (composite[i])
        for (int j = i * i; j < 32768; j += i) composite[j] = 0;
    sum += composite[32749] + composite[n & 32767];
  }
  return sum;
}
