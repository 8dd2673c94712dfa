// Comparisons of every kind of number with every other, in both engines, against what the numbers are worth; and that plain numbers need no helper.
import { expect, test } from 'vitest';
import { RAM } from '../../../src/layout/memory.ts';
import { engineNames, openEngine } from '../../harness/engine.ts';
import { loadRuntime, OPERAND, openFpu } from './immediate.ts';

const CODE = 0x20000;
const TABLE = 0x30000;
const RESULTS = 0x40000;
const ITEM = 32;

/** Sign and exponent, significand. */
const NUMBERS: Record<string, readonly [number, bigint]> = {
  '+0': [0, 0n],
  '-0': [0x8000, 0n],
  '1': [0x3fff, 1n << 63n],
  '-1': [0xbfff, 1n << 63n],
  'a little more than 1': [0x3fff, (1n << 63n) + 1n],
  'a little less than 1': [0x3ffe, (1n << 64n) - 1n],
  '-1 and a little': [0xbfff, (1n << 63n) + 1n],
  'the greatest': [0x7ffe, (1n << 64n) - 1n],
  'the smallest normal': [1, 1n << 63n],
  '- the smallest normal': [0x8001, 1n << 63n],
  'a denormal': [0, 1n],
  'a negative denormal': [0x8000, (1n << 63n) - 1n],
  'a pseudo-denormal': [0, 1n << 63n],
  'a greater pseudo-denormal': [0, (1n << 64n) - 1n],
  infinity: [0x7fff, 1n << 63n],
  '-infinity': [0xffff, 1n << 63n],
  'a quiet NaN': [0x7fff, 3n << 62n],
  'a signalling NaN': [0xffff, (1n << 63n) + 1n],
  'an unnormal': [0x4000, 1n << 62n],
  'a pseudo-zero': [0x4000, 0n],
};
const names = Object.keys(NUMBERS);
const pairs = names.flatMap((a) => names.map((b) => [a, b] as const));

/** 2^16445 times the number; undefined: it is none. */
function worth(name: string): bigint | undefined {
  const [se, sig] = NUMBERS[name]!;
  const exp = se & 0x7fff;
  if (exp !== 0 && sig >> 63n === 0n) return undefined;
  if (exp === 0x7fff && sig !== 1n << 63n) return undefined;
  const magnitude = sig << BigInt(Math.max(exp, 1) - 1);
  return se & 0x8000 ? -magnitude : magnitude;
}

/** ZF, PF, CF. */
function flags(a: string, b: string): number {
  const [x, y] = [worth(a), worth(b)];
  if (x === undefined || y === undefined) return 0x45;
  return x < y ? 1 : x === y ? 0x40 : 0;
}
/** IE and DE of FUCOM. */
function exceptions(a: string, b: string): number {
  const either = (kind: RegExp) => kind.test(a) || kind.test(b);
  if (either(/signalling|unnormal|pseudo-zero/)) return 1;
  return either(/denormal/) && !either(/NaN/) ? 2 : 0;
}

function put(view: DataView, at: number, name: string): void {
  const [se, sig] = NUMBERS[name]!;
  view.setBigUint64(at, sig, true);
  view.setUint16(at + 8, se, true);
}

test.each(engineNames)('FUCOMIP, and FUCOM, FNSTSW: %s', async (name) => {
  const engine = await openEngine(name);
  engine.reset();
  const table = new DataView(new ArrayBuffer(pairs.length * ITEM));
  pairs.forEach(([a, b], n) => {
    put(table, n * ITEM, b);
    put(table, n * ITEM + 16, a);
  });
  engine.writeMemory(TABLE, new Uint8Array(table.buffer));
  // fninit; mov esi, TABLE; mov edi, RESULTS; mov ecx, pairs
  const head = [0xdb, 0xe3, 0xbe, 0, 0, 3, 0, 0xbf, 0, 0, 4, 0, 0xb9, pairs.length & 255, pairs.length >> 8, 0, 0];
  // next: fld tbyte [esi]; fld tbyte [esi + 16]; fnclex; fucom st1; fnstsw ax; stosw
  const body = [0xdb, 0x2e, 0xdb, 0x6e, 16, 0xdb, 0xe2, 0xdd, 0xe1, 0xdf, 0xe0, 0x66, 0xab];
  // fnclex; mov eax, 80000000H; dec eax (OF, AF, PF); fucomip st1; pushfd; pop eax; stosw; fnstsw ax; stosw; fstp st0
  body.push(0xdb, 0xe2, 0xb8, 0, 0, 0, 0x80, 0x48, 0xdf, 0xe9, 0x9c, 0x58, 0x66, 0xab, 0xdf, 0xe0, 0x66, 0xab, 0xdd, 0xd8);
  // add esi, ITEM; dec ecx; jnz next; hlt
  body.push(0x83, 0xc6, ITEM, 0x49);
  engine.writeMemory(CODE, Uint8Array.from([...head, ...body, 0x75, 256 - body.length - 2, 0xf4]));
  const gpr = new Uint32Array(8);
  gpr[4] = 0x50000;
  engine.setState({ eip: CODE, gpr, cr0: 0x11 });
  expect(engine.run({ maxInstructions: 8_000_000 }).reason).toBe('halted');
  const results = engine.readMemory(RESULTS, pairs.length * 6);
  const view = new DataView(results.buffer, results.byteOffset);
  const wrong = pairs.flatMap(([a, b], n) => {
    const [status, eflags, after] = [0, 2, 4].map((at) => view.getUint16(n * 6 + at, true)) as [number, number, number];
    const got = [((status >> 8) & 0x45) | ((status & 0x3f) << 8), (eflags & 0x8d5) | ((after & 0x3f) << 8), after & 0x4700];
    const want = flags(a, b) | (exceptions(a, b) << 8);
    // The second comparison leaves the condition codes of the first, but for C1.
    return JSON.stringify(got) === JSON.stringify([want, want, status & 0x4500]) ? [] : [`${a}, ${b}: ${got}, not ${want}`];
  });
  expect(wrong).toEqual([]);
  engine.close?.();
});

test('plain numbers need no helper, others do', () => {
  const fpu = openFpu(loadRuntime());
  const helper = fpu.exports.fpuCompareSpecial!;
  let calls = 0;
  fpu.exports.fpuCompareSpecial = (...args) => {
    calls++;
    return helper(...args);
  };
  const needs = pairs.filter(([a, b]) => {
    fpu.run('fninit');
    for (const name of [b, a]) {
      put(fpu.view, RAM + OPERAND, name);
      fpu.run('fld m80');
    }
    const before = calls;
    for (const text of ['fcom st1', 'fucomi st0 st1', 'ftst']) fpu.run(text);
    return calls > before;
  });
  const plain = (name: string) => !/denormal|infinity|NaN|unnormal|pseudo/.test(name);
  expect(needs).toEqual(pairs.filter(([a, b]) => !plain(a) || !plain(b)));
  // An empty register needs it as well.
  fpu.run('fninit');
  const before = calls;
  fpu.run('ftst');
  expect(calls).toBe(before + 1);
});
