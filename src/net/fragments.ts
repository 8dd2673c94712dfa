// Packets that came in pieces, put together again: so many at once, so many pieces each, and for so long; what does not fit is lost, as on a wire.
import type { Packet, Piece } from './ipv4.ts';

/** Packets that are waited for at once: a further one takes the place of the oldest. */
export const MOST_PACKETS = 8;
export const MOST_PIECES = 64;
export const FRAGMENT_MS = 30_000;
const LARGEST = 65535 - 20;

interface Waiting {
  readonly since: number;
  /** By offset. */
  readonly pieces: Map<number, Uint8Array>;
  bytes: number;
  /** Length of the whole, once its last piece is there. */
  total: number | undefined;
}

export class Fragments {
  readonly #now: () => number;
  readonly #waiting = new Map<string, Waiting>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Packets that are waited for. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** The packet that is whole with this piece; undefined: there is none. */
  add(piece: Piece): Packet | undefined {
    const { source, destination, protocol, id, offset, more, payload } = piece;
    if (offset === 0 && !more) return piece;
    const now = this.#now();
    for (const [key, { since }] of this.#waiting) if (now - since > FRAGMENT_MS) this.#waiting.delete(key);
    const key = `${source} ${destination} ${protocol} ${id}`;
    const end = offset + payload.length;
    if (payload.length === 0 || end > LARGEST || (more && payload.length % 8 !== 0)) return undefined;
    let packet = this.#waiting.get(key);
    if (packet === undefined) {
      if (this.#waiting.size === MOST_PACKETS) this.#waiting.delete(this.#waiting.keys().next().value!);
      packet = { since: now, pieces: new Map(), bytes: 0, total: undefined };
      this.#waiting.set(key, packet);
    }
    // The same again is a copy.
    if (packet.pieces.get(offset)?.length === payload.length) return undefined;
    const overlaps = [...packet.pieces].some(([at, bytes]) => at < end && offset < at + bytes.length);
    if (!more) packet.total ??= end;
    const total = packet.total ?? LARGEST;
    const fits = end <= total && (more || end === total) && [...packet.pieces].every(([at, bytes]) => at + bytes.length <= total);
    if (overlaps || !fits || packet.pieces.size === MOST_PIECES) {
      this.#waiting.delete(key);
      return undefined;
    }
    packet.pieces.set(offset, payload.slice());
    packet.bytes += payload.length;
    if (packet.bytes !== packet.total) return undefined;
    this.#waiting.delete(key);
    const whole = new Uint8Array(packet.total);
    for (const [at, bytes] of packet.pieces) whole.set(bytes, at);
    return { source, destination, protocol, payload: whole };
  }
}
