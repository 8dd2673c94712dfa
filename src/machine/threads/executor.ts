// The threads executor: a Worker for each CPU, one that keeps time, one that translates. The host's ends of the devices work on the
// thread of the machine's user.
import { DragomanError } from '../../api/errors.ts';
import type { EngineImage } from '../../cpu/runtime.ts';
import type { SharedMemory } from '../../cpu/state.ts';
import { FIRST_FORM } from '../../emit/interpreter/table.ts';
import type { EncoderName } from '../../emit/module/builder.ts';
import type { HostWorker } from '../../host/host.ts';
import { host } from '../../host/node.ts';
import { Cpu, Pending, Step } from '../../layout/cpu.ts';
import { Control, controlWord, cpuBase } from '../../layout/memory.ts';
import type { BoardConfig } from '../board/board.ts';
import { Standstill } from '../board/standstill.ts';
import type { Executor, ExecutorEnds } from '../executor.ts';
import type { Profile } from '../report/profile.ts';
import type { CodeCacheData } from '../translating.ts';
import {
  type ClientWorkerData,
  type ClientWorkerMessage,
  type CpuMessage,
  type CpuWorkerData,
  cpuThreadName,
  isFrugal,
  TIMEKEEPER,
  type TimerWorkerData,
  TRANSLATOR,
  type TranslatorWorkerData,
  type WorkerName,
  workerUrl,
} from './messages.ts';
import { Rests } from './rest.ts';

/** V8 replaces a function's baseline code only for its next call, so a loop must be left now and then to get the better code. And who meets a kick counts what runs (report/activity.ts). */
const KICK_MS = 5;
/** A CPU that spins gives its core away at each PAUSE whose number has none of these bits: so often where CPUs outnumber the host's cores, and else. */
const CROWDED_PAUSES = 63;
const PAUSES = 0x3ffff;
/** A thread that does not end by itself is ended. */
const GRACE_MS = 1000;
/** One that does not end even so hangs where no code of ours runs (nodejs/node issue 54918). */
const LAST_GRACE_MS = 3000;
/** A Worker's last message may come behind the news that it has ended, but not as late as this. */
const LAST_MESSAGE_MS = 500;
const TIMER_THREAD = 2;
const FIRST_CPU_THREAD = 16;

/** Node's errors of a thread that the host does not give. */
const NO_THREAD = ['ERR_WORKER_INIT_FAILED', 'ERR_WORKER_OUT_OF_MEMORY'];

export interface ThreadsOptions extends ExecutorEnds {
  readonly shared: SharedMemory;
  readonly config: BoardConfig;
  /** Of the translator; undefined: there is none. */
  readonly encoder: EncoderName | undefined;
  readonly timerSlackMs: number;
  readonly profile: Profile | undefined;
  readonly codeCache: CodeCacheData | undefined;
}

export class ThreadsExecutor implements Executor {
  readonly #options: ThreadsOptions;
  /** For tests as well, which end one. */
  readonly workers: HostWorker[] = [];
  /** Each resolves when its Worker has ended, which may be before we hear why. */
  readonly gones: Promise<void>[] = [];
  readonly #standstill: Standstill;
  /** Resolves when nobody is to be waited for any more. */
  readonly #released = Promise.withResolvers<void>();
  #stopped = false;

  constructor(options: ThreadsOptions) {
    this.#options = options;
    this.#standstill = new Standstill(options.shared.memory);
  }

  start(image: EngineImage): void {
    const { shared, config: board, encoder, timerSlackMs, profile, codeCache } = this.#options;
    const { cpuCount } = shared.plan;
    shared.i32[controlWord(Control.at.clockAsks)] = 0;
    this.#watchSignals();
    const crowded = cpuCount > host.cores();
    shared.i32[controlWord(Control.at.pauseMask)] = crowded ? CROWDED_PAUSES : PAUSES;
    const polls = cpuCount > 1 && !crowded;
    for (let index = 0; index < cpuCount; index++) {
      const thread = FIRST_CPU_THREAD + index;
      const data = { board, image, index, thread, timerSlackNs: timerSlackMs * 1e6, polls };
      this.#spawn<CpuWorkerData>('cpu-worker', cpuThreadName(index), data, (message) => this.#onCpu(message as CpuMessage));
    }
    this.#spawn<TimerWorkerData>('timer-worker', TIMEKEEPER, {
      board,
      thread: TIMER_THREAD,
      kickMs: KICK_MS,
    });
    // Nobody waits for it.
    const firstSlot = FIRST_FORM + image.keys.length;
    if (encoder !== undefined)
      this.#spawn<TranslatorWorkerData>('translator-worker', TRANSLATOR, { board, firstSlot, encoder, profile, codeCache });
  }

  /** `thread`: the name of the host's thread. */
  #spawn<T>(name: WorkerName, thread: string, data: T, onMessage?: (message: unknown) => void): void {
    const { onEnd, onFailure, dump } = this.#options;
    const crashed = (what: string) => onEnd({ kind: 'internal-error', message: `${name}${what}`, dump: dump() });
    const gone = Promise.withResolvers<void>();
    this.gones.push(gone.promise);
    const worker = host.startWorker({
      module: workerUrl(name),
      name: thread,
      data,
      frugal: isFrugal(name),
      onMessage,
      onError: (error) => {
        if (!NO_THREAD.includes((error as NodeJS.ErrnoException).code ?? ''))
          return crashed(`: ${error instanceof Error ? (error.stack ?? error.message) : error}`);
        onFailure(new DragomanError('HOST_LIMIT', `the host gives no thread: ${(error as Error).message}`, thread, { cause: error }));
      },
      onExit: (code) => {
        gone.resolve();
        // Where nobody has ended the run by then, nobody ever would.
        if (!this.#stopped) setTimeout(() => crashed(`: ended with ${code} while the machine ran`), LAST_MESSAGE_MS);
      },
    });
    this.workers.push(worker);
  }

  #onCpu(message: CpuMessage): void {
    if (message.kind === 'debug') this.#options.onDebugStop();
    else if (message.kind === 'end-run') this.#options.onEnd(message.reason);
    else this.#options.onCpuEnd(message.cpu, message.exit, message.arg, message.data);
  }

  /** Runs the devices' host ends whenever one asks. */
  #watchSignals(): void {
    const { shared, onHostSignal } = this.#options;
    const { i32 } = shared;
    const at = controlWord(Control.at.ioSignal);
    const poll = () => {
      if (this.#stopped) return;
      const seen = Atomics.load(i32, at);
      onHostSignal();
      const wait = Atomics.waitAsync(i32, at, seen);
      // Devices that have more to do signal themselves: let others have a turn in between.
      if (wait.async) void wait.value.then(poll);
      else host.soon(poll);
    };
    poll();
  }

  stop(): void {
    this.#stopped = true;
    for (const thread of [...this.#cpus, this.#timekeeper]) thread.end();
    this.#released.resolve();
  }

  get #cpus(): Rests[] {
    const { i32, plan } = this.#options.shared;
    return Array.from({ length: plan.cpuCount }, (_, n) => new Rests(i32, (cpuBase(plan, n) + Cpu.at.rest) >> 2));
  }
  get #timekeeper(): Rests {
    return new Rests(this.#options.shared.i32, controlWord(Control.at.timekeeperRest));
  }

  async pause(): Promise<void> {
    const { shared, onHostSignal } = this.#options;
    const { i32, plan } = shared;
    const cpus = this.#cpus;
    const wake = (word: number) => Atomics.notify(i32, word);
    cpus.forEach((cpu, n) => {
      const pending = (cpuBase(plan, n) + Cpu.at.pending) >> 2;
      if (!cpu.ask()) return;
      Atomics.or(i32, pending, Pending.PAUSE);
      wake(pending);
    });
    const timer = controlWord(Control.at.timerSignal);
    if (this.#timekeeper.ask()) {
      Atomics.add(i32, timer, 1);
      wake(timer);
    }
    const all = Promise.all([...cpus, this.#timekeeper].map((thread) => thread.reached()));
    await Promise.race([all, this.#released.promise]);
    if (this.#stopped) return;
    this.#standstill.begin(host.monotonicNs());
    // What the guest has asked of its devices is done.
    onHostSignal();
  }

  resume(): void {
    this.#standstill.end(host.monotonicNs());
    this.#timekeeper.end();
    for (const cpu of this.#cpus) cpu.end();
  }

  /** Each thread loads it by itself, when its CPU next rests. */
  async prepareClient(module: string): Promise<void> {
    if (host.threadsLoadAlike) return;
    const { error } = await new Promise<ClientWorkerMessage>((resolve) => {
      host.startWorker({
        module: workerUrl('client-worker'),
        name: 'client',
        data: { module } satisfies ClientWorkerData,
        onMessage: (message) => resolve(message as ClientWorkerMessage),
        onError: (cause) => resolve({ error: (cause as Error).message }),
        onExit: () => resolve({ error: 'the Worker has ended' }),
      });
    });
    if (error !== undefined) throw new DragomanError('BAD_OPTION', `a Worker cannot load the client ${module}: ${error}`, 'clients');
  }

  /** Between two safe points of theirs CPUs are in the middle of nothing. */
  dropTurn(): void {}

  async step(cpu: number): Promise<void> {
    this.#standstill.end(host.monotonicNs());
    const { i32, plan } = this.#options.shared;
    const step = (cpuBase(plan, cpu) + Cpu.at.step) >> 2;
    i32[step]! |= Step.DEBUG;
    const one = this.#cpus[cpu]!;
    one.end();
    await Promise.race([one.reached(), this.#released.promise]);
    i32[step]! &= ~Step.DEBUG;
    if (!this.#stopped) this.#standstill.begin(host.monotonicNs());
  }

  async gone(): Promise<void> {
    // They end by themselves at their next safe point; a thread that hangs is ended from here.
    const timers: ReturnType<typeof setTimeout>[] = [];
    const after = (ms: number, callback: () => void) => void timers.push(setTimeout(callback, ms));
    const given = new Promise<void>((resolve) => {
      after(GRACE_MS, () => {
        for (const worker of this.workers) void worker.terminate();
        after(LAST_GRACE_MS, resolve);
      });
    });
    await Promise.race([Promise.all(this.gones), given]);
    for (const timer of timers) clearTimeout(timer);
  }
}
