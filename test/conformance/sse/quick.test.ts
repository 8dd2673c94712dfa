// Instructions whose common case regions compute in place (src/emit/lower/quick-ways.ts): in a region they must do what the runtime's functions do, which handlers call, with any operands,
// any flags set and any exceptions unmasked. Cannot prove: that the functions are right (arithmetic.test.ts, recorded vectors).
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openEngine, type TestEngine } from '../../harness/engine.ts';
import { F32, F64, Random } from '../../vectors/gen/values.ts';
import { number } from './numbers.ts';
import { DOUBLE, type Format, SINGLE } from './reference.ts';

const CODE = 0x2000;
const HLT = 0xf4;
const CASES = 1500;

const PS: number[] = [];
const PD = [0x66];
const SS = [0xf3];
const SD = [0xf2];
/** xmm1, xmm2; from or to ecx. */
const MODRM = 0xca;

type Instruction = readonly [name: string, bytes: readonly number[], format: Format];
const INSTRUCTIONS: readonly Instruction[] = [
  ...(
    [
      ['add', 0x58],
      ['mul', 0x59],
      ['sub', 0x5c],
      ['min', 0x5d],
      ['div', 0x5e],
      ['max', 0x5f],
      ['sqrt', 0x51],
    ] as const
  ).flatMap(([name, opcode]) =>
    (
      [
        ['ps', PS, SINGLE],
        ['pd', PD, DOUBLE],
        ['ss', SS, SINGLE],
        ['sd', SD, DOUBLE],
      ] as const
    ).map(([suffix, prefix, f]) => [name + suffix, [...prefix, 0x0f, opcode, MODRM], f] as const),
  ),
  ['ucomiss', [0x0f, 0x2e, MODRM], SINGLE],
  ['ucomisd', [0x66, 0x0f, 0x2e, MODRM], DOUBLE],
  ['comiss', [0x0f, 0x2f, MODRM], SINGLE],
  ['comisd', [0x66, 0x0f, 0x2f, MODRM], DOUBLE],
  ['cvttss2si', [0xf3, 0x0f, 0x2c, MODRM], SINGLE],
  ['cvttsd2si', [0xf2, 0x0f, 0x2c, MODRM], DOUBLE],
  ['cvtss2sd', [0xf3, 0x0f, 0x5a, MODRM], SINGLE],
  ['cvtsd2ss', [0xf2, 0x0f, 0x5a, MODRM], DOUBLE],
  ['cvtsi2ss', [0xf3, 0x0f, 0x2a, MODRM], SINGLE],
];

function lanes(r: Random, f: Format): Uint8Array {
  const view = new DataView(new ArrayBuffer(16));
  const least = f === SINGLE ? 0x800000n : 0x10000000000000n;
  const one = () =>
    r.below(5) === 0 ? least + BigInt(r.below(1 << 24)) : r.below(3) ? number(r, f) : f === SINGLE ? BigInt(r.pick(F32)) : r.pick(F64);
  // Often all lanes plain, so that one odd lane counts.
  const plain = f === SINGLE ? 0x3fc00000n : 0x3ff8000000000000n;
  for (let i = 0; i < 16; i += f === SINGLE ? 4 : 8) {
    const v = r.below(2) ? one() : plain + BigInt(r.below(1 << 20));
    if (f === SINGLE) view.setUint32(i, Number(v), true);
    else view.setBigUint64(i, v, true);
  }
  return new Uint8Array(view.buffer);
}
/** Mostly as programs have it; any flags, rounding and masks. */
function control(r: Random): number {
  const flags = r.below(3) ? 0x20 | r.below(64) : r.below(64);
  if (r.below(3)) return 0x1f80 | flags;
  const bit = 1 << r.pick([6, 7, 8, 9, 10, 11, 11, 12, 13, 14, 15, 15]);
  return r.below(3) ? (0x1f80 ^ bit) | flags : r.below(0x10000);
}
const hex = (v: Uint8Array) => Buffer.from(v).reverse().toString('hex');

describe('regions do as the functions', () => {
  let engines: TestEngine[];
  beforeAll(async () => {
    engines = [await openEngine('jit'), await openEngine('interpreter')];
  });
  afterAll(() => engines.forEach((engine) => engine.close?.()));

  test.each(INSTRUCTIONS)('%s', (name, bytes, format) => {
    const r = new Random(name.split('').reduce((sum, c) => sum * 31 + c.charCodeAt(0), 7));
    for (const engine of engines) engine.writeMemory(CODE, Uint8Array.of(...bytes, HLT));
    for (let n = 0; n < CASES; n++) {
      const xmm = new Uint8Array(128);
      xmm.set(lanes(r, format), 16);
      // As much again, or nearly, so that differences vanish or are tiny.
      xmm.set([lanes(r, format), lanes(r, format), xmm.slice(16, 32).map((v, at) => (at % 4 ? v : v ^ r.below(256)))][r.below(3)]!, 32);
      const mxcsr = control(r);
      const gpr = new Uint32Array(8);
      gpr[1] = gpr[2] = r.u32() >>> r.below(32);
      const [region, handler] = engines.map((engine) => {
        engine.setState({ cr0: 0x11, cr4: 0x600, eip: CODE, eflags: 2, gpr, xmm, mxcsr });
        const result = engine.run({ faults: 'stop', maxInstructions: 100 });
        const state = engine.getState();
        const fault = result.reason === 'fault' ? result.vector : '-';
        return `${hex(state.xmm.slice(16, 32))} ecx ${state.gpr[1]} mxcsr ${state.mxcsr.toString(16)} flags ${(state.eflags & 0x8d5).toString(16)} fault ${fault}`;
      });
      const text = `${hex(xmm.slice(16, 32))} ${hex(xmm.slice(32, 48))} edx ${gpr[2]} mxcsr ${mxcsr.toString(16)}`;
      expect(`${text}: ${region}`).toBe(`${text}: ${handler}`);
    }
  });
});
