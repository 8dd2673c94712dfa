// All TCP connections between the guest and the host's network: segments find theirs, and a SYN makes a new one, whose other end the host connects to.
import { GATEWAY, GUEST } from '../address.ts';
import type { HostAddress, HostStream, HostStreamEvents, NetworkHost } from '../host-ends.ts';
import { Bridge, type BridgeOptions } from './bridge.ts';
import { refusal, TcpConnection, type TcpEnds, type TcpUser } from './connection.ts';
import { Flag, type Segment } from './segment.ts';

/** Connections at once. */
export const MOST_CONNECTIONS = 512;
/** Those, and the ones that linger: a further one takes the place of the oldest of these. */
export const MOST_KNOWN = 2048;
/** Our ports for connections that come from the host. */
const FIRST_PORT = 49_152;
const PORTS = 16_384;

export interface TcpNatOptions {
  readonly host: NetworkHost;
  /** Where the host finds an address that the guest knows; undefined: there is no way to it. */
  readonly hostAddress: (remote: number, port: number) => HostAddress | undefined;
  /** Sends a segment to the guest. */
  readonly emit: (ends: TcpEnds, segment: Segment) => void;
  /** The host could not connect as a SYN asked. True: the guest was told; else it gets a RST. */
  readonly refused: (ends: TcpEnds, syn: Segment, code: string | undefined) => boolean;
}

const keyOf = ({ guest, guestPort, remote, remotePort }: TcpEnds): string => `${guest} ${guestPort} ${remote} ${remotePort}`;

export class TcpNat {
  readonly #options: TcpNatOptions;
  readonly #connections = new Map<string, TcpConnection>();
  readonly #bridges = new Set<Bridge>();
  #nextPort = 0;

  constructor(options: TcpNatOptions) {
    this.#options = options;
  }

  /** Connections that have a socket of the host. */
  get open(): number {
    return this.#bridges.size;
  }
  /** Bytes that wait here, of all of them. */
  get kept(): number {
    return [...this.#bridges].reduce((sum, { kept, connection }) => sum + kept + connection.kept, 0);
  }
  /** Those that are open, and the ones that linger. */
  get known(): number {
    return this.#connections.size;
  }

  receive(guest: number, remote: number, segment: Segment): void {
    const ends: TcpEnds = { guest, guestPort: segment.sourcePort, remote, remotePort: segment.destinationPort };
    const key = keyOf(ends);
    if (this.#connections.get(key)?.givesWayTo(segment)) this.#connections.get(key)!.forget();
    const connection = this.#connections.get(key);
    if (connection !== undefined) return connection.receive(segment);
    const isSyn = (segment.flags & (Flag.SYN | Flag.ACK | Flag.RST)) === Flag.SYN;
    const { host, hostAddress, refused } = this.#options;
    const to = isSyn ? hostAddress(remote, segment.destinationPort) : undefined;
    if (to === undefined || this.#bridges.size >= MOST_CONNECTIONS) return this.#refuse(ends, segment);
    const onRefused = (code: string | undefined) => refused(ends, segment, code);
    this.#join({ ends, stream: (events) => host.connect(to, events), onRefused }).asked(segment);
  }

  #refuse(ends: TcpEnds, segment: Segment): void {
    const answer = refusal(segment);
    if (answer !== undefined) this.#options.emit(ends, answer);
  }

  /** Joins a stream that the host has accepted to a port of the guest's; undefined: there are too many, and the stream is closed. */
  forward(guestPort: number, stream: HostStream): HostStreamEvents | undefined {
    const ends = this.#bridges.size < MOST_CONNECTIONS ? this.#freeEnds(guestPort) : undefined;
    if (ends === undefined) {
      stream.destroy(true);
      return undefined;
    }
    let theirs: HostStreamEvents | undefined;
    const given = (events: HostStreamEvents) => {
      theirs = events;
      return stream;
    };
    // It stands already.
    this.#join({ ends, stream: given, onRefused: () => false }).connect();
    return theirs;
  }

  #freeEnds(guestPort: number): TcpEnds | undefined {
    for (let tries = 0; tries < PORTS; tries++) {
      const remotePort = FIRST_PORT + this.#nextPort;
      this.#nextPort = (this.#nextPort + 1) % PORTS;
      const ends: TcpEnds = { guest: GUEST, guestPort, remote: GATEWAY, remotePort };
      if (!this.#connections.has(keyOf(ends))) return ends;
    }
    return undefined;
  }

  #join({ ends, stream, onRefused }: Pick<BridgeOptions, 'stream' | 'onRefused'> & { readonly ends: TcpEnds }): TcpConnection {
    const { host, emit } = this.#options;
    const key = keyOf(ends);
    const make = (user: TcpUser) => {
      const connection: TcpConnection = new TcpConnection({
        host,
        ends,
        user,
        emit: (segment) => emit(ends, segment),
        onForgotten: () => {
          if (this.#connections.get(key) === connection) this.#connections.delete(key);
        },
      });
      return connection;
    };
    const bridge: Bridge = new Bridge({
      connection: make,
      stream,
      onRefused,
      onGone: () => void this.#bridges.delete(bridge),
    });
    if (this.#connections.size >= MOST_KNOWN) this.#forgetOldest();
    this.#bridges.add(bridge);
    this.#connections.set(key, bridge.connection);
    return bridge.connection;
  }

  #forgetOldest(): void {
    for (const connection of this.#connections.values()) if (connection.state === 'lingering') return connection.forget();
  }

  /** Ends all. */
  close(): void {
    for (const bridge of [...this.#bridges]) bridge.close();
    for (const connection of [...this.#connections.values()]) connection.forget();
  }
}
