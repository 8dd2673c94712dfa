// What a program without a libc needs of Linux on i386: system calls, their numbers and structures, a few functions on memory.
#pragma once
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef int i32;
typedef unsigned long long u64;
typedef unsigned long size_t;
#define NULL ((void *)0)

enum {
  SYS_exit = 1, SYS_fork = 2, SYS_read = 3, SYS_write = 4, SYS_open = 5, SYS_close = 6, SYS_unlink = 10, SYS_execve = 11, SYS_lseek = 19,
  SYS_getpid = 20, SYS_kill = 37, SYS_pipe = 42, SYS_setpgid = 57, SYS_munmap = 91, SYS_ftruncate = 93, SYS_wait4 = 114, SYS_fsync = 118,
  SYS_setitimer = 104, SYS_clone = 120, SYS_mprotect = 125, SYS_sched_yield = 158, SYS_nanosleep = 162, SYS_mremap = 163, SYS_prctl = 172, SYS_rt_sigaction = 174,
  SYS_rt_sigprocmask = 175, SYS_rt_sigqueueinfo = 178, SYS_rt_sigsuspend = 179, SYS_pread64 = 180, SYS_pwrite64 = 181,
  SYS_sigaltstack = 186, SYS_mmap2 = 192, SYS_madvise = 219, SYS_gettid = 224, SYS_futex = 240, SYS_sched_setaffinity = 241,
  SYS_sched_getaffinity = 242, SYS_set_thread_area = 243, SYS_fadvise64 = 250, SYS_exit_group = 252, SYS_clock_gettime = 265, SYS_tgkill = 270,
};
enum { EINTR = 4, EAGAIN = 11, ENOMEM = 12 };
enum { PROT_NONE = 0, PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4 };
enum { MAP_SHARED = 1, MAP_PRIVATE = 2, MAP_FIXED = 0x10, MAP_ANONYMOUS = 0x20 };
enum { MREMAP_MAYMOVE = 1, MREMAP_FIXED = 2, MADV_DONTNEED = 4, FADV_DONTNEED = 4 };
enum { O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2, O_CREAT = 0100, O_TRUNC = 01000, O_SYNC = 04010000 };
enum {
  SIGILL = 4, SIGTRAP = 5, SIGBUS = 7, SIGFPE = 8, SIGKILL = 9, SIGUSR1 = 10, SIGSEGV = 11, SIGUSR2 = 12, SIGPIPE = 13, SIGALRM = 14, SIGTERM = 15, SIGCHLD = 17,
  SIGRT = 40,
};
enum { SA_SIGINFO = 4, SA_RESTORER = 0x04000000, SA_ONSTACK = 0x08000000, SA_NODEFER = 0x40000000 };
enum { SIG_BLOCK = 0, SIG_UNBLOCK = 1, SIG_SETMASK = 2, WNOHANG = 1 };
enum { SEGV_MAPERR = 1, SEGV_ACCERR = 2, FPE_INTDIV = 1, SI_QUEUE = -1 };
enum { FUTEX_WAIT = 0, FUTEX_WAKE = 1 };
#define THREAD_FLAGS 0x00250f00 /* VM, FS, FILES, SIGHAND, THREAD, SYSVSEM, CHILD_CLEARTID */
#define PAGE 4096u

struct timespec { i32 seconds, nanoseconds; };
struct siginfo {
  i32 signo, error, code;
  union {
    u32 address;
    struct { i32 pid, uid, value; } queued;
  };
  u32 rest[26];
};
struct context {
  u32 flags, link, stack[3];
  u32 gs, fs, es, ds, edi, esi, ebp, esp, ebx, edx, ecx, eax, trap, error, eip, cs, eflags, esp_then, ss, fpstate, oldmask, cr2;
};
typedef void handler_t(int signal, struct siginfo *info, struct context *context);

// start.S: by SYSENTER where the kernel's vDSO says so, else by INT 80H.
long syscall6(long number, long a, long b, long c, long d, long e, long f);
// A new thread that calls function(argument) on the stack below `top` and ends; *done is cleared and woken then.
long thread(void (*function)(void *), void *argument, void *top, volatile u32 *done);
#define SYSCALL(n, a, b, c, d, e, f, ...) syscall6(SYS_##n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define sys(n, ...) SYSCALL(n, ##__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)

void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
