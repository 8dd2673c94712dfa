// When the states of the CPUs go to standard error: where somebody asks, where the guest panics, and where it comes to no end of its own.
import { DragomanError } from '../api/errors.ts';
import type { MachineHandle } from '../api/options.ts';

type Shown = Pick<MachineHandle, 'state' | 'pause' | 'resume' | 'describeCpus' | 'addEventListener'>;

export class States {
  readonly #machine: Shown;
  readonly #say: (message: string) => void;
  /** What was said last. */
  #told = '';
  /** The guest's line that says so, until its state was told. */
  #panic: string | undefined;
  #asked: Promise<void> | undefined;

  constructor(machine: Shown, say: (message: string) => void) {
    this.#machine = machine;
    this.#say = say;
  }

  /** From now on the first panic is told of. */
  watch(): void {
    this.#machine.addEventListener(
      'panic',
      ({ text }) => {
        this.#panic = text;
        void this.ask();
      },
      { once: true },
    );
  }

  /** Stops the CPUs for it, and lets them go on. Who asks again meanwhile gets the same answer. Never rejects: where the run ends first, end() is to tell. */
  ask(): Promise<void> {
    this.#asked ??= this.#look()
      .catch((error: unknown) => {
        if (!(error instanceof DragomanError)) throw error;
        if (error.code !== 'ENDED' && error.code !== 'BAD_STATE') this.#say(error.message);
      })
      .finally(() => {
        this.#asked = undefined;
      });
    return this.#asked;
  }

  async #look(): Promise<void> {
    const runs = this.#machine.state === 'running';
    if (runs) await this.#machine.pause();
    try {
      await this.#tell();
    } finally {
      if (runs) await this.#machine.resume();
    }
  }

  async #tell(): Promise<void> {
    const text = await this.#machine.describeCpus();
    if (this.#panic !== undefined) this.#say(`the guest panics: ${this.#panic}`);
    this.#panic = undefined;
    this.#say(text);
    this.#told = text;
  }

  /** The run is over. `wanted`: its last state is to be told in any case, but for one that was told already. */
  async end(wanted: boolean): Promise<void> {
    await this.#asked;
    if (this.#panic !== undefined) return this.#tell();
    if (!wanted) return;
    const text = await this.#machine.describeCpus();
    if (text !== this.#told) this.#say(text);
  }
}
