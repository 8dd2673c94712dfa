// The way out of a TCP connection: SYN, bytes and FIN in a sequence, sent as the other end's window allows, and again until they are acknowledged.
import type { HostTimer, NetworkHost } from '../host-ends.ts';
import { ByteQueue } from './byte-queue.ts';
import { Congestion } from './congestion.ts';
import { RoundTrip } from './round-trip.ts';
import { add, DEFAULT_MSS, distance, MSS, type Segment } from './segment.ts';

/** Bytes that may wait for the guest: when there are as many, the host's end is asked for no more. */
export const SEND_BUFFER = 131_072;
/** Times that the same is sent in vain, until the other end counts as gone: a SYN (for a minute), and anything else (for some minutes). */
export const MOST_SYNS = 6;
export const MOST_RETRIES = 12;

export interface SenderOptions {
  readonly host: NetworkHost;
  /** Sends a segment. */
  readonly emit: (segment: { sequence: number; syn?: boolean; data?: Uint8Array; fin?: boolean; push?: boolean }) => void;
  /** Half of the buffer has become free, after there was no room. */
  readonly onRoom: () => void;
  /** The other end does not answer. */
  readonly onGone: () => void;
}

export class TcpSender {
  readonly #options: SenderOptions;
  readonly #first: number;
  readonly #queue = new ByteQueue();
  readonly #roundTrip = new RoundTrip();
  #congestion: Congestion;
  #mss = DEFAULT_MSS;
  /** The oldest number that is not acknowledged; the next one to send; and the first one that was never sent (after a loss the next one goes back). */
  #unacknowledged: number;
  #next: number;
  #sent: number;
  #opened = false;
  #ending = false;
  #ended = false;
  /** The other end's window, and the segment that it is from. */
  #window = 0;
  #windowSequence = 0;
  #windowAcknowledgement = 0;
  /** A segment whose acknowledgement is waited for with a watch. */
  #timed: { readonly end: number; readonly at: number } | undefined;
  #timer: HostTimer | undefined;
  #retries = 0;
  #wasFull = false;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#first = options.host.random();
    this.#unacknowledged = this.#next = this.#sent = this.#first;
    this.#congestion = new Congestion(this.#mss, this.#first);
  }

  /** The next sequence number. */
  get next(): number {
    return this.#next;
  }
  /** Bytes that are not acknowledged. */
  get waiting(): number {
    return this.#queue.length;
  }
  get full(): boolean {
    return this.#queue.length >= SEND_BUFFER;
  }
  /** The FIN is acknowledged. */
  get ended(): boolean {
    return this.#ended;
  }
  get opened(): boolean {
    return this.#opened;
  }

  /** Sends the SYN. */
  open(): void {
    this.#output();
  }

  /** What the other end said in its SYN. */
  peer({ sequence, acknowledgement, window, mss }: Segment): void {
    this.#mss = Math.max(64, Math.min(MSS, mss ?? DEFAULT_MSS));
    this.#congestion = new Congestion(this.#mss, this.#first);
    this.#window = window;
    this.#windowSequence = sequence;
    this.#windowAcknowledgement = acknowledgement;
  }

  /** Sends the same SYN again: the other end has not seen it. */
  reopen(): void {
    if (this.#opened) return;
    this.#next = this.#first;
    this.#output();
  }

  write(bytes: Uint8Array): void {
    this.#queue.push(bytes);
    this.#wasFull ||= this.full;
    this.#output();
  }

  /** The end, behind all that was written. */
  end(): void {
    this.#ending = true;
    this.#output();
  }

  /** Whether an acknowledgement is of anything that was sent. */
  covers(acknowledgement: number): boolean {
    return distance(acknowledgement, this.#sent) >= 0;
  }

  /** An acknowledgement that covers() allows. */
  acknowledged({ sequence, acknowledgement, window, data }: Segment): void {
    const advance = distance(this.#unacknowledged, acknowledgement);
    if (advance < 0) return;
    let again = false;
    if (advance > 0) again = this.#advance(acknowledgement, advance);
    else if (data.length === 0 && window === this.#window && this.#next !== this.#unacknowledged)
      again = this.#congestion.repeated(acknowledgement, this.#sent);
    const newer = distance(this.#windowSequence, sequence);
    // Who answers is there, however long its window stays shut.
    if (this.#flight === 0) this.#retries = 0;
    if (newer > 0 || (newer === 0 && distance(this.#windowAcknowledgement, acknowledgement) >= 0)) {
      if (this.#window === 0 && window > 0) this.#opens();
      this.#window = window;
      this.#windowSequence = sequence;
      this.#windowAcknowledgement = acknowledgement;
    }
    if (again) this.#resend();
    this.#output();
    if (this.#wasFull && this.#queue.length <= SEND_BUFFER / 2) {
      this.#wasFull = false;
      this.#options.onRoom();
    }
  }

  /** The window does: probes are over. */
  #opens(): void {
    this.#stop();
    this.#roundTrip.reset();
  }

  #advance(acknowledgement: number, advance: number): boolean {
    const { host } = this.#options;
    if (this.#timed !== undefined && distance(this.#timed.end, acknowledgement) >= 0) {
      this.#roundTrip.sample(host.now() - this.#timed.at);
      this.#timed = undefined;
    }
    this.#roundTrip.reset();
    this.#retries = 0;
    this.#stop();
    const syn = this.#opened ? 0 : 1;
    this.#opened = true;
    const bytes = Math.min(advance - syn, this.#queue.length);
    this.#queue.drop(bytes);
    if (advance - syn > bytes) this.#ended = true;
    this.#unacknowledged = acknowledgement;
    if (distance(this.#next, acknowledgement) > 0) this.#next = acknowledgement;
    return this.#congestion.advanced(acknowledgement, advance);
  }

  /** The first segment that is not acknowledged, once more. */
  #resend(): void {
    const sent = distance(this.#unacknowledged, this.#sent);
    const length = Math.min(this.#mss, this.#queue.length, sent);
    this.#timed = undefined;
    this.#emit(this.#unacknowledged, 0, length, this.#ending && length === this.#queue.length && length < sent);
  }

  /** Bytes sent and not acknowledged; a FIN counts as one. */
  get #flight(): number {
    return distance(this.#unacknowledged, this.#next);
  }
  /** Whether there is more to send. */
  get #hasMore(): boolean {
    return this.#flight < this.#queue.length + (this.#ending && !this.#ended ? 1 : 0);
  }

  #output(): void {
    if (!this.#opened) {
      if (this.#next === this.#first) {
        this.#options.emit({ sequence: this.#first, syn: true });
        this.#moveTo(add(this.#first, 1));
      }
      return this.#arm();
    }
    while (this.#hasMore) {
      const flight = this.#flight;
      const left = Math.max(0, this.#queue.length - flight);
      const room = Math.min(this.#window, this.#congestion.window) - flight;
      const length = Math.min(left, room, this.#mss);
      // A small piece of more only where nothing else will make us look again.
      if (room <= 0 || (length < left && length < this.#mss && flight > 0)) break;
      const fin = this.#ending && length === left && length < room;
      this.#emit(this.#next, flight, length, fin);
      this.#moveTo(add(this.#next, length + (fin ? 1 : 0)));
    }
    this.#arm();
  }

  #emit(sequence: number, from: number, length: number, fin: boolean): void {
    const data = this.#queue.copy(from, length);
    this.#options.emit({ sequence, data, fin, push: length > 0 && from + length === this.#queue.length });
  }

  #moveTo(next: number): void {
    const isNew = this.#next === this.#sent;
    this.#next = next;
    if (distance(this.#sent, next) <= 0) return;
    this.#sent = next;
    if (isNew) this.#timed ??= { end: next, at: this.#options.host.now() };
  }

  /** A time-out where anything is on its way, or where a window of 0 keeps it from being. */
  #arm(): void {
    if (this.#flight === 0 && !this.#hasMore) this.#stop();
    else this.#timer ??= this.#options.host.after(this.#roundTrip.timeout, this.#onTime);
  }

  #stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  readonly #onTime = (): void => {
    this.#timer = undefined;
    if (++this.#retries > (this.#opened ? MOST_RETRIES : MOST_SYNS - 1)) return this.#options.onGone();
    this.#roundTrip.back();
    this.#timed = undefined;
    if (this.#flight > 0) {
      this.#congestion.timedOut(this.#unacknowledged, this.#sent, this.#retries === 1);
      this.#next = this.#unacknowledged;
    } else this.#probe();
    this.#output();
  };

  /** A byte more than the window takes: the answer has the window as it is now. */
  #probe(): void {
    const length = Math.min(1, this.#queue.length);
    this.#emit(this.#unacknowledged, 0, length, length === 0);
    const end = add(this.#unacknowledged, 1);
    if (distance(this.#sent, end) > 0) this.#sent = end;
  }

  /** No timer, nothing sent any more. */
  close(): void {
    this.#stop();
    this.#queue.drop(this.#queue.length);
  }
}
