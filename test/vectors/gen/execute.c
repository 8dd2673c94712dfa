/* Runs single instructions on the real processor and records what they did.
 *
 * Build: gcc -m32 -O1 -no-pie -static-pie is not needed; see test/vectors/generate.ts.
 * Input and output: arrays of struct in_case and struct out_case (little-endian, packed) on stdin and stdout.
 *
 * Each case: the instruction's bytes go to CODE on a page that is otherwise full of INT3; memory from SCRATCH on is filled; FXRSTOR,
 * POPF and MOVs load the registers and a jump enters the instruction. Whatever comes next ends in a signal (INT3 behind the instruction or
 * at the target of a branch, or the fault of the instruction itself), and its frame holds all registers. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define CODE_PAGE 0x10000000u
#define CODE 0x10000800u
#define SCRATCH_PAGE 0x20000000u
#define SCRATCH 0x20000e00u
#define SCRATCH_BYTES 0x400

struct __attribute__((packed)) in_case {
  uint32_t gpr[8], eflags, mxcsr;
  uint16_t fcw, fsw, ftw, length;
  uint8_t mm[64], xmm[128], code[16], memory[SCRATCH_BYTES];
};

struct __attribute__((packed)) out_case {
  uint32_t gpr[8], eflags, mxcsr;
  uint16_t fcw, fsw, ftw;
  /* Vector of the exception, or 0xffff. */
  uint16_t fault;
  uint32_t eip, error;
  uint8_t mm[64], xmm[128], memory[SCRATCH_BYTES];
};

static struct in_case in;
static struct out_case out;
static sigjmp_buf back;
uint8_t image[512] __attribute__((aligned(16)));
uint32_t in_gpr[8], in_flags, in_target = CODE;

void enter_case(void);
__asm__(".text\n.globl enter_case\nenter_case:\n"
        "  fxrstor image\n"
        "  movl $in_flags, %esp\n"
        "  popfl\n"
        "  movl in_gpr, %eax\n"
        "  movl in_gpr+4, %ecx\n"
        "  movl in_gpr+8, %edx\n"
        "  movl in_gpr+12, %ebx\n"
        "  movl in_gpr+16, %esp\n"
        "  movl in_gpr+20, %ebp\n"
        "  movl in_gpr+24, %esi\n"
        "  movl in_gpr+28, %edi\n"
        "  jmp *in_target\n");

static void on_signal(int number, siginfo_t *info, void *context) {
  (void)number, (void)info;
  ucontext_t *uc = context;
  greg_t *g = uc->uc_mcontext.gregs;
  static const int order[8] = {REG_EAX, REG_ECX, REG_EDX, REG_EBX, REG_ESP, REG_EBP, REG_ESI, REG_EDI};
  for (int i = 0; i < 8; i++) out.gpr[i] = g[order[i]];
  out.eflags = g[REG_EFL] & ~0x10100u; /* RF and TF belong to the trap, not to the instruction */
  out.eip = g[REG_EIP];
  out.error = g[REG_ERR];
  out.fault = g[REG_TRAPNO];
  if (out.fault == 3) {
    out.fault = 0xffff;
    out.eip--;
  }
  /* The frame of a 32-bit task: 112 bytes of FSAVE format, then the FXSAVE image. */
  const uint8_t *fx = (const uint8_t *)uc->uc_mcontext.fpregs + 112;
  memcpy(&out.fcw, fx, 2);
  memcpy(&out.fsw, fx + 2, 2);
  out.ftw = fx[4];
  memcpy(&out.mxcsr, fx + 24, 4);
  for (int i = 0; i < 8; i++) memcpy(out.mm + 8 * i, fx + 32 + 16 * i, 8);
  memcpy(out.xmm, fx + 160, 128);
  siglongjmp(back, 1);
}

static uint8_t *map(uint32_t at, int bytes, int prot) {
  void *p = mmap((void *)at, bytes, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (p != (void *)at) {
    perror("mmap");
    exit(2);
  }
  return p;
}

int main(void) {
  uint8_t *code = map(CODE_PAGE, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
  map(SCRATCH_PAGE, 8192, PROT_READ | PROT_WRITE);
  memset(code, 0xcc, 4096);
  static uint8_t stack[65536];
  stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
  sigaltstack(&alternate, 0);
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
  int numbers[] = {SIGTRAP, SIGSEGV, SIGILL, SIGFPE, SIGBUS};
  for (int i = 0; i < 5; i++) sigaction(numbers[i], &action, 0);

  while (fread(&in, sizeof in, 1, stdin) == 1) {
    memset(image, 0, sizeof image);
    memcpy(image, &in.fcw, 2);
    memcpy(image + 2, &in.fsw, 2);
    image[4] = in.ftw;
    memcpy(image + 24, &in.mxcsr, 4);
    for (int i = 0; i < 8; i++) {
      memcpy(image + 32 + 16 * i, in.mm + 8 * i, 8);
      memset(image + 40 + 16 * i, 0xff, 2);
    }
    memcpy(image + 160, in.xmm, 128);
    memcpy((void *)SCRATCH, in.memory, SCRATCH_BYTES);
    memset(code + (CODE - CODE_PAGE), 0xcc, 16);
    memcpy(code + (CODE - CODE_PAGE), in.code, in.length);
    memcpy(in_gpr, in.gpr, sizeof in_gpr);
    in_flags = in.eflags;
    if (!sigsetjmp(back, 0)) enter_case();
    memcpy(out.memory, (void *)SCRATCH, SCRATCH_BYTES);
    fwrite(&out, sizeof out, 1, stdout);
  }
  return 0;
}
