// The program of a page that uses the package, as somebody would write it (bundlers.test.ts): boots serai on two CPUs with a disk that the browser keeps, attaches a client, types at its prompt, and leaves what came of it to the test.

export const HTML = '<!doctype html><html><body><script type="module" src="./main.js"></script></body></html>\n';

/** What the page leaves in `globalThis.outcome`. */
export interface Outcome {
  readonly error?: string;
  readonly answer?: string;
  readonly end?: string;
  readonly encoder?: string | null;
  readonly isolated?: boolean;
  /** Whether the client has counted something. */
  readonly counted?: boolean;
}

export const MAIN = `
import { DragomanError, Machine, originDisk, originDisks } from 'dragoman';
import { CLIENTS } from 'dragoman/clients';
import { serai } from 'dragoman/serai';

async function main() {
  await originDisks.create('disk', 64 * 512);
  const disks = [await originDisk('disk')];
  const machine = await Machine.create({ kernel: serai, cpus: 2, memoryBytes: 64 << 20, codeCache: 'project', disks });
  const run = machine.run();
  await machine.console.until('serai> ');
  const inscount = await machine.attach('inscount');
  await machine.console.type('primes 1000000\\n');
  const { match } = await machine.console.until(/\\d+ primes up to 1000000, on \\d CPUs/);
  // Translations are Binaryen's as soon as it is loaded: it is found, too.
  let encoder = null;
  for (let k = 0; k < 300 && encoder !== 'binaryen'; k++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    encoder = machine.stats().translator.encoder;
  }
  const counted = inscount.report().kernel > 1000000;
  await inscount.detach();
  await machine.console.type('halt\\n');
  const { kind } = await run;
  await machine.close();
  return { answer: match, end: kind, encoder, counted };
}

if (CLIENTS.prof.length === 0 || new DragomanError('INTERNAL', '').code !== 'INTERNAL') throw new Error('not what it should be');
main().then(
  (outcome) => (globalThis.outcome = outcome),
  (error) => (globalThis.outcome = { error: String(error) }),
);
`;
