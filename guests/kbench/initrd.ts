// The guest of npm run bench -- kernel: Debian's kernel with an initial RAM disk in which kbench is the first process and the only program. README.md beside this file.
import { readFile } from 'node:fs/promises';
import { type CpioEntry, cpio } from '../cpio.ts';
import { KBENCH } from './build.ts';

/** The line that ends a run. */
export const DONE = 'kbench: done';

export interface KbenchRow {
  readonly name: string;
  /** What an operation is. */
  readonly what: string;
  /** No work of the kernel's. */
  readonly user?: true;
  /** It needs so many CPUs; undefined: one. */
  readonly leastCpus?: number;
  /** Of one benchmark alone; undefined: of both. */
  readonly of?: 'kernel' | 'paper';
}

/** As in rows.c, and in the order in which they run. */
export const ROWS: readonly KbenchRow[] = [
  { name: 'getppid-int80', what: 'getppid by INT 80H' },
  { name: 'getppid-sysenter', what: 'getppid by the vDSO: SYSENTER' },
  { name: 'read-1', what: 'read 1 byte of /dev/zero' },
  { name: 'write-1', what: 'write 1 byte to /dev/null' },
  { name: 'stat', what: 'stat a file on tmpfs' },
  { name: 'fstat', what: 'the same file, open', of: 'paper' },
  { name: 'open+close', what: 'the same file' },
  { name: 'signal', what: 'install a handler, send oneself the signal, return from it', of: 'kernel' },
  { name: 'sig-install', what: 'install a handler', of: 'paper' },
  { name: 'sig-catch', what: 'send oneself a signal, return from its handler', of: 'paper' },
  { name: 'prot-fault', what: 'a store to a page that is read-only, whose signal is caught', of: 'paper' },
  { name: 'page-fault', what: 'the first store to a page of a file on tmpfs, mapped 64 pages at a time', of: 'paper' },
  { name: 'yield', what: 'sched_yield, nobody else there', of: 'kernel' },
  { name: 'pipe', what: 'a byte to another process and back, two pipes' },
  { name: 'unix', what: 'the same over a pair of AF_UNIX stream sockets' },
  { name: 'tcp', what: 'the same over TCP on the loopback device', of: 'paper' },
  { name: 'switch-8', what: 'a byte round a ring of 8 processes, by pipes', of: 'paper' },
  { name: 'switch-16', what: 'of 16 processes', of: 'paper' },
  { name: 'select-10', what: 'select on 10 descriptors of a pipe with nothing to read, without waiting', of: 'paper' },
  { name: 'select-100', what: 'on 100' },
  { name: 'select-250', what: 'on 250', of: 'paper' },
  { name: 'select-500', what: 'on 500', of: 'paper' },
  { name: 'fork+exit', what: 'and wait4' },
  { name: 'fork+exec', what: 'a static program that exits, and wait4' },
  { name: 'fork+sh', what: 'a shell that does the same', of: 'paper' },
  { name: 'mmap-64', what: 'map 64 pages, write to each, unmap' },
  { name: 'file', what: 'create on tmpfs, write 5 bytes, close, unlink' },
  { name: 'read-64k', what: 'read 64 KiB of /dev/zero', of: 'kernel' },
  { name: 'user-sieve', what: 'sieve of 32 KiB', user: true },
  { name: 'user-fib', what: 'fib(15): 1,973 calls', user: true },
];

/** The rows of a benchmark. */
export const rowsOf = (bench: 'kernel' | 'paper'): KbenchRow[] => ROWS.filter(({ of = bench }) => of === bench);

/** What the rows need, and nothing else. `busybox`: path of a static one, which fork+sh needs. */
export async function kbenchInitrd(busybox: string): Promise<Buffer> {
  const entries: CpioEntry[] = [
    { path: 'dev', directory: true },
    { path: 'tmp', directory: true },
    { path: 'dev/console', character: [5, 1], mode: 0o600 },
    { path: 'dev/null', character: [1, 3], mode: 0o666 },
    { path: 'dev/zero', character: [1, 5], mode: 0o666 },
    { path: 'kbench', data: await readFile(KBENCH.path), mode: 0o755 },
    { path: 'busybox', data: await readFile(busybox), mode: 0o755 },
  ];
  return cpio(entries);
}

export interface KbenchRun {
  /** Of each row. */
  readonly seconds: number;
  /** Parts of that time, each with a figure of its own. */
  readonly slices: number;
  /** After so many seconds a row is ended and counts as failed. */
  readonly limitSeconds: number;
  /** NAME, or NAME*N: by so many processes at once, whose operations are added up. */
  readonly rows: readonly string[];
}

// No message of the kernel's on the console but of its end.
const APPEND = 'console=ttyS0 loglevel=1';

/** The kernel's command line: what is behind `--` are arguments of the first process, of which Linux takes 32. */
export const runAppend = ({ seconds, slices, limitSeconds, rows }: KbenchRun, more = ''): string =>
  `${APPEND} ${more} rdinit=/kbench -- run ${Math.round(seconds * 1000)} ${slices} ${limitSeconds} ${rows.join()}`;
/** Prints the text of /proc/kallsyms to port 0xE9, then DONE on the console. */
export const symbolsAppend = `${APPEND} nokaslr rdinit=/kbench -- symbols`;
