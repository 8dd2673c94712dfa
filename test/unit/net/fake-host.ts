// A host of the user network that a test holds in its hand: its clock goes on when the test says so, its sockets are arrays.
import type {
  HostAddress,
  HostDatagramEvents,
  HostDatagrams,
  HostListener,
  HostStream,
  HostStreamEvents,
  NetworkHost,
} from '../../../src/net/host-ends.ts';

interface Waiting {
  readonly at: number;
  readonly callback: () => void;
}

/** An end of a TCP connection, as its other end sees it. */
export class FakeStream implements HostStream {
  events: HostStreamEvents | undefined;
  readonly written: Uint8Array[] = [];
  ended = false;
  paused = false;
  destroyed: 'reset' | 'closed' | undefined;
  /** Whether what is written is taken at once (in the next tick of the test). */
  takes = true;
  readonly to: HostAddress | undefined;
  readonly #host: FakeHost;
  readonly #untaken: (() => void)[] = [];

  /** `to`: undefined: the host has accepted it. */
  constructor(host: FakeHost, to: HostAddress | undefined) {
    this.#host = host;
    this.to = to;
    this.paused = to === undefined;
  }

  write(bytes: Uint8Array, taken: () => void): void {
    if (this.destroyed !== undefined || this.ended) throw new Error('a write to a stream that is closed');
    this.written.push(bytes);
    this.#untaken.push(taken);
    if (this.takes) this.#host.soon(() => this.take());
  }
  /** The system takes all that was written. */
  take(): void {
    for (const taken of this.#untaken.splice(0)) if (this.destroyed === undefined) taken();
  }
  get waiting(): number {
    return this.#untaken.length;
  }
  end(): void {
    if (this.ended) throw new Error('a second end');
    this.ended = true;
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
  destroy(reset: boolean): void {
    this.destroyed = reset ? 'reset' : 'closed';
    this.#host.streams.delete(this);
  }
  /** The last event. */
  close(code?: string): void {
    this.#host.streams.delete(this);
    this.destroyed = 'closed';
    this.events!.onClose(code);
  }
  get text(): string {
    return Buffer.concat(this.written).toString('latin1');
  }
}

export class FakeDatagrams implements HostDatagrams {
  readonly sent: Uint8Array[] = [];
  closed = false;
  readonly to: HostAddress;
  readonly events: HostDatagramEvents;
  readonly #host: FakeHost;

  constructor(host: FakeHost, to: HostAddress, events: HostDatagramEvents) {
    this.#host = host;
    this.to = to;
    this.events = events;
  }
  send(bytes: Uint8Array): void {
    if (this.closed) throw new Error('a send by a closed socket');
    this.sent.push(bytes);
  }
  close(): void {
    this.closed = true;
    this.#host.sockets.delete(this);
  }
}

export class FakeHost implements NetworkHost {
  /** What is open. */
  readonly streams = new Set<FakeStream>();
  readonly sockets = new Set<FakeDatagrams>();
  /** All that there ever were. */
  readonly dialed: FakeStream[] = [];
  readonly bound: FakeDatagrams[] = [];
  servers: HostAddress[] = [{ address: '192.0.2.53', port: 53 }];
  #now = 1000;
  #random = 0xfffff000;
  readonly #timers = new Set<Waiting>();

  now(): number {
    return this.#now;
  }
  after(ms: number, callback: () => void) {
    const timer: Waiting = { at: this.#now + ms, callback };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }
  soon(callback: () => void): void {
    this.after(0, callback);
  }
  get timers(): number {
    return this.#timers.size;
  }
  /** Sequence numbers begin shortly before they go round. */
  random(): number {
    this.#random = (this.#random + 100) >>> 0;
    return this.#random;
  }
  connect(to: HostAddress, events: HostStreamEvents): HostStream {
    const stream = new FakeStream(this, to);
    stream.events = events;
    this.streams.add(stream);
    this.dialed.push(stream);
    return stream;
  }
  listen(): Promise<HostListener> {
    throw new Error('nobody listens here');
  }
  datagrams(to: HostAddress, events: HostDatagramEvents): HostDatagrams {
    const socket = new FakeDatagrams(this, to, events);
    this.sockets.add(socket);
    this.bound.push(socket);
    return socket;
  }
  nameServers(): readonly HostAddress[] {
    return this.servers;
  }

  /** Lets time go by, timer by timer. `until`: ends it early. */
  run(ms: number, until: () => boolean = () => false): void {
    const end = this.#now + ms;
    while (!until()) {
      let next: Waiting | undefined;
      for (const timer of this.#timers) if (next === undefined || timer.at < next.at) next = timer;
      if (next === undefined || next.at > end) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
    }
    if (!until()) this.#now = end;
  }
}
