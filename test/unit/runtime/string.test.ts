// String instructions against a byte-by-byte model, with random sizes, overlaps, directions and page boundaries.
import { beforeEach, describe, expect, test } from 'vitest';
import { Eflags } from '../../../src/layout/cpu.ts';
import { CR0, DATA, Gpr, type Machine, machine, PT, Seg } from './machine.ts';

let m: Machine;
beforeEach(async () => {
  m = await machine();
});

/** A small generator of repeatable numbers. */
function random(seed: number) {
  let state = seed >>> 0;
  return (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const MASK32 = -1;
const NAMES = ['movs', 'stos', 'lods', 'cmps', 'scas'] as const;
type Name = (typeof NAMES)[number];

/** Runs the instruction to its end, as the engine does. */
function run(name: Name, size: number, mask: number, rep: number, seg: number = Seg.DS): string {
  for (let i = 0; i < 1000; i++) {
    const more = m.call[name]!(m.cpu, size, mask, m.seg(seg), rep);
    const fault = m.fault();
    if (fault || !more) return fault;
  }
  throw new Error('does not end');
}

interface State {
  ram: Uint8Array;
  eax: number;
  ecx: number;
  esi: number;
  edi: number;
  /** Operands of the last comparison. */
  a: number;
  b: number;
}

/** The manual's pseudo code, an element at a time. */
function model(s: State, name: Name, size: number, rep: number, back: boolean): void {
  const get = (at: number) => s.ram.subarray(at, at + size).reduce((v, byte, i) => v + byte * 2 ** (8 * i), 0);
  const step = back ? -size : size;
  const part = 2 ** (8 * size);
  while (rep === 0 || s.ecx !== 0) {
    if (name === 'movs') s.ram.copyWithin(s.edi, s.esi, s.esi + size);
    if (name === 'stos') for (let i = 0; i < size; i++) s.ram[s.edi + i] = Math.floor(s.eax / 2 ** (8 * i)) & 0xff;
    if (name === 'lods') s.eax = s.eax - (s.eax % part) + get(s.esi);
    if (name === 'cmps') [s.a, s.b] = [get(s.esi), get(s.edi)];
    if (name === 'scas') [s.a, s.b] = [s.eax % part, get(s.edi)];
    if (name !== 'stos' && name !== 'scas') s.esi += step;
    if (name !== 'lods') s.edi += step;
    if (rep === 0) return;
    s.ecx--;
    if ((name === 'cmps' || name === 'scas') && (s.a === s.b) !== (rep === 1)) return;
  }
}

describe.each(NAMES)('%s', (name) => {
  test.each([1, 2, 4])('size %i', (size) => {
    const pick = random(size * 7 + name.length);
    const compares = name === 'cmps' || name === 'scas';
    for (let round = 0; round < 100; round++) {
      const back = pick(3) === 0;
      const rep = pick(4) === 0 ? 0 : compares ? 1 + pick(2) : 1;
      const count = pick(10) === 0 ? 0 : pick(10) === 0 ? 20000 + pick(20000) : pick(300);
      const far = pick(2) === 0;
      const middle = 0x140000 + (pick(2) ? pick(64) - 32 : pick(4096));
      const esi = middle;
      const edi = middle + (far ? 0x80000 : pick(40) - 20);
      const eax = pick(2 ** 32);
      // Comparisons should run for a while: few different bytes.
      const span = count * size + 64;
      for (const start of [esi - span, edi - span])
        for (let i = 0; i < 2 * span; i++) m.ram[start + i] = compares ? (pick(200) ? 7 : pick(3)) : pick(256);
      const al = compares && pick(2) ? 0x07070707 : eax;
      m.setGpr(Gpr.EAX, al);
      m.setGpr(Gpr.ECX, count);
      m.setGpr(Gpr.ESI, esi);
      m.setGpr(Gpr.EDI, edi);
      m.set('eflags', back ? Eflags.DF | 2 : 2);
      const expected: State = { ram: m.ram.slice(0, 0x200000), eax: al, ecx: count, esi, edi, a: -1, b: -1 };
      model(expected, name, size, rep, back);
      expect(run(name, size, MASK32, rep)).toBe('');
      const got = [m.gpr(Gpr.EAX), m.gpr(Gpr.ECX), m.gpr(Gpr.ESI), m.gpr(Gpr.EDI)];
      const what = `${name} ${size} rep ${rep} count ${count} back ${back} esi ${esi} edi ${edi}`;
      expect(got, what).toEqual([expected.eax, expected.ecx, expected.esi, expected.edi]);
      expect(Buffer.compare(m.ram.subarray(0, 0x200000), expected.ram), what).toBe(0);
      if (expected.a >= 0) expect(m.call.readArith(m.cpu) & Eflags.ARITH, what).toBe(subFlags(expected.a, expected.b, size));
    }
  });
});

/** The six flags of a - b. */
function subFlags(a: number, b: number, size: number): number {
  const bits = size * 8;
  const r = BigInt.asUintN(bits, BigInt(a) - BigInt(b));
  const sign = (v: number | bigint) => (BigInt(v) >> BigInt(bits - 1)) & 1n;
  let ones = 0;
  for (let i = 0n; i < 8n; i++) ones += Number((r >> i) & 1n);
  return (
    (a < b ? Eflags.CF : 0) |
    (ones % 2 === 0 ? Eflags.PF : 0) |
    ((a & 15) < (b & 15) ? Eflags.AF : 0) |
    (r === 0n ? Eflags.ZF : 0) |
    (sign(r) ? Eflags.SF : 0) |
    (sign(a) !== sign(b) && sign(a) !== sign(r) ? Eflags.OF : 0)
  );
}

describe('edges', () => {
  const setup = (ecx: number, esi: number, edi: number) => {
    m.setGpr(Gpr.ECX, ecx);
    m.setGpr(Gpr.ESI, esi);
    m.setGpr(Gpr.EDI, edi);
  };
  const regs = () => [m.gpr(Gpr.ECX), m.gpr(Gpr.ESI), m.gpr(Gpr.EDI)];

  test('registers stand at the element that faults', () => {
    m.setPhys32(0x100000 + 4, 0x101000 | 7);
    m.setPhys32(0x101000, 0x300000 | 7);
    m.setPhys32(0x101004, 0x301000 | 7);
    m.call.movToCr(m.cpu, 3, 0x100000);
    m.call.movToCr(m.cpu, 0, CR0.PE | CR0.PG);
    setup(3000, 0x400000, 0x401000);
    expect(run('movs', 4, MASK32, 1)).toBe('PF(2)');
    expect(m.get('cr2')).toBe(0x402000);
    expect(regs()).toEqual([3000 - 1024, 0x401000, 0x402000]);
    setup(100, 0x401ffa, 0x400000);
    expect(run('movs', 4, MASK32, 1)).toBe('PF(0)');
    expect(regs()).toEqual([99, 0x401ffe, 0x400004]);
    expect(m.get('cr2')).toBe(0x402000);
    m.set('eflags', Eflags.DF | 2);
    setup(100, 0x400008, 0x401000);
    expect(run('movs', 4, MASK32, 1)).toBe('PF(0)');
    expect(regs()).toEqual([97, 0x3ffffc, 0x401000 - 12]);
    expect(m.get('cr2')).toBe(0x3ffffc);
    expect([m.phys32(0x301000), m.phys32(0x300ffc)]).toEqual([m.phys32(0x300008), m.phys32(0x300004)]);
    expect(m.phys32(0x101000) & PT.D).toBe(PT.D);
  });

  test('16-bit addresses wrap and leave the upper halves alone', () => {
    m.ram[0xffff] = 1;
    m.ram[0] = 2;
    m.ram[1] = 3;
    setup(0xaaaa0003, 0xbbbbffff, 0xcccc8000);
    expect(run('movs', 1, 0xffff, 1)).toBe('');
    expect(regs()).toEqual([0xaaaa0000, 0xbbbb0002, 0xcccc8003]);
    expect([...m.ram.subarray(0x8000, 0x8003)]).toEqual([1, 2, 3]);
  });

  test('limits of both segments, with the right exception', () => {
    m.setSeg(Seg.ES, 0, 0x20ff, DATA);
    setup(0x200, 0x3000, 0x2000);
    expect(run('movs', 1, MASK32, 1)).toBe('GP(0)');
    expect(regs()).toEqual([0x100, 0x3100, 0x2100]);
    m.setSeg(Seg.SS, 0x1000, 0x30ff, DATA);
    setup(0x20, 0x30fc, 0x1000);
    expect(run('movs', 4, MASK32, 1, Seg.SS)).toBe('SS(0)');
    expect(regs()).toEqual([0x1f, 0x3100, 0x1004]);
  });

  test('comes back at once when something is pending, after some progress', () => {
    m.set('pending', 1);
    setup(10000, 0x200000, 0x300000);
    expect(m.call.movs!(m.cpu, 4, MASK32, m.seg(Seg.DS), 1)).toBe(1);
    const [ecx] = regs();
    expect(ecx).toBeLessThan(10000);
    expect(ecx).toBeGreaterThan(0);
  });

  test('a page with code is told about every store', () => {
    m.markCode(0x300000);
    setup(16, 0x200000, 0x300000);
    expect(run('movs', 4, MASK32, 1)).toBe('');
    expect(m.calls).toEqual([{ name: 'invalidateCode', args: [0x300000, 4] }]);
    m.markCode(0x300000);
    setup(16, 0x200000, 0x300000);
    expect(run('stos', 4, MASK32, 1)).toBe('');
    expect(m.calls).toHaveLength(2);
  });

  test('beside the code of a page, runs are written at once and are no affair of the code cache', () => {
    m.markCode(0x300100, 1);
    setup(64, 0x200000, 0x300000);
    expect(run('movs', 4, MASK32, 1)).toBe('');
    setup(64, 0x200000, 0x300101);
    expect(run('stos', 4, MASK32, 1)).toBe('');
    expect(m.calls).toEqual([]);
    setup(65, 0x200000, 0x300000);
    expect(run('stos', 4, MASK32, 1)).toBe('');
    expect(m.calls).toEqual([{ name: 'invalidateCode', args: [0x300100, 4] }]);
  });

  test('devices get every element', () => {
    m.setGpr(Gpr.EAX, 0x0720);
    setup(3, 0, 0xa8000);
    expect(run('stos', 2, MASK32, 1)).toBe('');
    expect(m.calls.map((c) => c.args)).toEqual([
      [0xa8000, 2, 0x720],
      [0xa8002, 2, 0x720],
      [0xa8004, 2, 0x720],
    ]);
  });
});
