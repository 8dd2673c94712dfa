// kbench: the first process of a Linux kernel, which times the kernel's work row by row and says it on the console. README.md beside this file.
#include "../stress/sys.h"

enum { SYS_getppid = 64, SYS_mount = 21, SYS_ioctl = 54, SYS_mkdir = 39, SYS_dup2 = 63, SYS_reboot = 88, SYS_ioperm = 101, SYS_select = 142, SYS_stat64 = 195, SYS_socketpair = 360 };
enum { AF_UNIX = 1, SOCK_STREAM = 1, TCSBRK = 0x5409, ITIMER_REAL = 0 };
enum { MAGIC1 = (int)0xfee1dead, MAGIC2 = 672274793, POWER_OFF = 0x4321fedc };
enum { FILE_BYTES = 5, TOUCHED_PAGES = 64, LONG_READ = 65536, SELECTED = 100, FIRST_SELECTED = 20, SIEVE = 32768, MOST_SLICES = 64, DEBUG_PORT = 0xe9 };

extern u32 vsyscall;
static const char *row_name;
static char **environment;

void *memset(void *to, int value, size_t n) {
  void *result = to;
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(value) : "memory");
  return result;
}
size_t strlen(const char *s) {
  size_t n = 0;
  while (s[n]) n++;
  return n;
}
static int is(const char *text, const char *other) {
  for (; *text == *other; text++, other++)
    if (!*text) return 1;
  return 0;
}
static u32 number(const char *text) {
  u32 value = 0;
  for (; *text >= '0' && *text <= '9'; text++) value = value * 10 + (*text - '0');
  return value;
}

struct line { char text[1200]; u32 n; };
static void put(struct line *line, const char *text) {
  for (; *text && line->n < sizeof line->text - 1; text++) line->text[line->n++] = *text;
}
/** Decimal, with zeros in front up to so many digits. */
static void put_digits(struct line *line, u32 value, u32 digits) {
  char text[12];
  char *at = text + sizeof text;
  *--at = 0;
  do *--at = '0' + value % 10;
  while ((value /= 10) || at > text + sizeof text - 1 - digits);
  put(line, at);
}
/** Prints, and returns when the last byte is sent: nothing of it is in the time of what follows. */
static void print(struct line *line) {
  put(line, "\n");
  sys(write, 1, line->text, line->n);
  sys(ioctl, 1, TCSBRK, 1);
  line->n = 0;
}

__attribute__((noreturn)) static void leave(int code) {
  for (;;) sys(exit_group, code);
}
__attribute__((noreturn)) static void fail(const char *what, long result) {
  struct line line = {.n = 0};
  put(&line, "kbench: ");
  put(&line, row_name);
  put(&line, " failed: ");
  put(&line, what);
  put(&line, " ");
  if (result < 0) put(&line, "-");
  put_digits(&line, result < 0 ? -result : result, 1);
  print(&line);
  leave(1);
}
static inline long sure(const char *what, long result) {
  if (result < 0 && result > -4096) fail(what, result);
  return result;
}
static inline void must_be(const char *what, long result, long wanted) {
  if (result != wanted) fail(what, result);
}

// The rows: `prepare` once, then `work` for a number of operations.
static int zero, null, ends[2][2];
static u8 buffer[LONG_READ];
static const char *const FILE_PATH = "/tmp/file";
static volatile u32 sink, signals;

static void open_devices(void) {
  zero = sure("open /dev/zero", sys(open, "/dev/zero", O_RDONLY));
  null = sure("open /dev/null", sys(open, "/dev/null", O_WRONLY));
}
static void make_file(void) {
  int file = sure("open", sys(open, FILE_PATH, O_CREAT | O_WRONLY, 0600));
  sys(close, file);
}

static void getppid_int80(u32 n) {
  while (n--) {
    long result = SYS_getppid;
    __asm__ volatile("int $0x80" : "+a"(result) : : "memory");
    must_be("getppid", result, 1);
  }
}
static void getppid_sysenter(u32 n) {
  while (n--) must_be("getppid", sys(getppid), 1);
}
static void read_1(u32 n) {
  while (n--) must_be("read", sys(read, zero, buffer, 1), 1);
}
static void write_1(u32 n) {
  while (n--) must_be("write", sys(write, null, buffer, 1), 1);
}
static void read_64k(u32 n) {
  while (n--) must_be("read", sys(read, zero, buffer, LONG_READ), LONG_READ);
}
static void stat(u32 n) {
  while (n--) must_be("stat64", sys(stat64, FILE_PATH, buffer), 0);
}
static void open_close(u32 n) {
  while (n--) {
    int file = sure("open", sys(open, FILE_PATH, O_RDONLY));
    must_be("close", sys(close, file), 0);
  }
}

static void on_signal(int signal) {
  (void)signal;
  signals++;
}
static void signal(u32 n) {
  struct { void (*handler)(int); u32 flags; void *restorer; u32 mask[2]; } action = {on_signal, 0, NULL, {0, 0}};
  u32 self = sys(getpid), before = signals, count = n;
  while (n--) {
    must_be("rt_sigaction", sys(rt_sigaction, SIGUSR1, &action, NULL, 8), 0);
    must_be("kill", sys(kill, self, SIGUSR1), 0);
  }
  must_be("signals", signals - before, count);
}
static void yield(u32 n) {
  while (n--) must_be("sched_yield", sys(sched_yield), 0);
}

/** A process that sends each byte back: what it reads from one end it writes to the other. */
static void echo(int from, int to, int close_first, int close_second) {
  if (sure("fork", sys(fork)) != 0) return;
  sys(close, close_first);
  sys(close, close_second);
  while (sys(read, from, buffer, 1) == 1) sys(write, to, buffer, 1);
  leave(0);
}
static void prepare_pipe(void) {
  sure("pipe", sys(pipe, ends[0]));
  sure("pipe", sys(pipe, ends[1]));
  echo(ends[0][0], ends[1][1], ends[0][1], ends[1][0]);
}
static void round_trips(int to, int from, u32 n) {
  while (n--) {
    must_be("write", sys(write, to, buffer, 1), 1);
    must_be("read", sys(read, from, buffer, 1), 1);
  }
}
static void pipe(u32 n) { round_trips(ends[0][1], ends[1][0], n); }
static void prepare_unix(void) {
  sure("socketpair", sys(socketpair, AF_UNIX, SOCK_STREAM, 0, ends[0]));
  echo(ends[0][1], ends[0][1], ends[0][0], -1);
}
static void unix_socket(u32 n) { round_trips(ends[0][0], ends[0][0], n); }

static void reap(i32 child) {
  u32 status = 0;
  must_be("wait4", sys(wait4, child, &status, 0, NULL), child);
  must_be("status", status, 0);
}
/** So many more descriptors of a pipe that nobody writes to. */
static void prepare_select(void) {
  sure("pipe", sys(pipe, ends[0]));
  for (u32 k = 0; k < SELECTED; k++) sure("dup2", sys(dup2, ends[0][0], FIRST_SELECTED + k));
}
static void select_100(u32 n) {
  while (n--) {
    u32 set[4] = {0, 0, 0, 0}, at_once[2] = {0, 0};
    for (u32 k = FIRST_SELECTED; k < FIRST_SELECTED + SELECTED; k++) set[k / 32] |= 1u << k % 32;
    must_be("select", sys(select, FIRST_SELECTED + SELECTED, set, NULL, NULL, at_once), 0);
  }
}
static void fork_exit(u32 n) {
  while (n--) {
    i32 child = sure("fork", sys(fork));
    if (child == 0) leave(0);
    reap(child);
  }
}
static void fork_exec(u32 n) {
  static char *const arguments[] = {"/kbench", "exit", NULL};
  while (n--) {
    i32 child = sure("fork", sys(fork));
    if (child == 0) fail("execve", sys(execve, arguments[0], arguments, environment));
    reap(child);
  }
}
static void mmap_64(u32 n) {
  while (n--) {
    u8 *at = (u8 *)sure("mmap2", sys(mmap2, 0, TOUCHED_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    for (u32 k = 0; k < TOUCHED_PAGES; k++) *(volatile u8 *)(at + k * PAGE) = 1;
    must_be("munmap", sys(munmap, at, TOUCHED_PAGES * PAGE), 0);
  }
}
static void make_folder(void) { sure("mkdir", sys(mkdir, "/tmp/folder", 0700)); }
static void file(u32 n) {
  while (n--) {
    int file = sure("open", sys(open, "/tmp/folder/file", O_CREAT | O_WRONLY, 0600));
    must_be("write", sys(write, file, "hello", FILE_BYTES), FILE_BYTES);
    must_be("close", sys(close, file), 0);
    must_be("unlink", sys(unlink, "/tmp/folder/file"), 0);
  }
}

static void sieve(u32 n) {
  while (n--) {
    memset(buffer, 1, SIEVE);
    for (u32 k = 2; k * k < SIEVE; k++)
      if (buffer[k])
        for (u32 j = k * k; j < SIEVE; j += k) buffer[j] = 0;
    // The largest prime below.
    must_be("sieve", buffer[32749], 1);
  }
}
__attribute__((noinline, noclone)) static u32 fibonacci(u32 k) { return k < 2 ? k : fibonacci(k - 1) + fibonacci(k - 2); }
static void fib(u32 n) {
  while (n--) must_be("fib(15)", fibonacci(15), 610);
}

static const struct row {
  const char *name;
  void (*work)(u32 n);
  void (*prepare)(void);
} rows[] = {
  {"getppid-int80", getppid_int80, NULL},
  {"getppid-sysenter", getppid_sysenter, NULL},
  {"read-1", read_1, open_devices},
  {"write-1", write_1, open_devices},
  {"stat", stat, make_file},
  {"open+close", open_close, make_file},
  {"signal", signal, NULL},
  {"yield", yield, NULL},
  {"pipe", pipe, prepare_pipe},
  {"unix", unix_socket, prepare_unix},
  {"select-100", select_100, prepare_select},
  {"fork+exit", fork_exit, NULL},
  {"fork+exec", fork_exec, NULL},
  {"mmap-64", mmap_64, NULL},
  {"file", file, make_folder},
  {"read-64k", read_64k, open_devices},
  {"user-sieve", sieve, NULL},
  {"user-fib", fib, NULL},
  {NULL, NULL, NULL},
};

static struct timespec now(void) {
  struct timespec time;
  sys(clock_gettime, 1, &time);
  return time;
}
static struct timespec between(struct timespec from, struct timespec to) {
  struct timespec time = {to.seconds - from.seconds, to.nanoseconds - from.nanoseconds};
  if (time.nanoseconds < 0) {
    time.seconds--;
    time.nanoseconds += 1000000000;
  }
  return time;
}
static u32 microseconds(struct timespec time) { return time.seconds * 1000000 + time.nanoseconds / 1000; }

static void put_time(struct line *line, struct timespec time) {
  put(line, " ");
  put_digits(line, time.seconds, 1);
  put_digits(line, time.nanoseconds, 9);
}

/** Runs a row in slices of time, so many one behind the other, and prints "kbench: NAME" and nanoseconds and operations of each. */
static void measure(const struct row *row, u32 slice_us, u32 slices) {
  static struct { struct timespec time; u32 operations; } done[MOST_SLICES];
  struct line line = {.n = 0};
  u32 batch = 1;
  if (row->prepare) row->prepare();
  put(&line, "kbench: begin ");
  put(&line, row->name);
  put_time(&line, now());
  print(&line);
  struct timespec start = now(), last = start;
  for (u32 k = 0; k < slices; k++) {
    do {
      row->work(batch);
      struct timespec time = now();
      done[k].operations += batch;
      done[k].time = between(start, time);
      // As few looks at the clock as do no harm, and no more work than that beyond the end of a slice.
      if (microseconds(between(last, time)) < slice_us / 64) batch *= 2;
      last = time;
    } while (microseconds(done[k].time) < slice_us);
    start = last;
  }
  put(&line, "kbench: ");
  put(&line, row->name);
  for (u32 k = 0; k < slices; k++) {
    put_time(&line, done[k].time);
    put(&line, " ");
    put_digits(&line, done[k].operations, 1);
  }
  print(&line);
}

/** A row in a process of its own, which ends with all it has started. */
static void run_row(const char *name, u32 slice_us, u32 slices, u32 limit_s) {
  const struct row *row = rows;
  u32 status = 0;
  row_name = name;
  while (row->name && !is(row->name, name)) row++;
  i32 child = sys(fork);
  if (child == 0) {
    u32 limit[4] = {0, 0, limit_s, 0};
    if (!row->name) fail("no such row", 0);
    sys(setitimer, ITIMER_REAL, limit, NULL);
    measure(row, slice_us, slices);
    leave(0);
  }
  sys(wait4, child, &status, 0, NULL);
  if (status != 0 && status != 1 << 8 && sys(fork) == 0) fail("it ended with status", status);
  if (status != 0 && status != 1 << 8) sys(wait4, -1, NULL, 0, NULL);
  sys(kill, -1, SIGKILL);
  while (sys(wait4, -1, NULL, 0, NULL) > 0) continue;
}

/** The kernel's symbols to the debug port, which takes more than a serial port does. */
static void symbols(void) {
  sys(mkdir, "/proc", 0555);
  sure("mount", sys(mount, "proc", "/proc", "proc", 0, NULL));
  sure("ioperm", sys(ioperm, DEBUG_PORT, 1, 1));
  int from = sure("open", sys(open, "/proc/kallsyms", O_RDONLY));
  for (long got; (got = sure("read", sys(read, from, buffer, sizeof buffer))) > 0;) {
    const u8 *at = buffer;
    __asm__ volatile("rep outsb" : "+S"(at), "+c"(got) : "d"(DEBUG_PORT) : "memory");
  }
}

// /kbench run MS SLICES SECONDS NAME...  |  /kbench symbols
static void first_process(int argc, char **argv) {
  row_name = argc > 1 ? argv[1] : "";
  if (argc > 1 && is(argv[1], "symbols")) {
    symbols();
  } else if (argc > 4 && is(argv[1], "run")) {
    u32 ms = number(argv[2]), slices = number(argv[3]), limit_s = number(argv[4]);
    if (ms == 0 || ms > 3600000 || slices == 0 || slices > MOST_SLICES) fail("bad numbers", 0);
    sure("mount", sys(mount, "tmpfs", "/tmp", "tmpfs", 0, NULL));
    for (int k = 5; k < argc; k++) run_row(argv[k], ms * 1000 / slices, slices, limit_s);
  } else
    fail("bad usage", 0);
  struct line line = {.n = 0};
  put(&line, "kbench: done");
  print(&line);
  sys(reboot, MAGIC1, MAGIC2, POWER_OFF);
}

__attribute__((used, noreturn)) void start(u32 *stack) {
  int argc = stack[0];
  char **argv = (char **)(stack + 1);
  u32 *more = stack + 2 + argc;
  environment = (char **)more;
  while (*more) more++;
  for (more++; more[0]; more += 2)
    if (more[0] == 32) vsyscall = more[1]; // AT_SYSINFO
  if (!(argc > 1 && is(argv[1], "exit"))) first_process(argc, argv);
  leave(0);
}
