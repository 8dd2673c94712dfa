// Compiles the programs in workloads/ twice from the same C: a flat image for the guest, and a native executable (of 64 bits where
// this machine runs none of 32).
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SOURCES = fileURLToPath(new URL('workloads/', import.meta.url));
const CACHE = fileURLToPath(new URL('../.cache/bench/', import.meta.url));
/** Guest address of an image's first byte; guest.ld says the same. */
export const IMAGE_BASE = 0x10000;

export interface Workload {
  readonly name: string;
  readonly source: string;
  /** What a count of 1 is. */
  readonly unit: string;
  /** Argument of work() that takes some tenths of a millisecond natively. */
  readonly count: number;
  /** Guest instructions of a count of 1, where the source fixes their number. */
  readonly instructions?: number;
  /** Flags of the compiler beyond the common ones. */
  readonly flags?: readonly string[];
}

export const WORKLOADS: readonly Workload[] = [
  { name: 'sieve', source: 'sieve.c', unit: 'sieve of 32 KiB', count: 8 },
  { name: 'alu+memory', source: 'alu.c', unit: 'iteration', count: 200_000, instructions: 11 },
  { name: 'call+return', source: 'calls.c', unit: 'two pairs', count: 100_000 },
  // fib(16) makes 3,193 calls.
  { name: 'recursion', source: 'recursion.c', unit: 'fib(16)', count: 20 },
  { name: 'rep movs/stos', source: 'strings.c', unit: '4 KiB each', count: 600 },
  { name: 'matrix x87', source: 'matrix.c', unit: 'product', count: 16, flags: ['-mfpmath=387'] },
  { name: 'matrix sse2', source: 'matrix.c', unit: 'product', count: 16, flags: ['-msse2', '-mfpmath=sse'] },
  { name: 'string hash', source: 'hash.c', unit: '5 strings', count: 3_000 },
  { name: 'quicksort', source: 'quicksort.c', unit: 'sort of 1024', count: 4 },
];

export interface Program {
  readonly workload: Workload;
  readonly image: Uint8Array;
  /** Guest address of work(). */
  readonly entry: number;
  /** Path of the native executable: native COUNT SECONDS. */
  readonly native: string;
}

const COMMON = [
  '-O1',
  '-ffreestanding',
  '-fno-pie',
  '-no-pie',
  '-fno-stack-protector',
  '-fcf-protection=none',
  '-fno-asynchronous-unwind-tables',
  '-fno-ident',
  '-ffp-contract=off',
  '-Wall',
  '-Werror',
]; // prettier-ignore

const GUEST = ['-m32', '-march=i686', '-mregparm=0', '-mpreferred-stack-boundary=2'];

/** What the native executables are compiled for. */
export type NativeBits = 32 | 64;
let bits: Promise<NativeBits> | undefined;

/** 64 where the system runs no executables of 32 bits, as some kernels and sandboxes do not. */
export function nativeBits(): Promise<NativeBits> {
  const probe = async (): Promise<NativeBits> => {
    await mkdir(CACHE, { recursive: true });
    const folder = await mkdtemp(join(CACHE, 'probe-'));
    const [source, program] = [join(folder, 'probe.c'), join(folder, 'probe')];
    try {
      await writeFile(source, 'int main(void) { return 0; }\n');
      await run('gcc', ['-m32', '-no-pie', '-o', program, source]);
      await run(program);
      return 32;
    } catch {
      return 64;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
  return (bits ??= probe());
}

/** Why programs cannot be compiled here; undefined where they can. */
export async function missingCompiler(): Promise<string | undefined> {
  await mkdir(CACHE, { recursive: true });
  try {
    await compile(WORKLOADS[1]);
    return undefined;
  } catch (error) {
    const { code, stderr } = error as { code?: string | number; stderr?: string };
    if (code === 'ENOENT') return 'no gcc (and binutils) here';
    return `gcc -m32 cannot compile here (Debian: gcc-multilib): ${stderr?.trim().split('\n')[0] ?? (error as Error).message}`;
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Compiles a workload, or takes what was compiled from the same sources before. */
export async function compile(workload: Workload): Promise<Program> {
  const flags = [...COMMON, ...GUEST, ...(workload.flags ?? [])];
  const native = await nativeBits();
  const hash = createHash('sha256').update([...flags, native].join(' '));
  for (const file of [workload.source, 'native.c', 'guest.ld']) hash.update(await readFile(join(SOURCES, file)));
  hash.update((await run('gcc', ['-dumpfullversion'])).stdout);
  const out = join(CACHE, hash.digest('hex').slice(0, 16));
  if (!(await exists(out))) {
    const work = `${out}.${process.pid}`;
    await rm(work, { recursive: true, force: true });
    await mkdir(work, { recursive: true });
    const at = (name: string) => join(work, name);
    await run('gcc', [...flags, '-c', '-o', at('work.o'), join(SOURCES, workload.source)]);
    await run('gcc', [
      '-m32',
      '-nostdlib',
      '-static',
      '-no-pie',
      '-Wl,--build-id=none',
      '-Wl,-T',
      join(SOURCES, 'guest.ld'),
      '-o',
      at('guest.elf'),
      at('work.o'),
    ]);
    await run('objcopy', ['-O', 'binary', at('guest.elf'), at('guest.bin')]);
    let object = at('work.o');
    if (native === 64) {
      object = at('work64.o');
      await run('gcc', [...COMMON, '-m64', ...(workload.flags ?? []), '-c', '-o', object, join(SOURCES, workload.source)]);
    }
    await run('gcc', [`-m${native}`, '-no-pie', '-O1', '-o', at('native'), join(SOURCES, 'native.c'), object]);
    // Somebody else may have been quicker with the same.
    await rename(work, out).catch(() => rm(work, { recursive: true, force: true }));
  }
  const { stdout } = await run('nm', [join(out, 'guest.elf')]);
  const symbol = stdout.split('\n').find((line) => line.endsWith(' work'));
  if (symbol === undefined) throw new Error(`${workload.source} has no work()`);
  return { workload, image: await readFile(join(out, 'guest.bin')), entry: Number.parseInt(symbol, 16), native: join(out, 'native') };
}

/** The multiboot kernel of cliffs.S: its path. */
export async function compileCliffs(): Promise<string> {
  const work = await mkdtemp(join(CACHE, 'cliffs-'));
  const [object, elf, kernel] = [join(work, 'cliffs.o'), join(work, 'cliffs.elf'), join(CACHE, 'cliffs.elf')];
  await run('gcc', ['-m32', '-c', '-o', object, join(SOURCES, 'cliffs.S')]);
  const script = join(SOURCES, 'cliffs.ld');
  await run('ld', ['-m', 'elf_i386', '-static', '--build-id=none', '-T', script, '-o', elf, object]);
  await rename(elf, kernel);
  await rm(work, { recursive: true });
  return kernel;
}

/** Runs the native program for about `seconds`. */
export async function runNative(program: Program, count: number, seconds: number): Promise<{ result: number; nanoseconds: number }> {
  const { stdout } = await run(program.native, [String(count), String(seconds)]);
  const [result, nanoseconds] = stdout.split(' ').map(Number);
  return { result, nanoseconds };
}
