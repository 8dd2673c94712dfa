// A TCP connection of the guest's joined to one of the host's: bytes and ends go both ways, and each side waits for the other.
import type { HostStream, HostStreamEvents } from '../host-ends.ts';
import { ByteQueue } from './byte-queue.ts';
import type { TcpConnection, TcpUser } from './connection.ts';

export interface BridgeOptions {
  readonly connection: (user: TcpUser) => TcpConnection;
  readonly stream: (events: HostStreamEvents) => HostStream;
  /** The host could not connect. `code`: as the system has it. True: the guest was told. */
  readonly onRefused: (code: string | undefined) => boolean;
  /** Both sides are over. */
  readonly onGone: () => void;
}

export class Bridge {
  readonly connection: TcpConnection;
  readonly #options: BridgeOptions;
  readonly #stream: HostStream;
  /** Of the guest, while the host's system has not taken what was given to it before: one piece is on its way, the rest waits here. */
  readonly #queue = new ByteQueue();
  #writing = 0;
  #guestEnded = false;
  #hostEnded = false;
  #connectionOpen = true;
  #streamOpen = true;

  constructor(options: BridgeOptions) {
    this.#options = options;
    this.connection = options.connection({
      onOpen: () => this.#resume(),
      onData: (bytes) => this.#fromGuest(bytes),
      onEnd: () => {
        this.#guestEnded = true;
        this.#endWhereWritten();
      },
      onRoom: () => this.#resume(),
      onClosed: (how) => {
        this.#connectionOpen = false;
        if (how === 'done') this.#leave();
        else this.#closeStream(true);
      },
    });
    this.#stream = options.stream({
      onConnect: () => this.connection.accept(),
      onData: (bytes) => this.#fromHost(bytes),
      onEnd: () => {
        this.#hostEnded = true;
        this.connection.end();
      },
      onClose: (code) => this.#streamClosed(code),
    });
  }

  /** Bytes of the guest that the host has not taken. */
  get kept(): number {
    return this.#writing + this.#queue.length;
  }

  #fromGuest(bytes: Uint8Array): void {
    if (!this.#streamOpen) return;
    if (this.#writing > 0) this.#queue.push(bytes);
    else this.#write(bytes);
  }

  #write(bytes: Uint8Array): void {
    this.#writing = bytes.length;
    this.#stream.write(bytes, () => {
      this.#writing = 0;
      const { length } = this.#queue;
      if (length > 0) {
        this.#write(this.#queue.copy(0, length));
        this.#queue.drop(length);
      }
      this.connection.taken(bytes.length);
      this.#endWhereWritten();
    });
  }

  #endWhereWritten(): void {
    if (this.#guestEnded && this.#writing === 0 && this.#streamOpen) this.#stream.end();
  }

  #fromHost(bytes: Uint8Array): void {
    this.connection.write(bytes);
    if (this.connection.full) this.#stream.pause();
  }

  #resume(): void {
    if (this.#streamOpen && !this.connection.full) this.#stream.resume();
  }

  #streamClosed(code: string | undefined): void {
    this.#streamOpen = false;
    if (this.connection.state === 'asked') {
      if (this.#options.onRefused(code)) this.connection.forget();
      else this.connection.reset();
      this.#connectionOpen = false;
    } else if (code !== undefined || !this.#hostEnded || !this.#guestEnded) {
      this.connection.reset();
      this.#connectionOpen = false;
    }
    this.#leave();
  }

  #closeStream(reset: boolean): void {
    if (this.#streamOpen) this.#stream.destroy(reset);
    this.#streamOpen = false;
    this.#leave();
  }

  #leave(): void {
    if (!this.#streamOpen && !this.#connectionOpen) this.#options.onGone();
  }

  /** Ends both, without a word to the guest. */
  close(): void {
    this.#connectionOpen = false;
    this.connection.forget();
    this.#closeStream(false);
  }
}
