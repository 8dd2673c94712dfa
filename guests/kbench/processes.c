// Rows of processes that begin and end.
#include "kbench.h"

static void reap(i32 child) {
  u32 status = 0;
  must_be("wait4", sys(wait4, child, &status, 0, NULL), child);
  must_be("status", status, 0);
}
ROW(fork_exit) {
  while (n--) {
    i32 child = sure("fork", sys(fork));
    if (child == 0) leave(0);
    reap(child);
  }
}
static void fork_and(u32 n, char *const *arguments) {
  while (n--) {
    i32 child = sure("fork", sys(fork));
    if (child == 0) fail("execve", sys(execve, arguments[0], arguments, environment));
    reap(child);
  }
}
ROW(fork_exec) {
  char *const arguments[] = {(char *)program, "exit", NULL};
  fork_and(n, arguments);
}
ROW(fork_sh) {
  static char *const arguments[] = {"/busybox", "sh", "-c", "/kbench exit", NULL};
  fork_and(n, arguments);
}
