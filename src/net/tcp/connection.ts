// Our end of a TCP connection with the guest (RFC 9293): the handshake from either side, what is done with each segment, and how it ends. What goes
// out is the sender's, what comes in the receiver's.
import type { HostTimer, NetworkHost } from '../host-ends.ts';
import { TcpReceiver } from './receiver.ts';
import { add, distance, Flag, lengthOf, MSS, type Segment } from './segment.ts';
import { TcpSender } from './sender.ts';

/** An acknowledgement waits so long for data that it could go with, or for a second segment. */
export const DELAYED_ACK_MS = 10;
/** Who ended first remembers the connection so long, for a FIN that comes again. */
export const TIME_WAIT_MS = 10_000;

/** Addresses as the guest knows them. */
export interface TcpEnds {
  readonly guest: number;
  readonly guestPort: number;
  readonly remote: number;
  readonly remotePort: number;
}

/** Whose connection it is. */
export interface TcpUser {
  /** The handshake is over. */
  onOpen(): void;
  /** Bytes in order; they count against the guest's window until taken() is told of them. */
  onData(bytes: Uint8Array): void;
  /** The guest sends no more. */
  onEnd(): void;
  /** write() may go on, after `full`. */
  onRoom(): void;
  /** The last one. 'done': both have sent their end, and each has the other's. */
  onClosed(how: 'done' | 'reset' | 'timeout'): void;
}

export interface TcpOptions {
  readonly host: NetworkHost;
  readonly ends: TcpEnds;
  readonly user: TcpUser;
  /** Sends a segment to the guest. */
  readonly emit: (segment: Segment) => void;
  /** It is forgotten: onClosed is over, and so is the time in which a FIN may come again. */
  readonly onForgotten: () => void;
}

export type TcpState =
  /** The guest has sent a SYN, and waits for accept() or refuse(). */
  | 'asked'
  | 'opening'
  | 'open'
  /** Done, but for a FIN that may come again. */
  | 'lingering'
  | 'closed';

const NO_DATA = new Uint8Array(0);

export class TcpConnection {
  readonly #options: TcpOptions;
  readonly #sender: TcpSender;
  #receiver: TcpReceiver | undefined;
  #state: TcpState = 'opening';
  /** Our end was sent before the guest's had come. */
  #endedFirst = false;
  /** Segments that are not acknowledged. */
  #owed = 0;
  #ackTimer: HostTimer | undefined;
  #lingerTimer: HostTimer | undefined;

  constructor(options: TcpOptions) {
    this.#options = options;
    this.#sender = new TcpSender({
      host: options.host,
      emit: ({ sequence, syn, data, fin, push }) => {
        const flags = (syn ? Flag.SYN : 0) | (fin ? Flag.FIN : 0) | (push ? Flag.PSH : 0);
        this.#emit(sequence, flags, data, syn ? MSS : undefined);
      },
      onRoom: () => options.user.onRoom(),
      onGone: () => this.#close('timeout'),
    });
  }

  get state(): TcpState {
    return this.#state;
  }
  /** Whether what was written is enough for now. */
  get full(): boolean {
    return this.#sender.full;
  }
  /** Bytes that wait here: for the guest to take them, and for others that must come before. */
  get kept(): number {
    return this.#sender.waiting + (this.#receiver?.early ?? 0);
  }

  /** Asks the guest. */
  connect(): void {
    this.#sender.open();
  }

  /** The guest asks. Nothing is answered yet. */
  asked(syn: Segment): void {
    this.#state = 'asked';
    this.#listen(syn);
  }

  accept(): void {
    if (this.#state !== 'asked') return;
    this.#state = 'opening';
    this.#sender.open();
  }

  /** The guest's SYN: where its bytes begin, and what it takes. */
  #listen(syn: Segment): void {
    this.#sender.peer(syn);
    this.#receiver = new TcpReceiver(syn, (bytes) => this.#options.user.onData(bytes));
  }

  /** Sends bytes; more than a buffer full (see `full`) is kept as well. */
  write(bytes: Uint8Array): void {
    if (this.#isOver) return;
    this.#sender.write(bytes);
  }

  /** Sends the end behind them. */
  end(): void {
    if (this.#isOver) return;
    this.#endedFirst = this.#receiver?.ended !== true;
    this.#sender.end();
  }

  /** The user has taken bytes that onData gave. */
  taken(bytes: number): void {
    if (this.#receiver?.taken(bytes) === true && this.#state === 'open') this.#acknowledge();
  }

  /** Ends it at once, and tells the guest. onClosed is not called. */
  reset(): void {
    if (this.#state === 'closed') return;
    if (this.#state !== 'lingering') this.#emit(this.#state === 'asked' ? 0 : this.#sender.next, Flag.RST);
    this.forget();
  }

  /** Ends it without a word. */
  forget(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#quiet();
    this.#lingerTimer?.cancel();
    this.#options.onForgotten();
  }

  get #isOver(): boolean {
    return this.#state === 'lingering' || this.#state === 'closed';
  }

  /** Whether a segment asks for a new connection in this one's place. */
  givesWayTo({ flags, sequence }: Segment): boolean {
    const isSyn = (flags & (Flag.SYN | Flag.ACK | Flag.RST)) === Flag.SYN;
    return isSyn && this.#state === 'lingering' && distance(this.#receiver!.next, sequence) > 0;
  }

  /** A segment of the guest's for these ends. */
  receive(segment: Segment): void {
    switch (this.#state) {
      case 'asked':
        // A copy of the SYN, or the guest has given up.
        if ((segment.flags & Flag.RST) !== 0) this.#close('reset');
        return;
      case 'closed':
        return;
      default:
        if (this.#receiver === undefined) this.#answered(segment);
        else this.#take(segment, this.#receiver);
    }
  }

  /** The answer to our SYN. */
  #answered(segment: Segment): void {
    const { flags, acknowledgement } = segment;
    const isAck = (flags & Flag.ACK) !== 0;
    if (isAck && acknowledgement !== this.#sender.next) {
      if ((flags & Flag.RST) === 0) this.#emit(acknowledgement, Flag.RST);
      return;
    }
    if ((flags & Flag.RST) !== 0) {
      if (isAck) this.#close('reset');
      return;
    }
    // Both asking at once is nothing that happens: the guest does not know our ports.
    if (!isAck || (flags & Flag.SYN) === 0) return;
    this.#listen(segment);
    this.#open(segment);
    this.#acknowledge();
  }

  #open(segment: Segment): void {
    this.#state = 'open';
    this.#sender.acknowledged(segment);
    this.#options.user.onOpen();
  }

  #take(segment: Segment, receiver: TcpReceiver): void {
    const { flags, sequence, acknowledgement } = segment;
    const rst = (flags & Flag.RST) !== 0;
    if (!receiver.accepts(segment)) {
      if (rst) return;
      // The SYN again: the answer was lost.
      if (this.#state === 'opening' && (flags & Flag.SYN) !== 0) return this.#sender.reopen();
      return this.#acknowledge();
    }
    if (rst) {
      // One that could be of anyone's making is questioned (RFC 5961).
      if (sequence === receiver.next) this.#close('reset');
      else this.#acknowledge();
      return;
    }
    if ((flags & Flag.SYN) !== 0) return this.#acknowledge();
    if ((flags & Flag.ACK) === 0) return;
    if (!this.#sender.covers(acknowledgement)) return this.#acknowledge();
    if (this.#state === 'opening') {
      if (acknowledgement !== this.#sender.next) return this.#emit(acknowledgement, Flag.RST);
      this.#open(segment);
    } else this.#sender.acknowledged(segment);
    // What was called may have ended it.
    if (this.#state === 'closed') return;
    this.#receive(segment, receiver);
    this.#endWhereDone(receiver);
  }

  #receive(segment: Segment, receiver: TcpReceiver): void {
    const hadEnded = receiver.ended;
    const arrival = receiver.take(segment);
    if (this.#isClosed) return;
    if (receiver.ended && !hadEnded) this.#options.user.onEnd();
    if (arrival === 'none' || this.#isClosed) return;
    if (arrival === 'odd' || receiver.ended || ++this.#owed >= 2) this.#acknowledge();
    else this.#ackTimer ??= this.#options.host.after(DELAYED_ACK_MS, () => this.#acknowledge());
  }

  get #isClosed(): boolean {
    return this.#state === 'closed';
  }

  #endWhereDone(receiver: TcpReceiver): void {
    if (this.#state !== 'open' || !receiver.ended || !this.#sender.ended) return;
    if (!this.#endedFirst) return this.#close('done');
    this.#state = 'lingering';
    this.#quiet();
    this.#lingerTimer = this.#options.host.after(TIME_WAIT_MS, () => this.forget());
    this.#options.user.onClosed('done');
  }

  #close(how: 'done' | 'reset' | 'timeout'): void {
    const was = this.#state;
    if (was === 'closed') return;
    if (how === 'timeout' && was === 'open') this.#emit(this.#sender.next, Flag.RST);
    this.forget();
    if (was !== 'lingering') this.#options.user.onClosed(how);
  }

  #quiet(): void {
    this.#sender.close();
    this.#ackTimer?.cancel();
    this.#ackTimer = undefined;
  }

  #acknowledge(): void {
    this.#emit(this.#sender.next, 0);
  }

  #emit(sequence: number, flags: number, data: Uint8Array = NO_DATA, mss?: number): void {
    const { ends, emit } = this.#options;
    const receiver = this.#receiver;
    this.#owed = 0;
    this.#ackTimer?.cancel();
    this.#ackTimer = undefined;
    emit({
      sourcePort: ends.remotePort,
      destinationPort: ends.guestPort,
      sequence,
      acknowledgement: receiver?.next ?? 0,
      flags: receiver === undefined ? flags : flags | Flag.ACK,
      window: receiver?.window ?? 0,
      mss,
      data,
    });
  }
}

/** What a segment gets that belongs to no connection; undefined: nothing. */
export function refusal(segment: Segment): Segment | undefined {
  const { sourcePort, destinationPort, sequence, acknowledgement, flags } = segment;
  if ((flags & Flag.RST) !== 0) return undefined;
  const isAck = (flags & Flag.ACK) !== 0;
  return {
    sourcePort: destinationPort,
    destinationPort: sourcePort,
    sequence: isAck ? acknowledgement : 0,
    acknowledgement: isAck ? 0 : add(sequence, lengthOf(segment)),
    flags: isAck ? Flag.RST : Flag.RST | Flag.ACK,
    window: 0,
    data: NO_DATA,
  };
}
