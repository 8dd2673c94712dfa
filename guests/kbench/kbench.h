// What kbench's files share: how a row fails, what it is, and where its files are.
#pragma once
#include "../stress/sys.h"

enum {
  SYS_mount = 21, SYS_mkdir = 39, SYS_ioctl = 54, SYS_dup2 = 63, SYS_getppid = 64, SYS_reboot = 88, SYS_ioperm = 101, SYS_select = 142,
  SYS_stat64 = 195, SYS_fstat64 = 197, SYS_socket = 359, SYS_socketpair = 360, SYS_bind = 361, SYS_connect = 362, SYS_listen = 363, SYS_accept4 = 364,
  SYS_setsockopt = 366, SYS_getsockname = 367,
};
enum { LONG_READ = 65536 };

struct row {
  const char *name;
  /** So many operations. */
  void (*work)(u32 n);
  /** Once before, in each process that works. */
  void (*prepare)(void);
};
/** rows.c; the last has no name. */
extern const struct row rows[];

/** Which of the processes this is that do the same row side by side: 0, 1, ... */
extern u32 self;
/** Ends with "/". */
extern const char *place;
/** Its own path. */
extern const char *program;
extern char **environment;
extern u8 buffer[LONG_READ];

/** `place`, the name, and the number of the process where it is not the first. */
const char *own_path(char *to, const char *name);

struct line { char text[1200]; u32 n; };
void put(struct line *line, const char *text);
/** Decimal, with zeros in front up to so many digits. */
void put_digits(struct line *line, u32 value, u32 digits);
/** Prints, and returns when the last byte is sent: nothing of it is in the time of what follows. */
void print(struct line *line);

__attribute__((noreturn)) void leave(int code);
/** The row has failed; `result`: what a system call gave. */
__attribute__((noreturn)) void fail(const char *what, long result);
static inline long sure(const char *what, long result) {
  if (result < 0 && result > -4096) fail(what, result);
  return result;
}
static inline void must_be(const char *what, long result, long wanted) {
  if (result != wanted) fail(what, result);
}

#define ROW(name) void name(u32 n)
// calls.c
ROW(getppid_int80); ROW(getppid_sysenter); ROW(read_1); ROW(write_1); ROW(select_some); ROW(yield);
void prepare_parent(void); void open_devices(void); void prepare_select_10(void); void prepare_select_100(void); void prepare_select_250(void); void prepare_select_500(void);
// signals.c
ROW(signal); ROW(install_signal); ROW(catch_signal); ROW(protection_fault);
void prepare_catch(void); void prepare_protection(void);
// files.c
ROW(stat); ROW(fstat); ROW(open_close); ROW(file); ROW(read_64k);
void make_file(void); void open_file(void); void make_folder(void);
// talks.c
ROW(pipe); ROW(unix_socket); ROW(tcp); ROW(ring);
void prepare_pipe(void); void prepare_unix(void); void prepare_tcp(void); void prepare_ring_8(void); void prepare_ring_16(void);
// processes.c
ROW(fork_exit); ROW(fork_exec); ROW(fork_sh);
// memory.c
ROW(mmap_64); ROW(page_fault);
void prepare_page_fault(void);
// user.c
ROW(sieve); ROW(fib);
