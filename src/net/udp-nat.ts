// UDP of the guest to the outside: a socket of the host for each pair of ends, given back when nothing has passed for a while, or to make room.
import type { HostDatagrams, HostTimer, NetworkHost } from './host-ends.ts';

/** Pairs of ends at once: a further one takes the place of the one that was silent for longest. */
export const MOST_FLOWS = 256;
export const FLOW_IDLE_MS = 60_000;

/** Who talks: addresses as the guest knows them. */
export interface FlowEnds {
  readonly guest: number;
  readonly guestPort: number;
  readonly remote: number;
  readonly remotePort: number;
}

export interface UdpNatOptions {
  readonly host: NetworkHost;
  /** The host's address, as text, of one that the guest knows. */
  readonly hostAddress: (remote: number) => string;
  /** A message for the guest. */
  readonly deliver: (ends: FlowEnds, data: Uint8Array) => void;
  /** The host's system says that nobody takes it. `code`: as the system has it. */
  readonly refused: (ends: FlowEnds, code: string | undefined) => void;
}

interface Flow {
  readonly socket: HostDatagrams;
  lastMs: number;
}

export class UdpNat {
  readonly #options: UdpNatOptions;
  /** In the order of their last use. */
  readonly #flows = new Map<string, Flow>();
  #timer: HostTimer | undefined;

  constructor(options: UdpNatOptions) {
    this.#options = options;
  }

  get flows(): number {
    return this.#flows.size;
  }

  send(ends: FlowEnds, data: Uint8Array): void {
    const key = `${ends.guest} ${ends.guestPort} ${ends.remote} ${ends.remotePort}`;
    const flow = this.#flows.get(key) ?? this.#open(key, ends);
    this.#used(key, flow);
    flow.socket.send(data);
  }

  #open(key: string, ends: FlowEnds): Flow {
    const { host, hostAddress, deliver, refused } = this.#options;
    if (this.#flows.size >= MOST_FLOWS) this.#drop(this.#flows.keys().next().value!);
    const socket = host.datagrams(
      { address: hostAddress(ends.remote), port: ends.remotePort },
      {
        onDatagram: (bytes) => {
          this.#used(key, flow);
          deliver(ends, bytes);
        },
        onError: (code) => {
          this.#drop(key);
          refused(ends, code);
        },
      },
    );
    const flow: Flow = { socket, lastMs: 0 };
    return flow;
  }

  #used(key: string, flow: Flow): void {
    flow.lastMs = this.#options.host.now();
    this.#flows.delete(key);
    this.#flows.set(key, flow);
    this.#timer ??= this.#options.host.after(FLOW_IDLE_MS, this.#sweep);
  }

  readonly #sweep = (): void => {
    this.#timer = undefined;
    const { host } = this.#options;
    const now = host.now();
    for (const [key, { lastMs }] of this.#flows) {
      const left = lastMs + FLOW_IDLE_MS - now;
      if (left > 0) {
        this.#timer = host.after(left, this.#sweep);
        return;
      }
      this.#drop(key);
    }
  };

  #drop(key: string): void {
    this.#flows.get(key)?.socket.close();
    this.#flows.delete(key);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const key of [...this.#flows.keys()]) this.#drop(key);
  }
}
