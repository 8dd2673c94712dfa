// memset and memcpy by REP STOSL and REP MOVSL, 4 KiB each (not page-aligned).
static unsigned char a[8192], b[8192];

unsigned work(unsigned n) {
  unsigned sum = 0;
  while (n--) {
    void *to = a + 20;
    __SIZE_TYPE__ count = 1024;
    __asm__ volatile("rep stosl" : "+D"(to), "+c"(count) : "a"(n) : "memory");
    const void *from = a + 20;
    to = b + 36;
    count = 1024;
    __asm__ volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
    sum += b[36 + (n & 4095)];
  }
  return sum;
}
