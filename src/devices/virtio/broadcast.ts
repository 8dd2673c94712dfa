// A network between the machines of one origin: a hub that all share who are plugged in by the same name, in tabs and Workers of a browser, or in the threads of a Node. Frames go by a
// BroadcastChannel. Who is there is known by locks that end with their holders, so that a tab that is closed is missed at once; a tab that holds one is not put to sleep by its browser, either.
import { DragomanError } from '../../api/errors.ts';
import type { NetBackend, NetPort } from '../../api/options.ts';
import { checkMac, LARGEST_FRAME, SMALLEST_FRAME } from './ethernet.ts';

/** Another card on the network. */
export interface NetworkPeer {
  /** Of its connection: another one each time that it is plugged in. */
  readonly id: string;
  readonly mac: string;
}

export interface BroadcastNetworkOptions {
  /** Address of this card. Default: one by chance, of its own for each call. */
  readonly mac?: string | undefined;
  /** Called when others come or go, with all that are there. */
  readonly onPeers?: ((peers: readonly NetworkPeer[]) => void) | undefined;
}

/** A back end for one card at a time, with the card's address: `net` of MachineOptions takes it as it is. */
export interface BroadcastNetwork extends NetBackend {
  readonly name: string;
  readonly mac: string;
  /** The others that are plugged in now; none before open(), nor behind close(). */
  readonly peers: readonly NetworkPeer[];
  /** Frames from the guest, frames that it got, and those that were lost: others were too far behind, or the card took no more. */
  readonly counts: { sent: number; received: number; lost: number };
  open(): Promise<void>;
  connect(card: NetPort): void;
  close(): void;
}

type Message =
  /** `asks`: who has just come, and wants to know who else is there. */
  | { readonly kind: 'here'; readonly from: string; readonly mac: string; readonly asks: boolean }
  | { readonly kind: 'gone'; readonly from: string }
  | { readonly kind: 'frames'; readonly from: string; readonly frames: readonly Uint8Array[] }
  /** So many frames of `of` are out of the browser's queue. */
  | { readonly kind: 'taken'; readonly from: string; readonly of: string; readonly frames: number };

/** Frames on their way to a peer, at the most: what a channel holds for who does not come to read it is bounded by that. */
export const BROADCAST_BACKLOG = 1024;
/** A peer tells of those that it took so many at a time. */
const TAKEN_AT_ONCE = 64;

const channelOf = (name: string) => `dragoman network ${name}`;
const lockOf = (name: string, id: string) => `${channelOf(name)} ${id}`;

/** Administered locally, of one card. */
function anyMac(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(6));
  bytes[0] = (bytes[0]! & 0xfc) | 2;
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** Older Nodes have none: there, who ends without close() is not missed. */
const locks = (): LockManager | undefined => (globalThis.navigator as Navigator | undefined)?.locks;

/** A connection: from open() to close(). */
class Plug {
  readonly #id = crypto.randomUUID();
  readonly #name: string;
  readonly #mac: string;
  readonly #channel: BroadcastChannel;
  readonly #end = new AbortController();
  /** By id: a peer, and how many of our frames it has taken. */
  readonly #peers = new Map<string, { readonly peer: NetworkPeer; taken: number }>();
  readonly #counts: BroadcastNetwork['counts'];
  readonly #onPeers: (peers: readonly NetworkPeer[]) => void;
  /** Frames so far, those that are to be posted among them. */
  #posted = 0;
  #batch: Uint8Array[] = [];
  /** By id: frames that came from there and it was not told of. */
  readonly #untold = new Map<string, number>();
  card: NetPort | undefined;

  constructor(name: string, mac: string, counts: BroadcastNetwork['counts'], onPeers: (peers: readonly NetworkPeer[]) => void) {
    this.#name = name;
    this.#mac = mac;
    this.#counts = counts;
    this.#onPeers = onPeers;
    this.#channel = new BroadcastChannel(channelOf(name));
    this.#channel.onmessage = ({ data }: MessageEvent<Message>) => this.#take(data);
    (this.#channel as { unref?: () => void }).unref?.();
  }

  async open(): Promise<void> {
    // Before anybody knows of us: who sees the lock free takes us for gone.
    await new Promise<void>((resolve, reject) => {
      const manager = locks();
      if (manager === undefined) return resolve();
      const held = manager.request(lockOf(this.#name, this.#id), () => {
        resolve();
        return new Promise<void>((release) => this.#end.signal.addEventListener('abort', () => release()));
      });
      held.catch(reject);
    });
    this.#post({ kind: 'here', from: this.#id, mac: this.#mac, asks: true });
  }

  get peers(): readonly NetworkPeer[] {
    return Array.from(this.#peers.values(), ({ peer }) => peer);
  }

  send(frame: Uint8Array): void {
    this.#counts.sent++;
    if (this.#peers.size === 0) return;
    const slowest = Math.min(...Array.from(this.#peers.values(), ({ taken }) => taken));
    if (this.#posted - slowest >= BROADCAST_BACKLOG) {
      this.#counts.lost++;
      return;
    }
    this.#posted++;
    // What a guest sends in one go is one message.
    if (this.#batch.push(frame) === 1) queueMicrotask(() => this.#flush());
  }

  close(): void {
    this.#flush();
    this.#post({ kind: 'gone', from: this.#id });
    this.#end.abort();
    this.#channel.close();
    this.card = undefined;
    this.#peers.clear();
    this.#onPeers([]);
  }

  #flush(): void {
    const frames = this.#batch;
    this.#batch = [];
    if (frames.length > 0) this.#post({ kind: 'frames', from: this.#id, frames });
  }

  #post(message: Message): void {
    if (!this.#end.signal.aborted) this.#channel.postMessage(message);
  }

  #take(message: Message): void {
    switch (message?.kind) {
      case 'here':
        this.#meet(message);
        if (message.asks) this.#post({ kind: 'here', from: this.#id, mac: this.#mac, asks: false });
        break;
      case 'gone':
        this.#forget(message.from);
        break;
      case 'frames':
        this.#receive(message.from, message.frames);
        break;
      case 'taken': {
        const sender = message.of === this.#id ? this.#peers.get(message.from) : undefined;
        // It may have taken some from before we knew it.
        if (sender !== undefined) sender.taken = Math.min(this.#posted, sender.taken + message.frames);
      }
    }
  }

  #meet({ from: id, mac }: { readonly from: string; readonly mac: string }): void {
    if (this.#peers.has(id)) return;
    this.#peers.set(id, { peer: { id, mac }, taken: this.#posted });
    this.#onPeers(this.peers);
    // Granted when it is gone, however that came.
    locks()
      ?.request(lockOf(this.#name, id), { signal: this.#end.signal }, () => this.#forget(id))
      .catch(() => {});
  }

  #forget(id: string): void {
    this.#untold.delete(id);
    if (this.#peers.delete(id)) this.#onPeers(this.peers);
  }

  #receive(from: string, frames: readonly Uint8Array[]): void {
    for (const frame of frames) {
      const fits = frame instanceof Uint8Array && frame.length >= SMALLEST_FRAME && frame.length <= LARGEST_FRAME;
      if (fits && this.card?.receive(frame) === true) this.#counts.received++;
      else this.#counts.lost++;
    }
    const untold = (this.#untold.get(from) ?? 0) + frames.length;
    this.#untold.set(from, untold < TAKEN_AT_ONCE ? untold : 0);
    if (untold >= TAKEN_AT_ONCE) this.#post({ kind: 'taken', from: this.#id, of: from, frames: untold });
  }
}

/**
 * The network of that name: each frame that a guest on it sends reaches all others. Throws BAD_OPTION.
 *
 * @example
 *
 *     const net = broadcastNetwork('lab', { onPeers: (peers) => console.log(`${peers.length} others`) });
 *     await using machine = await Machine.create({ kernel, net });
 */
export function broadcastNetwork(name: string, { mac, onPeers }: BroadcastNetworkOptions = {}): BroadcastNetwork {
  if (typeof name !== 'string' || name === '') throw new DragomanError('BAD_OPTION', 'a network has a name', 'broadcastNetwork');
  const address = mac === undefined ? anyMac() : checkMac(mac, 'mac');
  const counts = { sent: 0, received: 0, lost: 0 };
  let plug: Plug | undefined;
  return {
    name,
    mac: address,
    counts,
    get peers() {
      return plug?.peers ?? [];
    },
    async open() {
      if (plug !== undefined) throw new DragomanError('BAD_OPTION', 'the connection is in use: one machine at a time', `network ${name}`);
      plug = new Plug(name, address, counts, (peers) => onPeers?.(peers));
      await plug.open();
    },
    connect(card) {
      if (plug !== undefined) plug.card = card;
    },
    onFrame(frame) {
      plug?.send(frame);
    },
    close() {
      plug?.close();
      plug = undefined;
    },
  };
}
