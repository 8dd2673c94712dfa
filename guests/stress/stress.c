// stress SECONDS [CPUS]: keeps a Linux kernel and its CPUs busy with work that checks itself. One line for each part, then
// "stress: ok" or "stress: FAILED ...". A part has the CPUs for itself for a while, then all run at the same time.
#include "stress.h"

struct shared *shared;
u32 cpus, part, slice;
char **environment;
extern u32 vsyscall;
extern void restorer(void);
static u32 deadline;

static const struct part parts[PARTS] = {
  {"processes", processes, {"forks", "execs", "killed"}},
  {"pipes", pipes, {"chains", "kilobytes"}},
  {"signals", signals, {"to itself", "to others", "queued", "faults"}},
  {"memory", memory, {"copies on write", "remaps", "faults"}},
  {"shootdown", shootdown, {"protections", "unmappings", "faults", "early faults"}},
  {"locks", locks, {"rounds", "increments", "litmus runs", "mutex waits"}},
  {"code", code, {"rewritten for others", "rewritten for itself", "calls"}},
  {"files", files, {"files", "disk writes", "kilobytes"}},
  {"floats", floats, {"states kept", "computations"}},
};

void *memcpy(void *to, const void *from, size_t n) {
  void *result = to;
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
  return result;
}
void *memset(void *to, int value, size_t n) {
  void *result = to;
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(value) : "memory");
  return result;
}
int memcmp(const void *a, const void *b, size_t n) {
  const u8 *x = a, *y = b;
  for (; n; n--, x++, y++)
    if (*x != *y) return *x - *y;
  return 0;
}
size_t strlen(const char *s) {
  size_t n = 0;
  while (s[n]) n++;
  return n;
}

struct line { char text[300]; u32 n; };
static void put(struct line *line, const char *text) {
  for (; *text && line->n < sizeof line->text - 1; text++) line->text[line->n++] = *text;
}
static void put_number(struct line *line, u32 value) {
  char digits[12];
  char *at = digits + sizeof digits;
  *--at = 0;
  do *--at = '0' + value % 10;
  while (value /= 10);
  put(line, at);
}
static void put_hex(struct line *line, u32 value) {
  char digits[] = "0x00000000";
  for (int k = 0; k < 8; k++) digits[9 - k] = "0123456789abcdef"[value >> (4 * k) & 15];
  put(line, digits);
}
static void print(struct line *line) {
  put(line, "\n");
  sys(write, 1, line->text, line->n);
}

u32 now_ms(void) {
  struct timespec now;
  sys(clock_gettime, 1, &now);
  return (u32)now.seconds * 1000 + (u32)now.nanoseconds / 1000000;
}
int running(void) { return !shared->failed && (i32)(now_ms() - deadline) < 0; }
void count(u32 counter, u32 n) { add_fetch(&shared->counts[part][counter], n); }

void fail(const char *what, u32 a, u32 b) {
  struct line line = {.n = 0};
  // Whoever is first; what others find may come of that.
  put(&line, cas(&shared->failed, 0, 1) == 0 ? "stress: FAILED " : "stress: failed too: ");
  put(&line, parts[part].name);
  put(&line, ": ");
  put(&line, what);
  put(&line, ": ");
  put_hex(&line, a);
  put(&line, ", wanted ");
  put_hex(&line, b);
  put(&line, " (process ");
  put_number(&line, sys(getpid));
  put(&line, ", thread ");
  put_number(&line, sys(gettid));
  put(&line, ")");
  print(&line);
  leave(1);
}
long sure(const char *what, long result) {
  if (result < 0 && result > -4096) fail(what, result, 0);
  return result;
}

u32 random32(u32 *state) {
  u32 x = *state;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return *state = x;
}

void pin(u32 worker) {
  u32 mask[MOST_CPUS / 32] = {0};
  if (slice % 4 != 0 && slice % 4 != 3) return;
  worker %= cpus;
  mask[worker / 32] = 1u << worker % 32;
  // Less CPUs than we were told: then it stays where it is.
  sys(sched_setaffinity, 0, sizeof mask, mask);
}
void wait_a_little(u32 *spins) {
  if (++*spins % 64) pause();
  else sys(sched_yield);
}

u8 *map(u32 bytes, int protection, int flags) {
  return (u8 *)sure("mmap", sys(mmap2, 0, bytes, protection, flags | MAP_ANONYMOUS, -1, 0));
}
void unmap(void *at, u32 bytes) { check("munmap", sys(munmap, at, bytes), 0); }

void on_signal(int signal, handler_t *handler, u32 flags) {
  struct { handler_t *handler; u32 flags; void (*restorer)(void); u32 mask[2]; } action = {handler, flags | SA_SIGINFO | SA_RESTORER, restorer, {0, 0}};
  // Where all parts run together, handlers return by the vDSO.
  if (slice & 1) action.flags &= ~SA_RESTORER;
  check("sigaction", sys(rt_sigaction, signal, &action, NULL, 8), 0);
}

i32 fork(void) { return sure("fork", sys(fork)); }
void leave(int code) {
  for (;;) sys(exit_group, code);
}
void reap(i32 pid, u32 status) {
  u32 got = 0;
  check("wait4", sys(wait4, pid, &got, 0, NULL), pid);
  if (shared->failed) leave(1);
  check("status of a child", got, status);
}

void in_processes(u32 workers, void (*work)(u32 n)) {
  i32 pids[MOST_CPUS * 4];
  for (u32 n = 0; n < workers; n++) {
    pids[n] = fork();
    if (pids[n] == 0) {
      pin(n);
      work(n);
      leave(0);
    }
  }
  for (u32 n = 0; n < workers; n++) reap(pids[n], 0);
}

static struct start { void (*work)(u32 n); u32 n; volatile u32 alive; } starts[MOST_CPUS * 2];
static void thread_main(void *argument) {
  struct start *start = argument;
  pin(start->n);
  start->work(start->n);
}
void in_threads(u32 workers, void (*work)(u32 n)) {
  u8 *stacks = map(workers * STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  for (u32 n = 0; n < workers; n++) {
    starts[n] = (struct start){work, n, 1};
    sure("clone", thread(thread_main, &starts[n], stacks + (n + 1) * STACK, &starts[n].alive));
  }
  for (u32 n = 0; n < workers; n++)
    while (starts[n].alive) sys(futex, &starts[n].alive, FUTEX_WAIT, 1, NULL);
  unmap(stacks, workers * STACK);
}
void meet(struct meeting *meeting, u32 workers) {
  u32 round = meeting->round, spins = 0;
  if (add_fetch(&meeting->arrived, 1) == workers) {
    meeting->arrived = 0;
    barrier();
    meeting->round = round + 1;
  } else
    while (meeting->round == round) wait_a_little(&spins);
}

/** Runs the parts of a mask at the same time; 0 if all is well. */
static int run_slice(u32 mask, u32 ms) {
  i32 pids[PARTS] = {0};
  u32 left = 0, said = 0;
  deadline = now_ms() + ms;
  for (u32 p = 0; p < PARTS; p++) {
    if (!(mask >> p & 1)) continue;
    part = p;
    i32 pid = fork();
    if (pid == 0) {
      sys(setpgid, 0, 0);
      parts[p].run();
      leave(0);
    }
    pids[p] = pid;
    left++;
  }
  while (left) {
    struct timespec a_moment = {0, 20000000};
    u32 status = 0;
    i32 pid = sys(wait4, -1, &status, WNOHANG, NULL);
    for (u32 p = 0; pid > 0 && p < PARTS; p++) {
      if (pids[p] != pid) continue;
      pids[p] = 0;
      left--;
      part = p;
      if (status && !shared->failed) {
        if (fork() == 0) fail("it ended with status", status, 0);
        sys(wait4, -1, &status, 0, NULL);
      }
    }
    if (shared->failed) break;
    if (pid <= 0) sys(nanosleep, &a_moment, NULL);
    // Nothing fails because it is slow, but it is good to know.
    if ((i32)(now_ms() - deadline) > 60000 && !said++)
      for (u32 p = 0; p < PARTS; p++) {
        struct line line = {.n = 0};
        if (!pids[p]) continue;
        put(&line, "stress: still waits for ");
        put(&line, parts[p].name);
        print(&line);
      }
  }
  for (u32 p = 0; p < PARTS; p++)
    if (pids[p]) {
      sys(kill, -pids[p], SIGKILL);
      sys(wait4, pids[p], NULL, 0, NULL);
    }
  return shared->failed != 0;
}

static int number(const char *text) {
  u32 value = 0;
  for (; *text >= '0' && *text <= '9'; text++) value = value * 10 + (*text - '0');
  return *text ? -1 : (int)value;
}

static int says(const char *text, int status) {
  sys(write, 2, text, strlen(text));
  return status;
}
static int usage(void) { return says("usage: stress SECONDS [CPUS [PART]]\n       stress faults PAGES TIMES\n       stress random SECONDS [SEED [CPUS]]\n", 2); }

static int is(const char *text, const char *other) {
  return strlen(text) == strlen(other) && !memcmp(text, other, strlen(other));
}

// Checks nothing: takes pages, writes to each and gives them back, so often. For whoever measures.
static int faults_main(int argc, char **argv) {
  i32 pages = argc == 4 ? number(argv[2]) : 0, times = argc == 4 ? number(argv[3]) : 0;
  if (pages <= 0 || pages > 65536 || times <= 0) return usage();
  for (i32 k = 0; k < times; k++) {
    long at = sys(mmap2, 0, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at < 0 && at > -4096) return says("stress: no memory for that many pages\n", 1);
    for (i32 n = 0; n < pages; n++) *(volatile u8 *)(at + n * PAGE) = 1;
    sys(munmap, at, pages * PAGE);
  }
  return 0;
}

// Runs random bytes as code, each child others: the machine must live.
static int random_main(int argc, char **argv) {
  static const char *const names[RANDOM_COUNTS] = {"tries", "processes", "killed", "SIGILL", "SIGSEGV", "SIGFPE", "other signals", "ticks"};
  i32 seconds = argc > 2 ? number(argv[2]) : 0, seed = argc > 3 ? number(argv[3]) : 1, workers = argc > 4 ? number(argv[4]) : 1;
  if (seconds <= 0 || seed < 0 || workers <= 0 || argc > 5) return usage();
  shared = (struct shared *)sys(mmap2, 0, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  const u32 *counts = random_code(seconds, seed, workers);
  struct line line = {.n = 0};
  for (u32 k = 0; k < RANDOM_COUNTS; k++) {
    put(&line, k ? ", " : "stress: random: ");
    put_number(&line, counts[k]);
    put(&line, " ");
    put(&line, names[k]);
  }
  print(&line);
  return says("stress: ok\n", 0);
}

static int main(int argc, char **argv) {
  if (argc > 1 && is(argv[1], "faults")) return faults_main(argc, argv);
  if (argc > 1 && is(argv[1], "random")) return random_main(argc, argv);
  i32 seconds = argc > 1 ? number(argv[1]) : -1;
  u32 all = (1u << PARTS) - 1, only = all, there = 0, mask[MOST_CPUS / 32] = {0};
  sys(sched_getaffinity, 0, sizeof mask, mask);
  for (u32 n = 0; n < MOST_CPUS; n++) there += mask[n / 32] >> n % 32 & 1;
  i32 wanted = argc > 2 ? number(argv[2]) : (i32)there;
  if (argc > 3)
    for (u32 p = only = 0; p < PARTS; p++)
      if (is(argv[3], parts[p].name)) only = 1u << p;
  if (seconds <= 0 || wanted <= 0 || wanted > MOST_CPUS || !only || argc > 4) return usage();
  cpus = wanted;
  shared = (struct shared *)sys(mmap2, 0, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  // Half of the time is for the parts alone, half for all together; long runs change between them every now and then.
  u32 begun = now_ms(), total = seconds * 1000, cycles = total / 60000 + 1, failed = 0;
  for (u32 cycle = 0; cycle < cycles && !failed; cycle++) {
    slice = 2 * cycle;
    for (u32 p = 0; p < PARTS && !failed; p++)
      if (only >> p & 1) failed = run_slice(1u << p, total / cycles / 2 / (only == all ? PARTS : 1));
    slice = 2 * cycle + 1;
    u32 end = begun + total / cycles * (cycle + 1), now = now_ms();
    if (!failed) failed = run_slice(only, (i32)(end - now) > 0 ? end - now : 0);
  }
  for (u32 p = 0; p < PARTS; p++) {
    struct line line = {.n = 0};
    if (!(only >> p & 1)) continue;
    put(&line, "stress: ");
    put(&line, parts[p].name);
    for (u32 k = 0; k < COUNTERS && parts[p].counters[k]; k++) {
      put(&line, k ? ", " : ": ");
      put_number(&line, shared->counts[p][k]);
      put(&line, " ");
      put(&line, parts[p].counters[k]);
    }
    print(&line);
  }
  // What failed was said; this is the last line in any case.
  struct line line = {.n = 0};
  put(&line, failed ? "stress: failed after " : "stress: ");
  put_number(&line, (now_ms() - begun) / 1000);
  put(&line, " s on ");
  put_number(&line, cpus);
  put(&line, " CPUs");
  print(&line);
  if (!failed) {
    line.n = 0;
    put(&line, "stress: ok");
    print(&line);
  }
  return failed;
}

__attribute__((used, noreturn)) void start(u32 *stack) {
  int argc = stack[0];
  char **argv = (char **)(stack + 1);
  u32 *more = stack + 2 + argc;
  environment = (char **)more;
  while (*more) more++;
  for (more++; more[0]; more += 2)
    if (more[0] == 32) vsyscall = more[1]; // AT_SYSINFO
  leave(argc > 1 && argv[1][0] == 'c' ? child_main(argc, argv) : main(argc, argv));
}
