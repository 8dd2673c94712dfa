// The way into a TCP connection: bytes are put in order and handed on, and the window says how many more the one behind takes.
import { add, distance, Flag, lengthOf, MSS, type Segment } from './segment.ts';

/** The largest window (there is no scaling): bytes that were handed on and not taken, and bytes that came too early, are never more. */
export const RECEIVE_BUFFER = 65_535;
/** Pieces that came too early; a further one is lost. */
export const MOST_EARLY = 128;

/** What came with a segment. */
export type Arrival =
  /** Bytes, or the end, in order. */
  | 'more'
  /** Nothing new, or nothing in order: the other end wants to know at once. */
  | 'odd'
  | 'none';

export class TcpReceiver {
  readonly #deliver: (bytes: Uint8Array) => void;
  /** Sorted, none over another, all behind `next`. */
  #early: { readonly sequence: number; readonly data: Uint8Array }[] = [];
  #next: number;
  /** Where the window that the other end was told of ends. */
  #edge: number;
  /** Bytes handed on and not taken. */
  #pending = 0;
  #finAt: number | undefined;
  #ended = false;

  /** `syn`: the other end's first segment. */
  constructor(syn: Segment, deliver: (bytes: Uint8Array) => void) {
    this.#deliver = deliver;
    this.#next = this.#edge = add(syn.sequence, 1);
  }

  /** What is expected next: the acknowledgement. */
  get next(): number {
    return this.#next;
  }
  /** All has come, and the end. */
  get ended(): boolean {
    return this.#ended;
  }
  /** Bytes that are kept here. */
  get early(): number {
    return this.#early.reduce((sum, { data }) => sum + data.length, 0);
  }

  /** For the next segment out. It opens only by as much as is worth a segment. */
  get window(): number {
    const edge = this.#possibleEdge;
    if (this.#isWorth(edge)) this.#edge = edge;
    return Math.max(0, distance(this.#next, this.#edge));
  }
  get #possibleEdge(): number {
    return add(this.#next, RECEIVE_BUFFER - this.#pending);
  }
  #isWorth(edge: number): boolean {
    return distance(this.#edge, edge) >= MSS;
  }

  /** The one behind has taken bytes. True: the other end, which may wait for that, is to be told. */
  taken(bytes: number): boolean {
    this.#pending -= bytes;
    const closed = distance(this.#next, this.#edge) < RECEIVE_BUFFER / 2;
    return !this.#ended && closed && this.#isWorth(this.#possibleEdge);
  }

  /** Whether any of a segment lies in the window (RFC 9293, 3.10.7.4), or is at least what is expected next. */
  accepts(segment: Segment): boolean {
    const start = distance(this.#next, segment.sequence);
    const length = lengthOf(segment);
    return start <= Math.max(0, distance(this.#next, this.#edge)) && (length === 0 ? start >= 0 : start + length > 0);
  }

  /** Takes what is in an accepted segment. */
  take({ sequence, data, flags }: Segment): Arrival {
    const fin = (flags & Flag.FIN) !== 0;
    if (data.length === 0 && !fin) return 'none';
    if (this.#ended) return 'odd';
    // What lies in front of the window, or behind it, is cut off.
    const skip = Math.max(0, distance(sequence, this.#next));
    const room = Math.max(0, distance(sequence, this.#edge));
    const part = data.subarray(Math.min(skip, data.length), Math.min(room, data.length));
    if (fin && data.length <= room) this.#finAt ??= add(sequence, data.length);
    const before = this.#next;
    const wasEarly = this.#early.length > 0;
    if (part.length > 0) this.#put(add(sequence, skip), part);
    if (this.#next === this.#finAt) {
      this.#next = add(this.#next, 1);
      this.#ended = true;
      this.#early = [];
    }
    const isCut = skip + part.length < data.length;
    return this.#next !== before && !wasEarly && this.#early.length === 0 && !isCut ? 'more' : 'odd';
  }

  #put(sequence: number, data: Uint8Array): void {
    if (sequence === this.#next) this.#handOn(data);
    else this.#keep(sequence, data);
    while (this.#early.length > 0) {
      const { sequence: start, data: bytes } = this.#early[0];
      const overlap = distance(start, this.#next);
      if (overlap < 0) return;
      this.#early.shift();
      if (overlap < bytes.length) this.#handOn(bytes.subarray(overlap));
    }
  }

  #handOn(data: Uint8Array): void {
    this.#next = add(this.#next, data.length);
    this.#pending += data.length;
    this.#deliver(data);
  }

  /** Keeps of a piece what is not there yet. */
  #keep(sequence: number, data: Uint8Array): void {
    let start = sequence;
    const end = add(sequence, data.length);
    const put = (upTo: number): void => {
      const length = distance(start, upTo);
      if (length <= 0) return;
      const from = distance(sequence, start);
      added.push({ sequence: start, data: data.slice(from, from + length) });
    };
    const added: { sequence: number; data: Uint8Array }[] = [];
    for (const piece of this.#early) {
      if (distance(piece.sequence, end) <= 0) break;
      put(piece.sequence);
      const behind = add(piece.sequence, piece.data.length);
      if (distance(start, behind) > 0) start = behind;
    }
    put(end);
    if (added.length === 0 || this.#early.length + added.length > MOST_EARLY) return;
    this.#early.push(...added);
    this.#early.sort((a, b) => distance(b.sequence, a.sequence));
  }
}
