// The client races: two CPUs access the same bytes, one of them writes, and nothing says which comes first. Samples of accesses are watched for a moment each (races/watching.ts): what is found
// happened, and what is not may have been missed.
import type { Client, MachineFacts, OptionTexts, Range } from './client.ts';
import { BYTES_SHIFT, CPU_ROOM, ENTRIES, ENTRY_WORDS, Kind, Mark, OfCpu, ofAll } from './races/places.ts';
import { type Settings, Watching } from './races/watching.ts';
import type { ClientView } from './view.ts';

/** One of the two accesses. */
export interface RaceSide {
  readonly eip: number;
  /** The kernel's symbol. */
  readonly symbol: string | undefined;
  readonly kind: 'read' | 'write' | 'update';
  readonly locked: boolean;
  /** Of a string instruction all of its run within a page. */
  readonly bytes: number;
  readonly level: 'kernel' | 'user';
  /** As it was the first time. */
  readonly cpu: number;
}
/** Two instructions that race. */
export interface Race {
  /** In the order of their EIPs. */
  readonly sides: readonly [RaceSide, RaceSide];
  /** Physical, as it was the first time. */
  readonly address: number;
  readonly count: number;
}
/** What it reports. */
export interface RacesReport {
  /** The most frequent one first. */
  readonly races: readonly Race[];
  /** The same as lines of text. */
  readonly lines: readonly string[];
  /** Samples that were watched. */
  readonly windows: number;
  /** Conflicts over words that are meant for several CPUs (locked, or waited for), which are none of the races. */
  readonly flags: number;
  /** Conflicts that found the table full. */
  readonly lost: number;
}

/** Calls of the client's function. */
const Called = { ACCESS: 0, WAIT: 1 } as const;
const LONGEST_RUN = 4096;

function number(text: string | undefined, name: string, otherwise: number, most: number): number {
  if (text === undefined) return otherwise;
  if (!/^\d+$/.test(text) || Number(text) < 1 || Number(text) > most) throw new Error(`${name}: '${text}' is no number from 1 to ${most}`);
  return Number(text);
}

function rangesOf(text: string | undefined, name: string): Range[] {
  return (text?.split('+') ?? []).map((range) => {
    const [, from = '', to = ''] = /^(0x[0-9a-f]{1,8})-(0x[0-9a-f]{1,9})$/i.exec(range) ?? [];
    if (from === '' || Number(from) >= Number(to))
      throw new Error(`${name}: '${range}' is no range of addresses: FROM-TO, as 0x1000-0x2000`);
    return [Number(from), Number(to)];
  });
}

export default function races({ every, stall, ignore, watch }: OptionTexts, { ramBytes, cpus }: MachineFacts): Client {
  const settings: Settings = {
    every: number(every, 'every', 100_000, 1_000_000_000),
    stallMs: number(stall, 'stall', 20, 10_000) / 1000,
    ignored: rangesOf(ignore, 'ignore'),
    watched: watch === undefined ? undefined : rangesOf(watch, 'watch'),
  };
  const { bytes: shared } = ofAll(ramBytes, cpus);
  const known = new WeakMap<ClientView, Watching>();
  const of = (view: ClientView): Watching => {
    const before = known.get(view);
    if (before !== undefined) return before;
    const made = new Watching(view, settings);
    known.set(view, made);
    return made;
  };
  return {
    room: { cpu: CPU_ROOM, shared },
    cutsTurns: true,
    access(b, at) {
      const offset = at.ramOffset();
      const granule = b.shr_u(offset, b.const(3));
      const kind =
        (at.reads ? Kind.READS : 0) | (at.writes ? Kind.WRITES : 0) | (at.locked ? Kind.LOCKED : 0) | (at.level === 'user' ? Kind.USER : 0);
      const bytes = at.size === undefined ? b.select(b.lt_u(at.bytes, b.const(LONGEST_RUN)), at.bytes, b.const(LONGEST_RUN)) : at.bytes;
      const { mnemonic } = at.form;
      if (!at.writes && at.engine !== 'runtime' && mnemonic !== 'ret' && mnemonic !== 'pop') {
        b.storeCpu(4, OfCpu.lastLoad, offset);
        b.storeCpu(4, OfCpu.lastEip, at.eip());
      }
      // A word that is locked, and the one behind it: where tickets are drawn, the one that is served is there.
      if (at.locked)
        for (const next of [0, 4]) {
          const word = b.shr_u(b.add(offset, b.const(next)), b.const(2));
          b.mark(b.shr_u(word, b.const(1)), b.shl(b.const(Mark.FLAG), b.and(word, b.const(1))));
        }
      const armed = b.and(b.loadShared(1, granule), b.const(Mark.ARMED));
      const count = b.sub(b.loadCpu(4, OfCpu.count), b.const(1));
      b.storeCpu(4, OfCpu.count, count);
      const word = b.or(b.const(kind), b.shl(bytes, b.const(BYTES_SHIFT)));
      const due = b.shr_u(count, b.const(31));
      // Of code that is not watched none is to be a sample, but each ends the one before.
      const wanted = settings.watched?.reduce(
        (any, [from, to]) => b.or(any, b.lt_u(b.sub(at.eip(), b.const(from | 0)), b.const((to - from) | 0))),
        b.loadCpu(4, OfCpu.open),
      );
      b.callIf(b.or(armed, wanted === undefined ? due : b.and(due, wanted)), Called.ACCESS, offset, at.eip(), word);
    },
    instruction(b, at) {
      if (at.form.mnemonic !== 'pause') return;
      const offset = b.loadCpu(4, OfCpu.lastLoad);
      const bit = b.shl(b.const(Mark.FLAG), b.and(b.shr_u(offset, b.const(2)), b.const(1)));
      const is = b.and(b.loadShared(1, b.shr_u(offset, b.const(3))), bit);
      const eip = b.loadCpu(4, OfCpu.lastEip);
      b.callIf(b.or(b.eqz(is), b.ne(eip, b.loadCpu(4, OfCpu.waitedEip))), Called.WAIT, offset, eip);
    },
    called: (view, call) => (call.number === Called.WAIT ? of(view).waited(call) : of(view).accessed(call)),
    report: (view) => reportOf(view, of(view).waits()),
  };
}

function reportOf(view: ClientView, waits: readonly number[]): RacesReport {
  view.renewNames();
  const rooms = Array.from({ length: view.cpus }, (_, cpu) => {
    const room = view.cpuRoom(cpu);
    return new Int32Array(room.buffer, room.byteOffset, room.byteLength / 4);
  });
  const found = new Map<string, Race>();
  let flags = sum(rooms, OfCpu.flags);
  for (const room of rooms)
    for (let n = 0; n < ENTRIES; n++) {
      const at = (OfCpu.table >> 2) + n * ENTRY_WORDS;
      const [one, other, itsOne, itsOther, address, count] = Array.from(room.subarray(at, at + 6), (word) => word >>> 0) as number[];
      if (count === 0) break;
      if (waits.includes(one!) || waits.includes(other!)) {
        flags += count!;
        continue;
      }
      const sides = [sideOf(view, one!, itsOne!), sideOf(view, other!, itsOther!)].sort((a, b) => a.eip - b.eip);
      const key = sides.map(({ eip }) => eip).join();
      const before = found.get(key);
      if (before === undefined) found.set(key, { sides: [sides[0]!, sides[1]!], address: address!, count: count! });
      else found.set(key, { ...before, count: before.count + count! });
    }
  const races = [...found.values()].sort((a, b) => b.count - a.count || a.sides[0].eip - b.sides[0].eip || a.sides[1].eip - b.sides[1].eip);
  return { races, lines: races.map(lineOf), windows: sum(rooms, OfCpu.windows), flags, lost: sum(rooms, OfCpu.lost) };
}

const sum = (rooms: readonly Int32Array[], offset: number): number => rooms.reduce((all, room) => all + (room[offset >> 2]! >>> 0), 0);

function sideOf(view: ClientView, eip: number, word: number): RaceSide {
  const level = (word & Kind.USER) !== 0 ? 'user' : 'kernel';
  return {
    eip,
    symbol: level === 'kernel' ? view.symbolAt(eip) : undefined,
    kind: (word & Kind.WRITES) === 0 ? 'read' : (word & Kind.READS) === 0 ? 'write' : 'update',
    locked: (word & Kind.LOCKED) !== 0,
    bytes: word >>> BYTES_SHIFT,
    level,
    cpu: (word >>> 8) & 0xff,
  };
}

const hex = (value: number): string => `0x${value.toString(16)}`;
const sideText = ({ eip, symbol, kind, locked, bytes, level, cpu }: RaceSide): string =>
  `${locked ? 'locked ' : ''}${kind} of ${bytes} at ${hex(eip)}${level === 'user' ? ' of a process' : symbol === undefined ? '' : ` ${symbol}`} (CPU ${cpu})`;
const lineOf = ({ sides: [one, other], address, count }: Race): string =>
  `${count} times: ${sideText(one)} and ${sideText(other)}, RAM ${hex(address)}`;
