// npm run bench -- cliffs: short loops, each beside something that must not make it slow (a breakpoint that is never hit, a store next to code, x87), as ratios to
// the plain loop on the same machine.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { median, short, spread, type Table, times } from './figures.ts';
import { launch } from './machines.ts';
import { compileCliffs, missingCompiler } from './workloads.ts';

const TIMEOUT_MS = 300_000;
const DEBUG_EXIT = '0xf4';
const BASELINE = 'plain';

export interface CliffRow {
  readonly name: string;
  /** Nanoseconds a turn on Dragoman, whose time-stamp counter counts them. */
  readonly nanoseconds: number;
  /** To the plain row above, by machine; undefined where that machine did not run. */
  readonly dragoman: number;
  readonly spread: number;
  readonly qemu?: number;
}

export interface CliffsResult {
  readonly rows: readonly CliffRow[];
  readonly skipped: readonly string[];
}

interface Figure {
  readonly ticks: number;
  readonly ratio: number;
}

const dragoman = (kernel: string): string[] => [
  ...launch(),
  ...['run', kernel, '--memory', '64M', '--debug-exit', DEBUG_EXIT, '--debugcon', '-'],
];
const qemu = (kernel: string): string[] => [
  'qemu-system-i386',
  ...['-accel', 'tcg', '-m', '64', '-display', 'none', '-nodefaults', '-no-reboot', '-kernel', kernel, '-debugcon', 'stdio'],
  ...['-device', `isa-debug-exit,iobase=${DEBUG_EXIT}`],
];

/** Runs a machine once: ticks a turn and the ratio, by name of the row. */
async function once(command: readonly string[]): Promise<Map<string, Figure>> {
  // QEMU's device ends with a status of 1 where the guest wrote 0.
  const { stdout } = await promisify(execFile)(command[0]!, command.slice(1), { timeout: TIMEOUT_MS }).catch(
    (error: { stdout?: string; code?: unknown }) => {
      if (error.code !== 1 || error.stdout === undefined) throw error;
      return { stdout: error.stdout };
    },
  );
  const figures = new Map<string, Figure>();
  let base = Number.NaN;
  for (const line of stdout.split('\n')) {
    const [, name, ticks, turns] = /^(.*)\|([0-9a-f]{8}) ([0-9a-f]{8}) $/.exec(line) ?? [];
    if (name === undefined) continue;
    const each = Number.parseInt(ticks!, 16) / Number.parseInt(turns!, 16);
    if (name.startsWith(BASELINE)) base = each;
    figures.set(name, { ticks: each, ratio: each / base });
  }
  if (figures.size === 0) throw new Error('the guest printed no figures');
  return figures;
}

export async function cliffs(rounds: number): Promise<CliffsResult> {
  const missing = await missingCompiler();
  if (missing !== undefined) return { rows: [], skipped: [`all rows: ${missing}`] };
  const kernel = await compileCliffs();
  const skipped: string[] = [];
  const all = { dragoman: [] as Map<string, Figure>[], qemu: [] as Map<string, Figure>[] };
  let machines: { name: keyof typeof all; command: string[] }[] = [
    { name: 'dragoman', command: dragoman(kernel) },
    { name: 'qemu', command: qemu(kernel) },
  ];
  for (let round = 0; round < rounds; round++) {
    for (const { name, command } of machines) {
      process.stderr.write(`bench: cliffs ${name} ...\n`);
      try {
        all[name].push(await once(command));
      } catch (error) {
        skipped.push(`${name}: ${(error as { code?: string }).code === 'ENOENT' ? `no ${command[0]} here` : (error as Error).message}`);
        machines = machines.filter((machine) => machine.name !== name);
      }
    }
  }
  const [first] = all.dragoman;
  const rows = [...(first?.keys() ?? [])].map((name): CliffRow => {
    const ratios = (runs: Map<string, Figure>[]) => runs.flatMap((run) => run.get(name)?.ratio ?? []);
    const others = ratios(all.qemu);
    return {
      name,
      nanoseconds: median(all.dragoman.flatMap((run) => run.get(name)?.ticks ?? [])),
      dragoman: median(ratios(all.dragoman)),
      spread: spread(ratios(all.dragoman)),
      ...(others.length === 0 ? {} : { qemu: median(others) }),
    };
  });
  return { rows, skipped };
}

export function cliffsTable({ rows, skipped }: CliffsResult, rounds: number): Table {
  return {
    title: `cliffs: a turn of a loop, and its ratio to the plain loop above it on the same machine; medians of ${rounds} rounds`,
    head: ['loop', 'ns a turn', 'to plain', 'spread', 'qemu tcg to plain'],
    rows: rows.map((row) => [
      row.name,
      short(row.nanoseconds),
      times(row.dragoman),
      `${Math.round(row.spread * 100)}%`,
      row.qemu === undefined ? '' : times(row.qemu),
    ]),
    notes: skipped.map((text) => `skipped: ${text}`),
  };
}
