// The lockstep executor as a machine has it: the turns (lockstep.ts), the run that makes them (run.ts), what is recorded of it.
import { DragomanError } from '../../api/errors.ts';
import { LOCKSTEP_EPOCH_MS, type LockstepOptions, type MachineStats } from '../../api/options.ts';
import type { Translator } from '../../cache/translator.ts';
import { SliceSampling } from '../../clients/flame/slices.ts';
import type { EngineImage } from '../../cpu/runtime.ts';
import type { SharedMemory } from '../../cpu/state.ts';
import type { Chipset } from '../../devices/chipset.ts';
import type { Outlet, Outlets } from '../../devices/outlet.ts';
import type { Disk } from '../../disks/disk.ts';
import { FIRST_FORM } from '../../emit/interpreter/table.ts';
import type { EncoderName } from '../../emit/module/builder.ts';
import { Cpu } from '../../layout/cpu.ts';
import { Control, controlWord, cpuBase } from '../../layout/memory.ts';
import { History } from '../../reverse/history.ts';
import type { ReverseSettings } from '../../reverse/settings.ts';
import { Travel } from '../../reverse/travel.ts';
import type { SavedLockstep } from '../../snapshot/header.ts';
import type { LockstepState } from '../../snapshot/take.ts';
import { monotonicMs } from '../board/host-clock.ts';
import type { Executor, ExecutorEnds } from '../executor.ts';
import type { InputKind, Inputs, Typed } from '../inputs.ts';
import type { Profile } from '../report/profile.ts';
import type { TraceReader } from '../report/trace.ts';
import type { ClientMaker, Lockstep, SavedTurns } from './lockstep.ts';
import { SeededRandom } from './random.ts';
import { checkIdentity, eventLine, headerLine, type MachineIdentity, parseRecording, type Recording } from './recording.ts';
import { type LockstepEnd, LockstepRun } from './run.ts';
import { TurnTimes } from './turn-times.ts';
import { NS, VirtualClock } from './virtual-clock.ts';

/** The entropy device's numbers are not those that choose CPUs. */
const ENTROPY = 0x5eed;

/** What a machine's board needs of it, before there is an executor. */
export interface LockstepTime {
  readonly seed: number;
  readonly recording: Recording | undefined;
  readonly clock: VirtualClock;
  /** For the entropy device. */
  readonly random: SeededRandom;
}

/** `saved`: of another machine, which this one goes on for. Throws BAD_RECORDING. */
export function lockstepTime(options: LockstepOptions, saved?: SavedLockstep): LockstepTime {
  if (saved !== undefined) {
    const clock = new VirtualClock(LOCKSTEP_EPOCH_MS);
    clock.jump(saved.ns);
    return { seed: saved.seed, recording: undefined, clock, random: new SeededRandom(saved.entropy) };
  }
  const recording = options.replay === undefined ? undefined : parseRecording(options.replay);
  const seed = options.seed ?? recording?.seed ?? 0;
  if (recording !== undefined && recording.seed !== seed)
    throw new DragomanError('BAD_RECORDING', `it is of seed ${recording.seed}, not ${seed}`);
  return { seed, recording, clock: new VirtualClock(LOCKSTEP_EPOCH_MS), random: new SeededRandom(seed ^ ENTROPY) };
}

export interface LockstepExecutorOptions extends ExecutorEnds {
  readonly shared: SharedMemory;
  readonly chipset: Chipset;
  /** Of the translator; undefined: there is none. */
  readonly encoder: EncoderName | undefined;
  readonly options: LockstepOptions;
  /** Of the machine, for checkpoints. */
  readonly disks: readonly Disk[];
  /** Whether and how it keeps what it needs to go back. */
  readonly reverse: ReverseSettings | undefined;
  /** Lets a CPU go past the breakpoint that it stopped at. */
  readonly pass: (cpu: number) => void;
  readonly time: LockstepTime;
  readonly outlets: Outlets;
  /** What a recording is of. */
  readonly identity: () => MachineIdentity;
  readonly trace: TraceReader | undefined;
  readonly profile: Profile | undefined;
  /** Of the devices. */
  readonly inputs: Inputs;
  /** Of a machine that goes on for another one, with the inputs that wait. */
  readonly saved: { readonly turns: SavedTurns; readonly inputs: LockstepState['inputs'] } | undefined;
}

/** Of a machine that can go back, while what runs it is being loaded. */
const NO_HISTORY = { checkpoints: 0, bytes: 0, inPast: false, first: 0, at: 0, last: 0 } as const;

/** Who makes no turns has no CPUs either, and no decoder, which takes some 50 ms to load. */
const loadLockstep = async () => (await import('./lockstep.ts')).Lockstep;
/** Only who translates loads the translator and its encoder. */
async function loadTranslator(
  shared: SharedMemory,
  firstSlot: number,
  encoder: EncoderName,
  profile: Profile | undefined,
): Promise<Translator> {
  const { machineTranslator, takeEncoder } = await import('../translating.ts');
  const translator = machineTranslator(shared, firstSlot, profile, false);
  await takeEncoder(translator, shared, encoder);
  return translator;
}

export class LockstepExecutor implements Executor, Inputs {
  readonly #options: LockstepExecutorOptions;
  readonly #identity: MachineIdentity | undefined;
  readonly #record: Outlet<string> | undefined;
  /** What came before the first turn. */
  readonly #early: { readonly kind: InputKind; readonly bytes: Uint8Array }[] = [];
  #lockstep: Lockstep | undefined;
  #run: LockstepRun | undefined;
  /** Once there has been a client. */
  #clientMaker: ClientMaker | undefined;
  #history: History | undefined;
  travel: Travel | undefined;
  readonly times: TurnTimes;
  /** For the client flame. */
  readonly sampling: SliceSampling;
  #begun = false;
  #stopped = false;
  /** The host's clock where the guest's was 0, had it never been paused; and when it was. Milliseconds. */
  #startMs = 0;
  #pausedAt = 0;
  /** Whether no turn is to be made; who wants to know when there are turns; who waits for the end of a step. */
  #pauses = false;
  readonly #ready = Promise.withResolvers<void>();
  #stepped: PromiseWithResolvers<void> | undefined;

  /** Throws BAD_RECORDING where the recording is of another machine. */
  constructor(options: LockstepExecutorOptions) {
    this.#options = options;
    const { shared, time, outlets } = options;
    this.times = new TurnTimes(shared, time.clock.now());
    this.sampling = new SliceSampling(NS, this.times);
    this.#early.push(...(options.saved?.inputs ?? []));
    const { onRecord } = options.options;
    if (onRecord !== undefined) this.#record = outlets.add(onRecord, () => {});
    shared.i32[controlWord(Control.at.lockstep)] = 1;
    if (time.recording !== undefined || onRecord !== undefined) this.#identity = options.identity();
    if (time.recording !== undefined) checkIdentity(time.recording.machine, this.#identity!);
  }

  get stats(): MachineStats['lockstep'] {
    const { seed, clock } = this.#options.time;
    const kept = this.#history;
    const begins = this.#options.reverse && NO_HISTORY;
    const history =
      kept === undefined ? begins : { checkpoints: kept.checkpoints.length, bytes: kept.bytes, inPast: kept.inPast, ...kept.span };
    return { seed, turns: this.#lockstep?.turns ?? 0, virtualMs: clock.now() / 1e6, ...(history && { history }) };
  }

  /** Of the machine's clock. */
  get nowNs(): number {
    return this.#options.time.clock.now();
  }

  start(image: EngineImage): void {
    this.#begin();
    this.#work(image).catch((error: unknown) => this.#options.onFailure(error));
  }

  /** Begins the recording, where there is one. */
  #begin(): void {
    if (!this.#begun) this.#record?.give(headerLine(this.#options.time.seed, this.#identity!));
    this.#begun = true;
  }

  async #work(image: EngineImage): Promise<void> {
    const { shared, chipset, encoder, options, time, outlets, trace, profile, inputs, reverse } = this.#options;
    const { seed, clock, recording } = time;
    const firstSlot = FIRST_FORM + image.keys.length;
    const [Lockstep, translator] = await Promise.all([
      loadLockstep(),
      encoder === undefined ? undefined : loadTranslator(shared, firstSlot, encoder, profile),
    ]);
    if (this.#stopped) return;
    const saved = this.#options.saved?.turns;
    this.#lockstep = new Lockstep({
      shared,
      image,
      chipset,
      clock,
      seed,
      translator,
      onTrace: () => trace?.drain(),
      sampling: this.sampling,
      times: this.times,
      saved,
      exact: reverse !== undefined,
    });
    this.#takeChanges();
    this.#startMs = monotonicMs() - clock.now() / 1e6;
    if (reverse !== undefined) this.#keepHistory(this.#lockstep, reverse);
    this.#run = new LockstepRun({
      lockstep: this.#lockstep,
      clock,
      pace: options.paced === false ? undefined : () => (monotonicMs() - this.#startMs) * 1e6,
      inputs,
      onRecord: this.#record && ((text) => this.#record!.give(text)),
      outlets,
      replay: recording?.events,
      history: this.#history,
      onDebugStop: () => {
        this.#rests();
        this.#options.onDebugStop();
      },
      onEnd: (end) => this.#ended(end),
      onPause: () => trace?.drain(),
    });
    // What was typed meanwhile comes behind the beginning, to which one can go back.
    this.#history?.goesOn();
    for (const { kind, bytes } of this.#early.splice(0)) this.#run.input(kind, bytes);
    if (this.#pauses) {
      this.#pausedAt = monotonicMs();
      void this.#run.pause();
    }
    this.#ready.resolve();
    await this.#run.run();
  }

  #keepHistory(lockstep: Lockstep, { memoryBytes, every }: ReverseSettings): void {
    const { shared, chipset, disks, time, outlets, inputs, pass } = this.#options;
    const history = new History({
      machine: { shared, chipset, disks, lockstep, clock: time.clock, random: time.random },
      outlets,
      memoryBytes,
      every,
      onPresent: () => {
        const now = monotonicMs();
        this.#startMs = now - time.clock.now() / 1e6;
        if (this.#pausedAt !== 0) this.#pausedAt = now;
      },
    });
    this.#history = history;
    this.travel = new Travel({ history, inputs, pass });
  }

  changed(): void {
    this.#history?.changed();
  }

  async pause(): Promise<void> {
    this.#pauses = true;
    // The translator may still be being loaded.
    await this.#ready.promise;
    this.#rests();
    await this.#run?.pause();
  }

  resume(): void {
    this.#pauses = false;
    this.#startMs += monotonicMs() - this.#pausedAt;
    this.#pausedAt = 0;
    this.#takeChanges();
    this.#history?.goesOn();
    this.#run?.resume();
  }

  /** What the host has changed while nothing ran. */
  #takeChanges(): void {
    for (const cpu of this.#lockstep?.cpus ?? []) cpu.takeDebugChanges();
    this.#lockstep?.takeClients(this.#clientMaker);
  }

  async prepareClient(): Promise<void> {
    const [{ clientCode }, { instrumentsOf }, { loadedClient }] = await Promise.all([
      import('../../clients/client-code.ts'),
      import('../../clients/instruments.ts'),
      import('../../clients/load.ts'),
    ]);
    const { shared } = this.#options;
    this.#clientMaker ??= {
      instruments: (list) => instrumentsOf(shared, list, loadedClient),
      of: ({ instance, base }, list) => clientCode(instance, shared, base, list, loadedClient),
    };
  }

  dropTurn(): void {
    this.#lockstep?.dropTurn();
    this.changed();
  }

  async step(cpu: number): Promise<void> {
    this.#stepped = Promise.withResolvers<void>();
    this.#lockstep?.stepOnly(cpu);
    this.resume();
    await this.#stepped.promise;
    this.#lockstep?.stepOnly(undefined);
    await this.pause();
  }

  /** No turn is made from here on, or soon. */
  #rests(): void {
    if (this.#pausedAt === 0) this.#pausedAt = monotonicMs();
    this.#stepped?.resolve();
    this.#stepped = undefined;
  }

  /** Behind pause(): what of the machine is not in its memory. Code and translations are forgotten. Throws NOT_SUPPORTED where it records or replays. */
  save(): LockstepState {
    const { time, options } = this.#options;
    if (options.onRecord !== undefined || options.replay !== undefined)
      throw new DragomanError('NOT_SUPPORTED', 'not supported: snapshots of a machine that records or replays');
    // CPUs forget here what they would know when they come by again.
    this.changed();
    const state = { seed: time.seed, ns: time.clock.now(), entropy: time.random.state, ...this.#lockstep!.save() };
    return { state, inputs: this.#run!.inputs };
  }

  #ended(end: LockstepEnd): void {
    const { shared, dump, onEnd, onCpuEnd } = this.#options;
    switch (end.kind) {
      case 'halted':
        return onEnd({ kind: 'halted' });
      case 'stopped':
        return onEnd({ kind: 'stopped', reason: end.text });
      case 'diverged':
        return onEnd({ kind: 'internal-error', message: `the recording does not fit: ${end.text}`, dump: dump() });
      case 'ended': {
        const word = (offset: number) => shared.i32[(cpuBase(shared.plan, end.cpu) + offset) >> 2]!;
        return onCpuEnd(end.cpu, end.exit, word(Cpu.at.exitArg), word(Cpu.at.exitData));
      }
    }
  }

  /** It waits for the end of a turn. */
  push(kind: InputKind, bytes: Uint8Array): boolean {
    if (this.#stopped) return false;
    if (this.#run === undefined) this.#early.push({ kind, bytes: bytes.slice() });
    else this.#run.input(kind, bytes);
    return true;
  }

  waiting(kind: Typed): number {
    const early = this.#early.reduce((sum, one) => (one.kind === kind ? sum + one.bytes.length : sum), 0);
    return early + (this.#run?.inputWaiting(kind) ?? 0) + this.#options.inputs.waiting(kind);
  }

  stop(reason: string | undefined): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.travel?.end();
    this.#history?.close();
    this.#ready.resolve();
    this.#stepped?.resolve();
    if (this.#run !== undefined) return this.#run.stop(reason);
    // The translator is still being loaded, or nobody has run the machine.
    this.#begin();
    if (reason !== undefined) this.#record?.give(eventLine({ turn: 0, time: this.#options.time.clock.now(), kind: 'stop', data: reason }));
  }

  gone(): Promise<void> {
    return Promise.resolve();
  }
}
