// A product of two 24 x 24 matrices of doubles; compiled for x87 and for SSE2.
#define SIZE 24
static double a[SIZE][SIZE], b[SIZE][SIZE], c[SIZE][SIZE];

unsigned work(unsigned n) {
  for (int i = 0; i < SIZE; i++)
    for (int j = 0; j < SIZE; j++) {
      // Not exact: as in most programs, the flag of an inexact result is soon set and stays so.
      a[i][j] = (i - j) / 7.0;
      b[i][j] = (i + j) / 3.0;
    }
  double trace = 0;
  while (n--) {
    for (int i = 0; i < SIZE; i++)
      for (int j = 0; j < SIZE; j++) {
        double sum = 0;
        for (int k = 0; k < SIZE; k++) sum += a[i][k] * b[k][j];
        c[i][j] = sum;
      }
    trace += c[n % SIZE][3];
    a[1][1] += 1;
  }
  return (unsigned)(int)(trace / 64) + (unsigned)(int)c[1][1];
}
