// FNV-1a over short zero-terminated strings.
static const char text[] = "the quick brown fox\0jumps over\0the lazy dog\0and\0runs away from the translator\0";

static unsigned hash(const char *s) {
  unsigned h = 2166136261u;
  while (*s) h = (h ^ (unsigned char)*s++) * 16777619u;
  return h;
}

unsigned work(unsigned n) {
  unsigned sum = 0;
  while (n--) {
    const char *s = text;
    for (int k = 0; k < 5; k++) {
      sum = sum * 31 + hash(s);
      while (*s++) {
      }
    }
  }
  return sum;
}
