// npm run bench -- smp: what more CPUs bring and cost. The same work on one CPU and on two, in turn: Debian's kernel with shell commands
// side by side, and serai's `primes` and `parallel`. Beside it, what the host gives for that work: two machines of one CPU at the same time, which share nothing.
// Then what each further CPU costs in memory, at the boot, and while the guest idles.
import { readFileSync } from 'node:fs';
import { ensureGuest, READY } from '../guests/linux.ts';
import { SERAI } from '../guests/serai.ts';
import { Machine, MiB } from '../src/api/index.ts';
import { GuestConsole } from '../test/boot/console.ts';
import { median, percent, short, spread, type Table, times } from './figures.ts';
import { cpuThreads, pin, twoCores } from './pin.ts';

/** Shell lines, or processes, side by side: more than there are CPUs, so that a kernel has work for the core of the host that is done first. */
const SIDE = 4;
/** Lines for serai's shell, which do the same on any number of CPUs. */
const SERAI_LINES = [
  'primes 6000000',
  `parallel page-fault 600000 ${SIDE}`,
  `parallel pipe-round-trip 150000 ${SIDE}`,
  `parallel spawn-exit 30000 ${SIDE}`,
];
const TIMEOUT_MS = 300_000;
const IDLE_MS = 20_000;
/** Untimed runs before the first timed one, at least and at the most: until what is hot has been translated, and its modules compiled well. */
const WARM_TURNS = { least: 12, most: 24 };
/** It has been where so many turns one behind the other bring a module each at the most. */
const QUIET_TURNS = 3;

/** A shell line that does its work once, and how often it is done in a sample, shared among the CPUs. */
interface ShellWork {
  readonly name: string;
  readonly line: string;
  readonly times: number;
}
const SHELL: readonly ShellWork[] = [
  { name: 'awk loop (user code)', line: "awk 'BEGIN{for(i=0;i<40000;i++)s+=i%7}'", times: 4 },
  { name: 'fork+exec of true', line: 'i=0; while [ $i -lt 30 ]; do /bin/true; i=$((i+1)); done', times: 4 },
  { name: 'pipe pairs: dd | cat', line: 'dd if=/dev/zero bs=4k count=4000 2>/dev/null | cat >/dev/null', times: 8 },
  { name: 'pipes: cat | cat | md5sum', line: 'dd if=/dev/zero bs=64k count=300 2>/dev/null | cat | cat | md5sum >/dev/null', times: 4 },
  { name: 'page faults, 64 pages at a time', line: 'stress faults 64 1200', times: 4 },
  { name: 'page faults, 2,048 pages at a time', line: 'stress faults 2048 40', times: 4 },
];

export interface SmpRow {
  readonly name: string;
  /** Seconds on 1 CPU (pinned: the mean of either core) and on 2, the best of the rounds. */
  readonly one: number;
  readonly two: number;
  /** How many times as fast two are: best against best, and the median of the rounds' ratios. What else runs on the host takes from either. */
  readonly gain: number;
  readonly usualGain: number;
  /** The same of two machines with one CPU side by side, against one alone. */
  readonly host: number;
  readonly usualHost: number;
  readonly spread: number;
}

export interface CostRow {
  readonly cpus: number;
  readonly bootSeconds: number;
  readonly residentMiB: number;
  readonly idleLoad: number;
  readonly modules: number;
  /** Milliseconds that the translator took to hand them to the CPUs. */
  readonly publishMs: number;
  /** Milliseconds that all CPUs took to instantiate them. */
  readonly installMs: number;
}

export interface SmpResult {
  readonly rows: readonly SmpRow[];
  /** The host's logical processors that the CPUs of `rows` were pinned to; undefined where they were not. */
  readonly cores: readonly [number, number] | undefined;
  readonly costs: readonly CostRow[];
}

/** A machine at its prompt. */
class Guest {
  readonly machine: Machine;
  readonly console: GuestConsole;
  readonly run: Promise<unknown>;
  readonly bootSeconds: number;
  /** The host's thread of each CPU; empty where the host does not tell. */
  private readonly threads: readonly string[];
  private constructor(machine: Machine, console: GuestConsole, run: Promise<unknown>, bootSeconds: number, threads: readonly string[]) {
    this.machine = machine;
    this.console = console;
    this.run = run;
    this.bootSeconds = bootSeconds;
    this.threads = threads;
  }

  static async linux(cpus: number): Promise<Guest> {
    const { kernel, initrd } = await ensureGuest();
    return Guest.start({ kernel, initrd, cpus, append: 'console=ttyS0', prompt: READY });
  }
  static serai(cpus: number): Promise<Guest> {
    return Guest.start({ kernel: SERAI, cpus, append: '', prompt: 'serai> ' });
  }

  private static async start(o: { kernel: string; initrd?: string; cpus: number; append: string; prompt: string }): Promise<Guest> {
    const console = new GuestConsole();
    const others = new Set(cpuThreads(o.cpus));
    const started = performance.now();
    const machine = await Machine.create({
      kernel: readFileSync(o.kernel),
      initrd: o.initrd === undefined ? undefined : readFileSync(o.initrd),
      append: o.append,
      memoryBytes: 256 * MiB,
      cpus: o.cpus,
      onConsole: console.onConsole,
    });
    const run = machine.run();
    console.attach(machine, run);
    await console.waitFor(o.prompt, TIMEOUT_MS);
    const bootSeconds = (performance.now() - started) / 1000;
    const threads = cpuThreads(o.cpus).filter((thread) => !others.has(thread));
    return new Guest(machine, console, run, bootSeconds, threads);
  }

  /** Each CPU stays on its logical processor of the host, if any is given. */
  pin(...processors: readonly number[]): this {
    for (const [cpu, processor] of processors.entries()) pin(this.threads[cpu]!, processor);
    return this;
  }

  /** Seconds of the guest for `count` runs of a line, `side` of them side by side. */
  async shell(line: string, count: number, side: number): Promise<number> {
    const jobs = Array.from({ length: side }, () => `(k=0; while [ $k -lt ${count / side} ]; do ${line}; k=$((k+1)); done) &`).join(' ');
    const started = performance.now();
    await this.console.command(`${jobs} wait`, TIMEOUT_MS);
    return (performance.now() - started) / 1000;
  }

  /** Seconds until serai's shell has done a line. */
  async serai(line: string): Promise<number> {
    const from = this.console.text.length;
    const started = performance.now();
    this.machine.sendInput(Buffer.from(`${line}\n`));
    await this.console.waitFor('\nserai> ', TIMEOUT_MS, from);
    return (performance.now() - started) / 1000;
  }

  async close(): Promise<void> {
    this.machine.stop('measured');
    await this.run;
  }
}

/** Machines of one CPU, of two, and of one again. */
type Guests = readonly [one: Guest, two: Guest, twin: Guest];

/** The same work on one CPU, on two, and on two machines of one, in turn, once it is hot in all. */
async function compare(
  name: string,
  guests: Guests,
  rounds: number,
  cores: SmpResult['cores'],
  work: (guest: Guest) => Promise<number>,
): Promise<SmpRow> {
  const [guest, pair, twin] = guests;
  const modules = () => guests.map(({ machine }) => machine.stats().translator.modules);
  for (let turn = 0, quiet = 0; turn < WARM_TURNS.least || (quiet < QUIET_TURNS && turn < WARM_TURNS.most); turn++) {
    const before = modules();
    for (const each of guests) await work(each);
    quiet = modules().every((count, k) => count - before[k]! <= 1) ? quiet + 1 : 0;
  }
  const [one, two, twins]: [number[], number[], number[]] = [[], [], []];
  if (cores !== undefined) {
    pair.pin(...cores);
    twin.pin(cores[1]);
  }
  for (let round = 0; round < rounds; round++) {
    let seconds = 0;
    // The first core last: the twin has the other.
    for (const core of cores?.toReversed() ?? [undefined]) seconds += await work(core === undefined ? guest : guest.pin(core));
    one.push(seconds / (cores?.length ?? 1));
    two.push(await work(pair));
    twins.push(Math.max(...(await Promise.all([work(guest), work(twin)]))));
  }
  const gains = one.map((seconds, k) => seconds / two[k]!);
  const best = { one: Math.min(...one), two: Math.min(...two) };
  return {
    name,
    ...best,
    gain: best.one / best.two,
    usualGain: median(gains),
    // Twice the work.
    host: (2 * best.one) / Math.min(...twins),
    usualHost: median(one.map((seconds, k) => (2 * seconds) / twins[k]!)),
    spread: spread(gains),
  };
}

/** A kind of machine, and what is done on it. */
interface Kind {
  readonly name: string;
  readonly start: (cpus: number) => Promise<Guest>;
  readonly works: readonly { readonly name: string; readonly run: (guest: Guest) => Promise<number> }[];
}
const KINDS: readonly Kind[] = [
  {
    name: 'Linux',
    start: Guest.linux,
    works: SHELL.map(({ name, line, times }) => ({ name, run: (guest) => guest.shell(line, times, SIDE) })),
  },
  { name: 'serai', start: Guest.serai, works: SERAI_LINES.map((line) => ({ name: line, run: (guest) => guest.serai(line) })) },
];

async function pairs(rounds: number, only: string, cores: SmpResult['cores']): Promise<SmpRow[]> {
  const rows: SmpRow[] = [];
  for (const kind of KINDS) {
    const works = kind.works.map(({ name, run }) => ({ name: `${kind.name}, ${name}`, run })).filter(({ name }) => name.includes(only));
    if (works.length === 0) continue;
    process.stderr.write(`bench: smp ${kind.name} ...\n`);
    const guests: Guests = [await kind.start(1), await kind.start(2), await kind.start(1)];
    for (const { name, run } of works) rows.push(await compare(name, guests, rounds, cores, run));
    for (const guest of guests) await guest.close();
  }
  return rows;
}

const resident = () => process.memoryUsage.rss() / MiB;

async function costs(list: readonly number[]): Promise<CostRow[]> {
  const rows: CostRow[] = [];
  for (const cpus of list) {
    process.stderr.write(`bench: smp ${cpus} CPUs idle ...\n`);
    const guest = await Guest.linux(cpus);
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS / 2));
    const before = process.cpuUsage();
    const started = performance.now();
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    const used = process.cpuUsage(before);
    const idleLoad = (used.user + used.system) / 1000 / (performance.now() - started);
    const { translator, installs } = guest.machine.stats();
    rows.push({
      cpus,
      bootSeconds: guest.bootSeconds,
      residentMiB: resident(),
      idleLoad,
      modules: translator.modules,
      publishMs: translator.publishMs,
      installMs: installs.ms,
    });
    await guest.close();
  }
  return rows;
}

/**
 * `only`: no more than the work whose name contains it, and not what CPUs cost. `pinned`: CPUs stay on their cores, where that can be had. `cpus`: for what each CPU costs; the process's memory is that of
 * the largest machine so far, so they must go up.
 */
export async function smp(rounds: number, only?: string, pinned = true, cpus: readonly number[] = [1, 2, 4, 8]): Promise<SmpResult> {
  const costRows = only === undefined ? await costs(cpus) : [];
  const cores = pinned ? twoCores() : undefined;
  return { rows: await pairs(rounds, only ?? '', cores), cores, costs: costRows };
}

export function smpTables({ rows, cores, costs }: SmpResult, rounds: number): Table[] {
  return [
    {
      title: `smp: the same work on 1 CPU and on 2, seconds; best of ${rounds} rounds`,
      head: ['work', '1 CPU', '2 CPUs', 'gain', 'median gain', 'spread', 'host', 'median host'],
      rows: rows.map((row) => [
        row.name,
        short(row.one),
        short(row.two),
        times(row.gain),
        times(row.usualGain),
        percent(row.spread),
        times(row.host),
        times(row.usualHost),
      ]),
      notes: [
        cores === undefined
          ? 'not pinned: the host moves CPUs from core to core'
          : `pinned to the host's processors ${cores.join(' and ')}; 1 CPU: the mean of either`,
        'host: what two machines of one CPU side by side, which share nothing, gain over one: the work does not get more out of this host',
      ],
    },
    ...(costs.length === 0 ? [] : [costTable(costs)]),
  ];
}

function costTable(costs: readonly CostRow[]): Table {
  return {
    title: `smp: what CPUs cost (Linux, 256 MiB; idle: ${IDLE_MS / 1000} s at the prompt)`,
    head: ['CPUs', 'boot s', 'resident MiB', 'idle, host cores', 'modules', 'publishing them, ms', 'installing them, ms (all CPUs)'],
    rows: costs.map((c) => [
      String(c.cpus),
      short(c.bootSeconds),
      short(c.residentMiB),
      `${(100 * c.idleLoad).toFixed(1)}%`,
      String(c.modules),
      short(c.publishMs),
      short(c.installMs),
    ]),
    notes: [],
  };
}
