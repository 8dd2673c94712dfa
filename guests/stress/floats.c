// Floating point: what is in the registers stays there over context switches and signals; what is computed is the same each time.
#include "stress.h"

struct fp { u32 control, mxcsr, gap[2]; u8 x87[8][16]; u32 xmm[8][4]; };
_Static_assert(sizeof(struct fp) == 272, "as in start.S");
void fp_hold(struct fp *state, u32 rounds, u32 pid);

static void clobbers(int signal, struct siginfo *info, struct context *context) {
  (void)signal, (void)info, (void)context;
  u32 mxcsr = 0x1fa5;
  __asm__ volatile("fninit\n fldpi\n fldl2e\n faddp\n pxor %%xmm0, %%xmm0\n pcmpeqd %%xmm7, %%xmm7\n ldmxcsr %0" : : "m"(mxcsr));
}

static double by_x87(double x, u32 n) {
  double s = 0;
  while (n--) {
    __asm__("fldl %1\n fsqrt\n fld1\n faddp" : "=t"(s) : "m"(x));
    x = x * 3.9 * (1 - x) + s * 1e-9;
  }
  return x;
}

static void by_sse(double *to, double x, u32 n) {
  static const double k[2] = {3.7, 1};
  __asm__ volatile(
    "movsd %1, %%xmm0\n movsd %2, %%xmm1\n movsd %3, %%xmm2\n"
    "1: movapd %%xmm2, %%xmm3\n subsd %%xmm0, %%xmm3\n mulsd %%xmm1, %%xmm0\n mulsd %%xmm3, %%xmm0\n"
    "dec %4\n jnz 1b\n movsd %%xmm0, %0"
    : "=m"(*to) : "m"(x), "m"(k[0]), "m"(k[1]), "r"(n) : "memory", "cc");
}

static void worker(u32 n) {
  u32 random = 99 + n * 31337, self = sys(getpid);
  const double start = 0.1 + n / 1000.0, wanted = by_x87(start, 500);
  double wanted_sse;
  by_sse(&wanted_sse, start, 500);
  on_signal(SIGUSR1, clobbers, 0);
  do {
    struct fp state, then;
    memset(&state, 0, sizeof state);
    // Any rounding and precision, all exceptions masked.
    state.control = 0x7f | (random32(&random) & 0xc00) | (random & 1 ? 0x300 : 0x200);
    state.mxcsr = 0x1f80 | (random & 0x603f);
    for (u32 r = 0; r < 8; r++) {
      for (u32 k = 0; k < 8; k++) state.x87[r][k] = random32(&random);
      state.x87[r][7] |= 0x80;
      *(u16 *)&state.x87[r][8] = 0x3f00 + (random32(&random) & 0x80ff);
      for (u32 k = 0; k < 4; k++) state.xmm[r][k] = random32(&random);
    }
    then = state;
    fp_hold(&state, 12, self);
    check("x87 control word", state.control, then.control);
    check("MXCSR", state.mxcsr, then.mxcsr);
    for (u32 r = 0; r < 8; r++) {
      for (u32 k = 0; k < 10; k++) check("x87 register", r << 16 | k << 8 | state.x87[r][k], r << 16 | k << 8 | then.x87[r][k]);
      for (u32 k = 0; k < 4; k++) check("XMM register", state.xmm[r][k], then.xmm[r][k]);
    }
    count(0, 1);
    u32 standard = 0x1f80;
    __asm__ volatile("fninit\n ldmxcsr %0" : : "m"(standard));
    double got = by_x87(start, 500), got_sse;
    by_sse(&got_sse, start, 500);
    if (memcmp(&got, &wanted, 8)) fail("x87 result", ((u32 *)&got)[0], ((u32 *)&wanted)[0]);
    if (memcmp(&got_sse, &wanted_sse, 8)) fail("SSE result", ((u32 *)&got_sse)[0], ((u32 *)&wanted_sse)[0]);
    count(1, 2);
  } while (running());
}
// More than there are CPUs.
void floats(void) { in_processes(2 * cpus, worker); }
