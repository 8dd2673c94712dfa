// A console's ends for programs: streams, typing, and waiting for text.

import type { Bytes } from '../api/bytes.ts';
import type { Channel, Found, UntilOptions } from '../api/channel.ts';
import { DragomanError } from '../api/errors.ts';
import { TYPED, UNTIL, UNTIL_OPTIONS } from '../api/schema.ts';
import type { Receiver } from '../devices/outlet.ts';
import { ReceivedText } from './received-text.ts';
import { Search } from './search.ts';

/** Bytes that may wait for a reader before the guest does. */
const READ_AHEAD = 64 * 1024;
/** Characters of what the guest has printed last that an error shows. */
const SHOWN = 400;

interface Waiter {
  readonly what: string | RegExp;
  readonly search: Search;
  readonly resolve: (found: Found) => void;
  readonly reject: (error: unknown) => void;
}

export class MachineChannel implements Channel {
  readonly #send: (bytes: Uint8Array) => Promise<void> | undefined;
  readonly #text = new ReceivedText();
  readonly #waiting = new Set<Waiter>();
  /** Behind what was found last. */
  #seen = 0;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #readable: ReadableStream<Uint8Array> | undefined;
  #writable: WritableStream<Bytes | string> | undefined;
  /** Resolves when the reader has room again. */
  #room: PromiseWithResolvers<void> | undefined;
  /** How the run ended. */
  #ended: string | undefined;

  /** `send`: types; its promise says when there is room for more. */
  constructor(send: (bytes: Uint8Array) => Promise<void> | undefined) {
    this.#send = send;
  }

  /** Takes what the guest prints, and gives it to `more` as well, whose array it is. */
  receiver(more?: Receiver<Uint8Array>): Receiver<Uint8Array> {
    return (bytes) => {
      const room = this.#push(more === undefined ? bytes : bytes.slice());
      this.#text.push(bytes);
      for (const waiter of this.#waiting) this.#look(waiter);
      const answer = more?.(bytes);
      return room === undefined ? answer : Promise.all([room, answer]);
    };
  }

  /** Nothing comes any more. `reason`: how the run ended. */
  end(reason: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.#text.finish();
    for (const waiter of this.#waiting) if (!this.#look(waiter)) this.#rejectEnded(waiter);
    this.#controller?.close();
    this.#controller = undefined;
    this.#room?.resolve();
  }

  get readable(): ReadableStream<Uint8Array> {
    this.#readable ??= new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          if (this.#ended === undefined) this.#controller = controller;
          else controller.close();
        },
        pull: () => this.#makeRoom(),
        cancel: () => {
          this.#controller = undefined;
          this.#makeRoom();
        },
      },
      { highWaterMark: READ_AHEAD, size: (chunk) => chunk.length },
    );
    return this.#readable;
  }

  get writable(): WritableStream<Bytes | string> {
    this.#writable ??= new WritableStream<Bytes | string>({ write: (chunk) => this.type(chunk) });
    return this.#writable;
  }

  async type(input: Bytes | string): Promise<void> {
    await this.#send(TYPED.take(input, 'type'));
  }

  async until(what: string | RegExp, options: UntilOptions = {}): Promise<Found> {
    const wanted = UNTIL.take(what, 'until');
    const { signal, timeoutMs } = UNTIL_OPTIONS.take(options, 'until');
    signal?.throwIfAborted();
    let done = () => {};
    try {
      return await new Promise<Found>((resolve, reject) => {
        const waiter: Waiter = { what: wanted, search: new Search(wanted, this.#seen), resolve, reject };
        this.#waiting.add(waiter);
        const abort = () => reject(signal!.reason);
        signal?.addEventListener('abort', abort);
        const late = () => reject(this.#error('TIMEOUT', waiter, `has not come within ${timeoutMs} ms`));
        const timer = timeoutMs === undefined ? undefined : setTimeout(late, timeoutMs);
        done = () => {
          this.#waiting.delete(waiter);
          signal?.removeEventListener('abort', abort);
          clearTimeout(timer);
        };
        if (!this.#look(waiter) && this.#ended !== undefined) this.#rejectEnded(waiter);
      });
    } finally {
      done();
    }
  }

  /** Whether what somebody waits for has come. */
  #look(waiter: Waiter): boolean {
    const place = waiter.search.look(this.#text);
    if (place === undefined) return false;
    this.#waiting.delete(waiter);
    this.#seen = Math.max(this.#seen, place.end);
    waiter.resolve(place.found);
    return true;
  }

  #rejectEnded(waiter: Waiter): void {
    waiter.reject(this.#error('ENDED', waiter, `has not come before the run ended: ${this.#ended}`));
  }

  #error(code: 'TIMEOUT' | 'ENDED', { what }: Waiter, message: string): DragomanError {
    const named = typeof what === 'string' ? `'${what}'` : String(what);
    const last = this.#text.slice(this.#text.end - SHOWN).trimEnd();
    return new DragomanError(
      code,
      `${named} ${message}; ${last === '' ? 'the guest has printed nothing' : `the guest printed last:\n${last}`}`,
    );
  }

  /** To the stream's reader; a promise where he is behind. */
  #push(bytes: Uint8Array): Promise<void> | undefined {
    const controller = this.#controller;
    if (controller === undefined || bytes.length === 0) return undefined;
    controller.enqueue(bytes);
    if (controller.desiredSize! > 0) return undefined;
    this.#room ??= Promise.withResolvers<void>();
    return this.#room.promise;
  }

  #makeRoom(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }
}
