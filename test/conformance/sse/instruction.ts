// Runs one SSE instruction over xmm1, xmm2 and MXCSR on an engine.
import type { TestEngine } from '../../harness/engine.ts';

const CODE = 0x2000;
const HLT = 0xf4;

export interface Result {
  xmm1: Uint8Array;
  mxcsr: number;
  /** Vector of the exception, if one was raised. */
  fault: number | undefined;
}

/** `bytes`: an instruction over xmm1 and xmm2. */
export function place(engine: TestEngine, bytes: readonly number[]): void {
  engine.writeMemory(CODE, Uint8Array.of(...bytes, HLT));
}

export function run(engine: TestEngine, xmm1: Uint8Array, xmm2: Uint8Array, mxcsr: number): Result {
  const xmm = new Uint8Array(128);
  xmm.set(xmm1, 16);
  xmm.set(xmm2, 32);
  // CR4: OSFXSR and OSXMMEXCPT.
  engine.setState({ cr0: 0x11, cr4: 0x600, eip: CODE, xmm, mxcsr });
  const result = engine.run({ faults: 'stop', maxInstructions: 100 });
  const state = engine.getState();
  return { xmm1: state.xmm.slice(16, 32), mxcsr: state.mxcsr, fault: result.reason === 'fault' ? result.vector : undefined };
}
