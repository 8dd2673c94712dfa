// Where gdb connects to a machine: a port, and one client at a time (docs/debugging.md).
import type { EndEvent } from '../api/debug.ts';
import type { GdbServer } from '../api/gdb.ts';
import type { Listener, Peer, PeerEvents } from '../host/host.ts';
import { host } from '../host/node.ts';
import type { Debugged } from './debugged.ts';
import { Session } from './session.ts';

export class GdbStub implements GdbServer {
  readonly #debugged: Debugged;
  /** Nobody has come yet whom the machine waits for. */
  #wanted: boolean;
  readonly #onShut: () => void;
  #listener: Listener | undefined;
  #session: Session | undefined;
  #peer: Peer | undefined;

  /** `onShut`: nobody can connect any more. Throws BAD_OPTION where the port cannot be had, NOT_SUPPORTED in a browser. */
  static async open(debugged: Debugged, port: number, wait: boolean, onShut: () => void): Promise<GdbStub> {
    const stub = new GdbStub(debugged, wait, onShut);
    stub.#listener = await host.listen(port, (peer) => stub.#accept(peer));
    debugged.machine.addEventListener('end', stub.#onEnd);
    return stub;
  }

  private constructor(debugged: Debugged, wait: boolean, onShut: () => void) {
    this.#debugged = debugged;
    this.#wanted = wait;
    this.#onShut = onShut;
  }

  get port(): number {
    return this.#listener!.port;
  }

  /** Whether the machine is to begin with a pause. */
  get holds(): boolean {
    return this.#wanted || this.#session?.attached === true;
  }

  /** A machine that runs, or is held in the middle of it, keeps the process alive. */
  begun(): void {
    this.#listener?.keepAlive(true);
  }

  /** One at a time: others are refused. */
  #accept(peer: Peer): PeerEvents | undefined {
    if (this.#session !== undefined) return undefined;
    const session = new Session(this.#debugged, peer);
    this.#session = session;
    this.#peer = peer;
    return {
      data: async (bytes) => {
        await session.data(bytes);
        if (session.attached) this.#wanted = false;
      },
      gone: async () => {
        await session.gone();
        if (this.#session === session) this.#session = this.#peer = undefined;
      },
    };
  }

  readonly #onEnd = ({ result }: EndEvent): void => {
    this.#session?.ended(result);
    this.#shut();
  };

  #shut(): void {
    this.#listener?.keepAlive(false);
    this.#listener?.close();
    this.#debugged.machine.removeEventListener('end', this.#onEnd);
    this.#onShut();
  }

  async close(): Promise<void> {
    const { machine } = this.#debugged;
    const waits = this.#wanted && machine.state === 'paused';
    this.#wanted = false;
    this.#shut();
    await this.#session?.gone();
    this.#peer?.close();
    if (waits) await machine.resume();
  }
}
