// npm run bench -- cliffs: short loops, each beside something that must not make it slow (a breakpoint that is never hit, a store next to code, x87), as ratios to
// the plain loop on the same machine.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { median, short, spread, type Table, times } from './figures.ts';
import { launch, v86 } from './machines.ts';
import type { Peer } from './subjects.ts';
import { compileCliffs, missingCompiler } from './workloads.ts';

const TIMEOUT_MS = 300_000;
const DEBUG_EXIT = '0xf4';
const BASELINE = 'plain';
const CLOCK = 'clock';

export type CliffMachine = 'dragoman' | Peer;

export interface CliffFigures {
  /** Nanoseconds a turn, by the host's clock. */
  readonly nanoseconds: number;
  /** To the plain row above on the same machine. */
  readonly toPlain: number;
  readonly spread: number;
}

export interface CliffRow {
  readonly name: string;
  /** Of the machines that ran. */
  readonly machines: Readonly<Partial<Record<CliffMachine, CliffFigures>>>;
}

export interface CliffsResult {
  readonly rows: readonly CliffRow[];
  readonly skipped: readonly string[];
}

interface Figure {
  readonly nanoseconds: number;
  readonly ratio: number;
}

const MEMORY_MIB = 64;
const dragoman = (kernel: string): string[] => [
  ...launch(),
  ...['run', kernel, '--memory', `${MEMORY_MIB}M`, '--debug-exit', DEBUG_EXIT, '--debugcon', '-'],
];
const qemu = (kernel: string): string[] => [
  'qemu-system-i386',
  ...['-accel', 'tcg', '-m', String(MEMORY_MIB), '-display', 'none', '-nodefaults', '-no-reboot', '-kernel', kernel, '-debugcon', 'stdio'],
  ...['-device', `isa-debug-exit,iobase=${DEBUG_EXIT}`],
];
const ofV86 = (kernel: string): string[] | string => {
  const { command } = v86({ kernel, append: '', memoryMiB: MEMORY_MIB });
  return typeof command === 'string' ? command : [...command, 'debug'];
};

/** Runs a machine once: nanoseconds a turn and the ratio, by name of the row. The machine's counter is held against the host's clock from the first row to the last. */
async function once(command: readonly string[]): Promise<Map<string, Figure>> {
  const child: ChildProcess = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
  const gone = new Promise<Error | undefined>((resolve) => child.once('exit', () => resolve(undefined)).once('error', resolve));
  const limit = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS);
  let said = '';
  child.stderr!.on('data', (data: Buffer) => (said = (said + data.toString()).slice(-300)));
  const lines: { readonly name: string; readonly first: number; readonly second: number }[] = [];
  const clocks: { readonly ticks: number; readonly at: number }[] = [];
  try {
    for await (const line of createInterface({ input: child.stdout! })) {
      const [, name, first, second] = /^(.*)\|([0-9a-f]{8}) ([0-9a-f]{8}) $/.exec(line) ?? [];
      if (name === undefined) continue;
      const numbers = { first: Number.parseInt(first!, 16), second: Number.parseInt(second!, 16) };
      if (name === CLOCK) clocks.push({ ticks: numbers.first * 2 ** 32 + numbers.second, at: performance.now() });
      else lines.push({ name, ...numbers });
    }
    const failed = await gone;
    if (failed !== undefined) throw failed;
  } finally {
    clearTimeout(limit);
    child.kill('SIGKILL');
  }
  const [from, to] = clocks;
  if (from === undefined || to === undefined)
    throw new Error(`the guest ended after ${lines.length} rows${said === '' ? '' : `: ${said.trim()}`}`);
  const ofATick = ((to.at - from.at) * 1e6) / (to.ticks - from.ticks);
  const figures = new Map<string, Figure>();
  let base = Number.NaN;
  for (const { name, first: ticks, second: turns } of lines) {
    const nanoseconds = (ticks / turns) * ofATick;
    if (name.startsWith(BASELINE)) base = nanoseconds;
    figures.set(name, { nanoseconds, ratio: nanoseconds / base });
  }
  return figures;
}

export async function cliffs(rounds: number, peers: readonly Peer[]): Promise<CliffsResult> {
  const missing = await missingCompiler();
  if (missing !== undefined) return { rows: [], skipped: [`all rows: ${missing}`] };
  const kernel = await compileCliffs();
  const skipped: string[] = [];
  const commands = { dragoman: dragoman(kernel), qemu: qemu(kernel), v86: ofV86(kernel) };
  const all = new Map<CliffMachine, Map<string, Figure>[]>();
  let going: CliffMachine[] = ['dragoman', ...peers];
  for (let round = 0; round < rounds; round++) {
    for (const name of going) {
      try {
        const command = commands[name];
        if (typeof command === 'string') throw new Error(command);
        process.stderr.write(`bench: cliffs ${name} ...\n`);
        const figures = await once(command);
        all.set(name, [...(all.get(name) ?? []), figures]);
      } catch (error) {
        skipped.push(
          `${name}: ${(error as { code?: string }).code === 'ENOENT' ? `no ${commands[name][0]} here` : (error as Error).message}`,
        );
        going = going.filter((machine) => machine !== name);
      }
    }
  }
  const names = all.get('dragoman')?.[0]?.keys() ?? [];
  const rows = [...names].map((name): CliffRow => {
    const machines: Partial<Record<CliffMachine, CliffFigures>> = {};
    for (const [machine, runs] of all) {
      const found = runs.flatMap((run) => run.get(name) ?? []);
      const ratios = found.map(({ ratio }) => ratio);
      if (found.length > 0)
        machines[machine] = {
          nanoseconds: median(found.map(({ nanoseconds }) => nanoseconds)),
          toPlain: median(ratios),
          spread: spread(ratios),
        };
    }
    return { name, machines };
  });
  return { rows, skipped };
}

export function cliffsTable({ rows, skipped }: CliffsResult, rounds: number): Table {
  const machines = (['dragoman', 'qemu', 'v86'] as const).filter((name) => rows.some((row) => row.machines[name] !== undefined));
  return {
    title: `cliffs: a turn of a loop in nanoseconds of the host's clock, and its ratio to the plain loop above it on the same machine; medians of ${rounds} rounds`,
    head: ['loop', ...machines.flatMap((name) => [`${name}, ns`, 'to plain', 'spread'])],
    rows: rows.map((row) => [
      row.name,
      ...machines.flatMap((name) => {
        const figures = row.machines[name];
        return figures === undefined
          ? ['', '', '']
          : [short(figures.nanoseconds), times(figures.toPlain), `${Math.round(figures.spread * 100)}%`];
      }),
    ]),
    notes: skipped.map((text) => `skipped: ${text}`),
  };
}
