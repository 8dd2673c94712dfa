// The client crossings: how often each CPU comes from a program into the kernel, and by what: system calls, page faults, other exceptions, interrupts, each vector. Nothing is added to the guest's
// code: the runtime counts on the way.
import { CrossedBy } from '../layout/clients.ts';
import type { Client } from './client.ts';
import type { ClientView } from './view.ts';

/** Ways into the kernel from CPL 3. */
export interface CrossingCounts {
  /** By an instruction: INT n, SYSENTER, or a call gate. */
  readonly systemCalls: number;
  readonly pageFaults: number;
  /** Exceptions but page faults. */
  readonly otherFaults: number;
  /** External ones, and NMIs. */
  readonly interrupts: number;
  /** By their vectors those that have one, INT n too. */
  readonly vectors: Readonly<Record<number, number>>;
}

/** What it reports: of all CPUs together, and of each. */
export interface CrossingsReport extends CrossingCounts {
  readonly cpus: readonly CrossingCounts[];
}

const PAGE_FAULT = 14;
const VECTORS = 256;
/** A counter for each vector, by CrossedBy. */
const COUNTERS = VECTORS * Object.keys(CrossedBy).length;

/** How often, of some CPUs, by CrossedBy and vector. */
type Count = (by: number, vector: number) => number;

function countsOf(count: Count): CrossingCounts {
  const sum = (by: number, wanted = (_vector: number) => true): number => {
    let all = 0;
    for (let vector = 0; vector < VECTORS; vector++) if (wanted(vector)) all += count(by, vector);
    return all;
  };
  const vectors: Record<number, number> = {};
  for (let vector = 0; vector < VECTORS; vector++) {
    const all = count(CrossedBy.EXCEPTION, vector) + count(CrossedBy.INTERRUPT, vector) + count(CrossedBy.INSTRUCTION, vector);
    if (all > 0) vectors[vector] = all;
  }
  return {
    systemCalls: sum(CrossedBy.NO_VECTOR) + sum(CrossedBy.INSTRUCTION),
    pageFaults: count(CrossedBy.EXCEPTION, PAGE_FAULT),
    otherFaults: sum(CrossedBy.EXCEPTION, (vector) => vector !== PAGE_FAULT),
    interrupts: sum(CrossedBy.INTERRUPT),
    vectors,
  };
}

export default function crossings(): Client {
  return {
    room: { cpu: COUNTERS * 8 },
    crossing(b, at) {
      if (at.to === 'kernel') b.countAt(0, b.add(b.mul(at.by(), b.const(VECTORS)), at.vector()));
    },
    report(view: ClientView): CrossingsReport {
      const of =
        (cpu: number): Count =>
        (by, vector) =>
          view.counter(cpu, (by * VECTORS + vector) * 8);
      const cpus = Array.from({ length: view.cpus }, (_, cpu) => of(cpu));
      return { ...countsOf((by, vector) => cpus.reduce((sum, count) => sum + count(by, vector), 0)), cpus: cpus.map(countsOf) };
    },
  };
}
