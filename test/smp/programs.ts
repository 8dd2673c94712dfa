// SMP programs: test/smp/*.asm (NASM, multiboot kernels over smp.inc). The assembled bytes are kept in test/smp/bin, so tests need no NASM;
// test/smp/assemble.ts makes them, and a test checks by hash that they are of the present sources.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { type EngineName, Machine, type MachineOptions, MiB, type RunResult } from '../../src/api/index.ts';
import { dumpMachine } from '../../src/machine/report/dump.ts';

const folder = new URL('./', import.meta.url);
export const EXIT_PORT = 0xf4;
export const MEMORY = 32 * MiB;
/** More of everything: SMP_EFFORT=10 runs ten times as many iterations. */
export const EFFORT = Number(process.env.SMP_EFFORT ?? 1);
/** Far beyond what a run takes: a run that lasts as long hangs. */
const PATIENCE_MS = 50_000 * Math.max(EFFORT, 1);

export const programNames = (): string[] =>
  readdirSync(folder)
    .filter((f) => f.endsWith('.asm'))
    .map((f) => f.slice(0, -4))
    .sort();

/** Hash of what an image is made of: the program, and the files that it may include. */
export function sourceHash(name: string): string {
  const hash = createHash('sha256');
  for (const file of readdirSync(folder).sort())
    if (file.endsWith('.inc') || file === `${name}.asm`) hash.update(readFileSync(new URL(file, folder), 'utf8'));
  return hash.digest('hex').slice(0, 32);
}

export const readManifest = (): Record<string, string> => JSON.parse(readFileSync(new URL('bin/manifest.json', folder), 'utf8'));

export const readImage = (name: string): Uint8Array => readFileSync(new URL(`bin/${name}.bin`, folder));

/** What the programs get on their command line. */
export interface Options {
  readonly cpus: number;
  /** How often, in the program's own unit. */
  readonly n: number;
  readonly [option: string]: number;
}

export const commandLine = (options: Options): string =>
  Object.entries(options)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');

export interface Outcome {
  readonly result: RunResult;
  readonly lines: readonly string[];
  /** Where the program was stopped because it hung: all CPUs. */
  readonly hung?: string;
}

/** A machine with the program in it; `lines` grows while it runs. */
export async function machineFor(name: string, engine: EngineName, options: Options, more: Partial<MachineOptions> = {}) {
  const output: Uint8Array[] = [];
  const machine = await Machine.create({
    engine,
    kernel: readImage(name),
    cpus: options.cpus,
    append: commandLine(options),
    memoryBytes: MEMORY,
    debugExitPort: EXIT_PORT,
    onDebugConsole: (bytes) => output.push(bytes),
    ...more,
  });
  return { machine, lines: () => Buffer.concat(output).toString().split('\n').slice(0, -1) };
}

/** Runs a program to its end. */
export async function runProgram(name: string, engine: EngineName, options: Options, more: Partial<MachineOptions> = {}): Promise<Outcome> {
  const { machine, lines } = await machineFor(name, engine, options, more);
  let hung: string | undefined;
  const timer = setTimeout(() => {
    const insides = machine as unknown as { shared: Parameters<typeof dumpMachine>[0]; readFlags: Parameters<typeof dumpMachine>[1] };
    hung = dumpMachine(insides.shared, insides.readFlags);
    machine.stop('it hangs');
  }, PATIENCE_MS);
  const result = await machine.run();
  clearTimeout(timer);
  return { result, lines: lines(), ...(hung === undefined ? {} : { hung }) };
}
