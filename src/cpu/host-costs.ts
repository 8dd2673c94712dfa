// What a CPU asks of JavaScript, counted and timed: only where Control.countInstructions asks for it, as a look at the clock takes longer than most of these functions.
import { Cpu, HOST_COUNTERS } from '../layout/cpu.ts';
import { hostFunctions } from '../runtime/host.ts';
import type { SharedMemory } from './state.ts';

/** In the order of the counters. */
export const HOST_FUNCTIONS = Object.keys(hostFunctions);
if (HOST_FUNCTIONS.length > HOST_COUNTERS) throw new Error('there are more functions of the host than counters for them');

type Functions = Record<string, (...args: never[]) => unknown>;

/** Adds to a counter of 64 bits at a byte offset. */
export function addTo({ i32 }: SharedMemory, offset: number, by: number): void {
  const at = offset >> 2;
  const sum = (i32[at]! >>> 0) + by;
  i32[at] = sum;
  if (sum >= 2 ** 32) i32[at + 1]! += Math.floor(sum / 2 ** 32);
}

/** The same functions for the CPU at `base`, counted and timed. */
export function timed<T extends object>(shared: SharedMemory, base: number, host: T): T {
  const wrap = (name: string, f: (...args: never[]) => unknown) => {
    const n = HOST_FUNCTIONS.indexOf(name);
    return (...args: never[]) => {
      const started = performance.now();
      try {
        return f(...args);
      } finally {
        addTo(shared, base + Cpu.at.countHost + n * 8, 1);
        addTo(shared, base + Cpu.at.hostNs + n * 8, Math.round((performance.now() - started) * 1e6));
      }
    };
  };
  return Object.fromEntries(Object.entries(host as Functions).map(([name, f]) => [name, wrap(name, f)])) as T;
}
