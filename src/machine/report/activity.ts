// What the CPUs are doing, from words that are there anyway: the levels by samples, of whatever met a kick of the timekeeper, or, in lockstep, of the ends of turns.
import type { CpuActivity, CpuState, MachineActivity } from '../../api/activity.ts';
import type { MachineState } from '../../api/debug.ts';
import type { SharedMemory } from '../../cpu/state.ts';
import { Cpu, Seg, SegCache } from '../../layout/cpu.ts';
import { Control, controlWord, cpuBase } from '../../layout/memory.ts';
import type { TurnTimes } from '../lockstep/turn-times.ts';

const USER = 3;
const NS = 1e6;

/** What the words do not know. */
export interface ActivityFacts {
  readonly shared: SharedMemory;
  readonly state: MachineState;
  /** Nanoseconds of the machine's clock. */
  readonly nowNs: number;
  /** Of a lockstep machine. */
  readonly times: TurnTimes | undefined;
}

/** Words of one CPU. */
class Words {
  readonly #i32: Int32Array;
  readonly #base: number;

  constructor({ i32, plan }: SharedMemory, cpu: number) {
    this.#i32 = i32;
    this.#base = cpuBase(plan, cpu);
  }
  word(offset: number): number {
    return this.#i32[(this.#base + offset) >> 2]! >>> 0;
  }
  counter(offset: number): number {
    return this.word(offset) + this.word(offset + 4) * 2 ** 32;
  }
  get isHalted(): boolean {
    return this.word(Cpu.at.halted) !== 0;
  }
  get awaitsStartup(): boolean {
    return this.word(Cpu.at.awaitsStartup) !== 0;
  }
  get state(): CpuState {
    if (this.awaitsStartup) return 'off';
    if (this.isHalted) return 'idle';
    return this.word(Cpu.at.cpl) === USER ? 'user' : 'kernel';
  }
}

type Times = Pick<CpuActivity, 'ranMs' | 'idleMs' | 'offMs' | 'samples'>;

/** Of a CPU that is a thread. */
function threadTimes(cpu: Words, nowNs: number): Times {
  const startedNs = cpu.counter(Cpu.at.startedNs);
  if (startedNs === 0) return { ranMs: 0, idleMs: 0, offMs: nowNs / NS, samples: { kernel: 0, user: 0 } };
  const sinceNs = cpu.counter(Cpu.at.idleSinceNs);
  // The sleep that it is in has not been counted yet.
  const idleNs = cpu.counter(Cpu.at.idleNs) + (sinceNs === 0 ? 0 : Math.max(nowNs - sinceNs, 0));
  const user = cpu.counter(Cpu.at.samplesUser);
  const all = cpu.counter(Cpu.at.samplesInterpreted) + cpu.counter(Cpu.at.samplesTranslated);
  return {
    ranMs: Math.max(nowNs - startedNs - idleNs, 0) / NS,
    idleMs: idleNs / NS,
    offMs: startedNs / NS,
    samples: { kernel: Math.max(all - user, 0), user },
  };
}

/** Of one that has turns. */
function turnTimes(times: TurnTimes, cpu: Words, index: number, nowNs: number): Times {
  const { idle, off, kernel, user } = times.of(index);
  // All have waited since the last turn.
  const sinceNs = Math.max(nowNs - times.until, 0);
  const [idleNs, offNs] = [idle + (cpu.awaitsStartup ? 0 : sinceNs), off + (cpu.awaitsStartup ? sinceNs : 0)];
  return {
    ranMs: Math.max(nowNs - idleNs - offNs, 0) / NS,
    idleMs: idleNs / NS,
    offMs: offNs / NS,
    samples: { kernel: kernel / NS, user: user / NS },
  };
}

export function collectActivity({ shared, state, nowNs, times }: ActivityFacts): MachineActivity {
  const { i32, plan } = shared;
  const control = (offset: number) => i32[controlWord(offset)]! >>> 0;
  const cpus = Array.from({ length: plan.cpuCount }, (_, index): CpuActivity => {
    const cpu = new Words(shared, index);
    const code = cpu.word(Cpu.at.seg + Seg.CS * SegCache.size + SegCache.at.base);
    return {
      state: state === 'running' ? cpu.state : 'stopped',
      eip: (code + cpu.word(Cpu.at.eip)) >>> 0,
      ...(times === undefined ? threadTimes(cpu, nowNs) : turnTimes(times, cpu, index, nowNs)),
      interrupts: cpu.counter(Cpu.at.countInterrupts),
      faults: cpu.counter(Cpu.at.countFaults),
      tlbMisses: cpu.counter(Cpu.at.countTlbMisses),
      addressSpaces: cpu.word(Cpu.at.spacesEntered),
    };
  });
  const installs = Array.from({ length: plan.cpuCount }, (_, index) => new Words(shared, index).counter(Cpu.at.countInstalls));
  return {
    state,
    ms: nowNs / NS,
    cpus,
    regions: control(Control.at.statRegions) + control(Control.at.statCacheHits),
    installs: installs.reduce((sum, count) => sum + count, 0),
  };
}
