// Loops over xmm registers, which regions have in locals, and over MXCSR, of which they remember whether it is as usual: whatever comes in between (an exception, a call, FXSAVE, LDMXCSR) finds and leaves
// all as handlers do.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openEngine, type TestEngine } from '../../harness/engine.ts';
import { Random } from '../../vectors/gen/values.ts';
import { number } from './numbers.ts';
import { DOUBLE } from './reference.ts';

const CODE = 0x2000;
/** On another page, so that it is called. */
const CALLEE = 0x3800;
const CONTROLS = 0x4000;
const RESULTS = 0x5000;
const IMAGE = 0x6000;
const STACK = 0x8000;
const HLT = 0xf4;
const TURNS = 12;

const MULSD = [0xf2, 0x0f, 0x59, 0xc1]; // mulsd xmm0, xmm1
const ADDSD = [0xf2, 0x0f, 0x58, 0xd0]; // addsd xmm2, xmm0
const DIVSD = [0xf2, 0x0f, 0x5e, 0xdc]; // divsd xmm3, xmm4
const ADDPS = [0x0f, 0x58, 0xee]; // addps xmm5, xmm6
const LDMXCSR = [0x0f, 0xae, 0x16]; // ldmxcsr [esi]
const STMXCSR = [0x0f, 0xae, 0x1f]; // stmxcsr [edi]
const FXSAVE = [0x0f, 0xae, 0x45, 0]; // fxsave [ebp]
const FXRSTOR = [0x0f, 0xae, 0x4d, 0]; // fxrstor [ebp]
const call = (at: number): number[] => [0xe8, ...new Uint8Array(Int32Array.of(CALLEE - (CODE + at + 5)).buffer)];
const LANES = [
  ...[0x66, 0x0f, 0x16, 0x16], // movhpd xmm2, [esi]
  ...[0x66, 0x0f, 0xc4, 0xc1, 3], // pinsrw xmm0, ecx, 3
  ...[0xf3, 0x0f, 0x10, 0xe8], // movss xmm5, xmm0
  ...[0x66, 0x0f, 0x7e, 0xd0], // movd eax, xmm2
  ...[0xf2, 0x0f, 0x10, 0xf3], // movsd xmm6, xmm3
  ...[0x0f, 0x12, 0xd8], // movhlps xmm3, xmm0
];

/** Behind `mov ecx, TURNS; mov esi, CONTROLS; mov edi, RESULTS`. */
const HEAD = 15;
const BODIES: Record<string, readonly number[]> = {
  'MXCSR that changes': [...LDMXCSR, ...MULSD, ...ADDSD, ...DIVSD, ...ADDPS, ...STMXCSR],
  'MXCSR at the end of a turn': [...MULSD, ...ADDSD, ...ADDPS, ...STMXCSR, ...LDMXCSR],
  FXSAVE: [...MULSD, ...ADDSD, ...FXSAVE, ...DIVSD],
  'FXSAVE and FXRSTOR': [...MULSD, ...FXSAVE, ...LDMXCSR, ...ADDSD, ...ADDPS, ...FXRSTOR, ...DIVSD, ...STMXCSR],
  'a call': [...MULSD, ...call(HEAD + MULSD.length), ...ADDSD, ...STMXCSR],
  lanes: [...LANES, ...ADDSD, ...MULSD, ...DIVSD],
};

describe('in regions as in handlers', () => {
  let engines: TestEngine[];
  beforeAll(async () => {
    engines = [await openEngine('jit'), await openEngine('interpreter')];
  });
  afterAll(() => {
    for (const engine of engines) engine.close?.();
  });

  test.each(Object.entries(BODIES))('%s', (name, body) => {
    const r = new Random(name.length);
    const end = [0x83, 0xc6, 4, 0x83, 0xc7, 4, 0x49]; // add esi, 4; add edi, 4; dec ecx
    // movaps xmm7, xmm2
    const loop = [...body, ...end, 0x75, 256 - body.length - end.length - 2, 0x0f, 0x28, 0xfa, HLT];
    const word = (n: number) => [...new Uint8Array(Uint32Array.of(n).buffer)];
    const head = [0xb9, ...word(TURNS), 0xbe, ...word(CONTROLS), 0xbf, ...word(RESULTS)];
    const ends = new Set<string>();
    for (const engine of engines) {
      engine.writeMemory(CODE, Uint8Array.from([...head, ...loop]));
      // ldmxcsr [esi]; divsd xmm3, xmm4; movaps xmm1, xmm4; ret
      engine.writeMemory(CALLEE, Uint8Array.from([...LDMXCSR, ...DIVSD, 0x0f, 0x28, 0xcc, 0xc3]));
    }
    for (let n = 0; n < 60; n++) {
      const xmm = new Uint8Array(128);
      const view = new DataView(xmm.buffer);
      // Numbers near 1, so that most turns are plain; sometimes one that is not.
      for (let at = 0; at < 128; at += 8)
        view.setBigUint64(at, r.below(12) ? 0x3fefff0000000000n + BigInt(r.u32()) * 0x100n : number(r, DOUBLE), true);
      const controls = Uint32Array.from({ length: TURNS + 1 }, () => {
        const usual = 0x1f80 | (r.below(2) * 0x20) | (r.below(4) ? 0 : r.below(64));
        return r.below(4) ? usual : r.below(3) ? usual ^ (1 << r.pick([6, 11, 13, 14, 15])) : usual ^ (1 << r.pick([7, 8, 9, 10, 12]));
      });
      const image = new Uint8Array(512);
      image.set(xmm.subarray(16), 160);
      new DataView(image.buffer).setUint16(0, 0x37f, true);
      new DataView(image.buffer).setUint32(24, controls[0]!, true);
      const [region, handler] = engines.map((engine) => {
        engine.writeMemory(CONTROLS, new Uint8Array(controls.buffer));
        engine.writeMemory(RESULTS, new Uint8Array(4 * TURNS));
        engine.writeMemory(IMAGE, image);
        const gpr = new Uint32Array(8);
        gpr[4] = STACK;
        gpr[5] = IMAGE;
        const mxcsr = controls[TURNS]!;
        engine.setState({ cr0: 0x11, cr4: 0x600, eip: CODE, eflags: 2, gpr, xmm, mxcsr, fcw: 0x37f, fsw: 0, ftw: 0 });
        const { reason, vector } = engine.run({ faults: 'stop', maxInstructions: 1000 });
        const state = engine.getState();
        const memory = [engine.readMemory(RESULTS, 4 * TURNS), engine.readMemory(IMAGE, 416)].map((bytes) =>
          Buffer.from(bytes).toString('hex'),
        );
        ends.add(`${reason} ${vector}`);
        return {
          ...{ reason, vector, memory, eip: state.eip, mxcsr: state.mxcsr, gpr: [...state.gpr] },
          ...{ xmm: Buffer.from(state.xmm).toString('hex'), eflags: state.eflags },
        };
      });
      expect(region).toEqual(handler);
    }
    expect(ends).toContain('halted undefined');
    if (name.startsWith('MXCSR')) expect(ends).toContain('fault 19');
  });
});
