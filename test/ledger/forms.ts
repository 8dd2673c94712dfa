// What the ledger shows: common instructions by family (32-bit flat code), and functions as a compiler makes them: toys, and such as a
// kernel has (kernel.c).
import { readFileSync } from 'node:fs';

export interface Entry {
  name: string;
  hex: string;
}

const family = (text: string): Entry[] =>
  text
    .trim()
    .split('\n')
    .map((line) => {
      const [hex, name] = line.split(/\s{2,}/).map((s) => s.trim());
      return { hex, name };
    });

/** Instructions: bytes and text (Intel syntax). */
export const INSTRUCTIONS: Record<string, Entry[]> = {
  move: family(`
90          nop
89c8        mov eax, ecx
88cc        mov ah, cl
6689c8      mov ax, cx
b878563412  mov eax, 0x12345678
b005        mov al, 5
8b03        mov eax, [ebx]
8b448b08    mov eax, [ebx+ecx*4+8]
8a03        mov al, [ebx]
668b03      mov ax, [ebx]
8903        mov [ebx], eax
8803        mov [ebx], al
668903      mov [ebx], ax
c70301000000  mov dword [ebx], 1
a100100000  mov eax, [0x1000]
648b03      mov eax, fs:[ebx]
658903      mov gs:[ebx], eax
0fb6c1      movzx eax, cl
0fb603      movzx eax, byte [ebx]
0fb7c1      movzx eax, cx
0fbe03      movsx eax, byte [ebx]
0fbfc1      movsx eax, cx
8d448b08    lea eax, [ebx+ecx*4+8]
8d4310      lea eax, [ebx+16]
91          xchg eax, ecx
870b        xchg [ebx], ecx
0fc8        bswap eax
99          cdq
98          cwde
0f44c1      cmove eax, ecx
0f4cc1      cmovl eax, ecx
0f94c0      sete al
0f9203      setb [ebx]
0f9fc1      setg cl
`),
  alu: family(`
01c8        add eax, ecx
00c8        add al, cl
6601c8      add ax, cx
83c001      add eax, 1
0303        add eax, [ebx]
0103        add [ebx], eax
f00103      lock add [ebx], eax
11c8        adc eax, ecx
29c8        sub eax, ecx
19c8        sbb eax, ecx
19c0        sbb eax, eax
31c0        xor eax, eax
31c8        xor eax, ecx
21c8        and eax, ecx
83e00f      and eax, 15
09c8        or eax, ecx
39c8        cmp eax, ecx
38c8        cmp al, cl
833b00      cmp dword [ebx], 0
3c20        cmp al, 0x20
85c0        test eax, eax
a801        test al, 1
40          inc eax
ff03        inc dword [ebx]
48          dec eax
f7d8        neg eax
f7d0        not eax
0fc1c8      xadd eax, ecx
f00fb10b    lock cmpxchg [ebx], ecx
f7e1        mul ecx
f7e9        imul ecx
0fafc1      imul eax, ecx
6bc10c      imul eax, ecx, 12
f7f1        div ecx
f7f9        idiv ecx
0fa3c8      bt eax, ecx
0fab0b      bts [ebx], ecx
0fbaf803    btc eax, 3
0fbcc1      bsf eax, ecx
0fbdc1      bsr eax, ecx
27          daa
`),
  shift: family(`
c1e004      shl eax, 4
d1e0        shl eax, 1
d3e0        shl eax, cl
c1e804      shr eax, 4
d3e8        shr eax, cl
c1f804      sar eax, 4
d3f8        sar eax, cl
c1232a      shl dword [ebx], 10
c1c004      rol eax, 4
d3c8        ror eax, cl
d1d0        rcl eax, 1
d1d8        rcr eax, 1
0fa4c804    shld eax, ecx, 4
0fadc8      shrd eax, ecx, cl
66c1e004    shl ax, 4
c0e804      shr al, 4
`),
  stack: family(`
50          push eax
6a05        push 5
ff33        push dword [ebx]
58          pop eax
8f03        pop dword [ebx]
c9          leave
60          pusha
61          popa
9c          pushf
9d          popf
c3          ret
c20800      ret 8
e800010000  call +0x100
ffd0        call eax
ff13        call [ebx]
`),
  branch: family(`
eb10        jmp +0x10
e900200000  jmp to another page
ffe0        jmp eax
ff248500100000  jmp [eax*4+0x1000]
7410        je +0x10
0f8c80000000  jl +0x80
39c87410    cmp eax, ecx; je +0x10
39c87210    cmp eax, ecx; jb +0x10
39c87c10    cmp eax, ecx; jl +0x10
85c07410    test eax, eax; je +0x10
85c07810    test eax, eax; js +0x10
83e00175fb  and eax, 1; jne self
4975fd      dec ecx; jne self
e2fe        loop self
fa          cli
fb          sti
f4          hlt
cd80        int 0x80
0fa2        cpuid
8ed8        mov ds, eax
0f20c0      mov eax, cr0
`),
  string: family(`
a4          movsb
a5          movsd
f3a4        rep movsb
f3a5        rep movsd
aa          stosb
f3ab        rep stosd
ac          lodsb
a6          cmpsb
f3a6        repe cmpsb
f2ae        repne scasb
`),
  simd: family(`
0f28c1      movaps xmm0, xmm1
0f2803      movaps xmm0, [ebx]
0f1003      movups xmm0, [ebx]
0f1103      movups [ebx], xmm0
f20f1003    movsd xmm0, [ebx]
f20f1103    movsd [ebx], xmm0
660f6ec0    movd xmm0, eax
660fefc0    pxor xmm0, xmm0
660ffec1    paddd xmm0, xmm1
660f70c11b  pshufd xmm0, xmm1, 0x1b
660f74c1    pcmpeqb xmm0, xmm1
660fd7c1    pmovmskb eax, xmm1
0f58c1      addps xmm0, xmm1
f20f58c1    addsd xmm0, xmm1
f20f5903    mulsd xmm0, [ebx]
f20f2ac0    cvtsi2sd xmm0, eax
f20f2cc0    cvttsd2si eax, xmm0
660f2ec1    ucomisd xmm0, xmm1
0fefc1      pxor mm0, mm1
0f77        emms
`),
  x87: family(`
d903        fld dword [ebx]
dd03        fld qword [ebx]
d9c1        fld st1
db03        fild dword [ebx]
d9e8        fld1
d8c1        fadd st0, st1
dec9        fmulp st1, st0
dc33        fdiv qword [ebx]
dd1b        fstp qword [ebx]
db1b        fistp dword [ebx]
d9c9        fxch st1
dff1        fcomip st0, st1
ddd9        fstp st1
dfe0        fnstsw ax
d93b        fnstcw [ebx]
`),
};

/** Locked instructions, and others that matter between CPUs, as several CPUs need them. */
export const LOCKED: Entry[] = family(`
f00103      lock add [ebx], eax
f0660103    lock add [ebx], ax
f00003      lock add [ebx], al
f0832c2401  lock sub dword [esp], 1
f0830c2400  lock or dword [esp], 0
f0ff0b      lock dec dword [ebx]
f0ff0b7410  lock dec dword [ebx]; je +0x10
f00fc103    lock xadd [ebx], eax
870b        xchg [ebx], ecx
f00fb10b    lock cmpxchg [ebx], ecx
f00fb10b75fa  lock cmpxchg [ebx], ecx; jne self
f00fc70b    lock cmpxchg8b [ebx]
f00fab03    lock bts [ebx], eax
f00fba2b05  lock bts dword [ebx], 5
f00fba3305  lock btr dword [ebx], 5
0faef0      mfence
f390        pause
`);

export interface CFunction extends Entry {
  source: string;
  /** As several CPUs need it. */
  atomic?: boolean;
}

/** C, compiled by gcc 12 -m32 -O2 -march=pentium4 -mfpmath=sse -fno-pic without vectors. */
export const FUNCTIONS: CFunction[] = [
  {
    name: 'copy',
    source: 'unsigned copy(char *d, const char *s, unsigned n) { unsigned i; for (i = 0; i < n; i++) d[i] = s[i]; return i; }',
    hex: '56538b4c240c8b5c24108b74241485f6741031c00fb6140388140183c00139c675f289f05b5ec3',
  },
  {
    name: 'length',
    source: 'unsigned length(const char *s) { const char *p = s; while (*p) p++; return p - s; }',
    hex: '8b542404803a00740d89d083c00180380075f829d0c331c0c3',
  },
  {
    name: 'walk',
    source:
      'int walk(const struct node *n, int key) { int sum = 0; while (n) { if (n->value == key) return sum; sum += n->value; n = n->next; } return -1; }',
    hex: '538b4424088b5c240c85c0741731c9eb0801d18b0085c0740b8b500439da75f189c85bc3b9ffffffff89c85bc3',
  },
  {
    name: 'hash',
    source:
      'unsigned hash(const unsigned char *s, unsigned n) { unsigned h = 2166136261u; while (n--) { h ^= *s++; h *= 16777619u; } return h ^ h >> 15; }',
    hex: '538b4424088b5c240c85db742301c3bac59d1c8183c0010fb648ff31ca69d29301000139d875ed89d0c1e80f31d05bc3b8fc9f1d815bc3',
  },
  {
    name: 'sort',
    source:
      'void sort(int *a, int n) { for (int i = 0; i < n; i++) for (int j = 0; j + 1 < n - i; j++) if (a[j] > a[j+1]) { int t = a[j]; a[j] = a[j+1]; a[j+1] = t; } }',
    hex: '5756538b7c24108b74241485f67e388d5ffc8d043601c001c389f883fe017e228b108b480439ca7e05890889500483c00439d875eb83ee0183eb0489f883fe017fde83ee0175045b5e5fc383eb046690ebc7',
  },
  {
    name: 'collatz',
    source:
      'unsigned collatz(unsigned n) { unsigned steps = 0; while (n != 1) { n = n & 1 ? 3 * n + 1 : n >> 1; steps++; } return steps; }',
    hex: '8b44240431d283f8017512eb1e8d0c0001c883c00183c20183f801740ea80175ecd1e883c20183f80175f289d0c3',
  },
  {
    name: 'dot',
    source: 'double dot(const double *a, const double *b, int n) { double s = 0; for (int i = 0; i < n; i++) s += a[i] * b[i]; return s; }',
    hex: '83ec0c8b4c241885c97e368b4424108b54241401c901c901c1660fefc9f20f1000f20f5902f20f58c883c00883c20839c875eaf20f110c24dd042483c40cc3660fefc9f20f110c24dd042483c40cc3',
  },
];

const read = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8');

function kernelFunctions(): CFunction[] {
  const text = read('kernel.c');
  const { functions } = JSON.parse(read('kernel.json')) as { functions: Record<string, string> };
  return Object.entries(functions).map(([name, hex]) => {
    const source = text.split(/(?<=\n}\n)\n/).find((part) => part.includes(` ${name}(`));
    if (source === undefined) throw new Error(`kernel.c has no ${name}: run compile.ts`);
    return {
      name,
      hex,
      source: source.trimEnd().replaceAll('\t', '    ').replaceAll('\n', '\n  '),
      atomic: /"lock |__atomic_/.test(source),
    };
  });
}

/** The functions of kernel.c; compile.ts has made their bytes. */
export const KERNEL: CFunction[] = kernelFunctions();
