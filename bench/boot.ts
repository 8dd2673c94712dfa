// npm run bench -- boot and memory: Debian's kernel from power-on to the shell, on Dragoman and on its peers, in turn.
import { ensureGuest, READY } from '../guests/linux.ts';
import { runUntil, type Sample } from './child.ts';
import { median, percent, short, spread, type Table, times } from './figures.ts';
import { type BootMachine, dragoman, MEMORY_MIB } from './machines.ts';
import { type Subjects, subjects } from './subjects.ts';

const TIMEOUT_SECONDS = 180;
const IDLE_SECONDS = 5;

export interface BootOptions extends Subjects {
  readonly rounds: number;
  readonly only: string | undefined;
  readonly interpreter: boolean;
  readonly qemuCpus: number;
}

export interface BootRow {
  readonly name: string;
  readonly samples: readonly Sample[];
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakMiB: number;
  readonly spread: number;
  /** To v86 in the same round; undefined where that did not run. */
  readonly toV86?: number;
  /** The same of the processor seconds: says more on a host that does other things as well. */
  readonly cpuToV86?: number;
}

export interface BootResult {
  readonly guest: string;
  readonly rows: readonly BootRow[];
  readonly skipped: readonly string[];
}

function row(name: string, samples: readonly Sample[], v86Samples: readonly Sample[]): BootRow {
  const seconds = samples.map((s) => s.seconds);
  const pairs = Math.min(samples.length, v86Samples.length);
  const ratio = (of: 'seconds' | 'cpuSeconds') => median(samples.slice(0, pairs).map((s, k) => s[of] / v86Samples[k][of]));
  return {
    name,
    samples,
    seconds: median(seconds),
    cpuSeconds: median(samples.map((s) => s.cpuSeconds)),
    peakMiB: median(samples.map((s) => s.peakMiB)),
    spread: spread(seconds),
    ...(pairs === 0 ? {} : { toV86: ratio('seconds'), cpuToV86: ratio('cpuSeconds') }),
  };
}

export async function boot({ rounds, only, interpreter, peers, variants, qemuCpus }: BootOptions): Promise<BootResult> {
  const guest = await ensureGuest();
  const all = await subjects(guest, 1, { peers, variants }, qemuCpus);
  const machines = all.filter(({ name }) => only === undefined || name.includes(only));
  const skipped: string[] = [];
  const samples = new Map<string, Sample[]>();
  const once = async ({ name, command }: BootMachine): Promise<boolean> => {
    if (typeof command === 'string') {
      skipped.push(`${name}: ${command}`);
      return false;
    }
    process.stderr.write(`bench: boot ${name} ...`);
    try {
      const sample = await runUntil(command, READY, TIMEOUT_SECONDS);
      samples.set(name, [...(samples.get(name) ?? []), sample]);
      process.stderr.write(` ${sample.seconds.toFixed(1)} s\n`);
      return true;
    } catch (error) {
      process.stderr.write(' failed\n');
      skipped.push(`${name}: ${(error as Error).message}`);
      return false;
    }
  };
  let going = machines;
  for (let round = 0; round < rounds; round++) {
    const next: BootMachine[] = [];
    for (const machine of going) if (await once(machine)) next.push(machine);
    going = next;
  }
  if (interpreter) await once(dragoman(guest, 'interpreter'));
  const v86Samples = samples.get('v86') ?? [];
  return { guest: guest.version, rows: [...samples].map(([name, list]) => row(name, list, v86Samples)), skipped };
}

export function bootTable({ guest, rows, skipped }: BootResult, rounds: number): Table {
  return {
    title: `boot: Linux ${guest}, ${MEMORY_MIB} MiB, start of the process to '${READY}'; medians of ${rounds} rounds`,
    head: ['machine', 'seconds', 'spread', 'to v86', 'CPU seconds', 'to v86', 'peak MiB', 'runs'],
    rows: rows.map((r) => [
      r.name,
      short(r.seconds),
      percent(r.spread),
      r.toV86 === undefined ? '' : times(r.toV86),
      short(r.cpuSeconds),
      r.cpuToV86 === undefined ? '' : times(r.cpuToV86),
      short(r.peakMiB),
      String(r.samples.length),
    ]),
    notes: skipped.map((text) => `skipped: ${text}`),
  };
}

export interface MemoryResult {
  readonly samples: readonly Sample[];
  readonly idleMiB: number;
  readonly peakMiB: number;
  /** Host cores that the guest uses while it waits at its prompt. */
  readonly idleLoad: number;
  readonly skipped: readonly string[];
}

/** Resident memory of Dragoman with a 256 MiB guest that waits at its prompt. */
export async function memory(rounds: number): Promise<MemoryResult> {
  const { command } = dragoman(await ensureGuest(), 'jit');
  const samples: Sample[] = [];
  const skipped: string[] = [];
  for (let round = 0; round < rounds; round++) {
    process.stderr.write('bench: memory ...\n');
    try {
      samples.push(await runUntil(command, READY, TIMEOUT_SECONDS, { idleSeconds: IDLE_SECONDS }));
    } catch (error) {
      skipped.push((error as Error).message);
    }
  }
  const middle = (pick: (s: Sample) => number | undefined) => (samples.length === 0 ? Number.NaN : median(samples.map((s) => pick(s)!)));
  return { samples, idleMiB: middle((s) => s.idleMiB), peakMiB: middle((s) => s.peakMiB), idleLoad: middle((s) => s.idleLoad), skipped };
}

export function memoryTable({ samples, idleMiB, peakMiB, idleLoad, skipped }: MemoryResult): Table {
  return {
    title: `memory: Dragoman (jit) with a ${MEMORY_MIB} MiB guest, ${IDLE_SECONDS} s at its prompt`,
    head: ['process', 'resident MiB', 'peak MiB', 'host cores'],
    rows: samples.length === 0 ? [] : [['dragoman jit', short(idleMiB), short(peakMiB), percent(idleLoad)]],
    notes: skipped.map((text) => `skipped: ${text}`),
  };
}
