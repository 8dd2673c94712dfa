// How much of what a client counts there was a second: while it is attached, whichever panel shows it.
import type { CrossingsReport, InscountReport } from '../../../src/api/exports/clients.ts';
import { clientsOf } from './attached-clients.ts';
import { type LookAt, withLook } from './histories.ts';

export interface ClientRates {
  /** What was counted: it is another one's report where the client came anew. */
  readonly client: unknown;
  /** By the guest's clock. */
  readonly ms: number;
  readonly counts: readonly number[];
  /** Milliseconds by the page's clock, and the rates a second of the guest's; the oldest first. */
  readonly points: readonly { readonly at: number; readonly values: readonly number[] }[];
}

/** `count`: numbers of a report of the client `name`. Undefined while it is not attached. */
function ratesOf<Report>(name: string, count: (report: Report) => readonly number[]): LookAt<ClientRates | undefined> {
  return (session, machine, before) => {
    const client = clientsOf(session).of(name)?.client;
    if (client === undefined) return undefined;
    const { ms } = machine.activity();
    const counts = count(client.report() as Report);
    if (before?.client !== client) return { client, ms, counts, points: [] };
    if (ms <= before.ms) return before;
    const values = counts.map((now, n) => (Math.max(now - before.counts[n]!, 0) / (ms - before.ms)) * 1000);
    return { client, ms, counts, points: withLook(before.points, { at: performance.now(), values }) };
  };
}

/** Of the kernel, and of programs. */
export const instructionRates = ratesOf<InscountReport>('inscount', ({ kernel, user }) => [kernel, user]);

/** What of the report of crossings is counted, in the order of its rates. */
export const CROSSINGS = ['systemCalls', 'pageFaults', 'otherFaults', 'interrupts'] as const;
export const crossingRates = ratesOf<CrossingsReport>('crossings', (report) => CROSSINGS.map((kind) => report[kind]));
