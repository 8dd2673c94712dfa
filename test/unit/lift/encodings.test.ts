// What CPUID announces, what the engines know and what the README says are one. An instruction whose features (as iced-x86 tells them) CPUID announces has a lift
// and a handler; any other encoding is #UD, or what it was before the extension that gave its prefix a meaning.

import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import iced from 'iced-x86';
import { afterAll, describe, expect, test } from 'vitest';
import { BATCH } from '../../../src/cache/heat.ts';
import { CodeReader } from '../../../src/decode/decoder.ts';
import { putTogether, takeApart } from '../../../src/emit/module/relocation.ts';
import { Emitter, importNamed } from '../../../src/emit/module.ts';
import { emitRegion, type RegionDemands } from '../../../src/emit/region/region.ts';
import { budget, counting, strictOrder, tracing } from '../../../src/instrument/index.ts';
import { Mode } from '../../../src/layout/cpu.ts';
import { PAGE, PUBLISH_BYTES } from '../../../src/layout/memory.ts';
import { growRegion } from '../../../src/translate/grow.ts';
import { openEngine } from '../../harness/engine.ts';

const HALT = 0xf4;
const CODE = 0x20000;
const engine = await openEngine('interpreter');
afterAll(() => engine.close?.());

type Register = 'eax' | 'ebx' | 'ecx' | 'edx';
/** What the CPUID instruction answers. */
function cpuid(leaf: number, subleaf = 0): Record<Register, number> {
  engine.reset();
  engine.writeMemory(CODE, Uint8Array.from([0x0f, 0xa2, HALT]));
  const gpr = new Uint32Array(8);
  gpr[0] = leaf;
  gpr[1] = subleaf;
  engine.setState({ eip: CODE, gpr });
  expect(engine.run().reason).toBe('halted');
  const [eax, ecx, edx, ebx] = engine.getState().gpr;
  return { eax: eax!, ebx: ebx!, ecx: ecx!, edx: edx! };
}

/** Names of the bits that CPUID may set here, by leaf and register (SDM vol. 2, CPUID, tables 3-8 to 3-11), '-' where the name is of no use. */
const NAMES: [number, Register, Record<number, string>][] = [
  [
    1,
    'edx',
    Object.fromEntries(
      'FPU VME DE PSE TSC MSR PAE MCE CX8 APIC - SEP MTRR PGE MCA CMOV PAT PSE36 PSN CLFSH - DS ACPI MMX FXSR SSE SSE2 SS HTT TM IA64 PBE'
        .split(' ')
        .map((name, bit) => [bit, name]),
    ),
  ],
  [
    1,
    'ecx',
    Object.fromEntries(
      'SSE3 PCLMULQDQ DTES64 MONITOR DS-CPL VMX SMX EIST TM2 SSSE3 CNXT-ID SDBG FMA CMPXCHG16B XTPR PDCM - PCID DCA SSE4_1 SSE4_2 X2APIC MOVBE POPCNT TSC-deadline AES XSAVE OSXSAVE AVX F16C RDRAND HYPERVISOR'
        .split(' ')
        .map((name, bit) => [bit, name]),
    ),
  ],
  [6, 'eax', { 2: 'ARAT' }],
  [
    7,
    'ebx',
    {
      ...{
        0: 'FSGSBASE',
        1: 'TSC_ADJUST',
        2: 'SGX1',
        3: 'BMI1',
        4: 'HLE',
        5: 'AVX2',
        7: 'SMEP',
        8: 'BMI2',
        9: 'ERMS',
        10: 'INVPCID',
        11: 'RTM',
      },
      ...{ 14: 'MPX', 16: 'AVX512F', 18: 'RDSEED', 19: 'ADX', 20: 'SMAP', 23: 'CLFLUSHOPT', 24: 'CLWB', 29: 'SHA' },
    },
  ],
  [
    7,
    'ecx',
    {
      ...{
        0: 'PREFETCHWT1',
        3: 'PKU',
        5: 'WAITPKG',
        7: 'CET_SS',
        8: 'GFNI',
        9: 'VAES',
        10: 'VPCLMULQDQ',
        22: 'RDPID',
        23: 'KL',
        25: 'CLDEMOTE',
      },
      ...{ 27: 'MOVDIRI', 28: 'MOVDIR64B', 29: 'ENQCMD' },
    },
  ],
  [7, 'edx', { 5: 'UINTR', 14: 'SERIALIZE', 16: 'TSXLDTRK', 18: 'PCONFIG', 20: 'CET_IBT' }],
  [
    0x80000001,
    'ecx',
    {
      ...{ 2: 'SVM', 5: 'LZCNT', 6: 'SSE4A', 8: 'PREFETCHW', 11: 'XOP', 12: 'SKINIT', 15: 'LWP', 16: 'FMA4', 21: 'TBM', 29: 'MONITORX' },
    },
  ],
  [0x80000001, 'edx', { 11: 'SYSCALL', 20: 'NX', 27: 'RDTSCP', 29: 'X64', 30: 'D3NOWEXT', 31: 'D3NOW' }],
  [0x80000007, 'edx', { 8: 'invariant TSC' }],
  [0x80000008, 'ebx', { 0: 'CLZERO', 8: 'MCOMMIT', 9: 'WBNOINVD' }],
];

/** All that CPUID announces, in the order of the leaves. */
const announced = NAMES.flatMap(([leaf, register, names]) => {
  const word = cpuid(leaf)[register];
  return Array.from({ length: 32 }, (_, bit) => bit)
    .filter((bit) => (word >>> bit) & 1)
    .map((bit) => names[bit] ?? `${leaf.toString(16)}.${register}.${bit}`);
});

test('the README names what CPUID announces', () => {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
  const list = /CPUID announces ([^.]*), and nothing else/.exec(readme)?.[1];
  expect(list?.split(/, | and /)).toEqual(announced);
});

/** What every IA-32 processor with those has, and CPUID does not tell; SMM: RSM, which is #UD outside of it. */
const ALWAYS = [
  'INTEL8086',
  'INTEL186',
  'INTEL286',
  'INTEL386',
  'INTEL486',
  'FPU287',
  'FPU387',
  'CPUID',
  'RDPMC',
  'PAUSE',
  'MULTIBYTENOP',
  'SMM',
];
const known = new Set<number>();
for (const name of [...ALWAYS, ...announced]) {
  const feature = iced.CpuidFeature[name as keyof typeof iced.CpuidFeature];
  if (feature !== undefined) known.add(feature);
}
const mnemonics: string[] = [];
for (const [name, value] of Object.entries(iced.Mnemonic)) if (typeof value === 'number') mnemonics[value] = name.toLowerCase();

const is = new Map<number, boolean>();
/** Whether the instruction's features are all announced. */
function isAnnounced(x: iced.Instruction): boolean {
  let answer = is.get(x.code);
  if (answer === undefined) {
    answer = x.code !== iced.Code.INVALID && [...x.cpuidFeatures()].every((feature) => known.has(feature));
    is.set(x.code, answer);
  }
  return answer;
}

/** Prefix and opcode that a later extension took, and what they are to a processor without it: the prefix is ignored (SDM vol. 2, WBNOINVD, TZCNT, LZCNT). */
const IGNORED: Record<string, { feature: string; mnemonic: string }> = {
  wbnoinvd: { feature: 'WBNOINVD', mnemonic: 'wbinvd' },
  tzcnt: { feature: 'BMI1', mnemonic: 'bsf' },
  lzcnt: { feature: 'LZCNT', mnemonic: 'bsr' },
};
/** 0F 0D and 0F 18 to 0F 1F are hints and reserved NOPs: what later processors made of some is a NOP to others (SDM vol. 2, NOP; appendix A, table A-3). */
const isHint = (opcode: readonly number[]): boolean =>
  opcode[0] === 0x0f && opcode.length === 2 && (opcode[1] === 0x0d || (opcode[1]! >= 0x18 && opcode[1]! <= 0x1f));

/** The mnemonic that must run; undefined: #UD. */
function expected(x: iced.Instruction, opcode: readonly number[]): string | undefined {
  if (x.code === iced.Code.INVALID) return undefined;
  const mnemonic = mnemonics[x.mnemonic]!;
  if (isHint(opcode)) return 'nop';
  if (isAnnounced(x)) return mnemonic;
  return IGNORED[mnemonic]?.mnemonic;
}

const PREFIX_BYTES = new Set([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3]);
const MANDATORY: readonly (readonly number[])[] = [[], [0x66], [0xf2], [0xf3], [0x66, 0xf2], [0xf3, 0x66], [0xf2, 0xf3]];
/** Prefixes that change where an operand is, or how it is written. */
const OTHERS: readonly (readonly number[])[] = [[0x67], [0x64], [0x64, 0x67], [0xf0], [0xf0, 0x64, 0x67]];
const MODES: readonly (readonly [string, number])[] = [
  ['32-bit flat', Mode.CODE32 | Mode.FLAT],
  ['32-bit', Mode.CODE32],
  ['16-bit', 0],
];
const range = (n: number) => Array.from({ length: n }, (_, k) => k);
/** One-byte opcodes, those behind 0F, 0F 38 and 0F 3A. C4, C5, 62, 8F and 0F 0F are among them: what follows looks like VEX, EVEX, XOP and 3DNow! to those who have it. */
const OPCODES: readonly (readonly number[])[] = [
  ...range(256)
    .filter((o) => !PREFIX_BYTES.has(o) && o !== 0x0f)
    .map((o) => [o]),
  ...range(256)
    .filter((o) => o !== 0x38 && o !== 0x3a)
    .map((o) => [0x0f, o]),
  ...range(256).flatMap((o) => [
    [0x0f, 0x38, o],
    [0x0f, 0x3a, o],
  ]),
];
const WIDE = range(256).filter((m) => m >= 0xc0 || ((m & 7) === 0 && m < 0x40));
const NARROW = WIDE.filter((m) => (m & 7) === 0);
const SLOT = 16;
/** What follows ModRM: the map and pp of VEX and EVEX, suffixes of 3DNow!, immediates. */
const TAILS: readonly (readonly number[])[] = [
  [0, 0, 0, 0, 0, 0],
  [0x77, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0],
  [0x9e, 0x7d, 0x48, 0x58, 0xc1, 0],
];

const handlers = new Set<string>(JSON.parse(readFileSync(new URL('../../../build/handlers.json', import.meta.url), 'utf8')).keys);

/** The first and the last encoding that was met of each form, in each mode. */
const met = new Map<string, { mode: number; key: string; first: Uint8Array; last: Uint8Array }>();

interface Scan {
  readonly wrong: string[];
  count: number;
  ran: number;
}

/** Every opcode with these bytes before and behind it, in one buffer; compares what the decoder says with what must be. */
function scan(
  result: Scan,
  mode: number,
  prefix: readonly number[],
  modrms: readonly number[],
  tail: readonly number[],
  opcodes = OPCODES,
): void {
  const bytes = new Uint8Array(opcodes.length * modrms.length * SLOT);
  let at = 0;
  for (const opcode of opcodes)
    for (const modrm of modrms) {
      bytes.set([...prefix, ...opcode, modrm, ...tail], at);
      at += SLOT;
    }
  const reader = new CodeReader(bytes, mode);
  const decoder = new iced.Decoder((mode & Mode.CODE32) !== 0 ? 32 : 16, bytes, iced.DecoderOptions.None);
  const x = new iced.Instruction();
  at = 0;
  for (const opcode of opcodes)
    for (let k = 0; k < modrms.length; k++, at += SLOT) {
      decoder.position = at;
      decoder.decodeOut(x);
      const want = expected(x, opcode);
      const got = reader.at(at, 0);
      result.count++;
      if (want !== undefined) result.ran++;
      if (got.spec !== undefined) {
        const slot = bytes.subarray(at, at + SLOT);
        const one = met.get(`${mode} ${got.key}`);
        if (one === undefined) met.set(`${mode} ${got.key}`, { mode, key: got.key, first: slot, last: slot });
        else one.last = slot;
      }
      const { mnemonic } = got.form;
      const runs = got.spec !== undefined;
      const same =
        want === undefined
          ? !runs
          : runs && (mnemonic === 'reservednop' ? 'nop' : mnemonic) === want && got.length === x.length && handlers.has(got.key);
      if (!same || got.truncated) {
        const text = Buffer.from(bytes.subarray(at, at + Math.max(got.length, prefix.length + opcode.length + 1))).toString('hex');
        const what = runs ? `${mnemonic}${handlers.has(got.key) ? '' : `, no handler of "${got.key}"`}` : '#UD';
        result.wrong.push(`${text}: ${what}, not ${want ?? '#UD'}`);
      }
    }
  x.free();
  decoder.free();
  reader.free();
}

describe.each(MODES)('%s code', (_name, mode) => {
  test('every opcode with every mandatory prefix and ModRM: an announced instruction has a lift and a handler, all else is #UD', () => {
    const result: Scan = { wrong: [], count: 0, ran: 0 };
    for (const prefix of MANDATORY) scan(result, mode, prefix, WIDE, TAILS[0]!);
    for (const tail of TAILS.slice(1)) for (const prefix of MANDATORY.slice(0, 4)) scan(result, mode, prefix, NARROW, tail);
    expect(result.wrong.slice(0, 50)).toEqual([]);
    expect(result.count).toBeGreaterThan(400_000);
    expect(result.ran).toBeGreaterThan(50_000);
  });

  test('the same with segment, address-size and LOCK prefixes', () => {
    const result: Scan = { wrong: [], count: 0, ran: 0 };
    for (const other of OTHERS) for (const prefix of MANDATORY) scan(result, mode, [...other, ...prefix], NARROW, TAILS[0]!);
    expect(result.wrong.slice(0, 50)).toEqual([]);
    expect(result.ran).toBeGreaterThan(50_000);
  });
});

/** All that changes what a region is made of, in turn. */
const DEMANDS: readonly RegionDemands[] = [
  { verify: true },
  { verify: true, atomic: true, instruments: [counting, tracing, strictOrder] },
  { verify: true, atomic: true, instruments: [budget] },
];

test('every form is translated, to a valid function', () => {
  const page = new Uint8Array(PAGE);
  const wrong: string[] = [];
  let e = new Emitter();
  let functions = 0;
  const finish = () => {
    const parts = takeApart(e.finishChecked(), (slot) => slot);
    // All that the forms become can be moved to another module as well.
    const moved = putTogether(
      [...parts].map(([name, code]) => ({ name, code, slotAt: (slot) => slot, start: 0 })),
      importNamed,
    );
    new WebAssembly.Module(moved as Uint8Array<ArrayBuffer>);
    expect(
      isDeepStrictEqual(
        takeApart(moved, (slot) => slot),
        parts,
      ),
    ).toBe(true);
    e = new Emitter();
  };
  for (const { mode, key, first, last } of met.values())
    for (const bytes of new Set([first, last])) {
      page.fill(HALT);
      page.set(bytes);
      try {
        const region = growRegion(page, 0x1000, 0x1000, mode);
        if (region === undefined) throw new Error('there is no region');
        emitRegion(e, `r${functions}`, region, () => 1, DEMANDS[functions++ % DEMANDS.length]);
        if (functions % 500 === 0) finish();
      } catch (error) {
        wrong.push(`${key} (${Buffer.from(bytes).toString('hex')}): ${(error as Error).message}`);
      }
    }
  finish();
  expect(wrong.slice(0, 50)).toEqual([]);
  // Handlers that no encoding leads to are none.
  expect([...handlers].filter((key) => !MODES.some(([, mode]) => met.has(`${mode} ${key}`)))).toEqual([]);
  expect(functions).toBeGreaterThan(handlers.size);
});

test.each([
  ['c5f8', 2],
  ['66c4e2', 3],
  ['62f1', 2],
  ['8fe8', 2],
])('%s looks like VEX, EVEX or XOP: #UD whatever would follow, not an instruction that is cut off', (hex, length) => {
  for (const [, mode] of MODES) {
    const reader = new CodeReader(Buffer.from(hex, 'hex'), mode);
    expect(reader.at(0, 0x1000)).toMatchObject({ spec: undefined, truncated: false, length });
    reader.free();
  }
});

test.each([0x60, 0x61])('a module full of regions of the largest instruction (%d, PUSHA or POPA) can be published', (opcode) => {
  for (const mode of [Mode.CODE32, Mode.CODE32 | Mode.FLAT]) {
    const region = growRegion(new Uint8Array(PAGE).fill(opcode), 0x1000, 0x1000, mode)!;
    const e = new Emitter();
    emitRegion(e, 'r', region, () => 1, { atomic: true, instruments: [counting, tracing, strictOrder] });
    expect(region.instructionCount).toBeGreaterThan(50);
    expect(e.finishChecked().length * BATCH).toBeLessThan(PUBLISH_BYTES / 2);
  }
});
