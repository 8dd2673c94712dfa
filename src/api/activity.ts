// What a machine's CPUs are doing: the types, and what two looks at it say of the time between them.
import type { MachineState } from './debug.ts';

/** What a CPU is at: code of CPL 0 to 2, code of CPL 3, a wait in HLT; it waits for its start-up IPI; or the machine does not run. */
export type CpuState = 'kernel' | 'user' | 'idle' | 'off' | 'stopped';

/** What a CPU has done so far. Numbers only grow, but where a machine goes back or is reset. */
export interface CpuActivity {
  /** Now. */
  readonly state: CpuState;
  /** Linear address of the instruction that is next, or, of a CPU that runs, of one where it was seen at last: within 20 ms, as the host's threads come to run. */
  readonly eip: number;
  /** Milliseconds of the guest's clock in which it executed something, waited in HLT, and waited for its start-up IPI. */
  readonly ranMs: number;
  readonly idleMs: number;
  readonly offMs: number;
  /**
   * How the time that it ran is shared between the levels. With threads how often it was looked at (every 5 to 10 ms) and found in code of a level; in lockstep milliseconds of its own turns, which are measured. Of use are
   * the proportions between two looks: activityBetween().
   */
  readonly samples: { readonly kernel: number; readonly user: number };
  /** External interrupts and NMIs that it has taken; exceptions that were delivered; misses of the TLB; loads of CR3. */
  readonly interrupts: number;
  readonly faults: number;
  readonly tlbMisses: number;
  readonly addressSpaces: number;
}

/** What a machine has done so far. */
export interface MachineActivity {
  readonly state: MachineState;
  /** Milliseconds of the guest's clock, which stands still while the machine is paused. */
  readonly ms: number;
  readonly cpus: readonly CpuActivity[];
  /** Regions that were translated or taken from the code cache, and modules that CPUs installed. */
  readonly regions: number;
  readonly installs: number;
}

/** What a CPU did between two looks: parts of the time, together 1 (all 0 where the clock stood still), and numbers a second of the guest's clock. */
export interface CpuShares {
  readonly kernel: number;
  readonly user: number;
  readonly idle: number;
  readonly off: number;
  readonly interrupts: number;
  readonly faults: number;
  readonly tlbMisses: number;
  readonly addressSpaces: number;
}

/** What all of a machine's did; numbers are a second of the guest's clock. */
export interface ActivityShares {
  /** Milliseconds of the guest's clock between the two. */
  readonly ms: number;
  readonly cpus: readonly CpuShares[];
  readonly regions: number;
  readonly installs: number;
}

const COUNTS = ['interrupts', 'faults', 'tlbMisses', 'addressSpaces'] as const;

/** Which part of what ran was code of CPL 3: by the samples in between, or, where there was none, by what it is at. */
function userPart(before: CpuActivity, now: CpuActivity): number {
  const [kernel, user] = (['kernel', 'user'] as const).map((level) => Math.max(now.samples[level] - before.samples[level], 0)) as [
    number,
    number,
  ];
  return kernel + user > 0 ? user / (kernel + user) : now.state === 'user' ? 1 : 0;
}

function sharesOf(before: CpuActivity, now: CpuActivity, perSecond: (before: number, now: number) => number): CpuShares {
  const ran = Math.max(now.ranMs - before.ranMs, 0);
  const idle = Math.max(now.idleMs - before.idleMs, 0);
  const off = Math.max(now.offMs - before.offMs, 0);
  const part = (ms: number) => (ran + idle + off > 0 ? ms / (ran + idle + off) : 0);
  const user = part(ran) * userPart(before, now);
  const counts = Object.fromEntries(COUNTS.map((name) => [name, perSecond(before[name], now[name])])) as Pick<
    CpuShares,
    (typeof COUNTS)[number]
  >;
  return { kernel: part(ran) - user, user, idle: part(idle), off: part(off), ...counts };
}

/** What a machine did from one look to a later one (Machine.activity). Both are of the same machine. */
export function activityBetween(before: MachineActivity, now: MachineActivity): ActivityShares {
  const ms = Math.max(now.ms - before.ms, 0);
  // What was counted anew since then (a reset, a way back) has not been less than nothing.
  const perSecond = (from: number, to: number) => (ms === 0 ? 0 : (Math.max(to - from, 0) / ms) * 1000);
  return {
    ms,
    cpus: now.cpus.map((cpu, n) => sharesOf(before.cpus[n]!, cpu, perSecond)),
    regions: perSecond(before.regions, now.regions),
    installs: perSecond(before.installs, now.installs),
  };
}
