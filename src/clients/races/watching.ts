// The client races on a CPU's thread: takes samples, watches them for a moment, and notes what another CPU did to them meanwhile.
//
// A watch is armed behind an access and is taken away before the same CPU has made another one. So whatever meets it is ordered with it by nobody: the CPU cannot have given anything away
// since. On threads the CPU stands still that long. In lockstep its turn is cut to a few instructions more, and the watch goes from access to access until it ends, at any of them.
import type { Call, Range } from '../client.ts';
import type { ClientView } from '../view.ts';
import { BYTES_SHIFT, ENTRIES, ENTRY_WORDS, Kind, Mark, OfCpu, ofAll, WAITS, WATCH_WORDS } from './places.ts';

const PAGE = 4096;
/** In lockstep: instructions, one at a time, before a turn is cut. */
const LONGEST_TAIL = 32;

/** An access: where in RAM, bytes of its page, EIP, Kind bits. */
interface Access {
  readonly cpu: number;
  readonly at: number;
  readonly bytes: number;
  readonly eip: number;
  readonly kind: number;
}

export interface Settings {
  /** Accesses of a CPU from one sample to the next, on average. */
  readonly every: number;
  /** How long a CPU stands still, milliseconds. */
  readonly stallMs: number;
  /** EIPs whose accesses are none. */
  readonly ignored: readonly Range[];
  /** EIPs whose accesses may be samples; undefined: all. */
  readonly watched: readonly Range[] | undefined;
}
const isIn = (ranges: readonly Range[], eip: number): boolean => ranges.some(([from, to]) => eip >= from && eip < to);

/** Of a view, which each thread has one of. */
export class Watching {
  readonly #view: ClientView;
  readonly #settings: Settings;
  /** The shadow; watches, and behind them the loads that wait. */
  readonly #marks: Uint8Array;
  readonly #words: Int32Array;
  readonly #waits: number;
  readonly #ofCpu: readonly Int32Array[];

  constructor(view: ClientView, settings: Settings) {
    this.#view = view;
    this.#settings = settings;
    const { words, waits, bytes } = ofAll(view.ramBytes, view.cpus);
    const room = view.sharedRoom;
    this.#marks = room.subarray(0, words);
    this.#words = new Int32Array(room.buffer, room.byteOffset + words, (bytes - words) / 4);
    this.#waits = waits;
    this.#ofCpu = Array.from({ length: view.cpus }, (_, cpu) => {
      const own = view.cpuRoom(cpu);
      return new Int32Array(own.buffer, own.byteOffset, own.byteLength / 4);
    });
  }

  /** An access that somebody may watch, or which is to be a sample. */
  accessed({ cpu, values: [at, eip, word] }: Call): void {
    const bytes = Math.min(word >>> BYTES_SHIFT, PAGE - (at % PAGE));
    const access: Access = { cpu, at, bytes, eip, kind: word & ((1 << BYTES_SHIFT) - 1) };
    if (at < this.#view.ramBytes && (this.#marks[at >>> 3]! & Mark.ARMED) !== 0) this.#meet(access);
    if (this.#ofCpu[cpu]![OfCpu.count >> 2]! < 0) this.#sample(access);
  }

  /** A CPU has come to a PAUSE behind a load: it waits there for another one to store. */
  waited({ cpu, values: [at, eip] }: Call): void {
    this.#ofCpu[cpu]![OfCpu.waitedEip >> 2] = eip;
    if (at >= this.#view.ramBytes) return;
    Atomics.or(this.#marks, at >>> 3, Mark.FLAG << ((at >>> 2) & 1));
    const first = this.#waits + 1;
    if (this.waits().includes(eip)) return;
    const n = Atomics.add(this.#words, this.#waits, 1);
    if (n < WAITS) Atomics.store(this.#words, first + n, eip);
  }
  waits(): number[] {
    const known = Math.min(Atomics.load(this.#words, this.#waits), WAITS);
    return Array.from(this.#words.subarray(this.#waits + 1, this.#waits + 1 + known), (eip) => eip >>> 0);
  }

  #isIgnored(eip: number): boolean {
    return isIn(this.#settings.ignored, eip);
  }

  /** Whether one of the words that an access touches is meant for several CPUs. */
  #isFlag(at: number, bytes: number): boolean {
    for (let word = at >>> 2; word <= (at + bytes - 1) >>> 2; word++)
      if ((this.#marks[word >>> 1]! & (Mark.FLAG << (word & 1))) !== 0) return true;
    return false;
  }

  #meet(access: Access): void {
    const { cpu, at, bytes, kind } = access;
    for (let other = 0; other < this.#view.cpus; other++) {
      if (other === cpu) continue;
      const slot = other * WATCH_WORDS;
      const version = Atomics.load(this.#words, slot);
      if ((version & 1) === 0) continue;
      const [from, length, eip, its] = [1, 2, 3, 4].map((n) => this.#words[slot + n]! >>> 0) as [number, number, number, number];
      const low = Math.max(at, from);
      const high = Math.min(at + bytes, from + length);
      if (low >= high || ((kind | its) & Kind.WRITES) === 0 || (kind & its & Kind.LOCKED) !== 0) continue;
      if (!this.#stands(other)) continue;
      // Whatever it was, there is an order between the two from here on.
      if (Atomics.compareExchange(this.#words, slot, version, version + 1) !== version) continue;
      Atomics.notify(this.#words, slot);
      const own = this.#ofCpu[cpu]!;
      if (this.#isFlag(low, high - low)) own[OfCpu.flags >> 2]! += 1;
      else if (!this.#isIgnored(access.eip)) this.#note(own, { cpu: other, at: low, bytes: length, eip, kind: its }, access);
    }
  }

  /** Whether a CPU that has armed a watch has had no turn since, in which it may have made accesses that nobody saw. */
  #stands(cpu: number): boolean {
    if (!this.#view.lockstep) return true;
    const slot = cpu * WATCH_WORDS;
    return (this.#view.executed(cpu) - this.#words[slot + 5]!) >>> 0 <= this.#words[slot + 6]!;
  }

  #note(own: Int32Array, watched: Access, met: Access): void {
    const sideOf = ({ kind, bytes, cpu }: Access) => kind | (cpu << 8) | (bytes << BYTES_SHIFT);
    for (let n = 0; n < ENTRIES; n++) {
      const at = (OfCpu.table >> 2) + n * ENTRY_WORDS;
      const isNew = own[at + 5] === 0;
      if (isNew) own.set([watched.eip, met.eip, sideOf(watched), sideOf(met), watched.at], at);
      else if (own[at] !== (watched.eip | 0) || own[at + 1] !== (met.eip | 0)) continue;
      own[at + 5]! += 1;
      return;
    }
    own[OfCpu.lost >> 2]! += 1;
  }

  #sample(access: Access): void {
    const { cpu, at, bytes, eip } = access;
    const own = this.#ofCpu[cpu]!;
    const view = this.#view;
    const count = OfCpu.count >> 2;
    const open = OfCpu.open >> 2;
    if (own[OfCpu.seed >> 2] === 0 || view.cpus === 1) {
      own[count] = this.#distance(own, cpu);
      return;
    }
    const left = view.lockstep ? view.turnLeft(cpu) : 0;
    if (own[open] === 1) {
      this.#disarm(cpu);
      own[open] = 0;
      // The others have had their turns.
      if (left > own[OfCpu.left >> 2]!) {
        own[OfCpu.windows >> 2]! += 1;
        own[count] = this.#distance(own, cpu);
        return;
      }
    }
    // Else the next one.
    own[count] = 0;
    if (this.#settings.watched !== undefined && !isIn(this.#settings.watched, eip)) return;
    if (view.lockstep && left > LONGEST_TAIL) view.cutTurn(cpu, 1 + (this.#random(own, cpu) % LONGEST_TAIL));
    if (at >= view.ramBytes || bytes === 0 || bytes > 16 || this.#isFlag(at, bytes) || this.#isIgnored(eip)) return;
    const slot = this.#arm(access);
    if (view.lockstep) {
      own[open] = 1;
      own[OfCpu.left >> 2] = view.turnLeft(cpu);
      this.#words.set([view.executed(cpu), Math.max(view.turnLeft(cpu), 0)], slot + 5);
      return;
    }
    Atomics.wait(this.#words, slot, this.#words[slot]!, this.#settings.stallMs);
    this.#disarm(cpu);
    own[OfCpu.windows >> 2]! += 1;
    own[count] = this.#distance(own, cpu);
  }

  /** Its watch's index. */
  #arm({ cpu, at, bytes, eip, kind }: Access): number {
    const slot = cpu * WATCH_WORDS;
    this.#words.set([at, bytes, eip, kind], slot + 1);
    Atomics.add(this.#words, slot, 1);
    for (let n = at >>> 3; n <= (at + bytes - 1) >>> 3; n++) Atomics.or(this.#marks, n, Mark.ARMED);
    return slot;
  }

  #disarm(cpu: number): void {
    const slot = cpu * WATCH_WORDS;
    const version = Atomics.load(this.#words, slot);
    if ((version & 1) !== 0) Atomics.compareExchange(this.#words, slot, version, version + 1);
    const [at, bytes] = [this.#words[slot + 1]! >>> 0, this.#words[slot + 2]!];
    for (let n = at >>> 3; n <= (at + bytes - 1) >>> 3; n++) Atomics.and(this.#marks, n, ~Mark.ARMED);
  }

  /** How many accesses there are before the next sample (Marsaglia, Xorshift RNGs). */
  #distance(own: Int32Array, cpu: number): number {
    return Math.floor((this.#random(own, cpu) / 2 ** 32) * 2 * this.#settings.every);
  }
  #random(own: Int32Array, cpu: number): number {
    let seed = own[OfCpu.seed >> 2] || 0x9e3779b9 + cpu * 0x7f4a7c15;
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    own[OfCpu.seed >> 2] = seed;
    return seed >>> 0;
  }
}
