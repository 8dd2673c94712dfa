// Rows of signals and of faults that become signals.
#include "kbench.h"

struct action { void (*handler)(int); u32 flags; void *restorer; u32 mask[2]; };

static volatile u32 signals, faults_left;
static u8 *guarded;

static void on_signal(int signal) {
  (void)signal;
  signals++;
}
static void install(int signal, void (*handler)(int)) {
  struct action action = {handler, 0, NULL, {0, 0}};
  must_be("rt_sigaction", sys(rt_sigaction, signal, &action, NULL, 8), 0);
}

ROW(signal) {
  u32 own = sys(getpid), before = signals, count = n;
  while (n--) {
    install(SIGUSR1, on_signal);
    must_be("kill", sys(kill, own, SIGUSR1), 0);
  }
  must_be("signals", signals - before, count);
}
ROW(install_signal) {
  while (n--) install(SIGUSR1, on_signal);
}
void prepare_catch(void) { install(SIGUSR1, on_signal); }
ROW(catch_signal) {
  u32 own = sys(getpid), before = signals, count = n;
  while (n--) must_be("kill", sys(kill, own, SIGUSR1), 0);
  must_be("signals", signals - before, count);
}

/** The store is made again behind each, and faults again until the page may be written. */
static void on_fault(int signal) {
  (void)signal;
  if (--faults_left == 0) must_be("mprotect", sys(mprotect, guarded, PAGE, PROT_READ | PROT_WRITE), 0);
}
void prepare_protection(void) {
  guarded = (u8 *)sure("mmap2", sys(mmap2, 0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  *guarded = 1;
  install(SIGSEGV, on_fault);
}
ROW(protection_fault) {
  faults_left = n;
  must_be("mprotect", sys(mprotect, guarded, PAGE, PROT_READ), 0);
  *(volatile u8 *)guarded = 1;
  must_be("faults left", faults_left, 0);
}
