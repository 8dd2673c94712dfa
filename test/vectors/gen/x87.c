// Records what a real x87 does: random and edge operands, all precisions, rounding modes and masks.
// Build and run (64-bit x86 Linux, needs SSE3 for FISTTP):
//   gcc -O1 -mno-red-zone -masm=intel -o x87 x87.c && ./x87 32 1 | gzip -9 > ../data/x87.gz
// Arguments: records for each instruction, seed [, instruction]. Without arguments: prints the instructions' names in order.
// A record is 76 bytes, little-endian: struct record below.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct image { // FNSAVE, 32-bit protected mode
  uint16_t cw, r0, sw, r1, tw, r2;
  uint32_t fip, fcs, fdp, fds;
  uint8_t st[8][10];
} __attribute__((packed));

struct record {
  uint16_t op, cw, sw;
  uint8_t used;  // bit i: ST(i) is in use before
  uint8_t top;
  uint8_t st0[10], st1[10], mem[10];
  // Afterwards.
  uint16_t out_sw, out_tag, out_flags, out_cw;
  uint8_t out_st0[10], out_st1[10], out_mem[10];
} __attribute__((packed));

static struct image in, out;
static uint8_t mem[16] __attribute__((aligned(16)));
static uint64_t flags;

#define OPS(X) \
  X("fadd st0 st1", "fadd st, st(1)") X("faddp", "faddp st(1), st") X("fadd m32", "fadd dword ptr [rdi]") X("fadd m64", "fadd qword ptr [rdi]") \
  X("fiadd m16", "fiadd word ptr [rdi]") X("fiadd m32", "fiadd dword ptr [rdi]") \
  X("fsub st0 st1", "fsub st, st(1)") X("fsubp", "fsubp st(1), st") X("fsub m32", "fsub dword ptr [rdi]") X("fsub m64", "fsub qword ptr [rdi]") \
  X("fisub m16", "fisub word ptr [rdi]") X("fisub m32", "fisub dword ptr [rdi]") \
  X("fsubr st0 st1", "fsubr st, st(1)") X("fsubrp", "fsubrp st(1), st") X("fsubr m32", "fsubr dword ptr [rdi]") X("fsubr m64", "fsubr qword ptr [rdi]") \
  X("fisubr m16", "fisubr word ptr [rdi]") X("fisubr m32", "fisubr dword ptr [rdi]") \
  X("fmul st0 st1", "fmul st, st(1)") X("fmulp", "fmulp st(1), st") X("fmul m32", "fmul dword ptr [rdi]") X("fmul m64", "fmul qword ptr [rdi]") \
  X("fimul m16", "fimul word ptr [rdi]") X("fimul m32", "fimul dword ptr [rdi]") \
  X("fdiv st0 st1", "fdiv st, st(1)") X("fdivp", "fdivp st(1), st") X("fdiv m32", "fdiv dword ptr [rdi]") X("fdiv m64", "fdiv qword ptr [rdi]") \
  X("fidiv m16", "fidiv word ptr [rdi]") X("fidiv m32", "fidiv dword ptr [rdi]") \
  X("fdivr st0 st1", "fdivr st, st(1)") X("fdivrp", "fdivrp st(1), st") X("fdivr m32", "fdivr dword ptr [rdi]") X("fdivr m64", "fdivr qword ptr [rdi]") \
  X("fidivr m16", "fidivr word ptr [rdi]") X("fidivr m32", "fidivr dword ptr [rdi]") \
  X("fsub st1 st0", "fsub st(1), st") X("fdiv st1 st0", "fdiv st(1), st") X("fsubr st1 st0", "fsubr st(1), st") X("fdivr st1 st0", "fdivr st(1), st") \
  X("fcom st1", "fcom st(1)") X("fcomp st1", "fcomp st(1)") X("fcompp", "fcompp") X("fcom m32", "fcom dword ptr [rdi]") X("fcom m64", "fcom qword ptr [rdi]") \
  X("fcomp m32", "fcomp dword ptr [rdi]") X("fcomp m64", "fcomp qword ptr [rdi]") X("ficom m16", "ficom word ptr [rdi]") X("ficom m32", "ficom dword ptr [rdi]") \
  X("ficomp m16", "ficomp word ptr [rdi]") X("ficomp m32", "ficomp dword ptr [rdi]") \
  X("fucom st1", "fucom st(1)") X("fucomp st1", "fucomp st(1)") X("fucompp", "fucompp") \
  X("fcomi st0 st1", "fcomi st, st(1)") X("fcomip st0 st1", "fcomip st, st(1)") X("fucomi st0 st1", "fucomi st, st(1)") X("fucomip st0 st1", "fucomip st, st(1)") \
  X("ftst", "ftst") X("fxam", "fxam") \
  X("fld m32", "fld dword ptr [rdi]") X("fld m64", "fld qword ptr [rdi]") X("fld m80", "fld tbyte ptr [rdi]") X("fld st1", "fld st(1)") \
  X("fild m16", "fild word ptr [rdi]") X("fild m32", "fild dword ptr [rdi]") X("fild m64", "fild qword ptr [rdi]") X("fbld m80", "fbld tbyte ptr [rdi]") \
  X("fst m32", "fst dword ptr [rdi]") X("fst m64", "fst qword ptr [rdi]") X("fstp m32", "fstp dword ptr [rdi]") X("fstp m64", "fstp qword ptr [rdi]") \
  X("fstp m80", "fstp tbyte ptr [rdi]") X("fst st1", "fst st(1)") X("fstp st1", "fstp st(1)") \
  X("fist m16", "fist word ptr [rdi]") X("fist m32", "fist dword ptr [rdi]") X("fistp m16", "fistp word ptr [rdi]") X("fistp m32", "fistp dword ptr [rdi]") \
  X("fistp m64", "fistp qword ptr [rdi]") X("fisttp m16", "fisttp word ptr [rdi]") X("fisttp m32", "fisttp dword ptr [rdi]") \
  X("fisttp m64", "fisttp qword ptr [rdi]") X("fbstp m80", "fbstp tbyte ptr [rdi]") \
  X("fld1", "fld1") X("fldl2t", "fldl2t") X("fldl2e", "fldl2e") X("fldpi", "fldpi") X("fldlg2", "fldlg2") X("fldln2", "fldln2") X("fldz", "fldz") \
  X("fxch st1", "fxch st(1)") X("fcmove st0 st1", "fcmove st, st(1)") X("fcmovne st0 st1", "fcmovne st, st(1)") \
  X("ffree st1", "ffree st(1)") X("fincstp", "fincstp") X("fdecstp", "fdecstp") X("fchs", "fchs") X("fabs", "fabs") \
  X("fsqrt", "fsqrt") X("frndint", "frndint") X("fscale", "fscale") X("fxtract", "fxtract") X("fprem", "fprem") X("fprem1", "fprem1") \
  X("f2xm1", "f2xm1") X("fyl2x", "fyl2x") X("fyl2xp1", "fyl2xp1") X("fpatan", "fpatan") X("fptan", "fptan") X("fsin", "fsin") X("fcos", "fcos") \
  X("fsincos", "fsincos") X("fldcw m16", "fldcw word ptr [rdi]") X("fnclex", "fnclex") X("fnop", "fnop")

#define CASE(NAME, INSN) \
  case __COUNTER__ - BASE - 1: \
    asm volatile("frstor %1\n\tpush 0x8d7\n\tpopfq\n\t" INSN "\n\tpushfq\n\tpop %2\n\tfnsave %0" : "=m"(out), "+m"(in), "=r"(flags), "+m"(mem) : "D"(mem) : "memory", "cc"); \
    break;
#define NAMES(NAME, INSN) NAME,

static const char *names[] = {OPS(NAMES)};
enum { COUNT = sizeof names / sizeof *names };

static void run(int op) {
  switch (op) {
    enum { BASE = __COUNTER__ };
    OPS(CASE)
  }
}

static uint64_t state;
static uint64_t next(void) { // splitmix64
  uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}
static unsigned below(unsigned n) { return (next() >> 20) % n; }

static void put80(uint8_t *p, uint64_t sig, unsigned se) {
  memcpy(p, &sig, 8);
  p[8] = se;
  p[9] = se >> 8;
}

/** A significand without its top bit set or clear: full, short, all ones, few bits. */
static uint64_t any_significand(void) {
  switch (below(6)) {
    case 0: return next() << below(64);
    case 1: return ~(next() >> below(64));
    case 2: return 1ull << below(64);
    case 3: return (next() << 40) | (below(2) ? 0x8000000000 : 0);
    case 4: return (next() << 11) | (below(2) ? 0x400 : 0) | below(2);
    default: return next();
  }
}

static const uint64_t edges[][2] = {
  {0, 0}, {0, 0x8000}, {1, 0}, {1, 0x8000}, {0x7fffffffffffffff, 0}, {0x8000000000000000, 0}, {0xffffffffffffffff, 0x8000}, {0x8000000000000000, 1},
  {0xffffffffffffffff, 0x7ffe}, {0xffffffffffffffff, 0xfffe}, {0x8000000000000000, 0x7fff}, {0x8000000000000000, 0xffff}, {0xc000000000000000, 0xffff},
  {0xc000000000000000, 0x7fff}, {0x8000000000000001, 0x7fff}, {0xa000000000000000, 0xffff}, {0xe000000000000000, 0x7fff}, {0, 0x7fff}, {0x4000000000000000, 0x3fff},
  {0, 0x3fff}, {0x8000000000000000, 0x3fff}, {0x8000000000000000, 0xbfff}, {0x8000000000000000, 0x3ffe}, {0x8000000000000000, 0xbffe}, {0xc000000000000000, 0x3fff},
  {0xc000000000000000, 0x4000}, {0x8000000000000000, 0x4000}, {0xffffffffffffffff, 0x3ffe}, {0x8000000000000001, 0x3fff}, {0xc90fdaa22168c235, 0x4000},
  {0x8000000000000000, 0x403e}, {0x8000000000000000, 0xc03e}, {0xffffffffffffffff, 0x403d}, {0xfffffffe00000000, 0x401d}, {0xfffe000000000000, 0x400d},
};

static void operand(uint8_t *p, int center, int spread) {
  unsigned kind = below(16);
  if (kind == 0) {
    const uint64_t *e = edges[below(sizeof edges / sizeof *edges)];
    put80(p, e[0], e[1]);
    return;
  }
  uint64_t sig = any_significand();
  unsigned sign = next() & 0x8000;
  if (kind == 1) put80(p, sig, sign | (next() & 0x7fff)); // also unsupported ones
  else if (kind == 2) put80(p, sig | 1ull << 63, sign | (below(2) ? 0x7fff - below(3) : below(70)));
  else if (kind == 3) put80(p, sig & ~(1ull << 63), sign);
  else put80(p, sig | 1ull << 63, sign | ((center + (int)below(2 * spread + 1) - spread) & 0x7fff));
}

static void memory(uint8_t *p, const char *name) {
  memset(p, 0, 10);
  if (strstr(name, "m32") && strncmp(name, "fi", 2) && below(4)) {
    uint32_t v = next();
    if (below(2)) v = (v & 0x80ffffff) | (0x3f000000 + (below(7) << 22));
    if (!below(8)) v = (v & 0x80000000) | (below(2) ? 0x7f800000 : 0) | (below(2) ? next() & 0x7fffff : 0);
    memcpy(p, &v, 4);
  } else if (strstr(name, "m64") && strncmp(name, "fi", 2) && below(4)) {
    uint64_t v = next();
    if (below(2)) v = (v & 0x800fffffffffffff) | (0x3fb0000000000000 + ((uint64_t)below(128) << 48));
    if (!below(8)) v = (v & 0x8000000000000000) | (below(2) ? 0x7ff0000000000000 : 0) | (below(2) ? next() & 0xfffffffffffff : 0);
    memcpy(p, &v, 8);
  } else if (!strncmp(name, "fbld", 4)) {
    for (int i = 0; i < 9; i++) p[i] = below(10) | below(10) << 4;
    p[9] = next() & 0x80;
    if (!below(8)) memset(p, 0, 9);
  } else if (strstr(name, "m80")) {
    operand(p, 0x3fff, 40);
  } else {
    uint64_t v = next() >> below(64);
    if (below(2)) v = -v;
    if (!below(16)) v = 0;
    memcpy(p, &v, 8);
  }
}

/** Where an instruction's operands are interesting. */
static void operands(const char *name, struct record *r) {
  int center = 0x3fff, spread = 3;
  switch (below(8)) {
    case 0: spread = 70; break;
    case 1: center = below(2) ? 0x7f00 : 0x100; spread = 0x120; break;
    case 2: center = 0x3fff + (below(2) ? 1 : -1) * (below(2) ? 127 : 1023); spread = 70; break;
    case 3: spread = 0x3fff; break;
    case 4: spread = 0; break;
  }
  if (strstr(name, "ist") || !strncmp(name, "frndint", 7) || !strncmp(name, "fbstp", 5)) {
    center = 0x3fff + below(64);
    spread = 8;
  }
  operand(r->st0, center, spread);
  operand(r->st1, center, spread);
  if (!strcmp(name, "fscale") && below(4)) operand(r->st1, 0x3fff + 7, 8);
  if (!strcmp(name, "f2xm1") && below(8)) operand(r->st0, 0x3ffa, 5);
  if (!strncmp(name, "fyl2xp1", 7) && below(8)) operand(r->st0, 0x3ff8, 6);
  if ((!strcmp(name, "fyl2x") || !strcmp(name, "fyl2xp1") || !strcmp(name, "fsqrt")) && below(8)) r->st0[9] &= !strcmp(name, "fyl2xp1") ? 0xff : 0x7f;
  if ((!strcmp(name, "fsin") || !strcmp(name, "fcos") || !strcmp(name, "fptan") || !strcmp(name, "fsincos")) && below(8)) operand(r->st0, 0x3fff, below(4) ? 5 : 66);
}

int main(int argc, char **argv) {
  if (argc < 3) {
    for (int i = 0; i < COUNT; i++) puts(names[i]);
    return 0;
  }
  int each = atoi(argv[1]);
  state = strtoull(argv[2], 0, 0);
  for (int n = 0; n < each * COUNT; n++) {
    struct record r;
    memset(&r, 0, sizeof r);
    r.op = n % COUNT;
    const char *name = names[r.op];
    if (argc > 3 && strcmp(argv[3], name)) continue;
    operands(name, &r);
    memory(r.mem, name);
    r.cw = 0x7f | below(4) << 10 | (below(2) ? 3 : below(3) == 1 ? 2 : below(2) ? 3 : 0) << 8;
    if (!below(4)) r.cw &= ~(1 << below(6));
    if (!below(8)) r.cw &= ~(next() & 0x3f);
    r.sw = next() & 0x4700 & (below(2) ? -1 : 0);
    if (!below(4)) r.sw |= next() & r.cw & 0x3f;
    if (!strncmp(name, "fnclex", 6)) r.sw |= next() & 0x7f & r.cw;
    r.top = next() & 7;
    r.used = 3;
    if (!below(16)) r.used = next() & 3;
    if (!below(16)) r.used |= 0x80;
    in.cw = r.cw;
    in.sw = r.sw | r.top << 11;
    in.tw = 0xffff;
    memset(in.st, 0, sizeof in.st);
    for (int i = 0; i < 8; i++)
      if (r.used >> i & 1) in.tw &= ~(3 << (((i + r.top) & 7) * 2));
    memcpy(in.st[0], r.st0, 10);
    memcpy(in.st[1], r.st1, 10);
    memcpy(mem, r.mem, 10);
    run(r.op);
    r.out_sw = out.sw;
    r.out_tag = out.tw;
    r.out_cw = out.cw;
    r.out_flags = flags & 0x8d5;
    memcpy(r.out_st0, out.st[0], 10);
    memcpy(r.out_st1, out.st[1], 10);
    memcpy(r.out_mem, mem, 10);
    fwrite(&r, sizeof r, 1, stdout);
  }
}
