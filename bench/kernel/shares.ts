// npm run bench -- kernel --profile: from samples of Linux perf, or of V8's profiler, to shares of the time by region, runtime function and handler. Computes only.
import { percent, type Table } from '../figures.ts';

export const GROUPS = ['regions', 'runtime', 'handlers', 'JavaScript', 'V8 and Node', "the host's kernel and libraries"] as const;
export type Group = (typeof GROUPS)[number];

/** What was found running, and how often (samples of perf, microseconds of V8's profiler). */
export interface Share {
  readonly group: Group;
  readonly name: string;
  readonly weight: number;
}

/** The group of a function of WebAssembly; `handlers`: the names of all forms of instructions. */
export function groupOfWasm(name: string, handlers: ReadonlySet<string>): Group {
  if (name.startsWith('wasm/')) return 'runtime';
  return handlers.has(name) ? 'handlers' : 'regions';
}

/** Samples of perf by thread: lines of `perf script -F comm,ip,sym,dso`, which has one sample a line. */
export function readPerf(text: string, handlers: ReadonlySet<string>): Map<string, Share[]> {
  const threads = new Map<string, Map<string, { group: Group; name: string; weight: number }>>();
  for (const line of text.split('\n')) {
    const [, thread, symbol, file] = /^\s*(.*?)\s+[0-9a-f]{4,16} (.*) \((.*)\)$/.exec(line) ?? [];
    if (thread === undefined) continue;
    const { group, name } = place(symbol!, file!, handlers);
    const found = threads.get(thread) ?? new Map();
    threads.set(thread, found);
    const key = `${group} ${name}`;
    found.set(key, { group, name, weight: (found.get(key)?.weight ?? 0) + 1 });
  }
  return new Map([...threads].map(([thread, found]) => [thread, [...found.values()]]));
}

function place(symbol: string, file: string, handlers: ReadonlySet<string>): { group: Group; name: string } {
  // V8's names in perf-PID.map: 'JS:NAME-INDEX-liftoff' of WebAssembly, 'JS:*name file:line' and others of its own.
  if (/perf-\d+\.map$/.test(file)) {
    const [, wasm] = /^JS:(.*)-\d+-(?:liftoff|turbofan)$/.exec(symbol) ?? [];
    if (wasm !== undefined) return { group: groupOfWasm(wasm, handlers), name: wasm };
    return { group: 'JavaScript', name: symbol };
  }
  if (symbol.startsWith('Builtins_')) return { group: 'JavaScript', name: symbol };
  if (/\/node$/.test(file)) return { group: 'V8 and Node', name: symbol };
  // Code that V8 had not yet named when it ran.
  if (/^(\/\/anon|anon|\/memfd|\[unknown\])/.test(file)) return { group: 'JavaScript', name: 'without a name' };
  return { group: "the host's kernel and libraries", name: symbol === '[unknown]' ? file : symbol };
}

/** The part of a .cpuprofile that is needed. */
export interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: { readonly functionName: string; readonly url: string } }[];
  /** Microseconds of a clock that all processes of a host share. */
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Time by function in a window of V8's profile. */
export function readCpuProfile(
  { nodes, startTime, samples, timeDeltas }: CpuProfile,
  fromUs: number,
  toUs: number,
  handlers: ReadonlySet<string>,
) {
  const weights = new Map<number, number>();
  let at = startTime;
  for (const [k, id] of samples.entries()) {
    at += timeDeltas[k]!;
    // What a sample found ran until the next.
    if (at >= fromUs && at < toUs) weights.set(id, (weights.get(id) ?? 0) + (timeDeltas[k + 1] ?? 0));
  }
  const shares = new Map<string, Share>();
  for (const { id, callFrame } of nodes) {
    const weight = weights.get(id);
    if (weight === undefined || callFrame.functionName === '(idle)') continue;
    const name = callFrame.functionName || '(anonymous)';
    const group = callFrame.url.startsWith('wasm:') ? groupOfWasm(name, handlers) : /^\(.*\)$/.test(name) ? 'V8 and Node' : 'JavaScript';
    const key = `${group} ${name}`;
    shares.set(key, { group, name, weight: weight + (shares.get(key)?.weight ?? 0) });
  }
  return [...shares.values()];
}

export const weightOf = (shares: readonly Share[]): number => shares.reduce((sum, { weight }) => sum + weight, 0);

export interface ProfileResult {
  readonly row: string;
  readonly by: string;
  /** What the samples are: a count, or microseconds. */
  readonly unit: 'samples' | 'microseconds';
  readonly nanoseconds: number;
  /** Parts of the process's time, where all threads were looked at. */
  readonly threads: readonly { readonly name: string; readonly part: number }[];
  readonly shares: readonly Share[];
  readonly notes: readonly string[];
}

const TOP = 25;
const fine = (part: number) => `${(100 * part).toFixed(1)}%`;

export function profileTables({ row, by, unit, nanoseconds, threads, shares, notes }: ProfileResult): Table[] {
  const all = weightOf(shares);
  const groups = GROUPS.map((group) => shares.filter((share) => share.group === group)).filter((list) => list.length > 0);
  const sorted = shares.toSorted((a, b) => b.weight - a.weight);
  return [
    {
      title: `kernel, profile of ${row}, warm: ${Math.round(nanoseconds).toLocaleString('en-US')} ns an operation; the thread of CPU 0, ${all.toLocaleString('en-US')} ${unit}, by ${by}`,
      head: ['group', 'time', 'functions', 'half of it in'],
      rows: groups
        .toSorted((a, b) => weightOf(b) - weightOf(a))
        .map((list) => [list[0]!.group, fine(weightOf(list) / all), String(list.length), String(halfIn(list))]),
      notes: [
        ...(threads.length === 0
          ? []
          : [`the process's threads: ${threads.map(({ name, part }) => `${name} ${percent(part)}`).join(', ')}`]),
        ...notes,
      ],
    },
    {
      title: `the first ${Math.min(TOP, sorted.length)} of ${sorted.length}`,
      head: ['function', 'time', 'group'],
      rows: sorted.slice(0, TOP).map(({ name, weight, group }) => [name, fine(weight / all), group]),
    },
  ];
}

/** How many functions, the largest first, take half of the time of all. */
function halfIn(list: readonly Share[]): number {
  let left = weightOf(list) / 2;
  const sorted = list.toSorted((a, b) => b.weight - a.weight);
  for (const [k, { weight }] of sorted.entries()) {
    left -= weight;
    if (left <= 0) return k + 1;
  }
  return sorted.length;
}
