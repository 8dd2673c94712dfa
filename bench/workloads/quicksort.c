// Quicksort of 1,024 pseudo-random numbers by recursion.
static int values[1024];

__attribute__((noinline)) static void sort(int *v, int low, int high) {
  while (low < high) {
    int pivot = v[(low + high) >> 1], i = low, j = high;
    while (i <= j) {
      while (v[i] < pivot) i++;
      while (v[j] > pivot) j--;
      if (i <= j) {
        int t = v[i];
        v[i++] = v[j];
        v[j--] = t;
      }
    }
    sort(v, low, j);
    low = i;
  }
}

unsigned work(unsigned n) {
  unsigned seed = 12345, sum = 0;
  while (n--) {
    for (int i = 0; i < 1024; i++) {
      seed = seed * 1664525u + 1013904223u;
      values[i] = (int)seed >> 8;
    }
    sort(values, 0, 1023);
    sum += (unsigned)values[512] + (values[3] <= values[4]);
  }
  return sum;
}
