// stress random SECONDS [SEED [CPUS]]: processes run random bytes as code, and the machine must live. Each child gives itself the kernel's strict seccomp mode, so that
// nothing it runs into can reach anything else; its handlers put it on its feet again, with other bytes, until its tries are over.
#include "stress.h"

enum { TRIES = 1000, MOST = 8, CODE_PAGES = 4, DATA_PAGES = 16, CHILD_MS = 5000, TICK_US = 20000 };
/** Fixed places, so that a seed means the same code each time. */
#define CODE ((u8 *)0x30000000)
#define DATA ((u8 *)0x20000000)
#define HANDLER_STACK ((u8 *)0x28000000)
/** How often the bytes still run, and what waits behind them: DEC of it, and another turn. */
#define TURNS ((volatile u32 *)(HANDLER_STACK - PAGE))

/** What the kernel pushes for a handler without SA_SIGINFO, as the handler's second parameter. */
struct registers {
  u32 gs, fs, es, ds, edi, esi, ebp, esp, ebx, edx, ecx, eax, trap, error, eip, cs, eflags, esp_then, ss, fpstate, oldmask, cr2;
};
extern void old_restorer(void);

/** Shared with the parent: tries, and the signals that ended them. */
static struct counts { volatile u32 tries, children, killed, illegal, segments, arithmetic, other, ticks; } *counts;

static u32 state, tries, faults, ticks, patience, segments[6];
static u8 *start, *tail;

static u32 below(u32 n) { return random32(&state) % n; }
static u32 one_in(u32 n) { return below(n) == 0; }

static const u8 prefixes[] = {0x66, 0x66, 0xf2, 0xf3, 0xf3, 0x67, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0xf0};

/** An opcode of any map with some prefixes, ModRM and what may follow; often more bytes than the instruction takes. */
static u8 *instruction(u8 *at) {
  while (one_in(3)) *at++ = prefixes[below(sizeof prefixes)];
  switch (below(12)) {
  case 0: case 1: case 2: case 3: case 4: break;
  case 5: *at++ = 0x0f, *at++ = 0x38; break;
  case 6: *at++ = 0x0f, *at++ = 0x3a; break;
  case 7: *at++ = "\xc4\xc5\x62\x8f"[below(4)], *at++ = 0xc0 | below(64), *at++ = below(256); break;
  case 8: *at++ = 0xd8 + below(8); break;
  default: *at++ = 0x0f;
  }
  *at++ = below(256);
  *at++ = one_in(2) ? 0xc0 | below(64) : below(256);
  for (u32 n = below(6); n; n--) *at++ = one_in(2) ? 0 : below(256);
  return at;
}

/** Byte by byte: EFLAGS.AC may be set. */
static u8 *put32(u8 *at, u32 word) {
  for (u32 n = 0; n < 4; n++, word >>= 8) *at++ = word;
  return at;
}

/** A value for a register: an address of data, sometimes of the code, a small number, or anything. */
static u32 value(void) {
  switch (below(8)) {
  case 0: return below(64);
  case 1: return random32(&state);
  case 2: return (u32)CODE + below(CODE_PAGES * PAGE);
  default: return (u32)DATA + below(DATA_PAGES * PAGE);
  }
}

/** New bytes, and registers to run them with. */
static void prepare(volatile struct registers *r) {
  u8 *at = start = CODE + below(CODE_PAGES * PAGE - 256);
  if (one_in(4))
    for (u32 n = 4 + below(28); n; n--) *at++ = below(256);
  else
    for (u32 n = 1 + below(5); n; n--) at = instruction(at);
  tail = at;
  *at++ = 0xff, *at++ = 0x0d; // dec dword [TURNS]
  at = put32(at, (u32)TURNS);
  *at++ = 0x0f, *at++ = 0x85; // jnz start
  at = put32(at, (u32)(start - (at + 4)));
  *at++ = 0x0f, *at++ = 0x0b; // ud2
  // Some run long enough to be translated, some of those through all their faults.
  u32 hot = one_in(24);
  *TURNS = hot ? 200000 : 1 + below(20);
  patience = hot && one_in(2) ? 800 : 2;
  faults = ticks = 0;
  r->eax = value(), r->ecx = one_in(2) ? below(64) : value(), r->edx = value(), r->ebx = value();
  r->ebp = value(), r->esi = value(), r->edi = value();
  r->eflags = 0x202 | (random32(&state) & 0x8d5) | (one_in(8) ? 0x400 : 0) | (one_in(16) ? 0x40000 : 0);
}

__attribute__((used)) static void handle(int signal, struct registers registers) {
  volatile struct registers *r = &registers;
  struct counts *c = counts;
  if (signal == SIGILL) add_fetch(&c->illegal, 1);
  else if (signal == SIGSEGV) add_fetch(&c->segments, 1);
  else if (signal == SIGFPE) add_fetch(&c->arithmetic, 1);
  else if (signal == SIGALRM) add_fetch(&c->ticks, 1);
  else add_fetch(&c->other, 1);
  // Code that goes on by itself has three ticks or more.
  if (signal == SIGALRM && ++ticks < 4) return;
  u32 over = signal == SIGALRM || ++faults > patience || (u8 *)r->eip == tail + 12 || *TURNS == 0;
  if (tries == 0) {
    segments[0] = r->gs, segments[1] = r->fs, segments[2] = r->es, segments[3] = r->ds, segments[4] = r->cs, segments[5] = r->ss;
    over = 1;
  }
  if (over) {
    if (++tries > TRIES)
      for (;;) sys(exit, 0);
    add_fetch(&c->tries, 1);
    prepare(r);
    r->eip = (u32)start;
  } else {
    r->eip = (u32)tail;
    r->eflags = (r->eflags & 0xcd5) | 0x202;
  }
  r->gs = segments[0], r->fs = segments[1], r->es = segments[2], r->ds = segments[3], r->cs = segments[4], r->ss = segments[5];
  r->esp = (u32)DATA + (DATA_PAGES / 2 + below(4)) * PAGE;
}

static void catch(int signal) {
  struct { void *handler; u32 flags; void (*restorer)(void); u32 mask[2]; } action = {
    (void *)handle, SA_RESTORER | SA_ONSTACK | SA_NODEFER, old_restorer, {0, 0}};
  check("sigaction", sys(rt_sigaction, signal, &action, NULL, 8), 0);
}

static void map_at(u8 *at, u32 pages, int protection) {
  check("mmap", sys(mmap2, at, pages * PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), (u32)at);
}

__attribute__((noreturn)) static void child(u32 seed) {
  static const u8 signals[] = {SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGALRM};
  struct { u8 *at; u32 flags, bytes; } stack = {HANDLER_STACK, 0, 4 * PAGE};
  struct { u32 every_s, every_us, first_s, first_us; } timer = {0, TICK_US, 0, TICK_US};
  state = seed * 2654435761u + 1;
  if (!state) state = 1;
  map_at(CODE, CODE_PAGES, PROT_READ | PROT_WRITE | PROT_EXEC);
  map_at(DATA, DATA_PAGES, PROT_READ | PROT_WRITE);
  map_at((u8 *)TURNS, 5, PROT_READ | PROT_WRITE);
  check("sigaltstack", sys(sigaltstack, &stack, NULL), 0);
  for (u32 k = 0; k < sizeof signals; k++) catch(signals[k]);
  check("setitimer", sys(setitimer, 0, &timer, NULL), 0);
  for (u32 n = 0; n < 3; n++) sys(close, n);
  check("seccomp", sys(prctl, 22, 1, 0, 0, 0), 0);
  __asm__ volatile("ud2");
  __builtin_unreachable();
}

/** Children with the seeds from `seed` on, `workers` at a time, for a while; what they met, in the order of `struct counts`. */
const u32 *random_code(u32 seconds, u32 seed, u32 workers) {
  struct { i32 pid; u32 since; } running[MOST] = {{0, 0}};
  u32 until = now_ms() + seconds * 1000, alive = 0, first = seed;
  if (workers > MOST) workers = MOST;
  counts = (struct counts *)sure("mmap", sys(mmap2, 0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  for (;;) {
    u32 now = now_ms(), over = (i32)(now - until) >= 0 && seed > first, status = 0;
    if (over && !alive) break;
    for (u32 k = 0; k < workers; k++) {
      if (running[k].pid && (now - running[k].since > CHILD_MS || over)) sys(kill, running[k].pid, SIGKILL);
      if (running[k].pid && sys(wait4, running[k].pid, &status, WNOHANG, NULL) == running[k].pid) {
        running[k].pid = 0;
        alive--;
        counts->children++;
        if (status) counts->killed++;
      }
      if (!running[k].pid && !over) {
        i32 pid = fork();
        if (pid == 0) child(seed);
        seed++;
        alive++;
        running[k].pid = pid;
        running[k].since = now;
      }
    }
    struct timespec a_moment = {0, 5000000};
    sys(nanosleep, &a_moment, NULL);
  }
  return (const u32 *)counts;
}
