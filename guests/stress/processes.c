// Processes that fork, execute this program anew, end with all kinds of statuses; and pipes between them.
#include "stress.h"

/** stress child A B C: exits with a sum over its arguments and its environment. */
int child_main(int argc, char **argv) {
  u32 sum = argc;
  for (int k = 1; k < argc; k++)
    for (char *c = argv[k]; *c; c++) sum = sum * 33 + (u8)*c;
  for (char **e = environment; *e; e++)
    for (char *c = *e; *c; c++) sum = sum * 33 + (u8)*c;
  return sum & 0x7f;
}

/** A fresh copy of this program: its pages were something else a moment ago. */
static void copy_program(const char *name) {
  static u8 bytes[8192];
  i32 from = sure("open of /proc/self/exe", sys(open, "/proc/self/exe", O_RDONLY)), to = sure("open", sys(open, name, O_WRONLY | O_CREAT | O_TRUNC, 0700));
  for (i32 n; (n = sure("read of the program", sys(read, from, bytes, sizeof bytes))) > 0;) check("write of the program", sys(write, to, bytes, n), n);
  sys(close, from);
  sys(close, to);
}

static int execute(u32 worker, u32 random) {
  char copy[] = "/tmp/program.00.0";
  copy[13] += worker / 10;
  copy[14] += worker % 10;
  copy[16] += slice & 1;
  u32 fresh = random % 4 == 0;
  if (fresh) copy_program(copy);
  char text[3][12] = {{0}};
  for (u32 k = 0; k < 3; k++)
    for (u32 i = 0; i < 8; i++) text[k][i] = 'a' + (random >> (k + i * 3) & 15);
  char *argv[] = {"stress", "child", text[0], text[1], NULL}, *envp[] = {text[2], NULL};
  i32 pid = fork();
  if (pid == 0) {
    sys(execve, fresh ? copy : "/proc/self/exe", argv, envp);
    leave(255);
  }
  char **mine = environment;
  environment = envp;
  u32 wanted = child_main(4, argv);
  environment = mine;
  reap(pid, wanted << 8);
  if (fresh) check("unlink", sys(unlink, copy), 0);
  return 1;
}

static void fork_worker(u32 n) {
  u32 random = 12345 + n * 7919, forks = 0, execs = 0, killed = 0;
  do {
    // A few at the same time, waited for in the order in which they come.
    enum { BATCH = 6 };
    i32 pids[BATCH], wanted[BATCH];
    for (u32 k = 0; k < BATCH; k++) {
      u32 how = random32(&random);
      wanted[k] = k == 5 ? SIGKILL : k == 4 ? SIGTERM : (how & 0xff) << 8;
      pids[k] = fork();
      if (pids[k] == 0) {
        i32 self = sys(getpid);
        struct timespec long_time = {1000, 0};
        if (k == 5)
          for (;;) sys(nanosleep, &long_time, NULL);
        if (k == 4) sys(kill, self, SIGTERM);
        if (k == 3) {
          // A grandchild, and it must not be our parent's.
          i32 pid = fork();
          if (pid == 0) leave(how & 0x3f);
          reap(pid, (how & 0x3f) << 8);
        }
        leave(how & 0xff);
      }
    }
    sys(kill, pids[5], SIGKILL);
    for (u32 left = BATCH; left; left--) {
      u32 status, k = 0;
      i32 pid = sys(wait4, -1, &status, 0, NULL);
      while (k < BATCH && pids[k] != pid) k++;
      if (k == BATCH) fail("a child that nobody made", pid, 0);
      if (shared->failed) leave(1);
      check("exit status", status, wanted[k]);
      pids[k] = 0;
    }
    forks += BATCH + 1;
    killed += 2;
    execs += execute(n, random32(&random));
  } while (running());
  if (sys(wait4, -1, NULL, WNOHANG, NULL) >= 0) fail("a child too many", 0, 0);
  count(0, forks + execs);
  count(1, execs);
  count(2, killed);
}
void processes(void) { in_processes(cpus, fork_worker); }

enum { LINKS = 3 };
static void write_all(i32 to, const u8 *from, u32 n) {
  for (i32 done; n; n -= done, from += done) done = sure("write to a pipe", sys(write, to, from, n));
}

/** A source, links that change each byte and send on, and this process at the end. */
static u32 chain(u32 seed) {
  static u8 data[20000], wanted[20000];
  u32 random = seed, blocks = 5 + seed % 8, bytes = 0;
  i32 pids[LINKS + 1], ends[2], in = -1;
  for (u32 link = 0; link <= LINKS; link++) {
    sure("pipe", sys(pipe, ends));
    pids[link] = fork();
    if (pids[link] == 0) {
      sys(close, ends[0]);
      if (link == 0)
        for (u32 block = 0; block < blocks; block++) {
          u32 n = 1 + random32(&random) % sizeof data;
          for (u32 k = 0; k < n; k++) data[k] = random32(&random) >> 9;
          write_all(ends[1], data, n);
        }
      else {
        u32 position = 0;
        for (i32 n; (n = sure("read from a pipe", sys(read, in, data, 1 + (position * 7 + link * 999) % sizeof data))) > 0;) {
          for (i32 k = 0; k < n; k++) data[k] = (data[k] ^ link * 0x35) + position++;
          write_all(ends[1], data, n);
        }
      }
      leave(link + 1);
    }
    if (in >= 0) sys(close, in);
    sys(close, ends[1]);
    in = ends[0];
  }
  for (u32 block = 0; block < blocks; block++) {
    u32 n = 1 + random32(&random) % sizeof data, have = 0;
    for (u32 k = 0; k < n; k++) {
      u8 byte = random32(&random) >> 9;
      for (u32 link = 1; link <= LINKS; link++) byte = (byte ^ link * 0x35) + (bytes + k);
      wanted[k] = byte;
    }
    while (have < n) {
      i32 got = sure("read from a pipe", sys(read, in, data + have, n - have));
      if (shared->failed) leave(1);
      if (got == 0) fail("a pipe ended early", bytes + have, bytes + n);
      have += got;
    }
    for (u32 k = 0; k < n; k++)
      if (data[k] != wanted[k]) fail("a byte from a pipe", (bytes + k) << 8 | data[k], (bytes + k) << 8 | wanted[k]);
    bytes += n;
  }
  check("the end of a pipe", sys(read, in, data, 1), 0);
  sys(close, in);
  for (u32 link = 0; link <= LINKS; link++) reap(pids[link], (link + 1) << 8);
  return bytes;
}
static void pipe_worker(u32 n) {
  u32 random = 777 + n * 104729;
  do {
    u32 bytes = chain(random32(&random));
    count(0, 1);
    count(1, bytes / 1024);
  } while (running());
}
void pipes(void) { in_processes((cpus + 1) / 2, pipe_worker); }
