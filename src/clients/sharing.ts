// The client sharing: which memory one CPU uses and which several do, read-only and read-write, as in the paper's table (Kedia and Bansal, SOSP 2013). A byte for each granule of RAM, by the level
// of the code, in which bits are only ever set: so CPUs that note the same granule at once lose nothing of each other's.
import { DragomanError } from '../api/errors.ts';
import type { Client, Level, MachineFacts, OptionTexts } from './client.ts';
import { GranuleUse } from './granule-use.ts';
import type { ClientView } from './view.ts';

/** Kilobytes of memory. */
export interface SharingTable {
  /** Of one CPU's code: only read; written. */
  readonly private: { readonly readOnly: number; readonly readWrite: number };
  /** Of several CPUs': read by all; written by one of them at least. */
  readonly shared: { readonly readOnly: number; readonly readWrite: number };
}

/** Granules of one name that several CPUs' kernel code uses and that are written. */
export interface SharedSymbol {
  readonly symbol: string;
  readonly kilobytes: number;
}

/** What it reports. */
export interface SharingReport extends Readonly<Record<Level, SharingTable>> {
  /** Of both levels' code. */
  readonly all: SharingTable;
  /** Bytes. */
  readonly granule: number;
  /** With `symbols`: where most is shared and written. */
  readonly symbols?: readonly SharedSymbol[];
}

/**
 * Bits of a granule. Which CPUs used it is noted by two bits for each bit of a CPU's index, one that says 'used by a CPU whose bit is 0', one '... is 1': several have where both of a pair are set.
 * Three pairs are in the first byte of a granule, three more (of machines with more than eight CPUs) in a second, which has the lower two bits free.
 */
const READ = 1;
const WRITTEN = 2;
const PAIRS = 2;
const ONE_BYTE = 8;
/** The lower bit of each pair. */
const LOWER = 0b01010100;

const pairsOf = (index: number): number => [0, 1, 2].reduce((bits, n) => bits | (1 << (PAIRS + 2 * n + ((index >> n) & 1))), 0);
/** Whether bytes say that several CPUs were there. */
const isShared = (bits: number): boolean => (bits & (bits >> 1) & LOWER) !== 0;

/** In the room of each CPU: the pairs that are its own. */
const OWN = { low: 0, high: 1 };

function shiftOf(text: string | undefined): number {
  const shift = Math.log2(Number(text ?? 64));
  if (!Number.isInteger(shift) || shift < 2 || shift > 12) throw new Error(`'${text}' is no granule: a power of two from 4 to 4096 bytes`);
  return shift;
}

function mostOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const most = Number(text);
  if (!Number.isInteger(most) || most < 1) throw new Error(`'${text}' is no number of symbols`);
  return most;
}

export default function sharing(options: OptionTexts, { cpus, ramBytes }: MachineFacts): Client {
  const shift = shiftOf(options.granule);
  const most = mostOf(options.symbols);
  /** One more, for what is not in RAM. */
  const granules = Math.ceil((ramBytes / 2 ** shift + 1) / 64) * 64;
  const wide = cpus > ONE_BYTE;
  // Of each level the first bytes, then the second ones; then words for the symbols.
  const levels = options.level === undefined ? (['kernel', 'user'] as const) : ([options.level as Level] as const);
  const bytesOfLevel = granules * (wide ? 2 : 1);
  const at = (level: Level) => levels.indexOf(level) * bytesOfLevel;
  const lines = levels.length * bytesOfLevel;
  const hasLines = (level: Level) => most !== undefined && level === 'kernel';

  /** What each granule is, of both levels' code. */
  function mapOf(view: ClientView): Uint8Array {
    const room = view.sharedRoom;
    const map = new Uint8Array(ramBytes / 2 ** shift);
    for (let n = 0; n < map.length; n++) {
      let [low, high] = [0, 0];
      for (const level of levels) {
        low |= room[at(level) + n]!;
        if (wide) high |= room[at(level) + granules + n]!;
      }
      if ((low & (READ | WRITTEN)) === 0) continue;
      const written = (low & WRITTEN) !== 0;
      if (isShared(low) || isShared(high)) map[n] = written ? GranuleUse.SHARED_WRITTEN : GranuleUse.SHARED_READ;
      else map[n] = written ? GranuleUse.PRIVATE_WRITTEN : GranuleUse.PRIVATE_READ;
    }
    return map;
  }

  /** Bytes of granules as a table, and what is to be known of each that is shared and written. */
  function table(bytesOf: (n: number) => readonly [low: number, high: number], found?: (n: number) => void): SharingTable {
    const counts = { private: { readOnly: 0, readWrite: 0 }, shared: { readOnly: 0, readWrite: 0 } };
    const count = ramBytes / 2 ** shift;
    for (let n = 0; n < count; n++) {
      const [low, high] = bytesOf(n);
      if ((low & (READ | WRITTEN)) === 0) continue;
      const shared = isShared(low) || isShared(high);
      counts[shared ? 'shared' : 'private'][low & WRITTEN ? 'readWrite' : 'readOnly'] += 2 ** shift / 1024;
      if (shared && low & WRITTEN) found?.(n);
    }
    return counts;
  }

  function symbolsOf(view: ClientView, found: readonly number[]): SharedSymbol[] {
    const room = view.sharedRoom;
    const words = new DataView(room.buffer, room.byteOffset + lines);
    const sizes = new Map<string, number>();
    for (const n of found) {
      const linear = words.getUint32(4 * n, true);
      const symbol = view.symbolAt(linear)?.replace(/\+0x[0-9a-f]+$/, '') ?? `page 0x${(linear & ~0xfff).toString(16)}`;
      sizes.set(symbol, (sizes.get(symbol) ?? 0) + 2 ** shift / 1024);
    }
    const sorted = [...sizes].sort(([, a], [, b]) => b - a).slice(0, most);
    return sorted.map(([symbol, kilobytes]) => ({ symbol, kilobytes }));
  }

  return {
    room: { cpu: 2, shared: lines + (most === undefined ? 0 : 4 * granules) },
    access(b, place) {
      const bits = b.or(b.loadCpu(1, OWN.low), b.const((place.reads ? READ : 0) | (place.writes ? WRITTEN : 0)));
      const { level } = place;
      b.markGranules(place, shift, bits, at(level), hasLines(level) ? lines : undefined);
      if (wide) b.markGranules(place, shift, b.loadCpu(1, OWN.high), at(level) + granules);
    },
    attached(view) {
      for (let cpu = 0; cpu < cpus; cpu++) {
        const room = view.cpuRoom(cpu);
        room[OWN.low] = pairsOf(cpu);
        room[OWN.high] = pairsOf(cpu >> 3);
      }
    },
    report(view): SharingReport {
      const room = view.sharedRoom;
      const of = (level: Level, n: number): readonly [number, number] =>
        levels.includes(level as never) ? [room[at(level) + n]!, wide ? room[at(level) + granules + n]! : 0] : [0, 0];
      const found: number[] = [];
      const tables = {
        kernel: table(
          (n) => of('kernel', n),
          (n) => found.push(n),
        ),
        user: table((n) => of('user', n)),
      };
      const all = table((n) => {
        const [[low, high], [low2, high2]] = [of('kernel', n), of('user', n)];
        return [low | low2, high | high2];
      });
      return { ...tables, all, granule: 2 ** shift, ...(most !== undefined && { symbols: symbolsOf(view, found) }) };
    },
    ask(view, question) {
      if (question === 'map') return mapOf(view);
      throw new DragomanError('BAD_OPTION', `sharing knows of no '${question}': map`, 'ask');
    },
  };
}
