// Standard input as the guest's keyboard: raw where it is a terminal, with Ctrl-A as our own escape key.
import type { ReadStream } from 'node:tty';
import { watchStops } from './job.ts';

const CTRL_A = 0x01;

/** So much may be typed ahead of the guest: a terminal is read on beyond what the guest takes, as only its reader sees Ctrl-A. */
const TYPED_AHEAD = 16 * 1024 * 1024;

export interface TerminalEvents {
  /** Bytes for the guest. A promise: many wait for it already, and no more should come before it resolves. */
  input(bytes: Uint8Array): Promise<void> | undefined;
  quit(): void;
  help(): void;
  /** Shows what the CPUs do. */
  state(): void;
  /** Pauses the machine, or lets it go on. */
  pause(): void;
  reset(): void;
  /** Saves the machine. */
  save(): void;
}

/** Takes Ctrl-A sequences out of what is typed. */
export class EscapeFilter {
  readonly #events: TerminalEvents;
  #escaped = false;

  constructor(events: TerminalEvents) {
    this.#events = events;
  }

  /** As `input` of the events. */
  push(bytes: Uint8Array): Promise<void> | undefined {
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
      else if (key === 'i') this.#events.state();
      else if (key === 'p') this.#events.pause();
      else if (key === 'r') this.#events.reset();
      else if (key === 's') this.#events.save();
      else if (byte === CTRL_A || key === 'a') rest.push(CTRL_A);
      // Any other key after Ctrl-A is dropped: it was meant for us.
    }
    return rest.length > 0 ? this.#events.input(Uint8Array.from(rest)) : undefined;
  }
}

/**
 * Reads `stream` until the returned function is called, which leaves the terminal as it was. Where it is no terminal, every byte is the guest's, and
 * no more is read than the guest takes.
 */
export function attach(stream: NodeJS.ReadStream, events: TerminalEvents): () => void {
  const tty = stream.isTTY ? (stream as ReadStream) : undefined;
  const filter = new EscapeFilter(events);
  let ahead = 0;
  let attached = true;
  const onData = (bytes: Uint8Array) => {
    const room = tty ? filter.push(bytes) : events.input(bytes);
    if (room === undefined) return;
    ahead += bytes.length;
    if (!tty || ahead > TYPED_AHEAD) stream.pause();
    void room.then(() => {
      ahead = 0;
      if (attached) stream.resume();
    });
  };
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
    attached = false;
    stream.off('data', onData);
    stream.pause();
    offStops?.();
    restore();
    process.off('exit', restore);
  };
}
