// What the tour does with the machine: it sees to it that serai is at its prompt, types, and keeps what serai prints.
import type { Machine, MachineStats } from '../../../src/api/index.ts';
import type { Session } from '../app/session.ts';
import type { Settings } from '../app/settings.ts';

const PROMPT = 'serai> ';
/** Takes away what somebody has typed and not entered. */
const CLEAR = '\x15';
const MOST_TEXT = 256 * 1024;

/** Why a machine will not do for a step; undefined: it does. */
export function misfit(session: Session, { cpus = 1, translates = false }: Needs): string | undefined {
  const started = session.started.value;
  const state = session.state.value;
  if (started === undefined || (state !== 'running' && state !== 'paused')) return 'No machine runs.';
  if (started.kernel !== undefined) return 'The tour is with serai, and another kernel runs.';
  if (started.cpus < cpus) return `This takes ${cpus} CPUs, and the machine has one.`;
  if (translates && started.engine !== 'jit') return 'This machine has the interpreter alone, which translates nothing.';
  return undefined;
}

/** What a step needs of the machine. */
export interface Needs {
  readonly cpus?: number;
  readonly translates?: boolean;
}

/** The guest while a step is shown: what it has printed since, and the numbers that there were at first. */
export class WatchedGuest {
  readonly #session: Session;
  readonly #onText: () => void;
  #machine: Machine | undefined;
  #text = '';
  #decoder = new TextDecoder();
  /** When the step began, or the machine, whichever was later. */
  before: MachineStats | undefined;
  /** The one that is shown; 0: none yet. */
  step = 0;
  /** It was seen to happen. */
  isDone = false;

  /** `onText`: it has printed something. */
  constructor(session: Session, onText: () => void) {
    this.#session = session;
    this.#onText = onText;
  }

  get session(): Session {
    return this.#session;
  }

  get machine(): Machine | undefined {
    return this.#machine;
  }

  get text(): string {
    return this.#text;
  }

  readonly #take = ({ bytes }: { readonly bytes: Uint8Array }): void => {
    this.#text = (this.#text + this.#decoder.decode(bytes, { stream: true }).replaceAll('\r', '')).slice(-MOST_TEXT);
    this.#onText();
  };

  /** The machine is another one, or none. */
  follow(machine: Machine | undefined): void {
    if (machine === this.#machine) return;
    this.#machine?.removeEventListener('console', this.#take);
    this.#machine = machine;
    machine?.addEventListener('console', this.#take);
    this.begin(this.step);
  }

  /** A step begins, or begins anew: nothing was seen yet. */
  begin(step: number): void {
    this.step = step;
    this.isDone = false;
    this.#text = '';
    this.#decoder = new TextDecoder();
    this.before = this.#machine?.stats();
  }

  end(): void {
    this.follow(undefined);
  }

  /** Makes a machine with serai, as the form has it but for what is changed, and resolves when serai is at its prompt. */
  async boot(some: Partial<Settings> = {}): Promise<void> {
    const session = this.#session;
    await session.start({ ...session.settings.value, kernel: undefined, initrd: undefined, append: '', ...some });
    await session.machine.value?.console.until(PROMPT);
  }

  /** serai is at its prompt, on a machine that will do. */
  async ready(needs: Needs): Promise<void> {
    const session = this.#session;
    if (misfit(session, needs) !== undefined) {
      const { cpus } = session.settings.value;
      await this.boot({ cpus: Math.max(cpus, needs.cpus ?? 1), ...(needs.translates ? { engine: 'jit' } : {}) });
    }
    if (session.state.value === 'paused') await session.resume();
  }

  type(line: string): void {
    this.#session.type(`${CLEAR}${line}\r`);
  }

  /** Resolves when `is` holds; it is looked at whenever something is printed, and now and then. */
  async until(is: () => boolean): Promise<void> {
    while (!is()) {
      if (this.#session.state.value !== 'running') throw new Error('the machine does not run any more');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
