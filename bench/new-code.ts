// npm run bench -- new-code: a guest that keeps making code (LuaJIT, 2,000 loops a run, each compiled anew and run once), on Dragoman and on QEMU in turn. Each run of LuaJIT is timed by
// the host's clock, so a guest whose clock runs slow cannot win.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { luajitAppend, luajitImage } from '../guests/workloads/luajit.ts';
import { median, short, spread, type Table, times } from './figures.ts';
import type { BootMachine } from './machines.ts';
import { type Subjects, subjects } from './subjects.ts';

/** Of LuaJIT in one machine. */
const RUNS = 5;
const LIMIT_SECONDS = 300;
const BEGIN = /^kbench: begin luajit/;
const RUN = /^kbench: also luajit run (\d+)/;
const FAILED = /^kbench: luajit failed: (.*)/;

export interface NewCodeRow {
  readonly name: string;
  /** By round: seconds of each run. */
  readonly rounds: readonly (readonly number[])[];
}

export interface NewCodeResult {
  readonly guest: string;
  readonly rows: readonly NewCodeRow[];
  readonly skipped: readonly string[];
}

/** Seconds of each run. Throws an Error with what the machine said where they do not all come. */
async function once(command: readonly string[]): Promise<number[]> {
  const child: ChildProcess = spawn(command[0]!, command.slice(1), { stdio: ['pipe', 'pipe', 'pipe'] });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()).once('error', () => resolve()));
  const limit = setTimeout(() => child.kill('SIGKILL'), LIMIT_SECONDS * 1000);
  let last = 0;
  let said = '';
  const seconds: number[] = [];
  child.stderr!.on('data', (data: Buffer) => (said = (said + data.toString()).slice(-300)));
  try {
    for await (const line of createInterface({ input: child.stdout! })) {
      const now = performance.now();
      const why = FAILED.exec(line)?.[1];
      if (why !== undefined) throw new Error(why);
      if (RUN.test(line)) seconds.push((now - last) / 1000);
      if (BEGIN.test(line) || RUN.test(line)) last = now;
      if (seconds.length === RUNS) return seconds;
    }
    throw new Error(`ended after ${seconds.length} of ${RUNS} runs${said === '' ? '' : `: ${said.trim()}`}`);
  } finally {
    clearTimeout(limit);
    child.kill('SIGKILL');
    await gone;
  }
}

export async function newCode(rounds: number, { peers, variants }: Subjects): Promise<NewCodeResult> {
  const image = await luajitImage();
  const boots = { ...image, append: luajitAppend(RUNS, LIMIT_SECONDS) };
  let going: BootMachine[] = await subjects(boots, 1, { peers: peers.filter((name) => name === 'qemu'), variants });
  const found = new Map<string, number[][]>();
  const skipped: string[] = [];
  for (let round = 0; round < rounds; round++) {
    // Every other round backwards: who goes first gets the host as the one before left it.
    for (const { name, command } of round % 2 === 0 ? [...going] : going.toReversed()) {
      try {
        if (typeof command === 'string') throw new Error(command);
        process.stderr.write(`bench: new-code ${name} ...`);
        const seconds = await once(command);
        process.stderr.write(` ${seconds.map((one) => one.toFixed(2)).join(' ')} s\n`);
        found.set(name, [...(found.get(name) ?? []), seconds]);
      } catch (error) {
        skipped.push(`${name}: ${(error as Error).message}`);
        going = going.filter((machine) => machine.name !== name);
      }
    }
  }
  return { guest: image.version, rows: [...found].map(([name, list]) => ({ name, rounds: list })), skipped };
}

const KINDS: readonly (readonly [string, (runs: readonly number[]) => number])[] = [
  ['first run', (runs) => runs[0]!],
  [`second to ${RUNS}th`, (runs) => median(runs.slice(1))],
  [`${RUNS}th`, (runs) => runs[RUNS - 1]!],
  ['all', (runs) => runs.reduce((sum, one) => sum + one, 0)],
];

export function newCodeTable({ guest, rows, skipped }: NewCodeResult, rounds: number): Table {
  const qemu = rows.find(({ name }) => name === 'qemu');
  const cells = ({ rounds: list }: NewCodeRow): string[] =>
    KINDS.flatMap(([, pick]) => {
      const seconds = list.map(pick);
      const pairs = Math.min(list.length, qemu?.rounds.length ?? 0);
      const ratios = seconds.slice(0, pairs).map((one, k) => one / pick(qemu!.rounds[k]!));
      return [short(median(seconds)), pairs === 0 ? '' : times(median(ratios))];
    });
  return {
    title: `new-code: LuaJIT under Linux ${guest}, 2,000 loops a run, each compiled anew; seconds, medians of ${rounds} rounds`,
    head: ['machine', ...KINDS.flatMap(([name]) => [name, 'to qemu']), 'spread'],
    rows: rows.map((row) => [row.name, ...cells(row), `${Math.round(100 * spread(row.rounds.map(KINDS[1]![1])))}%`]),
    notes: skipped.map((text) => `skipped: ${text}`),
  };
}
