// The samples that CPUs left in their rings (layout/flame.ts, wasm/engine/sample.ts), on the thread of the machine's user.
import type { SharedMemory } from '../../cpu/state.ts';
import { Cpu } from '../../layout/cpu.ts';
import { FLAME_COUNT_SHIFT, FLAME_RECORDS, FlameInfo, FlameRecord } from '../../layout/flame.ts';
import { CpuArea, cpuBase } from '../../layout/memory.ts';

export interface Sample {
  readonly cpu: number;
  /** Nanoseconds that it stands for; 0: a period. */
  readonly ns: number;
  /** Nanoseconds that the CPU has waited in HLT so far. */
  readonly idleNs: number;
  /** CPL 3. */
  readonly user: boolean;
  readonly cr3: number;
  /** Linear addresses, the innermost first: where it was, then where its callers go on. */
  readonly frames: readonly number[];
  /** There were more callers. */
  readonly cut: boolean;
  /** Samples of this CPU that found no room before it, modulo 2^32. */
  readonly lost: number;
}

/** Takes all that is there now, each CPU's in its order. */
export function drainSamples({ i32, plan }: SharedMemory, take: (sample: Sample) => void): void {
  const { at } = FlameRecord;
  for (let cpu = 0; cpu < plan.cpuCount; cpu++) {
    const base = cpuBase(plan, cpu);
    const tailAt = (base + Cpu.at.flameTail) >> 2;
    const head = Atomics.load(i32, (base + Cpu.at.flameHead) >> 2);
    for (let tail = i32[tailAt]!; tail !== head; ) {
      const record = (base + CpuArea.at.flame + (tail & (FLAME_RECORDS - 1)) * FlameRecord.size) >> 2;
      const word = (offset: number) => i32[record + (offset >> 2)]! >>> 0;
      const time = (offset: number) => word(offset) + word(offset + 4) * 2 ** 32;
      const info = word(at.info);
      const above = word(at.above);
      const callers = Array.from({ length: info >>> FLAME_COUNT_SHIFT }, (_, n) => word(at.frames + 4 * n));
      take({
        cpu,
        user: (info & FlameInfo.CPL) === 3,
        cr3: word(at.cr3),
        frames: [word(at.eip), ...(above === 0 ? [] : [above]), ...callers],
        cut: (info & FlameInfo.CUT) !== 0,
        ns: time(at.ns),
        idleNs: time(at.idleNs),
        lost: word(at.lost),
      });
      tail = (tail + 1) | 0;
      Atomics.store(i32, tailAt, tail);
    }
  }
}
