// In a page: clients on a machine whose CPUs are Workers, from the start and while it runs: those that come with Dragoman, and modules of the page's own.
import { activityBetween, DragomanError, Machine } from '../../src/api/index.ts';
import type { CrossingsReport } from '../../src/clients/crossings.ts';
import type { InscountReport } from '../../src/clients/inscount.ts';
import type { SharingReport } from '../../src/clients/sharing.ts';

export interface Tried {
  readonly end: string;
  /** Instructions of each CPU by the client from the start, and those of all since the one from before the primes was attached. */
  readonly instructions: readonly number[];
  readonly own: unknown;
  readonly sharing: SharingReport;
  readonly crossings: CrossingsReport;
  readonly edges: unknown;
  readonly flame: string;
  /** Instructions of the first client, right behind its detach and later. */
  readonly detached: readonly [number, number];
  /** Codes of what was refused, by what. */
  readonly refused: Readonly<Record<string, string>>;
  /** Of both CPUs, while they looked for primes. */
  readonly kernelShares: readonly number[];
}

/** Codes of errors, and what they say. */
async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'nothing';
  } catch (error) {
    return error instanceof DragomanError ? error.code : String(error);
  }
}

export async function tryClients(): Promise<Tried> {
  const address = (name: string) => new URL(name, document.baseURI);
  const machine = await Machine.create({ kernel: address('serai.elf'), cpus: 2, memoryBytes: 64 << 20, clients: ['inscount'] });
  const run = machine.run();
  const { console } = machine;
  const prompt = () => console.until('serai> ');
  const primes = async () => {
    await console.type('primes 100000\n');
    await console.until(/\d+ primes up to 100000, on 2 CPUs/);
    await prompt();
  };
  await prompt();
  // At once slow ones as well, which nobody need run with.
  for (const client of await Promise.all(['races', 'trace', 'coverage'].map((name) => machine.attach(name)))) await client.detach();
  const attached = await Promise.all(
    ['inscount', 'sharing', 'crossings', 'coverage:format=map', 'flame:hz=2000'].map((name) => machine.attach(name)),
  );
  const [second, sharing, crossings, coverage, flame] = attached;
  const own = await machine.attach({ module: './own-client.js' });
  const before = machine.activity();
  await primes();
  const shares = activityBetween(before, machine.activity());
  await console.type('parallel call-sysenter 1000\n');
  await console.until('parallel call-sysenter: 1000');
  await prompt();
  const refused = {
    prof: await refusal(machine.attach('prof')),
    none: await refusal(machine.attach({ module: './none.js' })),
    'page alone': await refusal(machine.attach({ module: './page-client.js' })),
    file: await refusal(machine.attach('trace:file=trace.txt')),
    ask: await refusal(Promise.resolve().then(() => coverage!.ask('nothing'))),
  };
  const folded = new TextDecoder().decode((await flame!.ask('folded')) as Uint8Array);
  for (const client of [...attached, own]) await client.detach();
  const reports = { own: own.report(), sharing: sharing!.report() as SharingReport, crossings: crossings!.report() as CrossingsReport };
  const first = machine.stats().clients!.inscount as InscountReport;
  const behind = second!.report() as InscountReport;
  await primes();
  const later = second!.report() as InscountReport;
  await console.type('halt\n');
  const { kind } = await run;
  const sum = ({ kernel, user }: { readonly kernel: number; readonly user: number }) => kernel + user;
  return {
    end: kind,
    instructions: first.cpus.map(sum),
    ...reports,
    edges: coverage!.report(),
    flame: folded,
    detached: [sum(behind), sum(later)],
    refused,
    kernelShares: shares.cpus.map(({ kernel }) => kernel),
  };
}
