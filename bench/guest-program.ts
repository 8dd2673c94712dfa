// A compiled workload in a machine of one CPU without devices, called like a C function.
import { setTimeout as sleep } from 'node:timers/promises';
import { Eflags, Gpr } from '../src/layout/cpu.ts';
import { createTestEngine } from '../test/harness/cpu-engine.ts';
import { IMAGE_BASE, type Program } from './workloads.ts';

/** The function returns to a HLT here. */
const RETURN = 0x1000;
const HLT = 0xf4;
const STACK = 0xf00000;
const CR4_SSE = 0x600;
const WARM_SETTLED_MS = 400;
const WARM_LIMIT_MS = 3000;

const word = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);

export class GuestProgram {
  private readonly engine: ReturnType<typeof createTestEngine>;
  private readonly program: Program;

  constructor(name: 'interpreter' | 'jit', program: Program) {
    this.program = program;
    this.engine = createTestEngine(name);
    this.engine.writeMemory(IMAGE_BASE, program.image);
    this.engine.writeMemory(RETURN, Uint8Array.of(HLT));
    this.engine.setState({ cr4: CR4_SSE });
  }

  /** work(count): its result and the nanoseconds it took. */
  call(count: number): { result: number; nanoseconds: number } {
    const { engine } = this;
    const gpr = new Uint32Array(8);
    gpr[Gpr.ESP] = STACK;
    engine.writeMemory(STACK, word(RETURN));
    engine.writeMemory(STACK + 4, word(count));
    engine.setState({ gpr, eip: this.program.entry, eflags: Eflags.ONE });
    const start = performance.now();
    const { reason, vector } = engine.run();
    const nanoseconds = (performance.now() - start) * 1e6;
    if (reason !== 'halted')
      throw new Error(`${this.program.workload.name} ended with ${reason}${vector === undefined ? '' : ` ${vector}`}`);
    return { result: engine.getState().gpr[Gpr.EAX], nanoseconds };
  }

  /** Calls until V8 has had the time to optimize what is hot: until calls have not become faster for a while. */
  async warm(count: number): Promise<void> {
    const start = performance.now();
    let best = Number.POSITIVE_INFINITY;
    let since = start;
    for (;;) {
      const { nanoseconds } = this.call(count);
      const now = performance.now();
      if (nanoseconds < best * 0.97) {
        best = nanoseconds;
        since = now;
      }
      if (now - since > WARM_SETTLED_MS || now - start > WARM_LIMIT_MS) return;
      await sleep(10);
    }
  }

  /** Nanoseconds for a count of 1: the best of the calls in about `seconds`. */
  measure(count: number, seconds: number): number {
    const end = performance.now() + seconds * 1000;
    let best = Number.POSITIVE_INFINITY;
    do best = Math.min(best, this.call(count).nanoseconds);
    while (performance.now() < end);
    return best / count;
  }

  close(): void {
    this.engine.close?.();
  }
}
