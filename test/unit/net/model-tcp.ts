// A guest's end of a TCP connection for tests, as simple as it can be: it sends all that its window has again after a time-out, and keeps what
// comes too early. Between it and the stack is a wire that loses, repeats and delays frames.
import { GATEWAY, GUEST } from '../../../src/net/address.ts';
import { buildPackets, parsePacket } from '../../../src/net/ipv4.ts';
import { buildSegment, Flag, parseSegment, type Segment } from '../../../src/net/tcp/segment.ts';
import { frameOf, type Wire } from './guest.ts';

const { SYN, ACK, FIN, RST } = Flag;
const MSS = 1460;
const RETRY_MS = 400;
const MOST_RETRY_MS = 3200;

/** Numbers from 0 to 1, by a seed. */
export function random(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), seed | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface Weather {
  readonly seed: number;
  /** Shares of the frames. */
  readonly loss?: number;
  readonly repeat?: number;
  /** Each frame takes so long, or less. */
  readonly delayMs?: number;
}

/** Connects the wire's stack with a guest's end. */
export class ModelTcp {
  /** Bytes that the host sent, in order. */
  readonly received: Uint8Array[] = [];
  receivedBytes = 0;
  open = false;
  hostEnded = false;
  wasReset = false;
  /** Frames on the wire, either way, and lost ones of them. */
  frames = 0;
  lost = 0;
  /** What it says it takes. */
  window = 65535;
  readonly #wire: Wire;
  readonly #weather: Weather;
  readonly #random: () => number;
  readonly #data: Uint8Array;
  readonly #ends: boolean;
  readonly #ports: { readonly sourcePort: number; readonly destinationPort: number };
  /** The numbers of the SYNs; everything else counts from there: 1 is the first byte. */
  readonly #ours: number;
  #theirs: number | undefined;
  #oldest = 0;
  #next = 0;
  #hostWindow = 0;
  #expected = 1;
  readonly #early = new Map<number, Segment>();
  #timer: { cancel(): void } | undefined;
  #retryMs = RETRY_MS;

  /** `data`: what it sends, and then, where `ends`, its end. */
  constructor(wire: Wire, weather: Weather, data: Uint8Array, ends: boolean, { sourcePort = 2000, destinationPort = 80 } = {}) {
    this.#wire = wire;
    this.#weather = weather;
    this.#random = random(weather.seed);
    this.#data = data;
    this.#ends = ends;
    this.#ports = { sourcePort, destinationPort };
    // They go round on the way.
    this.#ours = 0xffff_8000;
    wire.onFrame = (frame) => {
      const segment = parseSegment(parsePacket(frame.subarray(14))!);
      if (segment !== undefined) this.#carry(() => this.#receive(segment));
    };
  }

  connect(): void {
    this.#pump();
  }
  /** Waits for the host to connect. */
  listen(): void {
    this.#next = this.#oldest = 0;
  }

  #carry(deliver: () => void): void {
    this.frames++;
    const { loss = 0, repeat = 0, delayMs = 1 } = this.#weather;
    const copies = this.#random() < loss ? 0 : this.#random() < repeat ? 2 : 1;
    if (copies === 0) this.lost++;
    for (let n = 0; n < copies; n++) this.#wire.host.after(this.#random() * delayMs, deliver);
  }

  /** All was sent and acknowledged. */
  get done(): boolean {
    return this.#oldest === this.#data.length + 1 + (this.#ends ? 1 : 0);
  }

  #send(flags: number, at: number, data: Uint8Array = new Uint8Array(0)): void {
    const segment: Segment = {
      ...this.#ports,
      sequence: (this.#ours + at) >>> 0,
      acknowledgement: this.#theirs === undefined ? 0 : (this.#theirs + this.#expected) >>> 0,
      flags: this.#theirs === undefined ? flags : flags | ACK,
      window: this.window,
      mss: (flags & SYN) !== 0 ? MSS : undefined,
      data,
    };
    const [packet] = buildPackets(buildSegment(GUEST, GATEWAY, segment), 1);
    this.#carry(() => this.#wire.stack.receive(frameOf(packet)));
  }

  /** Says again what it takes. */
  tell(): void {
    this.#send(0, this.#next);
  }

  #pump(): void {
    if (this.#next === 0) {
      this.#send(SYN, 0);
      this.#next = 1;
    }
    const end = this.#data.length + 1;
    while (this.open && this.#next <= end - (this.#ends ? 0 : 1)) {
      const room = Math.max(this.#hostWindow, 1) - (this.#next - this.#oldest);
      if (room <= 0) break;
      const length = Math.min(MSS, room, end - this.#next);
      const fin = this.#ends && this.#next + length === end && length < room;
      if (length === 0 && !fin) break;
      this.#send(fin ? FIN : 0, this.#next, this.#data.subarray(this.#next - 1, this.#next - 1 + length));
      this.#next += length + (fin ? 1 : 0);
    }
    if (this.#next > this.#oldest)
      this.#timer ??= this.#wire.host.after(this.#retryMs, () => {
        this.#timer = undefined;
        this.#retryMs = Math.min(MOST_RETRY_MS, this.#retryMs * 2);
        this.#next = this.#oldest;
        if (!this.wasReset) this.#pump();
      });
  }

  #receive(segment: Segment): void {
    const { flags, sequence, acknowledgement, window, data } = segment;
    if ((flags & RST) !== 0) {
      this.wasReset = true;
      this.#timer?.cancel();
      return;
    }
    if ((flags & SYN) !== 0) this.#theirs ??= sequence;
    if (this.#theirs === undefined) return;
    // A SYN of the host's is answered by one.
    if ((flags & (SYN | ACK)) === SYN) {
      this.#next = 0;
      return this.#pump();
    }
    const acknowledged = (acknowledgement - this.#ours) >>> 0;
    if (acknowledged >= this.#oldest && acknowledged <= this.#data.length + 2) {
      if (acknowledged > this.#oldest) {
        this.#timer?.cancel();
        this.#timer = undefined;
        this.#retryMs = RETRY_MS;
        this.open = true;
      }
      this.#oldest = acknowledged;
      this.#next = Math.max(this.#next, acknowledged);
      this.#hostWindow = window;
    }
    const at = (sequence - this.#theirs) | 0;
    const fin = (flags & FIN) !== 0;
    if (data.length > 0 || fin) this.#early.set(at, segment);
    for (let moved = true; moved; ) {
      moved = false;
      for (const [start, piece] of this.#early) {
        const end = start + piece.data.length + ((piece.flags & FIN) !== 0 ? 1 : 0);
        if (start > this.#expected) continue;
        this.#early.delete(start);
        if (end <= this.#expected) continue;
        const part = piece.data.subarray(this.#expected - start);
        this.received.push(part);
        this.receivedBytes += part.length;
        this.#expected = end;
        this.hostEnded ||= (piece.flags & FIN) !== 0;
        moved = true;
      }
    }
    if (data.length > 0 || fin || (flags & SYN) !== 0) this.#send(0, this.#next);
    this.#pump();
  }
}
