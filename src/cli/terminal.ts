// Standard input as the guest's keyboard: raw where it is a terminal, with Ctrl-A as our own escape key.
import type { ReadStream } from 'node:tty';
import { watchStops } from './job.ts';

const CTRL_A = 0x01;

export interface TerminalEvents {
  /** Bytes for the guest. */
  input(bytes: Uint8Array): void;
  quit(): void;
  help(): void;
}

/** Takes Ctrl-A sequences out of what is typed. */
export class EscapeFilter {
  readonly #events: TerminalEvents;
  #escaped = false;

  constructor(events: TerminalEvents) {
    this.#events = events;
  }

  push(bytes: Uint8Array): void {
    const rest: number[] = [];
    for (const byte of bytes) {
      if (!this.#escaped) {
        if (byte === CTRL_A) this.#escaped = true;
        else rest.push(byte);
        continue;
      }
      this.#escaped = false;
      const key = String.fromCharCode(byte).toLowerCase();
      if (key === 'x') this.#events.quit();
      else if (key === 'h' || key === '?') this.#events.help();
      else if (byte === CTRL_A || key === 'a') rest.push(CTRL_A);
      // Any other key after Ctrl-A is dropped: it was meant for us.
    }
    if (rest.length > 0) this.#events.input(Uint8Array.from(rest));
  }
}

/** Reads `stream` until the returned function is called, which leaves the terminal as it was. Where it is no terminal, every byte is the guest's. */
export function attach(stream: NodeJS.ReadStream, events: TerminalEvents): () => void {
  const tty = stream.isTTY ? (stream as ReadStream) : undefined;
  const filter = new EscapeFilter(events);
  const onData = (bytes: Uint8Array) => (tty ? filter.push(bytes) : events.input(bytes));
  const restore = () => void tty?.setRawMode(false);
  const offStops =
    tty &&
    watchStops(restore, () => {
      // Others may have changed the terminal meanwhile; what it is already, libuv does not set again.
      restore();
      tty.setRawMode(true);
    });
  tty?.setRawMode(true);
  process.on('exit', restore);
  stream.on('data', onData);
  // Closed or broken input is no reason to end a run.
  stream.on('error', () => {});
  stream.resume();
  return () => {
    stream.off('data', onData);
    stream.pause();
    offStops?.();
    restore();
    process.off('exit', restore);
  };
}
