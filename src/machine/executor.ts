// What runs a machine's CPUs: on a thread each (threads/executor.ts), or in turn on one (lockstep/executor.ts).
import type { RunResult } from '../api/ending.ts';
import type { EngineImage } from '../cpu/runtime.ts';
import type { Travel } from '../reverse/travel.ts';

export interface Executor {
  /** The ways back, of one that can: behind pause(). */
  readonly travel?: Travel | undefined;
  /** The machine was changed from outside while it stood still: what comes does not follow from what was. */
  changed?(): void;
  start(image: EngineImage): void;
  /** Resolves when no CPU runs any more, each between two of its instructions, and the machine's clock stands still; or when the run has ended. */
  pause(): Promise<void>;
  /** Behind pause(): all go on. */
  resume(): void;
  /**
   * Behind pause(), with Cpu.stepsLeft set: runs so many instructions of a CPU, less where it stops or waits in HLT; then all rest again. In lockstep the other CPUs run on as their
   * turns come; with threads they rest, and no interrupt is taken.
   */
  step(cpu: number): Promise<void>;
  /** Before a client is attached, whose module this thread has loaded: loads what makes its code. Rejects with BAD_OPTION where another thread cannot load it. */
  prepareClient(module: string): Promise<void>;
  /** Behind pause(): the CPUs were reset, and nothing of what they were in the middle of is gone on with. */
  dropTurn(): void;
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
  /** A CPU stopped for the host (Cpu.debugStop); others may still run. */
  readonly onDebugStop: () => void;
  /** A device wants its host's end to work. */
  readonly onHostSignal: () => void;
  /** The state of all CPUs as text. */
  readonly dump: () => string;
  /** A callback of the user threw. */
  readonly onFailure: (error: unknown) => void;
}
