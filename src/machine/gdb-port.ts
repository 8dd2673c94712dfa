// A machine's port for gdb, which there may be one of. The stub itself is loaded with the first.
import { DragomanError } from '../api/errors.ts';
import type { GdbServer } from '../api/gdb.ts';
import type { Debugged } from '../gdb/debugged.ts';
import type { GdbStub } from '../gdb/server.ts';

export class GdbPort {
  readonly #debugged: Debugged;
  #isOpen = false;
  #stub: GdbStub | undefined;

  constructor(debugged: Debugged) {
    this.#debugged = debugged;
  }

  get #state(): Debugged['machine']['state'] {
    return this.#debugged.machine.state;
  }

  /** As MachineHandle.gdb says. */
  async open(port: number, wait: boolean): Promise<GdbServer> {
    if (this.#isOpen) throw new DragomanError('BAD_STATE', 'gdb can attach already');
    if (wait && this.#state !== 'created') throw new DragomanError('BAD_STATE', 'the machine has begun: it cannot wait for gdb any more');
    this.#isOpen = true;
    try {
      const { GdbStub } = await import('../gdb/server.ts');
      const stub = await GdbStub.open(this.#debugged, port, wait, () => {
        this.#isOpen = false;
        this.#stub = undefined;
      });
      // The run may have begun meanwhile, and even be over.
      if (this.#state === 'ended') {
        await stub.close();
        throw new DragomanError('ENDED', 'the run has ended');
      }
      this.#stub = stub;
      if (this.#state !== 'created') stub.begun();
      return stub;
    } catch (error) {
      this.#isOpen = false;
      throw error;
    }
  }

  /** The run begins: whether with a pause. */
  begin(): boolean {
    this.#stub?.begun();
    return this.#stub?.holds === true;
  }
}
