// SSE arithmetic in every rounding mode, with DAZ and FTZ and any flags set before, against a reference over big integers.
// Cannot prove: what exceptions that are not masked do (see exceptions.test.ts), conversions, comparisons (recorded vectors have those).
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { engineNames, openEngine, type TestEngine } from '../../harness/engine.ts';
import { Random } from '../../vectors/gen/values.ts';
import { place, run } from './instruction.ts';
import { number } from './numbers.ts';
import { DOUBLE, expected, type Format, type Operation, SINGLE } from './reference.ts';

const OPCODES: Record<Operation, number> = { add: 0x58, mul: 0x59, sub: 0x5c, div: 0x5e, sqrt: 0x51 };
const CASES = 400;

function lanes(f: Format, values: readonly bigint[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(16));
  for (const [i, v] of values.entries()) f === SINGLE ? view.setUint32(i * 4, Number(v), true) : view.setBigUint64(i * 8, v, true);
  return new Uint8Array(view.buffer);
}
const hex = (v: Uint8Array) => Buffer.from(v).reverse().toString('hex');

for (const engineName of engineNames)
  describe(engineName, () => {
    let engine: TestEngine;
    beforeAll(async () => {
      engine = await openEngine(engineName);
    });
    afterAll(() => engine.close?.());

    for (const operation of Object.keys(OPCODES) as Operation[])
      for (const [suffix, prefix, f, scalar] of [
        ['ps', [], SINGLE, false],
        ['pd', [0x66], DOUBLE, false],
        ['ss', [0xf3], SINGLE, true],
        ['sd', [0xf2], DOUBLE, true],
      ] as const)
        test(`${operation}${suffix}`, () => {
          const r = new Random(OPCODES[operation] * 256 + suffix.charCodeAt(0) + suffix.charCodeAt(1));
          const count = f === SINGLE ? 4 : 2;
          place(engine, [...prefix, 0x0f, OPCODES[operation], 0xca]);
          for (let n = 0; n < CASES; n++) {
            const a = Array.from({ length: count }, () => number(r, f));
            const b = a.map((v) => (r.below(8) ? number(r, f) : v));
            // Half of the cases in the default mode, with and without PE: these are the quick paths.
            const modes = n & 1 ? (r.below(4) << 13) | r.pick([0, 0x40, 0x8000, 0x8040]) | r.below(64) : r.pick([0, 0x20]);
            const want = a.map((v, i) => (scalar && i > 0 ? { bits: v, flags: 0 } : expected(f, operation, v, b[i]!, modes)));
            const got = run(engine, lanes(f, a), lanes(f, b), 0x1f80 | modes);
            const bits = lanes(
              f,
              want.map((w) => w.bits),
            );
            const text = `${hex(lanes(f, a))} ${hex(lanes(f, b))} mxcsr ${modes.toString(16)}`;
            expect(`${text}: ${hex(got.xmm1)} ${got.mxcsr.toString(16)}`).toBe(
              `${text}: ${hex(bits)} ${want.reduce((flags, w) => flags | w.flags, 0x1f80 | modes).toString(16)}`,
            );
          }
        });
  });
