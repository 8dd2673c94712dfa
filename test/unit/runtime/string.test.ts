// String instructions against a byte-by-byte model, with random sizes, overlaps, directions and page boundaries.
import { beforeEach, describe, expect, test } from 'vitest';
import { Eflags, Mode, Step } from '../../../src/layout/cpu.ts';
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

  test('ES may have a base', () => {
    m.setSeg(Seg.ES, 0x100, 0xffffffff, DATA);
    m.setPhys32(0x2000, 0x12345678);
    for (const [reg, value] of [
      [Gpr.ECX, 1],
      [Gpr.ESI, 0x2000],
      [Gpr.EDI, 0x3000],
    ] as const)
      m.setGpr(reg, value);
    m.call.slowLoad8!(m.cpu, 0x2000, 0);
    m.call.slowLoad8!(m.cpu, 0x3000, 0);
    expect(run('movs', 4, MASK32, 1)).toBe('');
    expect([m.phys32(0x3100), m.phys32(0x3000)]).toEqual([0x12345678, 0]);
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

// Where everything is flat a whole REP MOVS may be done at once: with Mode.FLAT hidden it is done in parts, and must come to the same.
test('REP MOVS at once does what it does in parts', () => {
  const next = random(7);
  const [DIRECTORY, TABLE] = [0x10000, 0x11000];
  const one = (list: readonly number[]) => list[next(list.length)]!;
  let done = 0;
  for (let turn = 0; turn < 3000; turn++) {
    // Pages 4 to 7 are the user's, 4 and 6 lie elsewhere in memory, one of 5 and 7 may be read-only, the kernel's, or not there.
    const spoilt = one([5, 7]);
    const kind = one([PT.P | PT.RW | PT.US, PT.P | PT.US, PT.P | PT.RW, 0]);
    for (let page = 0; page < 32; page++) {
      const frame = page === 4 ? 0x18 : page === 6 ? 0x1a : page;
      const rights = page === spoilt ? kind : PT.P | PT.RW | PT.US;
      m.setPhys32(TABLE + page * 4, (frame << 12) | rights | PT.A | PT.D);
    }
    m.setPhys32(DIRECTORY, TABLE | PT.P | PT.RW | PT.US | PT.A);
    for (const frame of [0x18, 0x19, 0x1a, 0x1b, 5, 7, 8])
      for (let i = 0; i < 64; i++) m.setPhys32(frame * 0x1000 + next(1024) * 4, next(2 ** 32));
    const cpl = one([0, 3]);
    const state = {
      ecx: one([0, 1, 2, 5, 17, 40, 600, 2000, 0x1002, 0x80000000]),
      esi: 0x4000 + next(4) * 0x1000 + one([0, 4, 0xf00, 0xff0, next(0x1000)]),
      edi: 0x4000 + next(4) * 0x1000 + one([0, 4, 0xf00, 0xff0, next(0x1000)]),
    };
    if (next(4) === 0) state.edi = state.esi + next(16) - 8;
    const [size, mask, seg] = [one([1, 2, 4]), one([-1, -1, -1, 0xffff]), one([Seg.DS, Seg.DS, Seg.FS])];
    // Only the lower halves count then.
    if (mask !== -1) for (const name of ['esi', 'edi'] as const) state[name] |= next(2) << 16;
    const limited = seg === Seg.FS && next(2) === 0;
    const [flags, step, pages] = [
      next(5) === 0 ? Eflags.DF : 0,
      next(8) === 0 ? Step.BAIL : 0,
      [...Array(8).keys()].filter(() => next(10) > 0),
    ];
    const ends = [true, false].map((flat) => {
      m.set('cr0', CR0.PE | CR0.WP | CR0.PG);
      m.set('cr3', DIRECTORY);
      m.call.flush!(m.cpu);
      m.setSeg(Seg.FS, limited ? 0x10 : 0, limited ? 0x6fff : 0xffffffff, DATA);
      m.setCpl(0);
      for (const page of pages.flatMap((page) => [page, page + 16])) {
        m.call.slowLoad8!(m.cpu, page << 12, 0);
        m.fault();
      }
      m.setCpl(cpl);
      m.set('eflags', 2 | flags);
      m.set('step', step);
      for (const [reg, value] of [
        [Gpr.ECX, state.ecx],
        [Gpr.ESI, state.esi],
        [Gpr.EDI, state.edi],
      ] as const)
        m.setGpr(reg, value);
      if (!flat) m.set('mode', m.get('mode') & ~Mode.FLAT);
      const before = m.ram.slice(0, 0x20000);
      const more = m.call.movs!(m.cpu, size, mask, m.seg(seg), 1);
      const fault = m.fault();
      const after = m.ram.slice(0, 0x20000);
      m.ram.set(before);
      return {
        turn,
        more,
        fault,
        regs: [Gpr.ECX, Gpr.ESI, Gpr.EDI].map((reg) => m.gpr(reg)),
        cr2: fault ? m.get('cr2') : 0,
        after: Buffer.from(after).toString('latin1'),
      };
    });
    const { after, ...rest } = ends[0]!;
    const { after: parts, ...same } = ends[1]!;
    expect(rest).toEqual(same);
    if (after !== parts) throw new Error(`turn ${turn}: memory differs`);
    if (rest.fault === '' && rest.more === 0) done++;
  }
  expect(done).toBeGreaterThan(500);
});
