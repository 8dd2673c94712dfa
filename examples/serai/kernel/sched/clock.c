/*
 * The clock is the time-stamp counter (SDM vol. 3, 18.17), taken to be the same on all CPUs and to count at a constant rate.
 *
 * How fast TSC and APIC timer count is measured against the 8254, whose rate is known. We read the 8254 at two moments rather than
 * wait for its end: so it does no harm when something holds us up in between, as long as it is less than its 55 ms.
 */
#include "sched/clock.h"
#include "cpu/lapic.h"
#include "cpu/panic.h"
#include "cpu/x86.h"
#include "devices/pit.h"
#include "lib/math.h"

#define TRIES 3
#define MEASURE_TICKS (PIT_HZ / 100) /* 10 ms */
/* nanoseconds = ticks * scale / 2^SCALE_SHIFT */
#define SCALE_SHIFT 24

static u32 tsc_khz, apic_khz, scale;
static u64 start;

struct sample {
  u32 pit, apic;
  u64 tsc;
};

/* All three clocks at one moment: of some tries the one that took least. */
static struct sample take_sample(void) {
  struct sample best = {0};
  u64 least = ~0ull;
  for (u32 i = 0; i < 5; i++) {
    u64 before = read_tsc();
    struct sample sample = {.pit = pit_read(), .apic = lapic_timer_count()};
    sample.tsc = read_tsc();
    if (sample.tsc - before >= least) continue;
    least = sample.tsc - before;
    best = sample;
  }
  return best;
}

/* ticks / (pit / PIT_HZ) / 1000 */
static u32 to_khz(u64 ticks, u32 pit) { return (u32)divide(divide(ticks * PIT_HZ, pit, NULL), 1000, NULL); }

void clock_calibrate(void) {
  if ((cpuid_features() & CPUID_TSC) == 0) panic("this CPU has no time-stamp counter");
  u32 tsc[TRIES], apic[TRIES];
  lapic_timer_start(0xffffffff); /* four seconds at the least: it will not interrupt */
  for (u32 i = 0; i < TRIES; i++) {
    pit_start();
    struct sample first = take_sample(), last;
    do last = take_sample();
    while (first.pit - last.pit < MEASURE_TICKS);
    tsc[i] = to_khz(last.tsc - first.tsc, first.pit - last.pit);
    apic[i] = to_khz(first.apic - last.apic, first.pit - last.pit);
  }
  pit_stop();
  lapic_timer_start(0);
  /* The middle one of three. */
  for (u32 i = 0; i < TRIES; i++) {
    u32 smaller = 0;
    for (u32 k = 0; k < TRIES; k++) smaller += tsc[k] < tsc[i] || (tsc[k] == tsc[i] && k < i);
    if (smaller == TRIES / 2) tsc_khz = tsc[i], apic_khz = apic[i];
  }
  scale = (u32)divide(1000000ull << SCALE_SHIFT, tsc_khz, NULL);
  start = read_tsc();
}

/* A product of 64 and 32 bits has 96: the two words are multiplied one by one. */
u64 clock_ns(void) {
  u64 ticks = read_tsc() - start;
  return (((u64)(u32)(ticks >> 32) * scale) << (32 - SCALE_SHIFT)) + (((u64)(u32)ticks * scale) >> SCALE_SHIFT);
}

void clock_wait(u64 ns) {
  u64 until = clock_ns() + ns;
  while (clock_ns() < until) pause();
}

u32 clock_tsc_khz(void) { return tsc_khz; }
u32 clock_apic_khz(void) { return apic_khz; }
