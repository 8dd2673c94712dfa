// The quick ways of arithmetic and loads against those that know all cases, which unmasked inexact results are sent on: both must leave the same registers, tags and flags, whatever
// the operands are and whichever flags are set. Cannot prove: that either is right (vectors.test.ts has what a processor did).
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cpu } from '../../../src/layout/cpu.ts';
import { RAM } from '../../../src/layout/memory.ts';
import { openEngine, type TestEngine } from '../../harness/engine.ts';
import { F32, F64, Random } from '../../vectors/gen/values.ts';
import { loadRuntime, OPERAND, openFpu } from './immediate.ts';

const fpu = openFpu(loadRuntime());
const { view, cpu } = fpu;

const MSB = 1n << 63n;
const ALL = (1n << 64n) - 1n;
/** PC and RC as Linux has them, all masked; PC as others have it; and the bit that unmasks inexact results. */
const USUAL = 0x37f;
const CONTROLS = [USUAL, 0x27f, 0x07f];
const UNMASKED = 0x20;
const PE = 0x20;
/** ES and busy. */
const PENDING = 0x8080;

const r = new Random(87);
const u64 = () => (BigInt(r.u32()) << 32n) | BigInt(r.u32());

interface Operand {
  readonly se: number;
  readonly sig: bigint;
}
const SPECIAL: readonly Operand[] = [
  ...[0, 1, 0x3ffe, 0x3fff, 0x4000, 0x7ffe].flatMap((se) => [MSB, MSB | 1n, ALL, ALL - 1n, 3n << 62n].map((sig) => ({ se, sig }))),
  ...[1n, MSB - 1n, MSB, ALL, 0n].map((sig) => ({ se: 0, sig })),
  ...[MSB, 3n << 62n, MSB | 1n, ALL].map((sig) => ({ se: 0x7fff, sig })),
  // What processors reject.
  { se: 0x3fff, sig: 1n << 62n },
  { se: 0x4000, sig: 0n },
];
/** Exponents that add up to all that is special, and significands with few bits or many. */
function operand(): Operand {
  if (r.below(4) === 0) return r.pick(SPECIAL);
  const exponent = [
    0x3fff + r.below(140) - 70,
    0x3fff,
    1 + r.below(130),
    0x7ffe - r.below(130),
    0x2000 - 20 + r.below(40),
    0x5fff - r.below(40),
  ];
  const fraction = [u64(), u64() << BigInt(r.below(64)), ALL << BigInt(r.below(64)), 1n << BigInt(r.below(64)), (u64() >> 1n) << 1n];
  return { se: r.pick(exponent), sig: (r.pick(fraction) & ALL) | MSB };
}
const signed = ({ se, sig }: Operand): Operand => ({ se: se | (r.below(2) << 15), sig });

function enter(a: Operand, b: Operand, memory: bigint, fcw: number, fsw: number, top: number, tags: number): void {
  const word = (offset: number, value: number) => view.setUint32(cpu + offset, value, true);
  for (let i = 0; i < 8; i++) {
    const at = cpu + Cpu.at.fpr + ((top + i) & 7) * 16;
    const { sig, se } = i === 0 ? a : i === 1 ? b : { sig: 0n, se: 0 };
    view.setBigUint64(at, sig, true);
    view.setUint16(at + 8, se, true);
  }
  word(Cpu.at.fcw, fcw);
  word(Cpu.at.fsw, fsw);
  word(Cpu.at.ftop, top);
  word(Cpu.at.ftw, tags);
  view.setBigUint64(RAM + OPERAND, memory, true);
}
function found(): string {
  const word = (offset: number) => view.getUint32(cpu + offset, true).toString(16);
  const registers = Array.from({ length: 8 }, (_, i) => {
    const at = cpu + Cpu.at.fpr + i * 16;
    return `${view.getUint16(at + 8, true).toString(16)}:${view.getBigUint64(at, true).toString(16)}`;
  });
  const fsw = (view.getUint32(cpu + Cpu.at.fsw, true) & ~PENDING).toString(16);
  return `sw ${fsw} top ${word(Cpu.at.ftop)} tags ${word(Cpu.at.ftw)} ${registers.join(' ')} ${view.getBigUint64(RAM + OPERAND, true).toString(16)}`;
}

/** Bits of a single, or of a double, around all that is special; or any integer. */
function memory(name: string): bigint {
  if (/m16|fi.*m32/.test(name)) return BigInt.asUintN(32, BigInt([r.u32(), r.below(3) - 1, r.u32() >>> r.below(32)][r.below(3)]!));
  const wide = name.endsWith('m64');
  if (r.below(2)) return wide ? r.pick(F64) : BigInt(r.pick(F32));
  const [bits, exponents] = wide ? [52n, 0x7ff] : [23n, 0xff];
  const half = exponents >> 1;
  const exponent = r.pick([r.below(exponents + 1), half + r.below(60) - 30, 1 + r.below(3), exponents - r.below(3)]);
  const fraction = r.pick([u64(), 0n, ALL, 1n << BigInt(r.below(52))]) & ((1n << bits) - 1n);
  return (BigInt(r.below(2)) << (bits + (wide ? 11n : 8n))) | (BigInt(exponent) << bits) | fraction;
}

const NAMES = ['add', 'sub', 'subr', 'mul', 'div', 'divr'].flatMap((op) => [
  `f${op} st0 st1`,
  `f${op} st1 st0`,
  `f${op}p`,
  `f${op} m32`,
  `f${op} m64`,
  `fi${op} m16`,
  `fi${op} m32`,
]);
const LOADS = ['fld m32', 'fld m64', 'fld st1', 'fild m16', 'fild m32', 'fild m64', 'fld1', 'fldz', 'fldpi'];

test.each([...NAMES, ...LOADS])('%s', (name) => {
  let inexact = 0;
  for (let n = 0; n < 6000; n++) {
    const a = signed(operand());
    // As much again, or nearly, so that differences cancel.
    const b = signed(r.below(6) ? operand() : { se: a.se & 0x7fff, sig: (a.sig ^ BigInt(r.below(4))) & ALL });
    const value = memory(name);
    const fsw = r.below(4) ? r.pick([0, PE, PE | 0x200, 0x200]) : (r.below(32) & ~1) | (r.below(2) << 6) | 0x4500;
    const top = r.below(8);
    // ST(0) and ST(1), seldom without one of them, or with all.
    const used = r.below(16) ? 3 : r.pick([0, 1, 2, 0xff, 0x83]);
    const tags = ((used << top) | (used >> (8 - top))) & 0xff;
    const control = r.pick(CONTROLS);
    const outcome = [control, control ^ UNMASKED].map((fcw) => {
      // A flag that is set and not masked would wait.
      enter(a, b, value, fcw, fcw === control ? fsw : fsw & ~PE, top, tags);
      return { raised: fpu.run(name), state: found() };
    });
    const sw = Number.parseInt(outcome[1]!.state.split(' ')[1]!, 16);
    if (sw & PE) inexact++;
    const want = outcome[1]!.state.replace(/^sw \w+/, `sw ${(sw | (fsw & PE)).toString(16)}`);
    const text = `${JSON.stringify([a, b, value], (_, v) => (typeof v === 'bigint' ? v.toString(16) : v))} sw ${fsw.toString(16)} used ${used}`;
    expect(`${text}: ${outcome[0]!.state}`).toBe(`${text}: ${want}`);
    expect(outcome[0]!.raised).toBe(-1);
  }
  if (NAMES.includes(name)) expect(inexact).toBeGreaterThan(400);
});

describe('loads of reals, which regions make in place', () => {
  const CODE = 0x2000;
  const DATA = 0x3000;
  let engines: TestEngine[];
  beforeAll(async () => {
    engines = [await openEngine('jit'), await openEngine('interpreter')];
  });
  afterAll(() => {
    for (const engine of engines) engine.close?.();
  });

  // fld [eax]; fstp tbyte [eax + 16]; hlt
  test.each([
    ['fld m32', 0xd9],
    ['fld m64', 0xdd],
  ])('%s', (name, opcode) => {
    for (const engine of engines) engine.writeMemory(CODE, Uint8Array.of(opcode, 0, 0xdb, 0x78, 16, 0xf4));
    for (let n = 0; n < 1500; n++) {
      const value = memory(name);
      const ftw = r.below(4) ? r.below(256) : 0;
      const fsw = (r.below(8) << 11) | r.pick([0, 0x200, 0x4720, 0x3f]);
      const fcw = r.below(3) ? USUAL : r.pick([0x37e, 0x37d, 0x27f, 0xf7f]);
      const [region, handler] = engines.map((engine) => {
        const bytes = new DataView(new ArrayBuffer(32));
        bytes.setBigUint64(0, value, true);
        engine.writeMemory(DATA, new Uint8Array(bytes.buffer));
        const gpr = new Uint32Array(8);
        gpr[0] = DATA;
        engine.setState({ cr0: 0x31, eip: CODE, eflags: 2, gpr, fcw, fsw: fsw & ~(~fcw & 0x3f), ftw, mm: new Uint8Array(64) });
        const { reason, vector } = engine.run({ faults: 'stop', maxInstructions: 100 });
        const state = engine.getState();
        const hex = (v: Uint8Array) => Buffer.from(v).toString('hex');
        return [reason, vector, state.eip, state.fsw, state.ftw, hex(state.mm), hex(engine.readMemory(DATA, 32))];
      });
      expect([value, fsw, ftw, region]).toEqual([value, fsw, ftw, handler]);
    }
  });
});
