// npm run bench -- kernel: rows of kernel work (guests/kbench) in Debian's kernel on Dragoman, QEMU's TCG and v86, in turn, a process each.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ROWS, rowsOf, runAppend } from '../../guests/kbench/initrd.ts';
import { LMBENCH } from '../../guests/workloads/lmbench.ts';
import type { BootImage } from '../machines.ts';
import { type Subjects, subjects } from '../subjects.ts';
import { KbenchReader } from './output.ts';
import { type Heat, type KernelResult, kernelRows, type MachineRun } from './statistics.ts';

export const CACHE = fileURLToPath(new URL('../../.cache/bench/', import.meta.url));
const BOOT_SECONDS = 180;
/** How each is run: seconds a row, and the slices that they are cut into. */
export const HEATS: Readonly<Record<Heat, { readonly seconds: number; readonly slices: number }>> = {
  cold: { seconds: 0.3, slices: 1 },
  warm: { seconds: 6, slices: 12 },
};

export interface KernelOptions extends Subjects {
  readonly heat: Heat;
  readonly rounds: number;
  /** Of each row; undefined: as the heat has it. */
  readonly seconds: number | undefined;
  /** Of all rows those whose name contains one of these texts, apart by commas; undefined: this benchmark's. */
  readonly only: string | undefined;
  readonly cpus: number;
}

/** After so many seconds a row has failed, and a machine that has said nothing for longer hangs. */
export const limitOf = (seconds: number): number => Math.ceil(2 * seconds) + 30;

/** The guest's kernel and our initial RAM disk; the kernel's release. */
export async function kbenchImage(append: string): Promise<BootImage & { readonly version: string }> {
  return { ...(await LMBENCH.image()), append };
}

export interface Watched {
  readonly reader: KbenchReader;
  /** Why it ended before it was done; undefined where it was. */
  readonly ended: string | undefined;
}

/**
 * Runs a machine until its guest is done, has said nothing for too long, or the process ends. `onOutput`: called when there is more of it, with the process's number.
 * `toEnd`: the process is left to end by itself when the guest is done.
 */
export function watch(
  command: readonly string[],
  silentSeconds: number,
  { onOutput = () => {}, toEnd = false }: { onOutput?: (reader: KbenchReader, pid: number) => void; toEnd?: boolean } = {},
): Promise<Watched> {
  const child = spawn(command[0]!, command.slice(1), { stdio: ['pipe', 'pipe', 'pipe'] });
  const reader = new KbenchReader();
  let errors = '';
  let ended: string | undefined;
  let timer: NodeJS.Timeout;
  const wait = (seconds: number, what: string) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      ended = `${what} for ${seconds} s`;
      child.kill('SIGKILL');
    }, seconds * 1000);
  };
  wait(BOOT_SECONDS, 'no row began');
  child.stdout.on('data', (data: Buffer) => {
    reader.take(data.toString('latin1'), performance.now());
    if (reader.running !== undefined) wait(silentSeconds, 'it said nothing');
    onOutput(reader, child.pid!);
    if (reader.done && !toEnd) child.kill('SIGKILL');
  });
  child.stderr.on('data', (data: Buffer) => (errors = (errors + data.toString()).slice(-400)));
  return new Promise((resolve) => {
    const settle = (why: string) => {
      clearTimeout(timer);
      if (reader.done) return resolve({ reader, ended: undefined });
      const at = reader.running === undefined ? '' : ` (the last row that began: ${reader.running})`;
      resolve({ reader, ended: `${ended ?? `${why}: ${(errors || reader.other).trim()}`}${at}` });
    };
    child.on('error', (error) => settle(error.message));
    child.on('close', (code, signal) => settle(`the machine ended (${signal ?? code})`));
  });
}

export async function kernel({
  heat,
  rounds,
  seconds = HEATS[heat].seconds,
  only,
  cpus,
  peers,
  variants,
}: KernelOptions): Promise<KernelResult> {
  const rows = only === undefined ? rowsOf('kernel') : ROWS.filter(({ name }) => only.split(',').some((text) => name.includes(text)));
  const limitSeconds = limitOf(seconds);
  const names = rows.map(({ name }) => name);
  const image = await kbenchImage(runAppend({ seconds, slices: HEATS[heat].slices, limitSeconds, rows: names }));
  const all = await subjects(image, cpus, { peers, variants });
  const skipped = all.flatMap(({ name, command }) => (typeof command === 'string' ? [`${name}: ${command}`] : []));
  const machines = all.filter(({ command }) => typeof command !== 'string');
  if (rows.length === 0) skipped.push(`all rows: none has a name with '${only}' in it (${ROWS.map(({ name }) => name).join(', ')})`);
  const runs = new Map<string, MachineRun[]>(machines.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds && rows.length > 0; round++)
    for (const { name, command } of machines) {
      process.stderr.write(`bench: kernel ${heat} ${name} ...`);
      const start = performance.now();
      const { reader, ended } = await watch(command as readonly string[], limitSeconds + seconds);
      const { output } = reader;
      runs.get(name)!.push({ machine: name, output, ...(ended === undefined ? {} : { ended }) });
      const took = `${((performance.now() - start) / 1000).toFixed(1)} s`;
      process.stderr.write(` ${ended === undefined ? took : `${ended}, after ${took}`}\n`);
    }
  const order = machines.map(({ name }) => name);
  return { heat, guest: image.version, cpus, seconds, rounds, machines: order, rows: kernelRows(rows, runs, heat), skipped };
}
