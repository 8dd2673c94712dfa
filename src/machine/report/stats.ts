// The counters of a run, from the words in shared memory where each thread counts for itself.
import type { FlameStats, MachineStats, ProfStats } from '../../api/options.ts';
import { HOST_FUNCTIONS } from '../../cpu/host-costs.ts';
import type { SharedMemory } from '../../cpu/state.ts';
import { ENCODERS, type EncoderName } from '../../emit/module/builder.ts';
import { SlowCost, SlowPath, TIMED_EACH } from '../../layout/costs.ts';
import { Cpu, Exit } from '../../layout/cpu.ts';
import { Control, controlWord, cpuBase } from '../../layout/memory.ts';
import { constantName, exitName } from './dump.ts';
import { engineTimes } from './engine-times.ts';

/** What the counters do not know. Times are milliseconds of the clock that all threads share. */
export interface RunFacts {
  readonly shared: SharedMemory;
  readonly jit: boolean;
  /** Instructions are counted. */
  readonly counts: boolean;
  /** The start of the run, 0: not yet; the end of the run, or now; that as the time since power-on, without pauses. */
  readonly startedAt: number;
  readonly now: number;
  readonly guestMs: number;
  readonly lockstep: MachineStats['lockstep'];
  /** Undefined: the client prof was not asked for. */
  readonly prof: ProfStats | undefined;
  /** Undefined: no other client is attached. */
  readonly clients: MachineStats['clients'] | undefined;
  /** The same of flame. */
  readonly flame: FlameStats | undefined;
}

export function collectStats(run: RunFacts): MachineStats {
  const { shared, jit, counts, startedAt, now, guestMs } = run;
  const { i32, plan } = shared;
  const bases = Array.from({ length: plan.cpuCount }, (_, cpu) => cpuBase(plan, cpu));
  const word = (offset: number) => i32[controlWord(offset)]! >>> 0;
  const modulesBy = (name: EncoderName) => word(Control.at.statModules + ENCODERS.indexOf(name) * 4);
  const ofCpu = (base: number, offset: number) => (i32[(base + offset) >> 2]! >>> 0) + (i32[(base + offset + 4) >> 2]! >>> 0) * 2 ** 32;
  const counter = (offset: number) => bases.reduce((sum, base) => sum + ofCpu(base, offset), 0);
  const counted = (...offsets: number[]) => (counts ? offsets.reduce((sum, at) => sum + counter(at), 0) : null);
  const wallMs = startedAt === 0 ? 0 : now - startedAt;
  const samples = { interpreter: counter(Cpu.at.samplesInterpreted), jit: counter(Cpu.at.samplesTranslated) };
  const sinceStart = (startedNs: number) => (startedNs === 0 ? 0 : guestMs - startedNs / 1e6);
  // A CPU in HLT has not yet counted the sleep that it is in.
  const idleMs = counter(Cpu.at.idleNs) / 1e6 + bases.reduce((sum, base) => sum + sinceStart(ofCpu(base, Cpu.at.idleSinceNs)), 0);
  const runningMs = bases.reduce((sum, base) => sum + sinceStart(ofCpu(base, Cpu.at.startedNs)), 0);
  const times = engineTimes(jit, Math.max(runningMs - idleMs, 0), samples.interpreter, samples.jit);
  const exits: Record<string, number> = {};
  const exitMs: Record<string, number> = {};
  for (const n of Object.values(Exit)) {
    const count = counter(Cpu.at.countExits + n * 8);
    if (count > 0) exits[exitName(n)] = count;
    const ns = counter(Cpu.at.exitNs + n * 8);
    if (ns > 0) exitMs[exitName(n)] = ns / 1e6;
  }
  const hostCalls: Record<string, { count: number; ms: number }> = {};
  HOST_FUNCTIONS.forEach((name, n) => {
    const count = counter(Cpu.at.countHost + n * 8);
    if (count > 0) hostCalls[name] = { count, ms: counter(Cpu.at.hostNs + n * 8) / 1e6 };
  });
  const slowPaths: Record<string, { count: number; ms: number }> = {};
  for (const [name, n] of Object.entries(SlowPath)) {
    const at = Cpu.at.slow + n * SlowCost.size;
    const count = counter(at + SlowCost.at.count);
    // Each CPU times the first of each so many.
    const timed = bases.reduce((sum, base) => sum + Math.ceil(ofCpu(base, at + SlowCost.at.count) / TIMED_EACH), 0);
    if (count > 0) slowPaths[constantName(name)] = { count, ms: (counter(at + SlowCost.at.ns) / 1e6 / timed) * count };
  }
  return {
    wallMs,
    instructions: counted(Cpu.at.countInterpreted, Cpu.at.countTranslated),
    instructionsAre: counts ? 'counted' : 'unknown',
    timesAre: times.timesAre,
    engines: {
      interpreter: { ms: times.interpreter, samples: samples.interpreter, instructions: counted(Cpu.at.countInterpreted) },
      jit: { ms: times.jit, samples: samples.jit, instructions: counted(Cpu.at.countTranslated) },
    },
    idleMs,
    translator: {
      ms: word(Control.at.statTranslateUs) / 1000,
      publishMs: word(Control.at.statPublishUs) / 1000,
      regions: word(Control.at.statRegions),
      modules: ENCODERS.reduce((sum, name) => sum + modulesBy(name), 0),
      encoder: jit ? ENCODERS[word(Control.at.encoder)]! : null,
      encoderFailed: word(Control.at.encoderFailed) !== 0,
      modulesBy: { binaryen: modulesBy('binaryen'), direct: modulesBy('direct') },
      bytes: word(Control.at.statModuleBytes),
      cacheHits: word(Control.at.statCacheHits),
      cacheMisses: word(Control.at.statCacheMisses),
      flushes: word(Control.at.statFlushes),
      failed: word(Control.at.statFailedRegions),
    },
    installs: { ms: counter(Cpu.at.installNs) / 1e6, modules: counter(Cpu.at.countInstalls) },
    directMapBytes: bases.map((base) => i32[(base + Cpu.at.directBytes) >> 2]!),
    stackRefusals: counter(Cpu.at.countRefused),
    tlbMisses: counter(Cpu.at.countTlbMisses),
    faults: counter(Cpu.at.countFaults),
    interrupts: counter(Cpu.at.countInterrupts),
    exits,
    exitMs,
    hostCalls: counts ? hostCalls : null,
    slowPaths: counts ? slowPaths : null,
    instructionsByCpu: counts ? bases.map((base) => ofCpu(base, Cpu.at.countInterpreted) + ofCpu(base, Cpu.at.countTranslated)) : null,
    ...(run.prof === undefined ? {} : { prof: run.prof }),
    ...(run.clients === undefined ? {} : { clients: run.clients }),
    ...(run.flame === undefined ? {} : { flame: run.flame }),
    ...(run.lockstep === undefined ? {} : { lockstep: run.lockstep }),
  };
}
