// The page's one session: the machine that runs, the settings of the next one, and how the last one ended, as signals that components read.
import { batch, effect, type Signal, signal } from '@preact/signals';
import {
  DragomanError,
  describeEnd,
  type Loading,
  Machine,
  type MachineOptions,
  type MachineState,
  type RunResult,
} from '../../../src/api/index.ts';
import { attachments } from './attachments.ts';
import { machineOptions, type Settings } from './settings.ts';

/** What of a machine's options is the session's own. */
export type OwnOptions = Pick<MachineOptions, 'onConsole' | 'onLoading' | 'disks' | 'net'>;

/** 'none': no machine yet; 'starting': one is being made. */
export type SessionState = MachineState | 'starting' | 'none';

/** Something that went wrong, for people. */
export interface Report {
  readonly title: string;
  /** A sentence, or a few. */
  readonly text: string;
  /** Lines to read closely, or to pass on: registers, a stack of calls. */
  readonly details?: string | undefined;
}

/** Where a machine's first serial port goes. */
export interface Output {
  /** Takes bytes; a promise where it is behind. */
  show(bytes: Uint8Array): Promise<void> | undefined;
  /** A new machine begins: nothing of the one before is to be seen. */
  reset(): void;
}

const TICK_MS = 250;

/** Of what is no DragomanError, which is a fault of the page or of Dragoman, where it came from is told as well. */
export const reportOf = (title: string, error: unknown): Report => {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  return { title, text: message, details: error instanceof DragomanError && error.code !== 'INTERNAL' ? undefined : stack };
};

/** Of a run that nobody wanted to end so. */
function crashOf(result: RunResult): Report | undefined {
  if (result.kind !== 'triple-fault' && result.kind !== 'internal-error') return undefined;
  const [text, ...lines] = describeEnd(result).split('\n');
  return { title: result.kind === 'triple-fault' ? 'The guest crashed' : 'Dragoman failed', text: text!, details: lines.join('\n') };
}

export class Session {
  /** The one that runs, or has ended; undefined before the first, and while the next is being made. */
  readonly machine: Signal<Machine | undefined> = signal(undefined);
  readonly state: Signal<SessionState> = signal('none');
  /** Of the next machine. */
  readonly settings: Signal<Settings>;
  /** Those that the present machine was made from. */
  readonly started: Signal<Settings | undefined> = signal(undefined);
  readonly error: Signal<Report | undefined> = signal(undefined);
  /** How the last run ended, and how long it took; undefined while one runs. */
  readonly ended: Signal<string | undefined> = signal(undefined);
  /** Goes up every 250 ms while a machine runs and the page can be seen, and when its state changes: whoever shows what a machine does looks at it then. */
  readonly tick: Signal<number> = signal(0);
  /** How far the engine is that the next machine waits for. */
  readonly loading: Signal<Loading | undefined> = signal(undefined);
  /** The present machine has printed something: what can wait need wait no longer. */
  readonly hasSpoken: Signal<boolean> = signal(false);
  /** Whether CPUs may have threads: where the page is not isolated they cannot. */
  threads = true;
  /** Resolves when the present run has ended. */
  private run: Promise<void> = Promise.resolve();
  private readonly output: Output;
  /** Where the demo kernel is. */
  readonly serai: URL;

  /** `serai`: where the demo kernel is. */
  constructor(output: Output, settings: Settings, serai: URL) {
    this.output = output;
    this.settings = signal(settings);
    this.serai = serai;
    effect(() => {
      if (this.state.value !== 'running') {
        this.tick.value = this.tick.peek() + 1;
        return;
      }
      const timer = setInterval(() => {
        if (globalThis.document?.visibilityState !== 'hidden') this.tick.value++;
      }, TICK_MS);
      return () => clearInterval(timer);
    });
  }

  /** Some settings; the others stay. The machine that runs stays as it is. */
  change(some: Partial<Settings>): void {
    this.settings.value = { ...this.settings.value, ...some };
  }

  /** Whoever shows what a machine does looks again: one that stands still was stepped, say. */
  look(): void {
    this.tick.value = this.tick.peek() + 1;
  }

  /** Ends the machine that runs, and makes one and runs it; resolves when it runs, or could not (`error`). Nothing where one is being made. `make`: where it is not made from the settings alone. */
  async start(
    settings: Settings = this.settings.value,
    make = (own: OwnOptions): Promise<Machine> => Machine.create({ ...machineOptions(settings, this.serai, this.threads), ...own }),
  ): Promise<void> {
    if (this.state.value === 'starting') return;
    this.stop();
    this.state.value = 'starting';
    await this.run;
    batch(() => {
      this.machine.value = undefined;
      this.error.value = undefined;
      this.ended.value = undefined;
      this.hasSpoken.value = false;
      this.settings.value = settings;
      this.started.value = settings;
    });
    this.output.reset();
    const began = performance.now();
    let machine: Machine;
    try {
      const attached = await attachments(settings, (report) => (this.error.value = report));
      machine = await make({
        ...attached,
        onConsole: (bytes) => {
          this.hasSpoken.value = true;
          return this.output.show(bytes);
        },
        onLoading: (loading) => (this.loading.value = loading),
      });
    } catch (error) {
      batch(() => {
        this.state.value = 'none';
        this.error.value = reportOf('The machine could not be made', error);
      });
      return;
    }
    const follow = () => {
      if (this.state.value !== 'starting') this.state.value = machine.state;
    };
    for (const name of ['paused', 'resumed'] as const) machine.addEventListener(name, follow);
    const end = machine.run();
    batch(() => {
      this.machine.value = machine;
      this.state.value = machine.state;
    });
    this.run = end.then(
      (result) => this.hasEnded(describeEnd(result), performance.now() - began, crashOf(result)),
      (error: unknown) => this.hasEnded('the machine failed', performance.now() - began, reportOf('The machine failed', error)),
    );
  }

  stop(): void {
    if (this.state.value === 'running' || this.state.value === 'paused') this.machine.value?.stop('stopped');
  }

  pause(): Promise<void> {
    return this.whileItRuns((machine) => machine.pause());
  }

  resume(): Promise<void> {
    return this.whileItRuns((machine) => machine.resume());
  }

  /** Text for the guest's first serial port; it goes nowhere where no machine runs. */
  type(text: string): void {
    if (this.state.value === 'running' || this.state.value === 'paused') void this.machine.value?.console.type(text);
  }

  /** Bytes, each of them a character of `text`. */
  typeBytes(text: string): void {
    if (this.state.value === 'running' || this.state.value === 'paused')
      void this.machine.value?.sendInput(Uint8Array.from(text, (char) => char.charCodeAt(0)));
  }

  /** That the run ended meanwhile is no error. */
  private async whileItRuns(what: (machine: Machine) => Promise<void>): Promise<void> {
    try {
      const machine = this.machine.value;
      if (machine !== undefined) await what(machine);
    } catch (error) {
      if (!(error instanceof DragomanError && (error.code === 'ENDED' || error.code === 'BAD_STATE'))) throw error;
    }
  }

  /** `how`: its first line is a sentence. Nothing to say where the next machine is waiting for that. */
  private hasEnded(how: string, ms: number, error: Report | undefined): void {
    if (this.state.value === 'starting') return;
    batch(() => {
      this.state.value = 'ended';
      this.ended.value = `${how.split('\n')[0]} (${(ms / 1000).toFixed(1)} s)`;
      this.error.value = error;
    });
  }
}
