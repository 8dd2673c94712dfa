// npm run bench -- clients: what clients cost. serai with each client and without any, machines side by side of which one works at a time: rows of its kernel, in turn. The figure is processor time of the
// CPUs' threads for an operation, where the host tells it: on a host that does other things as well the clock says little.

import { readFileSync } from 'node:fs';
import { build, SERAI, whyNot } from '../guests/serai.ts';
import { CLIENTS } from '../src/api/client-names.ts';
import { Machine, MiB } from '../src/api/index.ts';
import { median, short, spread, type Table, times } from './figures.ts';
import { cpuThreads } from './pin.ts';

/** Operations of serai's `bench`. */
const ROWS = ['call-sysenter', 'page-fault', 'pipe-round-trip', 'context-switch', 'spawn-exit'];
/** Milliseconds of a row in a round, and before the first. */
const MEASURED_MS = 1500;
const WARM_MS = 8000;
/** In a row's output. */
const SLICES = 5;
const PROMPT = '\nserai> ';
const TIMEOUT_MS = 600_000;

export interface ClientRow {
  readonly row: string;
  /** Nanoseconds of an operation without a client, in the best round. */
  readonly plain: number;
  /** By client: how many times as long it takes with it, best round against best round, and the median of the rounds' ratios. */
  readonly clients: Readonly<Record<string, { readonly ratio: number; readonly usual: number; readonly spread: number }>>;
}

/** serai with its names, which the client shadow goes by; where this host cannot build it, as it is in the repository: the same code. */
let named: Uint8Array | undefined;
const kernelNow = (): Uint8Array | string => (whyNot() === undefined ? (named ??= build({ STRIP: '' })) : SERAI);

/** serai at its prompt, with a client or without. */
class Guest {
  readonly machine: Machine;
  private readonly run: Promise<unknown>;

  /** The host's threads of its CPUs; none where the host does not tell. */
  private readonly threads: readonly string[];

  private constructor(machine: Machine, run: Promise<unknown>, threads: readonly string[]) {
    this.machine = machine;
    this.run = run;
    this.threads = threads;
  }

  static async start(client: string | undefined, cpus: number): Promise<Guest> {
    const others = new Set(cpuThreads(cpus));
    const clients = client === undefined ? [] : [client];
    const machine = await Machine.create({ kernel: kernelNow(), cpus, memoryBytes: 128 * MiB, clients });
    const run = machine.run();
    await machine.console.until(PROMPT.trim(), { timeoutMs: TIMEOUT_MS });
    return new Guest(
      machine,
      run,
      cpuThreads(cpus).filter((thread) => !others.has(thread)),
    );
  }

  /** Nanoseconds of processor time that its CPUs have had; of the clock, where the host does not tell. */
  private used(): number {
    if (this.threads.length === 0) return performance.now() * 1e6;
    const of = (thread: string) => Number(readFileSync(`/proc/self/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
    return this.threads.reduce((sum, thread) => sum + of(thread), 0);
  }

  /** Runs a row for so long: nanoseconds of an operation. */
  async measure(row: string, ms: number): Promise<number> {
    const { console: terminal } = this.machine;
    const before = this.used();
    await terminal.type(`rows ${ms} ${SLICES} ${row}\n`);
    const { match } = await terminal.until(new RegExp(`kbench: ${row} [\\d ]+\\r?\\n`), { timeoutMs: TIMEOUT_MS });
    const used = this.used() - before;
    const numbers = match.trim().split(' ').slice(2).map(Number);
    return used / numbers.reduce((sum, number, n) => sum + (n % 2 === 1 ? number : 0), 0);
  }

  async close(): Promise<void> {
    this.machine.stop('measured');
    await this.run;
  }
}

/** `clients`: words as for `--client`. `only`: rows whose name has this text. */
export async function clientCosts(clients: readonly string[], rounds: number, only = '', cpus = 1): Promise<ClientRow[]> {
  const rows: ClientRow[] = [];
  const guests: Guest[] = [];
  for (const client of [undefined, ...clients]) guests.push(await Guest.start(client, cpus));
  for (const row of ROWS.filter((name) => name.includes(only))) {
    process.stderr.write(`bench: clients ${row} ...\n`);
    for (const guest of guests) await guest.measure(row, WARM_MS);
    /** By guest: each round. */
    const all: number[][] = guests.map(() => []);
    for (let round = 0; round < rounds; round++)
      for (const [n, guest] of guests.entries()) all[n]!.push(await guest.measure(row, MEASURED_MS));
    const [plain, ...others] = all as [number[], ...number[][]];
    const costs = others.map((ns) => {
      const ratios = ns.map((each, k) => each / plain[k]!);
      return { ratio: Math.min(...ns) / Math.min(...plain), usual: median(ratios), spread: spread(ratios) };
    });
    rows.push({ row, plain: Math.min(...plain), clients: Object.fromEntries(clients.map((client, n) => [client, costs[n]!])) });
  }
  for (const guest of guests) await guest.close();
  return rows;
}

/** All that come with Dragoman. */
export const ALL_CLIENTS: readonly string[] = Object.keys(CLIENTS);

export function clientsTable(rows: readonly ClientRow[], clients: readonly string[], rounds: number): Table {
  return {
    title: `What clients cost: serai's kernel, ${rounds} rounds`,
    head: ['row', 'plain ns', ...clients.flatMap((client) => [client, 'usual', 'spread'])],
    rows: rows.map(({ row, plain, clients: costs }) => [
      row,
      short(plain),
      ...clients.flatMap((client) => [
        times(costs[client]!.ratio),
        times(costs[client]!.usual),
        `${Math.round(costs[client]!.spread * 100)}%`,
      ]),
    ]),
    notes: ["processor time of the CPUs: best round against best round, and the median of the rounds' ratios"],
  };
}
