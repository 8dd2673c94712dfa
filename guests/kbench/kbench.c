// kbench: the first process of a Linux kernel, which times the kernel's work row by row and says it on the console. README.md beside this file.
#include "kbench.h"

enum { ITIMER_REAL = 0, MOST_SLICES = 64, MOST_WORKERS = 64, DEBUG_PORT = 0xe9 };
enum { MAGIC1 = (int)0xfee1dead, MAGIC2 = 672274793, POWER_OFF = 0x4321fedc };

extern u32 vsyscall;
const char *row_name, *place = "/tmp/", *program = "/kbench";
char **environment;
u32 self;
u8 buffer[LONG_READ];

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

/** What the processes have in common that do a row side by side; a cache line for each one's count. */
static struct {
  volatile u32 ready, begun;
  struct { volatile u32 operations; u32 rest[15]; } of[MOST_WORKERS];
} *shared;

static u32 all_operations(u32 workers) {
  u32 sum = 0;
  for (u32 k = 0; k < workers; k++) sum += shared->of[k].operations;
  return sum;
}

/** As few looks at the clock as do no harm, and no more work than that beyond the end of a slice. */
struct pace { struct timespec last; u32 batch, slice_us; };
static struct timespec some_work(const struct row *row, struct pace *pace) {
  row->work(pace->batch);
  shared->of[self].operations += pace->batch;
  struct timespec time = now();
  if (microseconds(between(pace->last, time)) < pace->slice_us / 64) pace->batch *= 2;
  pace->last = time;
  return time;
}

/** The same row in more processes, which work until they are killed. */
static void begin_workers(const struct row *row, u32 slice_us, u32 workers) {
  shared = (void *)sure("mmap2", sys(mmap2, 0, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  for (u32 k = 1; k < workers; k++) {
    if (sure("fork", sys(fork)) != 0) continue;
    self = k;
    if (row->prepare) row->prepare();
    __asm__ volatile("lock incl %0" : "+m"(shared->ready) : : "memory");
    while (!shared->begun) sys(sched_yield);
    struct pace pace = {now(), 1, slice_us};
    for (;;) some_work(row, &pace);
  }
  if (row->prepare) row->prepare();
  while (shared->ready < workers - 1) sys(sched_yield);
}

/** Runs a row in slices of time, so many one behind the other, and prints "kbench: NAME" and nanoseconds and operations of each. */
static void measure(const struct row *row, u32 slice_us, u32 slices, u32 workers) {
  static struct { struct timespec time; u32 operations; } done[MOST_SLICES];
  struct line line = {.n = 0};
  begin_workers(row, slice_us, workers);
  put(&line, "kbench: begin ");
  put(&line, row_name);
  put_time(&line, now());
  print(&line);
  shared->begun = 1;
  struct timespec start = now();
  struct pace pace = {start, 1, slice_us};
  u32 before = 0;
  for (u32 k = 0; k < slices; k++) {
    do done[k].time = between(start, some_work(row, &pace));
    while (microseconds(done[k].time) < slice_us);
    start = pace.last;
    u32 all = all_operations(workers);
    done[k].operations = all - before;
    before = all;
  }
  put(&line, "kbench: ");
  put(&line, row_name);
  for (u32 k = 0; k < slices; k++) {
    put_time(&line, done[k].time);
    put(&line, " ");
    put_digits(&line, done[k].operations, 1);
  }
  print(&line);
}

/** `text`: NAME, or NAME*PROCESSES; gives their number. */
static const struct row *row_of(const char *text, u32 *workers) {
  for (const struct row *row = rows; row->name; row++) {
    u32 length = strlen(row->name), k = 0;
    while (k < length && text[k] == row->name[k]) k++;
    if (k < length || (text[k] != 0 && text[k] != '*')) continue;
    *workers = text[k] == 0 ? 1 : number(text + k + 1);
    return *workers >= 1 && *workers <= MOST_WORKERS ? row : NULL;
  }
  return NULL;
}

/** A row in a process of its own, which ends with all it has started. */
static void run_row(const char *name, u32 slice_us, u32 slices, u32 limit_s) {
  u32 status = 0;
  row_name = name;
  i32 child = sys(fork);
  if (child == 0) {
    u32 limit[4] = {0, 0, limit_s, 0}, workers;
    sys(setpgid, 0, 0);
    const struct row *row = row_of(name, &workers);
    if (!row) fail("no such row", 0);
    sys(setitimer, ITIMER_REAL, limit, NULL);
    measure(row, slice_us, slices, workers);
    leave(0);
  }
  sys(wait4, child, &status, 0, NULL);
  if (status != 0 && status != 1 << 8 && sys(fork) == 0) fail("it ended with status", status);
  sys(kill, -child, SIGKILL);
  while (sys(wait4, -1, NULL, 0, NULL) > 0) continue;
}

static void run_rows(int argc, char **argv) {
  if (argc != 6) fail("bad usage", 0);
  u32 ms = number(argv[2]), slices = number(argv[3]), limit_s = number(argv[4]);
  if (ms == 0 || ms > 3600000 || slices == 0 || slices > MOST_SLICES) fail("bad numbers", 0);
  for (char *name = argv[5], *end = name;; end++) {
    char last = *end;
    if (last != ',' && last != 0) continue;
    *end = 0;
    run_row(name, ms * 1000 / slices, slices, limit_s);
    if (last == 0) return;
    name = end + 1;
  }
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

// /kbench run MS SLICES SECONDS NAME,NAME...  |  /kbench symbols  |  kbench native MS SLICES SECONDS NAME,NAME...
static void main(int argc, char **argv) {
  const char *what = row_name = argc > 1 ? argv[1] : "";
  struct line line = {.n = 0};
  if (is(what, "exit")) return;
  if (is(what, "native")) {
    // On a system that goes on behind it: nothing is mounted or switched off, and its files are in a folder of its own.
    static char folder[64];
    self = sys(getpid);
    place = own_path(folder, "kbench-");
    sure("mkdir", sys(mkdir, folder, 0700));
    folder[strlen(folder)] = '/';
    self = 0;
    program = argv[0];
    run_rows(argc, argv);
  } else if (sys(getpid) != 1) {
    fail("it is not the first process", 0);
  } else if (is(what, "run")) {
    sure("mount", sys(mount, "tmpfs", "/tmp", "tmpfs", 0, NULL));
    run_rows(argc, argv);
  } else if (is(what, "symbols"))
    symbols();
  else
    fail("bad usage", 0);
  put(&line, "kbench: done");
  print(&line);
  if (!is(what, "native")) sys(reboot, MAGIC1, MAGIC2, POWER_OFF);
}

__attribute__((used, noreturn)) void start(u32 *stack) {
  int argc = stack[0];
  char **argv = (char **)(stack + 1);
  u32 *more = stack + 2 + argc;
  environment = (char **)more;
  while (*more) more++;
  for (more++; more[0]; more += 2)
    if (more[0] == 32) vsyscall = more[1]; // AT_SYSINFO
  main(argc, argv);
  leave(0);
}
