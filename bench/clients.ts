// npm run bench -- clients: what clients cost. serai with each client and without any, machines side by side of which one works at a time: rows of its kernel, in turn. The rows' time is the
// guest's, cut into short slices: the best of them says what the code takes where the host does nothing else.

import { build, SERAI, whyNot } from '../guests/serai.ts';
import { CLIENTS } from '../src/api/client-names.ts';
import { Machine, MiB } from '../src/api/index.ts';
import { median, short, spread, type Table, times } from './figures.ts';

/** Operations of serai's `bench`. */
const ROWS = ['call-sysenter', 'page-fault', 'pipe-round-trip', 'context-switch', 'spawn-exit'];
/** Of a row in a round, and before the first: milliseconds, and slices of them. */
const MEASURED = { ms: 1500, slices: 30 };
const WARM = { ms: 6000, slices: 10 };
const PROMPT = '\nserai> ';
const TIMEOUT_MS = 600_000;

export interface ClientRow {
  readonly row: string;
  /** Nanoseconds of an operation without a client, the best slice. */
  readonly plain: number;
  /** By client: how many times as long it takes with it, best slice against best slice, and the median of the rounds' ratios of best slices. */
  readonly clients: Readonly<Record<string, { readonly ratio: number; readonly usual: number; readonly spread: number }>>;
}

/** serai with its names, which the client shadow goes by; where this host cannot build it, as it is in the repository: the same code. */
let named: Uint8Array | undefined;
const kernelNow = (): Uint8Array | string => (whyNot() === undefined ? (named ??= build({ STRIP: '' })) : SERAI);

/** serai at its prompt, with a client or without. */
class Guest {
  readonly machine: Machine;
  private readonly run: Promise<unknown>;

  private constructor(machine: Machine, run: Promise<unknown>) {
    this.machine = machine;
    this.run = run;
  }

  static async start(client: string | undefined, cpus: number): Promise<Guest> {
    const clients = client === undefined ? [] : [client];
    const machine = await Machine.create({ kernel: kernelNow(), cpus, memoryBytes: 128 * MiB, clients });
    const run = machine.run();
    await machine.console.until(PROMPT.trim(), { timeoutMs: TIMEOUT_MS });
    return new Guest(machine, run);
  }

  /** Nanoseconds of an operation in each slice of a row. */
  async slices(row: string, { ms, slices }: typeof WARM): Promise<number[]> {
    const { console: terminal } = this.machine;
    await terminal.type(`rows ${ms} ${slices} ${row}\n`);
    const { match } = await terminal.until(new RegExp(`kbench: ${row} ([\\d ]+)\\r?\\n`), { timeoutMs: TIMEOUT_MS });
    const numbers = match.trim().split(' ').slice(2).map(Number);
    return Array.from({ length: numbers.length / 2 }, (_, n) => numbers[2 * n]! / numbers[2 * n + 1]!).filter(Number.isFinite);
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
    for (const guest of guests) await guest.slices(row, WARM);
    /** By guest: the best slice of each round. */
    const best: number[][] = guests.map(() => []);
    for (let round = 0; round < rounds; round++)
      for (const [n, guest] of guests.entries()) best[n]!.push(Math.min(...(await guest.slices(row, MEASURED))));
    const [plain, ...others] = best as [number[], ...number[][]];
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
    notes: ["best slice against best slice, and the median of the rounds' ratios"],
  };
}
