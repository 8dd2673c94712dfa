// The client trace: what each CPU did, in its order: blocks, branches, accesses of memory, ways into the kernel and out of it, by choice. Each CPU has a ring in its room, of which the oldest records are lost; with whole=yes none is:
// the CPU itself writes them to the file when its ring is half full, and waits meanwhile.
import { DragomanError } from '../api/errors.ts';
import { host } from '../host/node.ts';
import { readElfSymbols } from '../inspect/elf-symbols.ts';
import type { Value } from '../ir/types.ts';
import { symbolAt } from '../machine/report/symbols.ts';
import type { ClientBuilder } from './builder.ts';
import type { Client, OptionTexts } from './client.ts';
import { RING_HEAD, type Ring, ringBytes } from './room.ts';
import type { ClientView } from './view.ts';

/** What it reports of each CPU: records that there were, and those of them that nobody can get any more. */
export interface TraceReport {
  readonly cpus: readonly { readonly records: number; readonly lost: number }[];
}

const WHAT = ['block', 'branch', 'access', 'crossing'] as const;
type What = (typeof WHAT)[number];

/** A record: its kind, an EIP, and two words as the kind has them. */
const WORDS = 4;
const KIND = { block: 1, branch: 2, access: 3, crossing: 4 } as const satisfies Readonly<Record<What, number>>;
/** Of accesses, beside the kind. */
const READS = 0x100;
const WRITES = 0x200;
const LOCKED = 0x400;
/** Of crossings: into the kernel; by an exception or interrupt. */
const INTO = 0x100;
const DELIVERED = 0x200;

/** In a ring's head, behind the count: how many were handed over or are lost; how many of them are lost. */
const HANDED = 4;
const LOST = 8;
const DEFAULT_RECORDS = 8192;
const MOST_RECORDS = 32768;
const FLUSH = 0;

function whatOf(text: string): ReadonlySet<What> {
  const words = text.split('+');
  for (const word of words)
    if (!WHAT.includes(word as What)) throw new Error(`'${word}' is none of what can be traced: ${WHAT.join(', ')}`);
  return new Set(words as What[]);
}
function numberOf(name: string, text: string, most: number): number {
  if (!/^\d+$/.test(text) || Number(text) > most) throw new Error(`${name}=${text} is no number from 0 to ${most}`);
  return Number(text);
}

const hex = (value: number): string => value.toString(16).padStart(8, '0');

/** A record as a line. */
function lineOf(cpu: number, [kind, eip, a, b]: readonly number[], symbol: (address: number) => string | undefined): string {
  const place = (address: number) => {
    const name = symbol(address);
    return name === undefined ? hex(address) : `${hex(address)} ${name}`;
  };
  switch (kind! & 0xff) {
    case KIND.block:
      return `${cpu} block ${place(eip!)}\n`;
    case KIND.branch:
      return `${cpu} branch ${place(eip!)} > ${b === 0 ? 'far' : place(a!)}\n`;
    case KIND.access: {
      const how = `${(kind! & READS) !== 0 ? 'r' : ''}${(kind! & WRITES) !== 0 ? 'w' : ''}${(kind! & LOCKED) !== 0 ? ' locked' : ''}`;
      return `${cpu} access ${place(eip!)}: ${how} ${b} at ${place(a!)}\n`;
    }
    default: {
      const way = (kind! & DELIVERED) !== 0 ? `vector ${a} at ${place(eip!)}` : 'an instruction';
      return (kind! & INTO) !== 0 ? `${cpu} kernel by ${way}\n` : `${cpu} user\n`;
    }
  }
}

export default function trace(options: OptionTexts): Client {
  const { what = 'branch', file, whole, elf } = options;
  const wanted = whatOf(what);
  const records = numberOf('records', options.records ?? String(DEFAULT_RECORDS), MOST_RECORDS);
  if (records < 2 || (records & (records - 1)) !== 0) throw new Error(`records=${records} is no power of two from 2 to ${MOST_RECORDS}`);
  const only = options.cpu === undefined ? undefined : numberOf('cpu', options.cpu, 63);
  const isWhole = whole !== undefined && whole !== 'no';
  if (isWhole && file === undefined) throw new Error('whole=yes needs a file');
  const ring: Ring = { offset: 0, records, words: WORDS };

  let named: ((address: number) => string | undefined) | undefined;
  const symbolsOf = (view: ClientView) => {
    if (elf !== undefined && named === undefined) {
      const { code } = readElfSymbols(host.readFileNow(elf), elf);
      named = (address) => symbolAt(code, address);
    }
    return named ?? ((address: number) => view.symbolAt(address));
  };

  const record = (b: ClientBuilder, ...values: readonly [Value, Value, Value, Value]) => {
    const counts = only === undefined ? b.const(1) : b.eq(b.cpuIndex(), b.const(only));
    const count = b.loadCpu(4, 0);
    const index = b.mul(b.and(count, b.const(records - 1)), b.const(WORDS * 4));
    // One that does not count is written over by the next.
    values.forEach((value, n) => b.storeCpu(4, RING_HEAD + n * 4, value, index));
    const next = b.add(count, counts);
    b.storeCpu(4, 0, next);
    if (isWhole) b.callIf(b.and(counts, b.eqz(b.and(next, b.const(records / 2 - 1)))), FLUSH);
  };

  /** Lines of what a CPU has done since this was last asked for. */
  const take = (view: ClientView, cpu: number): string => {
    const head = headOf(view, cpu);
    const { count, last } = view.records(cpu, ring);
    const fresh = (count - head.getUint32(HANDED, true)) >>> 0;
    const kept = Math.min(fresh, last.length);
    const lost = fresh - kept;
    head.setUint32(HANDED, count, true);
    head.setUint32(LOST, head.getUint32(LOST, true) + lost, true);
    const symbol = symbolsOf(view);
    const lines = last.slice(last.length - kept).map((one) => lineOf(cpu, one, symbol));
    return `${lost > 0 ? `# CPU ${cpu}: ${lost} records are lost here\n` : ''}${lines.join('')}`;
  };
  const takeAll = (view: ClientView): string => Array.from({ length: view.cpus }, (_, cpu) => take(view, cpu)).join('');
  const write = (view: ClientView) => {
    if (file !== undefined) host.appendFileNow(file, new TextEncoder().encode(takeAll(view)));
  };

  return {
    room: { cpu: ringBytes(ring) },
    ...(wanted.has('block') && {
      block: (b, at) => record(b, b.const(KIND.block), at.eip(), b.const(0), b.const(0)),
    }),
    ...(wanted.has('branch') && {
      branch(b, at) {
        const to = at.to();
        record(b, b.const(KIND.branch), at.eip(), to ?? b.const(0), b.const(to === undefined ? 0 : 1));
      },
    }),
    ...(wanted.has('access') && {
      access(b, at) {
        const kind = KIND.access | (at.reads ? READS : 0) | (at.writes ? WRITES : 0) | (at.locked ? LOCKED : 0);
        record(b, b.const(kind), at.eip(), at.address, at.bytes);
      },
    }),
    ...(wanted.has('crossing') && {
      crossing(b, at) {
        const into = at.to === 'kernel';
        const delivered = into ? b.mul(b.ne(at.by(), b.const(0)), b.const(DELIVERED)) : b.const(0);
        record(b, b.or(b.const(KIND.crossing | (into ? INTO : 0)), delivered), at.eip(), at.vector(), b.const(0));
      },
    }),
    called: (view, { cpu }) => flush(view, cpu),
    attached(view) {
      symbolsOf(view);
      if (file !== undefined) host.writeFileNow(file, new Uint8Array());
    },
    report: (view): TraceReport => ({
      cpus: Array.from({ length: view.cpus }, (_, cpu) => {
        const head = headOf(view, cpu);
        const [count, handed, lost] = [0, HANDED, LOST].map((at) => head.getUint32(at, true)) as [number, number, number];
        return { records: count, lost: lost + Math.max(((count - handed) >>> 0) - records, 0) };
      }),
    }),
    ask(view, question) {
      if (question === 'take') return takeAll(view);
      throw new DragomanError('BAD_OPTION', `trace knows of no '${question}': take`, 'ask');
    },
    detached: write,
    ended: write,
  };

  function flush(view: ClientView, cpu: number): void {
    host.appendFileNow(file!, new TextEncoder().encode(take(view, cpu)));
  }
}

const headOf = (view: ClientView, cpu: number): DataView => {
  const { buffer, byteOffset, byteLength } = view.cpuRoom(cpu);
  return new DataView(buffer, byteOffset, byteLength);
};
