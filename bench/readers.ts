// Nobody reads, everybody writes: resident memory of Dragoman's process while its guest sends for ever to somebody who sleeps, or somebody
// sends for ever to a guest that does.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { kernel, outDx, SPIN } from '../test/unit/machine/programs.ts';
import { short, type Table } from './figures.ts';
import { launch } from './machines.ts';

/** Behind the guest's first output: the engine is there by then, and its code in its last form. */
const START_SECONDS = 5;
const SAMPLE_SECONDS = 1;
/** What a run may take more than it had at the start. */
export const ALLOWED_MIB = 64;

/** mov dx, 0x3fd; in al, dx; test al, 0x20; jz in; mov dx, 0x3f8; mov al, '.'; out dx, al; jmp */
const PRINTS = '66bafd03 ec a820 74fb 66baf803 b02e ee ebef';
/** The same without a look at the transmitter. */
const PRINTS_BLINDLY = '66baf803 b02e ee ebfd';
/** mov al, '.'; out 0xe9, al; jmp out */
const DEBUGS = 'b02e e6e9 ebfc';
/** mov al, 0xff; out 0x21, al; sti; hlt; jmp hlt */
const WAITS = 'b0ff e621 fb f4 ebfd';

interface Case {
  readonly name: string;
  readonly code: string;
  readonly args: readonly string[];
  readonly fed?: boolean;
}
const CASES: readonly Case[] = [
  { name: 'serial port | sleep', code: PRINTS, args: [] },
  { name: 'serial port, LSR ignored | sleep', code: PRINTS_BLINDLY, args: [] },
  { name: 'serial port, lockstep | sleep', code: PRINTS, args: ['--lockstep'] },
  { name: 'debug console | sleep', code: DEBUGS, args: ['--debugcon', '-'] },
  { name: '--trace - | sleep', code: SPIN, args: ['--trace', '-'] },
  { name: 'head -c 3G /dev/zero |', code: WAITS, args: [], fed: true },
];

export interface ReadersRow {
  readonly name: string;
  readonly startMiB: number;
  readonly highestMiB: number;
  readonly endMiB: number;
  /** One for each second. */
  readonly samplesMiB: readonly number[];
}

function residentMiB(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;
}

async function watch({ name, code, args, fed }: Case, file: string, minutes: number): Promise<ReadersRow> {
  writeFileSync(file, kernel(outDx(0x3f8, 0x2e), code));
  const [program, ...options] = launch();
  const feeder = fed ? spawn('head', ['-c', '3G', '/dev/zero'], { stdio: ['ignore', 'pipe', 'inherit'] }) : undefined;
  const child: ChildProcess = spawn(program!, [...options, 'run', file, '--memory', '16M', ...args], {
    stdio: [feeder?.stdout ?? 'pipe', 'pipe', 'inherit'],
  });
  let ended: string | undefined;
  child.once('exit', (code, signal) => {
    ended = `${signal ?? code}`;
  });
  const samplesMiB: number[] = [];
  try {
    await once(child.stdout!, 'readable');
    await sleep(START_SECONDS * 1000);
    for (const end = Date.now() + minutes * 60_000; Date.now() < end; await sleep(SAMPLE_SECONDS * 1000)) {
      if (ended !== undefined) throw new Error(`${name}: ended with ${ended}`);
      samplesMiB.push(residentMiB(child.pid!));
    }
  } finally {
    child.kill('SIGTERM');
    feeder?.kill();
  }
  return { name, startMiB: samplesMiB[0], highestMiB: Math.max(...samplesMiB), endMiB: samplesMiB.at(-1)!, samplesMiB };
}

/** All of them side by side. Throws where one ended. */
export async function readers(minutes: number): Promise<readonly ReadersRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'dragoman-readers-'));
  process.stderr.write(`bench: readers, ${minutes} minutes ...\n`);
  try {
    return await Promise.all(CASES.map((one, n) => watch(one, join(folder, `${n}.elf`), minutes)));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export function readersTable(rows: readonly ReadersRow[], minutes: number): Table {
  return {
    title: `readers: resident memory over ${minutes} minutes, MiB; it may grow by ${ALLOWED_MIB}`,
    head: ['run', `after ${START_SECONDS} s of output`, 'highest', 'at the end', 'growth'],
    rows: rows.map((r) => [r.name, short(r.startMiB), short(r.highestMiB), short(r.endMiB), (r.highestMiB - r.startMiB).toFixed(1)]),
    notes: rows.filter((r) => r.highestMiB - r.startMiB > ALLOWED_MIB).map((r) => `too much: ${r.name}`),
  };
}
