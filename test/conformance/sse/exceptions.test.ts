// Checks that come before an SSE or MMX instruction, and floating-point exceptions that are not masked.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { engineNames, openEngine, type TestEngine } from '../../harness/engine.ts';
import { place, run } from './instruction.ts';

const ADDPS = [0x0f, 0x58, 0xca];
const DIVPS = [0x0f, 0x5e, 0xca];
const UD = 6;
const NM = 7;
const GP = 13;
const MF = 16;
const XM = 19;
const singles = (...v: number[]) => new Uint8Array(new Float32Array(v).buffer);

for (const engineName of engineNames)
  describe(engineName, () => {
    let engine: TestEngine;
    beforeAll(async () => {
      engine = await openEngine(engineName);
    });
    afterAll(() => engine.close?.());

    /** Runs an instruction with the given state; gives the vector of its exception. */
    function fault(bytes: readonly number[], state: Parameters<TestEngine['setState']>[0]): number | undefined {
      place(engine, bytes);
      engine.setState({ eip: 0x2000, cr0: 0x11, cr4: 0x600, mxcsr: 0x1f80, fcw: 0x37f, fsw: 0, xmm: new Uint8Array(128), ...state });
      const result = engine.run({ faults: 'stop', maxInstructions: 100 });
      return result.reason === 'fault' ? result.vector : undefined;
    }

    test('division by zero that is not masked: flags are set, the destination is not', () => {
      place(engine, DIVPS);
      const a = singles(1, 2, 3, 4);
      const r = run(engine, a, singles(0, 3, 1, 1), 0x1f80 & ~0x200);
      expect(r.fault).toBe(XM);
      expect(r.xmm1).toEqual(a);
      // Found before the operation, so the inexact quotient of another lane does not count.
      expect(r.mxcsr & 0x3f).toBe(4);
    });

    test('an inexact result that is not masked is found behind the operation', () => {
      place(engine, ADDPS);
      const r = run(engine, singles(1, 0, 0, 0), singles(2 ** -30, 0, 0, 0), 0x1f80 & ~0x1000);
      expect([r.fault, r.mxcsr & 0x3f]).toEqual([XM, 0x20]);
    });

    test('flags that are set already raise nothing', () => {
      place(engine, ADDPS);
      expect(run(engine, singles(1, 2, 3, 4), singles(1, 1, 1, 1), (0x1f80 & ~0x1000) | 0x3f).fault).toBeUndefined();
    });

    test('without CR4.OSXMMEXCPT it is #UD', () => {
      expect(fault(DIVPS, { cr4: 0x200, mxcsr: 0 })).toBe(UD);
    });

    test('CR0 and CR4 hold SSE back', () => {
      expect(fault(ADDPS, { mxcsr: 0x1f80 })).toBeUndefined();
      expect(fault(ADDPS, { cr4: 0 })).toBe(UD);
      expect(fault(ADDPS, { cr0: 0x15 })).toBe(UD);
      expect(fault(ADDPS, { cr0: 0x19 })).toBe(NM);
    });

    test('CR0 and waiting x87 exceptions hold MMX back', () => {
      const paddb = [0x0f, 0xfc, 0xca];
      expect(fault(paddb, {})).toBeUndefined();
      expect(fault(paddb, { cr0: 0x15 })).toBe(UD);
      expect(fault(paddb, { cr0: 0x19 })).toBe(NM);
      expect(fault(paddb, { cr0: 0x31, fcw: 0x37e, fsw: 0x8081 })).toBe(MF);
    });

    test('16-byte operands lie on their boundary, or anywhere where MOVUPS says so', () => {
      const gpr = Uint32Array.of(0x3008, 0, 0, 0, 0, 0, 0, 0);
      expect(fault([0x0f, 0x28, 0x08], { gpr })).toBe(GP); // movaps xmm1, [eax]
      expect(fault([0x0f, 0x58, 0x08], { gpr })).toBe(GP); // addps xmm1, [eax]
      expect(fault([0x0f, 0x10, 0x08], { gpr })).toBeUndefined(); // movups xmm1, [eax]
    });

    test('LDMXCSR takes no reserved bits', () => {
      const gpr = Uint32Array.of(0x3000, 0, 0, 0, 0, 0, 0, 0);
      expect(fault([0x0f, 0xae, 0x10], { gpr })).toBeUndefined();
      place(engine, [0x0f, 0xae, 0x10]);
      engine.writeMemory(0x3000, Uint8Array.of(0x80, 0x1f, 1, 0));
      engine.setState({ eip: 0x2000, cr0: 0x11, cr4: 0x600, gpr });
      expect(engine.run({ faults: 'stop', maxInstructions: 10 }).vector).toBe(GP);
    });
  });
