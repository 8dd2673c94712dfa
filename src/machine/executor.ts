// What runs a machine's CPUs: on a thread each (threads/executor.ts), or in turn on one (lockstep/executor.ts).
import type { RunResult } from '../api/options.ts';
import type { EngineImage } from '../cpu/runtime.ts';

export interface Executor {
  start(image: EngineImage): void;
  /** The run has ended (Control.stop and Pending.STOP are set). `reason`: it was ended from outside. */
  stop(reason: string | undefined): void;
  /** Resolves when nothing of it runs any more. */
  gone(): Promise<void>;
}

/** What an executor tells its machine. */
export interface ExecutorEnds {
  /** A CPU left its run loop for good, with an Exit and its argument and data. */
  readonly onCpuEnd: (cpu: number, exit: number, arg: number, data: number) => void;
  readonly onEnd: (result: RunResult) => void;
  /** A device wants its host's end to work. */
  readonly onHostSignal: () => void;
  /** The state of all CPUs as text. */
  readonly dump: () => string;
  /** A callback of the user threw. */
  readonly onFailure: (error: unknown) => void;
}
