// Ports for people who debug kernels: isa-debug-exit (ends the run with a value), the debug console (0xE9, and 0x402 for firmware), both only where
// asked for, and the POST code port (0x80). Output reaches callbacks on the host thread; these ports have no status, so a CPU waits where there is no room.
import { DragomanError } from '../api/errors.ts';
import { struct, u32 } from '../layout/struct.ts';
import type { View } from '../layout/view.ts';
import type { Device, DeviceContext } from './device.ts';
import type { Receiver } from './outlet.ts';
import { OutputChannel } from './output-channel.ts';

export interface DebugPortsOptions {
  /** Port of isa-debug-exit; none where undefined. The same on every thread, as are `console` and `logPost`. */
  readonly exitPort?: number | undefined;
  /** Ports 0xE9 and 0x402 answer. */
  readonly console?: boolean;
  /** What is written to them; on the host thread. */
  readonly onConsole?: Receiver<Uint8Array>;
  /** Codes written to port 0x80, where `logPost` is set; on the host thread. */
  readonly onPost?: Receiver<Uint8Array>;
  /** Off by default: Linux writes to port 0x80 for a delay, many thousand times. */
  readonly logPost?: boolean;
}

/** Bochs's, and where SeaBIOS and OVMF write their log. Both read as the first. */
const CONSOLE_PORTS = [0xe9, 0x402];
const CONSOLE_BYTES = 16384;
/** Ports (first, count) where kernels expect such devices: nothing else is to be put there. */
export const DEBUG_PORTS: readonly (readonly [first: number, count: number])[] = [
  [0xe9, 1],
  [0xf4, 4],
];
const POST_BYTES = 4096;
const EXIT_PORTS = 4;

const DebugState = struct({
  /** The last POST code. */
  post: u32,
});

export class DebugPorts implements Device {
  readonly name = 'debug';
  readonly #s: View<typeof DebugState>;
  readonly #console: OutputChannel;
  readonly #post: OutputChannel;

  constructor(context: DeviceContext, options: DebugPortsOptions = {}) {
    this.#s = context.state(DebugState);
    this.#console = new OutputChannel(context, this, CONSOLE_BYTES, options.onConsole);
    this.#post = new OutputChannel(context, this, POST_BYTES, options.onPost);
    const logPost = options.logPost === true;
    if (options.console === true)
      for (const port of CONSOLE_PORTS)
        context.ports.map(port, 1, { read: () => CONSOLE_PORTS[0], write: (_port, _size, value) => void this.#console.send(value) });
    context.ports.map(0x80, 1, {
      read: () => this.#s.post,
      write: (_port, _size, value) => {
        this.#s.post = value;
        if (logPost) this.#post.send(value);
      },
    });
  }

  reset(): void {
    this.#s.post = 0;
  }

  /** The last POST code. */
  get postCode(): number {
    return this.#s.post;
  }

  onHostSignal(): void {
    this.#console.flush();
    this.#post.flush();
  }
}

/** isa-debug-exit at `exitPort`, and at what is free behind it. To be called when all other devices are there. */
export function mapExit(context: DeviceContext, exitPort: number | undefined): void {
  const { ports } = context;
  if (exitPort === undefined) return;
  if (ports.claimed(exitPort))
    throw new DragomanError('BAD_OPTION', `a device of the machine answers at port 0x${exitPort.toString(16)}`, 'debugExitPort');
  const behind = Array.from({ length: EXIT_PORTS }, (_, n) => exitPort + n).findIndex((port) => port > 0xffff || ports.claimed(port));
  ports.map(exitPort, behind < 0 ? EXIT_PORTS : behind, {
    width: 4,
    read: () => 0,
    write: (_port, _size, value) => context.endRun({ kind: 'debug-exit', value }),
  });
}
