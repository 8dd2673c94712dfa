// Signals to oneself and between processes, counted exactly; faults with the right address and code.
#include "stress.h"

static volatile u32 got, sum, order, other;
static volatile u32 fault_address, fault_code, fault_error, fault_signal, faults, skip;

static void counts_it(int signal, struct siginfo *info, struct context *context) {
  (void)signal, (void)info, (void)context;
  got++;
}
static void on_queued(int signal, struct siginfo *info, struct context *context) {
  (void)signal, (void)context;
  check("code of a queued signal", info->code, SI_QUEUE);
  check("order of queued signals", info->queued.value, order);
  order++;
  sum += info->queued.value * 3;
}
static void on_fault(int signal, struct siginfo *info, struct context *context) {
  fault_signal = signal;
  fault_address = signal == SIGSEGV ? info->address : context->eip;
  fault_code = info->code;
  fault_error = context->error;
  if (signal == SIGSEGV) check("CR2 of a fault", context->cr2, info->address);
  faults++;
  context->eip += skip;
}
static void nested(int signal, struct siginfo *info, struct context *context) {
  (void)info, (void)context;
  u32 before = got, self = sys(getpid);
  // Blocked while its handler runs, so it comes after that; the other one comes at once.
  sys(kill, self, signal);
  check("a signal inside its own handler", got, before);
  sys(kill, self, SIGUSR1);
  check("another signal inside a handler", got, before + 1);
  on_signal(SIGUSR2, counts_it, 0);
}

/** An instruction of two bytes that faults; the registers must come back as they were. */
#define FAULTS(code, address) \
  ({ \
    u32 a_ = 0x11111111, c_ = (u32)(address), d_ = 0x33333333, f_ = faults; \
    skip = 2; \
    __asm__ volatile(code : "+a"(a_), "+c"(c_), "+d"(d_) : : "memory"); \
    check("faults", faults, f_ + 1); \
    check("EAX after a fault", a_, 0x11111111); \
    check("ECX after a fault", c_, (u32)(address)); \
    check("EDX after a fault", d_, 0x33333333); \
  })

static void segv(const char *what, u32 address, u32 code, u32 error) {
  check(what, fault_signal, SIGSEGV);
  check(what, fault_address, address);
  check(what, fault_code, code);
  check(what, fault_error & 7, error);
}

static void to_itself(u32 *random) {
  i32 self = sys(getpid);
  on_signal(SIGUSR1, counts_it, 0);
  got = 0;
  for (u32 k = 1; k <= 100; k++) {
    sys(kill, self, SIGUSR1);
    check("signals to itself", got, k);
  }
  u32 mask[2] = {1u << (SIGUSR1 - 1), 0};
  sys(rt_sigprocmask, SIG_BLOCK, mask, NULL, 8);
  for (u32 k = 0; k < 5; k++) sys(tgkill, self, self, SIGUSR1);
  check("blocked signals", got, 100);
  sys(rt_sigprocmask, SIG_UNBLOCK, mask, NULL, 8);
  check("five blocked signals are one", got, 101);
  on_signal(SIGUSR2, nested, 0);
  sys(kill, self, SIGUSR2);
  check("nested signals", got, 103);
  count(0, 107);

  u8 *page = map(3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE), *stack = map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  struct { u8 *at; u32 flags, bytes; } other_stack = {stack, 0, 4 * PAGE};
  check("sigaltstack", sys(sigaltstack, &other_stack, NULL), 0);
  check("mprotect", sys(mprotect, page + PAGE, PAGE, PROT_NONE), 0);
  check("mprotect", sys(mprotect, page + 2 * PAGE, PAGE, PROT_READ), 0);
  u8 *none = map(PAGE, PROT_READ, MAP_PRIVATE);
  unmap(none, PAGE);
  on_signal(SIGSEGV, on_fault, SA_ONSTACK);
  on_signal(SIGFPE, on_fault, 0);
  on_signal(SIGILL, on_fault, 0);
  on_signal(SIGTRAP, on_fault, 0);
  for (u32 k = 0; k < 10; k++) {
    u32 at = (u32)page + PAGE + random32(random) % (PAGE - 4);
    FAULTS("movl (%1), %0", at);
    segv("read of a protected page", at, SEGV_ACCERR, 4);
    FAULTS("movl %0, (%1)", at);
    segv("write to a protected page", at, SEGV_ACCERR, 6);
    // It is there once it was read.
    check("a fresh page", *(volatile u32 *)(page + 2 * PAGE), 0);
    FAULTS("addl %0, (%1)", at + PAGE);
    segv("write to a read-only page", at + PAGE, SEGV_ACCERR, 7);
    FAULTS("movl %0, (%1)", (u32)none + 12);
    segv("write to no page", (u32)none + 12, SEGV_MAPERR, 6);
    // The first byte that is missing, not the first of the access.
    *(u32 *)(page + PAGE - 4) = 0;
    FAULTS("movl %0, (%1)", (u32)page + PAGE - 1 - k % 3);
    segv("write over the end of a page", (u32)page + PAGE, SEGV_ACCERR, 6);
    check("bytes before the end of a page", *(u32 *)(page + PAGE - 4), 0);
    FAULTS("movl (%1), %0", 0xc0100000u + k * 4);
    segv("read of the kernel", 0xc0100000u + k * 4, SEGV_MAPERR, fault_error & 7);
    FAULTS("ud2", 5);
    check("UD2", fault_signal, SIGILL);
    u32 quotient = 7, rest = 0;
    __asm__ volatile("divl %2" : "+a"(quotient), "+d"(rest) : "c"(0));
    check("division", fault_signal, SIGFPE);
    check("division's code", fault_code, FPE_INTDIV);
    skip = 0;
    u32 next;
    __asm__ volatile("int3\n1: movl $1b, %0" : "=r"(next));
    check("INT3", fault_signal, SIGTRAP);
    check("INT3's address", fault_address, next);
  }
  count(3, 90);
  // From here on a fault is a fault.
  on_signal(SIGSEGV, NULL, 0);
  on_signal(SIGILL, NULL, 0);
  unmap(page, 3 * PAGE);
  other_stack.flags = 2;
  sys(sigaltstack, &other_stack, NULL);
  unmap(stack, 4 * PAGE);
}

/** Two processes that answer each other, `turns` times. */
static void ping_pong(u32 turns) {
  u32 mask[2] = {1u << (SIGUSR1 - 1), 1u << (SIGRT - 33)}, open[2] = {0, 0}, closed[2];
  on_signal(SIGUSR1, counts_it, 0);
  on_signal(SIGRT, on_queued, 0);
  got = sum = order = 0;
  sys(rt_sigprocmask, SIG_BLOCK, mask, closed, 8);
  i32 parent = sys(getpid), child = fork();
  other = child ? child : parent;
  for (u32 turn = 0; turn < turns; turn++) {
    if (child || turn) sys(kill, other, SIGUSR1);
    while (got <= turn && !shared->failed) sys(rt_sigsuspend, open, 8);
    if (!child && turn == turns - 1) sys(kill, other, SIGUSR1);
  }
  check("signals of the other", got, turns);
  // As many with a value as were not yet taken, in their order.
  enum { QUEUED = 40 };
  if (child) {
    for (u32 k = 0; k < QUEUED; k++) {
      struct siginfo info = {SIGRT, 0, SI_QUEUE, {.queued = {parent, 0, k}}, {0}};
      for (long result; (result = sys(rt_sigqueueinfo, child, SIGRT, &info)) != 0; sys(sched_yield))
        if (result != -EAGAIN) fail("rt_sigqueueinfo", result, 0);
    }
    reap(child, 7 << 8);
  } else {
    while (order < QUEUED) sys(rt_sigsuspend, open, 8);
    check("sum of queued signals", sum, QUEUED * (QUEUED - 1) / 2 * 3);
    leave(7);
  }
  sys(rt_sigprocmask, SIG_SETMASK, closed, NULL, 8);
  count(1, 2 * turns);
  count(2, QUEUED);
}

static void worker(u32 n) {
  u32 random = 4711 + n * 65537;
  do {
    to_itself(&random);
    ping_pong(30);
  } while (running());
}
void signals(void) { in_processes(cpus, worker); }
