// A PC put together: memory, kernel, the host's end of the devices, and the executor that runs its CPUs.
import type { MachineActivity } from '../api/activity.ts';
import type { Channel } from '../api/channel.ts';
import { FIXED } from '../api/client-names.ts';
import { CLIENT } from '../api/clients.ts';
import { type Breakpoint, BreakpointEvent, type BreakpointHit, type MachineState, PausedEvent, type WatchOptions } from '../api/debug.ts';
import { describeEnd, type RunResult } from '../api/ending.ts';
import { DragomanError } from '../api/errors.ts';
import type { GdbOptions, GdbServer } from '../api/gdb.ts';
import type { CpuHandle, MachineMemory } from '../api/inspect.ts';
import type {
  AttachedClient,
  Bytes,
  ClientSpec,
  EncoderName,
  FlameFormat,
  MachineHandle,
  MachineOptions,
  MachineStats,
  NetBackend,
  RestoreOptions,
  SnapshotOptions,
  Source,
} from '../api/options.ts';
import type { CodeRegions, InspectedRegion, RegionsOptions } from '../api/regions.ts';
import type { Mode, Relaxation, RelaxTerm } from '../api/relax.ts';
import {
  BYTES,
  cpuNumber,
  GDB,
  INSTRUCTION,
  REGION_ID,
  REGIONS,
  readOptions,
  type Settings,
  SNAPSHOT,
  STEPS,
  TEXT,
  WATCHED,
} from '../api/schema.ts';
import { readSource, readSources } from '../api/source.ts';
import { ramWritten } from '../cache/code-pages.ts';
import { knownNames } from '../clients/flame/names.ts';
import { loadEngineImage } from '../cpu/image.ts';
import type { RuntimeExports } from '../cpu/runtime.ts';
import { createMemory, resetCpu, type SharedMemory } from '../cpu/state.ts';
import { Outlets } from '../devices/outlet.ts';
import { checkFrame } from '../devices/virtio/ethernet.ts';
import type { Disk } from '../disks/disk.ts';
import { hashOf } from '../disks/hash.ts';
import { openDisk } from '../disks/open.ts';
import { errorTeller } from '../disks/tell.ts';
import { host } from '../host/node.ts';
import { LINEAR } from '../inspect/arguments.ts';
import { CodeMap } from '../inspect/code-map.ts';
import { type Inspection, inspection } from '../inspect/inspection.ts';
import { MachineSymbols } from '../inspect/symbols.ts';
import { Exit } from '../layout/cpu.ts';
import { Control, controlWord, DEVICE_STATE, DEVICE_STATE_BYTES, KEPT_PAGES, planMemory } from '../layout/memory.ts';
import { closeShares, openShares, type Share } from '../share/open.ts';
import { readSnapshot, type Saved } from '../snapshot/restore.ts';
import { takeSnapshot } from '../snapshot/take.ts';
import { type Board, type BoardConfig, buildBoard } from './board/board.ts';
import { cpuHost } from './board/cpu-host.ts';
import { monotonicMs } from './board/host-clock.ts';
import { Standstill } from './board/standstill.ts';
import { enterKernel } from './boot/start-state.ts';
import { MachineChannel } from './channel.ts';
import { MachineClients } from './clients.ts';
import { watchedConsole } from './console-watch.ts';
import { Ending } from './ending.ts';
import { engineOf, expectRestored, expectThreads, orNoThreads, prepareEngine } from './engine.ts';
import { MachineEvents } from './events.ts';
import type { Executor, ExecutorEnds } from './executor.ts';
import { MachineFlame } from './flame.ts';
import { GdbPort } from './gdb-port.ts';
import { hostRuntime } from './host-runtime.ts';
import { InputFlow } from './input-flow.ts';
import { deviceInputs, type Inputs, type Typed } from './inputs.ts';
import { isLate, lateClients } from './late-clients.ts';
import { LockstepExecutor, lockstepTime } from './lockstep/executor.ts';
import { identityOf } from './lockstep/identity.ts';
import { namesForClients } from './names-for-clients.ts';
import { Pausing } from './pausing.ts';
import { loadGuest, powerOnAgain, ramOf, resetDevices } from './power-on.ts';
import { ProfWatch } from './prof-watch.ts';
import { Relaxing } from './relaxing.ts';
import { collectActivity } from './report/activity.ts';
import { dumpDevices } from './report/devices.ts';
import { dumpCpu, dumpMachine, exitName } from './report/dump.ts';
import { readProf } from './report/prof.ts';
import { screenText } from './report/screen.ts';
import { describeCpus } from './report/state.ts';
import { collectStats } from './report/stats.ts';
import { TraceReader } from './report/trace.ts';
import { ThreadsExecutor } from './threads/executor.ts';
import { TraceGate } from './trace-gate.ts';
import type { CodeCacheData } from './translating.ts';

/** Executions of a block in the interpreter before it is translated. */
const HOT = 1000;
/** Within so much time, in units of heatNow (about 1 ms): what needs longer costs less interpreted than translated. */
const HOT_WITHIN = 500;
/** A guest that does little must not keep its trace to itself for longer. */
const TRACE_MS = 100;
const NEVER = 0x7fffffff;
const HOST_THREAD = 1;

const hasVirtioConsole = ({ virtioConsole, onVirtioConsole }: Settings): boolean => virtioConsole ?? onVirtioConsole !== undefined;
/** For people. */
const diskName = (disk: Settings['disks'][number], n: number): string => (disk.kind === 'path' ? disk.path : `disks[${n}]`);

/** The network's way outside. A recording that is run again has what came from there. */
const outsideOf = ({ net, lockstep }: Settings): NetBackend | undefined => (lockstep?.replay === undefined ? net : undefined);

export class Machine extends MachineEvents implements MachineHandle {
  private readonly options: Settings;
  /** Where it goes on from. */
  private readonly saved: Saved | undefined;
  private readonly shared: SharedMemory;
  private readonly config: BoardConfig;
  private readonly board: Board;
  private readonly outlets: Outlets;
  private readonly disks: readonly Disk[];
  private readonly shares: readonly Share[];
  private readonly typing: Readonly<Record<Typed, InputFlow>>;
  private readonly trace: TraceReader | undefined;
  private readonly traceGate: TraceGate | undefined;
  private readonly prof: ProfWatch | undefined;
  private readonly flameClient: MachineFlame;
  private traceTimer: ReturnType<typeof setInterval> | undefined;
  /** The host's instance. */
  private readonly runtime: RuntimeExports;
  private readonly symbols: MachineSymbols;
  private readonly executor: Executor;
  private readonly pausing: Pausing;
  private readonly clients: MachineClients;
  private readonly gdbPort: GdbPort;
  private readonly inputs: Inputs;
  /** The same, of a lockstep machine. */
  private readonly lockstep: LockstepExecutor | undefined;
  private startedAt = 0;
  private isClosing = false;
  private readonly ending: Ending;
  private readonly relaxing: Relaxing;
  private readonly channels: { readonly serial: MachineChannel; readonly virtioConsole: MachineChannel | undefined };
  private readonly inspection: Inspection;
  private readonly codeMap: CodeMap;
  readonly cpus: readonly CpuHandle[];
  readonly memory: MachineMemory;

  /** Builds a machine and loads its kernel. Throws DragomanError for options and files that cannot be used. */
  static async create(options: MachineOptions): Promise<Machine> {
    const settings = readOptions(await readSources(options));
    return orNoThreads(async () => {
      await expectThreads(settings, false);
      return Machine.build(settings, undefined);
    });
  }

  /**
   * Builds a machine that goes on, when it is run, where another one stood when snapshot() was called. Throws DragomanError: BAD_SNAPSHOT for what is none, is damaged, or of another
   * version; BAD_OPTION for options that contradict it.
   */
  static async restore(snapshot: Source, options: RestoreOptions = {}): Promise<Machine> {
    return orNoThreads(async () => {
      const { settings, saved } = await readSnapshot(snapshot, options, expectRestored);
      return Machine.build(settings, saved);
    });
  }

  private static async build(settings: Settings, saved: Saved | undefined): Promise<Machine> {
    await prepareEngine(settings);
    const net = outsideOf(settings);
    await net?.open?.();
    const disks: Disk[] = [];
    let shares: readonly Share[] = [];
    let machine: Machine;
    try {
      for (const [n, disk] of settings.disks.entries()) disks.push(await openDisk(disk, diskName(disk, n), saved?.overlays[n]));
      await saved?.checkDisks(disks, settings.disks.map(diskName));
      shares = await openShares(settings.shares);
      // Recordings know disks by what is in them at the start.
      const { lockstep } = settings;
      const hashes: string[] = [];
      if (lockstep?.onRecord !== undefined || lockstep?.replay !== undefined) for (const disk of disks) hashes.push(await hashOf(disk));
      // From here to where it is listened to nothing waits.
      settings.signal?.throwIfAborted();
      machine = new Machine(settings, disks, shares, hashes, saved);
    } catch (error) {
      for (const disk of disks) disk.close();
      saved?.dropDisks();
      closeShares(shares);
      net?.close?.();
      throw error;
    }
    return machine.withClients();
  }

  /** `diskHashes`: where the machine is recorded, or a recording is run again. */
  private constructor(
    options: Settings,
    disks: readonly Disk[],
    shares: readonly Share[],
    diskHashes: readonly string[],
    saved: Saved | undefined,
  ) {
    super();
    this.options = options;
    this.disks = disks;
    this.shares = shares;
    const { cpus: cpuCount, memoryBytes, timerSlackMs, net, mac, lockstep } = options;
    const plan = planMemory(cpuCount, memoryBytes);
    if (options.codeCache !== undefined) host.checkKeeping();
    this.saved = saved;
    this.shared = saved?.shared ?? createMemory(plan);
    const clock = saved?.header.clock ?? { ns: 0, startWallMs: Date.now() };
    const standstill = new Standstill(this.shared.memory);
    if (saved === undefined || lockstep !== undefined) standstill.powerOn(host.monotonicNs() - BigInt(Math.ceil(clock.ns)));
    else standstill.standAt(clock.ns, host.monotonicNs());
    // What is recorded must be what is replayed.
    this.relaxing = new Relaxing(this.shared, lockstep !== undefined, options.mode, options.relax);
    const channel = (kind: Typed) => new MachineChannel((bytes) => this.type(kind, bytes));
    this.channels = { serial: channel('serial'), virtioConsole: hasVirtioConsole(options) ? channel('virtioConsole') : undefined };
    const time = lockstep === undefined ? undefined : lockstepTime(lockstep, saved?.header.lockstep);
    this.config = {
      memory: this.shared.memory,
      plan,
      startWallMs: clock.startWallMs,
      debugExitPort: options.debugExitPort,
      debugConsole: options.onDebugConsole !== undefined,
      logPost: options.onPost !== undefined,
      testDevice: options.testDevice,
      virtio: {
        disks: disks.map((disk) => ({ capacitySectors: disk.sectors, readOnly: disk.readOnly })),
        net: net === undefined ? [] : [{ mac }],
        console: this.virtioConsole !== undefined,
        rng: true,
        shares: shares.map(({ tag, readOnly }) => ({ tag, readOnly })),
      },
    };
    const prof = options.clients.find(({ name }) => name === 'prof');
    this.prof = prof && new ProfWatch(prof, () => readProf(this.shared));
    this.traceGate = options.traceFilter && new TraceGate(this.shared, options.traceFilter);
    this.symbols = new MachineSymbols(options.symbols, options.kernel);
    this.flameClient = new MachineFlame({
      shared: this.shared,
      kernelName: options.kernelName,
      names: () => knownNames(this.symbols, () => this.loadGuestSymbols()),
      sampling: () => this.lockstep?.sampling,
      runs: () => this.startedAt !== 0,
    });
    this.outlets = new Outlets(lockstep !== undefined, (error) => this.ending.failed(error));
    const flow = (kind: Typed) => new InputFlow(() => this.inputWaiting(kind));
    this.typing = { serial: flow('serial'), virtioConsole: flow('virtioConsole') };
    const diskErrors = options.disks.map((disk, n) => errorTeller(diskName(disk, n)));
    const shareFaults = options.shares.map(({ path }) => errorTeller(path));
    const entry = saved === undefined ? loadGuest(this.shared, options) : undefined;
    const late = lateClients(
      options.clients,
      (client) => this.clients.attach(client),
      (error) => this.ending.failed(error),
    );
    this.board = buildBoard(this.config, {
      thread: HOST_THREAD,
      clock: time?.clock,
      isHost: true,
      isFirst: true,
      onEnd: (reason) => this.ending.end(reason),
      outlets: this.outlets,
      onConsole: watchedConsole(
        this.channels.serial.receiver(options.onConsole),
        [this.prof?.part, this.flameClient.part, this.traceGate?.part, ...late],
        this,
      ),
      onConsoleInputTaken: () => this.typing.serial.drained(),
      onDebugConsole: options.onDebugConsole,
      onPost: options.onPost,
      virtio: {
        disks,
        onDiskError: (n, error) => diskErrors[n]?.(error),
        shares,
        onShareFault: (n, error) => shareFaults[n]?.(error),
        net: net === undefined ? [] : [{ onFrame: (frame) => net.onFrame(frame) }],
        onConsole: this.channels.virtioConsole?.receiver(options.onVirtioConsole),
        onConsoleInputTaken: () => this.typing.virtioConsole.drained(),
        ...(time === undefined ? {} : { randomFill: (into: Uint8Array) => time.random.fill(into) }),
        ramWritten: (address, bytes) => ramWritten(this.shared, address, bytes),
      },
    });
    if (options.onTrace !== undefined) {
      const { count, names } = options.traceFilter ?? {};
      const wanted = { count, onLast: () => this.traceGate?.close(), nameOf: names ? (eip: number) => this.symbols.at(eip) : undefined };
      this.trace = new TraceReader(this.shared, this.board.chipset.hub.outlet(undefined, options.onTrace), wanted);
    }
    const { shared, board, config, outlets, trace } = this;
    this.ending = new Ending({
      shared,
      outlets,
      disks,
      shares,
      devices: () => board.chipset.parts,
      executor: () => this.executor,
      serve: () => this.serve(),
      onResult: (result) => {
        this.flameClient.stop();
        this.pausing.ended(describeEnd(result));
        clearInterval(this.traceTimer);
      },
      release: () => {
        this.clients.ended();
        outsideOf(options)?.close?.();
      },
      explain: (result) => this.explained(result),
      onGone: (event) => {
        for (const flow of Object.values(this.typing)) flow.drained();
        for (const channel of Object.values(this.channels)) channel?.end(describeEnd(event.result));
        options.signal?.removeEventListener('abort', this.abort);
        this.dispatchEvent(event);
      },
    });
    const inputs = deviceInputs(board);
    const profile = options.perfMap ? { symbols: options.symbols?.code } : undefined;
    const ends: ExecutorEnds = {
      onCpuEnd: (cpu, exit, arg, data) => this.cpuEnded(cpu, exit, arg, data),
      onEnd: (result) => this.ending.end(result),
      onHostSignal: () => this.serve(),
      onDebugStop: () => this.pausing.debugStop(),
      onFailure: (error) => this.ending.failed(error),
      dump: () => this.describe(),
    };
    if (lockstep === undefined || time === undefined) {
      const { codeCache } = this;
      this.executor = new ThreadsExecutor({ shared, config, encoder: this.encoder, timerSlackMs, profile, codeCache, ...ends });
      this.inputs = inputs;
    } else {
      const identity = () => identityOf(options, config, diskHashes);
      const { chipset } = board;
      this.lockstep = new LockstepExecutor({
        shared,
        chipset,
        encoder: this.encoder,
        options: lockstep,
        time,
        outlets,
        identity,
        trace,
        profile,
        inputs,
        disks,
        reverse: lockstep.reverse,
        pass: (cpu) => this.pausing.pass(cpu),
        saved: saved?.header.lockstep && { turns: saved.header.lockstep, inputs: saved.inputs },
        ...ends,
      });
      this.executor = this.lockstep;
      this.inputs = this.lockstep;
    }
    this.pausing = new Pausing({
      shared: this.shared,
      executor: () => this.executor,
      settled: () => this.ending.settled(),
      onPaused: (reason, hits) => {
        for (const hit of hits) this.dispatchEvent(new BreakpointEvent(hit));
        this.dispatchEvent(new PausedEvent(reason, hits));
      },
      onResumed: () => this.dispatchEvent(new Event('resumed')),
    });
    const { pausing } = this;
    this.clients = new MachineClients({
      shared: this.shared,
      prepare: (module) => this.executor.prepareClient(module),
      atRest: (work) => pausing.atRest(work),
      flame: (request) => this.flameClient.attach(request),
      names: namesForClients(this.symbols, () => this.loadGuestSymbols()),
      kernel: options.kernel,
      again:
        lockstep?.reverse !== undefined
          ? 'reverse'
          : lockstep?.onRecord !== undefined || lockstep?.replay !== undefined
            ? 'recording'
            : undefined,
    });
    net?.connect?.({ receive: (frame) => this.receive(frame) });
    if (entry !== undefined) resetDevices(this.board.chipset, entry);
    else this.board.chipset.hub.reset();
    for (let cpu = 0; cpu < cpuCount; cpu++) resetCpu(this.shared, cpu);
    this.traceGate?.begin(this.symbols);
    const { chipset, clock: boardClock } = board;
    const image = loadEngineImage({ ...engineOf(options), named: false });
    this.runtime = hostRuntime(shared, (index) => cpuHost(chipset, boardClock, index, () => {}), image);
    if (entry !== undefined) enterKernel(shared, entry, this.runtime);
    else saved!.putBack(chipset, this.runtime);
    const { runtime, requireStopped } = this;
    this.inspection = inspection({ shared, runtime, symbols: this.symbols, requireStopped });
    this.codeMap = new CodeMap(shared, this.symbols);
    this.cpus = this.inspection.cpus;
    this.memory = this.inspection.memory;
    this.gdbPort = new GdbPort({
      machine: this,
      shared,
      changed: () => this.executor.changed?.(),
      dump: (cpu) => dumpCpu(shared, cpu, runtime.readFlags),
    });
    options.signal?.addEventListener('abort', this.abort);
  }

  /** With those that it was asked for. */
  private async withClients(): Promise<this> {
    try {
      for (const client of this.options.clients)
        if (isLate(client)) await this.clients.prepare(client);
        else if (!FIXED.includes(client.name)) await this.clients.attach(client);
    } catch (error) {
      await this.close();
      throw error;
    }
    return this;
  }

  attach(client: string | ClientSpec): Promise<AttachedClient> {
    return Promise.resolve().then(() => this.clients.attach(CLIENT.take(client, 'attach')));
  }

  reset(): Promise<void> {
    if (this.saved !== undefined)
      return Promise.reject(
        new DragomanError('NOT_SUPPORTED', 'not supported: a reset of a machine from a snapshot, which has no kernel to begin with'),
      );
    if (this.options.lockstep?.onRecord !== undefined || this.options.lockstep?.replay !== undefined)
      return Promise.reject(
        new DragomanError('NOT_SUPPORTED', 'not supported: a reset of a machine that is recorded, or that a recording runs'),
      );
    return this.pausing.reset(() => {
      powerOnAgain(this.shared, this.board.chipset, this.runtime, this.options);
      this.traceGate?.apply();
      this.dispatchEvent(new Event('reset'));
    });
  }

  get console(): Channel {
    return this.channels.serial;
  }

  get virtioConsole(): Channel | undefined {
    return this.channels.virtioConsole;
  }

  run(): Promise<RunResult> {
    if (this.startedAt !== 0 || this.isClosing)
      return Promise.reject(new DragomanError('BAD_STATE', this.isClosing ? 'the machine was closed' : 'a machine runs once'));
    const { result, endedAt } = this.ending;
    this.startedAt = endedAt || monotonicMs();
    if (result !== undefined) return this.ending.gone.then(() => result);
    const { perfMap } = this.options;
    if (perfMap) host.writePerfMap();
    const engine = engineOf(this.options);
    const image = loadEngineImage(engine);
    const { jit } = this;
    const set = (offset: number, value: number) => (this.shared.i32[controlWord(offset)] = value);
    set(Control.at.hotThreshold, jit ? HOT : NEVER);
    set(Control.at.hotWithin, HOT_WITHIN);
    set(Control.at.mostRegions, this.options.maxRegions ?? 0);
    // Until the translator knows better.
    const kept = controlWord(Control.at.keptPages);
    if (this.lockstep === undefined && this.keepsCode) this.shared.i32.fill(-1, kept, kept + KEPT_PAGES / 32);
    set(Control.at.strictOrder, engine.strictOrder ? 1 : 0);
    set(Control.at.countInstructions, this.counts ? 1 : 0);
    set(Control.at.prof, this.prof === undefined ? 0 : 1);
    set(Control.at.trace, this.trace === undefined ? 0 : 1);
    const outcome = this.ending.outcome();
    const held = this.gdbPort.begin();
    this.pausing.begin(this.options.paused || held, this.saved !== undefined && this.lockstep === undefined);
    this.flameClient.begin();
    if (this.trace !== undefined) this.traceTimer = setInterval(() => this.serve(), TRACE_MS);
    this.executor.start(image);
    return outcome;
  }

  /** The CPUs stand still: the machine has not run yet, is paused, or all of its threads are gone. */
  private readonly requireStopped = (writes = false): void => {
    this.pausing.mustRest();
    if (writes) this.executor.changed?.();
    if (this.ending.result !== undefined && !this.ending.closed && this.startedAt !== 0)
      throw new DragomanError('BAD_STATE', 'the run is ending: wait for what run() gives');
  };

  loadSymbols(symbols: string | Bytes): void {
    this.symbols.load(symbols);
    this.codeMap.forgetNames();
  }

  loadGuestSymbols(): number {
    const names = this.symbols.use(this.inspection.guestSymbols());
    this.codeMap.forgetNames();
    return names;
  }

  regions(options: RegionsOptions = {}): CodeRegions {
    return this.codeMap.look(REGIONS.take(options, 'regions').since);
  }

  async inspectRegion(id: number): Promise<InspectedRegion> {
    return this.codeMap.inspect(REGION_ID.take(id, 'inspectRegion'));
  }

  symbol(name: string): number | undefined {
    return this.symbols.address(TEXT.take(name, 'name'));
  }

  symbolAt(address: number): string | undefined {
    return this.symbols.at(LINEAR.take(address, 'address'));
  }

  /** Lets the devices' host ends work, and hands over what was traced. A callback that throws ends the run. */
  private serve(): void {
    try {
      this.board.chipset.hub.runHostSignals();
      this.trace?.drain();
    } catch (error) {
      this.ending.failed(error);
    }
  }

  dump(): string {
    this.requireStopped();
    return this.describe();
  }

  /** The state as text, whatever runs. */
  private describe(cpus = dumpMachine(this.shared, this.runtime.readFlags)): string {
    const screen = this.screenText();
    const state = new DataView(this.shared.i32.buffer, DEVICE_STATE, DEVICE_STATE_BYTES);
    const parts = [cpus, dumpDevices(this.board.chipset.hub.pieces, state)];
    if (screen !== '') parts.push(`screen:\n${screen}`);
    return parts.join('\n\n');
  }

  async describeCpus(): Promise<string> {
    this.requireStopped();
    const { shared, cpus, symbols, runtime } = this;
    return describeCpus({ shared, cpus, symbols, readFlags: runtime.readFlags, findSymbols: () => this.loadGuestSymbols() });
  }

  /** With all that can be said of a crash now that the CPUs stand still. */
  private async explained(result: RunResult): Promise<RunResult> {
    if (result.kind !== 'triple-fault') return result;
    const cpus = await this.describeCpus().catch(
      (error: unknown) => `${dumpMachine(this.shared, this.runtime.readFlags)}\nno more can be said: ${(error as Error).stack}`,
    );
    return { ...result, dump: this.describe(cpus) };
  }

  screenText(): string {
    return screenText(ramOf(this.shared), this.board.chipset.parts.vga.text);
  }

  /** A CPU left its run loop for good. */
  private cpuEnded(cpu: number, exit: number, arg: number, data: number): void {
    switch (exit) {
      case Exit.HALT:
        return this.ending.end({ kind: 'halted' });
      case Exit.RESET:
        return this.ending.end({ kind: 'reset', cause: 'INIT' });
      case Exit.TRIPLE_FAULT:
        return this.ending.end({ kind: 'triple-fault', dump: this.describe() });
      case Exit.STOP:
        // Whoever asked for the stop has said why.
        return;
      default:
        return this.ending.end({
          kind: 'internal-error',
          message: `CPU ${cpu}: the run loop came back with ${exitName(exit)}, ${arg}, ${data.toString(16)}`,
          dump: this.describe(),
        });
    }
  }

  /** Bytes of such input that the guest has not taken. */
  private inputWaiting(kind: Typed): number {
    if (this.ending.result !== undefined) return this.ending.closed ? 0 : Number.POSITIVE_INFINITY;
    return this.inputs.waiting(kind);
  }

  sendInput(bytes: Bytes): Promise<void> | undefined {
    return this.type('serial', BYTES.take(bytes, 'sendInput'));
  }

  sendVirtioConsole(bytes: Bytes): Promise<void> | undefined {
    const taken = BYTES.take(bytes, 'sendVirtioConsole');
    if (this.board.chipset.parts.virtioConsole === undefined)
      throw new DragomanError('BAD_OPTION', 'the machine has no virtio console', 'virtioConsole');
    return this.type('virtioConsole', taken);
  }

  private type(kind: Typed, bytes: Uint8Array): Promise<void> | undefined {
    if (this.ending.result === undefined) this.inputs.push(kind, bytes);
    return this.typing[kind].room();
  }

  sendFrame(frame: Uint8Array): boolean {
    if (this.options.net === undefined) throw new DragomanError('BAD_OPTION', 'the machine has no network card', 'net');
    checkFrame(frame);
    return this.receive(frame);
  }

  private receive(frame: Uint8Array): boolean {
    return this.ending.result === undefined && this.inputs.push('frame', frame);
  }

  setMode(mode: Mode): void {
    this.relaxing.setMode(mode);
  }

  get mode(): Mode {
    return this.relaxing.mode;
  }

  get relaxations(): readonly Relaxation[] {
    return this.relaxing.now;
  }

  relax(terms: readonly RelaxTerm[]): void {
    this.relaxing.relax(terms);
  }

  get state(): MachineState {
    return this.pausing.state;
  }

  pause(): Promise<void> {
    return this.pausing.pause();
  }

  resume(): Promise<void> {
    return this.pausing.resume();
  }

  async step(cpu: number, count = 1): Promise<number> {
    return this.pausing.step(cpuNumber(this.shared.plan.cpuCount).take(cpu, 'step'), STEPS.take(count, 'step'));
  }

  get canGoBack(): boolean {
    return this.options.lockstep?.reverse !== undefined;
  }

  async stepBack(cpu: number, count = 1): Promise<number> {
    return this.pausing.stepBack(cpuNumber(this.shared.plan.cpuCount).take(cpu, 'stepBack'), STEPS.take(count, 'stepBack'));
  }

  async goTo(instruction: number): Promise<number> {
    return this.pausing.goTo(INSTRUCTION.take(instruction, 'goTo'));
  }

  runBack(): Promise<readonly BreakpointHit[]> {
    return this.pausing.runBack();
  }

  /** A linear address, or that of a name. */
  private place(where: number | string, what: string): number {
    if (typeof where !== 'string') return LINEAR.take(where, what);
    const address = this.symbol(where);
    if (address === undefined) throw new DragomanError('BAD_OPTION', `no symbol '${where}'`, what);
    return address;
  }

  async setBreakpoint(address: number | string): Promise<Breakpoint> {
    return this.pausing.points.add(this.place(address, 'setBreakpoint'), 1, undefined);
  }

  async setWatchpoint(address: number | string, options: WatchOptions = {}): Promise<Breakpoint> {
    const first = this.place(address, 'setWatchpoint');
    const { length, access } = WATCHED.take(options, 'setWatchpoint');
    return this.pausing.points.add(first, Math.min(length, 2 ** 32 - first), access);
  }

  async snapshot(options: SnapshotOptions = {}): Promise<Uint8Array> {
    const { shared, config, guest, lockstep } = this;
    const { chipset } = this.board;
    const { base, note } = SNAPSHOT.take({ ...options, base: await readSource(options.base) }, 'snapshot');
    const { engine, maxRegions } = this.options;
    const parts = {
      shared,
      chipset,
      config,
      disks: this.disks,
      guest,
      engine,
      maxRegions,
      note,
      lockstep: lockstep && (() => lockstep.save()),
    };
    return takeSnapshot(parts, base, (work) => this.pausing.still(work));
  }

  async gdb(options: GdbOptions = {}): Promise<GdbServer> {
    const { port, wait } = GDB.take(options, 'gdb');
    const { result } = this.ending;
    if (result !== undefined) throw new DragomanError('ENDED', `the run has ended: ${describeEnd(result)}`);
    return this.gdbPort.open(port, wait);
  }

  stop(reason: string): void {
    this.ending.stop(reason);
  }

  /** `signal` has ended. */
  private readonly abort = (): void => {
    const reason: unknown = this.options.signal?.reason;
    this.stop(reason instanceof Error ? reason.message : String(reason));
  };

  close(): Promise<void> {
    this.isClosing = true;
    this.stop('the machine was closed');
    return this.ending.gone;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private get jit(): boolean {
    return this.options.engine === 'jit';
  }
  /** The translator's; undefined where there is none. */
  private get encoder(): EncoderName | undefined {
    return this.jit && !this.canGoBack ? this.options.encoder : undefined;
  }

  /** Whether code is kept. Names for profilers belong to a module, and what a trace shows is not to depend on other runs. */
  private get keepsCode(): boolean {
    const { codeCache, perfMap, onTrace } = this.options;
    return codeCache !== undefined && this.jit && !perfMap && onTrace === undefined;
  }
  /** Where, and whose it is, which takes a look at all of the kernel; undefined: nowhere. */
  private get codeCache(): CodeCacheData | undefined {
    return this.keepsCode ? { folder: this.options.codeCache!, guest: this.guest } : undefined;
  }
  private get guest(): string {
    const { kernel, bios } = this.options;
    return this.saved?.header.guest ?? host.sha256((kernel ?? bios)!);
  }

  private get counts(): boolean {
    return this.options.countInstructions || this.options.lockstep !== undefined || this.traceGate?.counts === true;
  }

  stats(): MachineStats {
    const { shared, jit, counts, startedAt } = this;
    const now = this.ending.endedAt || monotonicMs();
    return collectStats({
      shared,
      jit,
      counts,
      startedAt,
      now,
      guestMs: new Standstill(shared.memory).since(() => BigInt(Math.round(now * 1e6))) / 1e6,
      lockstep: this.lockstep?.stats,
      prof: this.prof?.stats,
      clients: this.clients.any ? this.clients.reports() : undefined,
      flame: this.flameClient.stats,
    });
  }

  activity(): MachineActivity {
    const { shared, state, lockstep } = this;
    const now = this.ending.endedAt || monotonicMs();
    const nowNs = lockstep?.nowNs ?? new Standstill(shared.memory).since(() => BigInt(Math.round(now * 1e6)));
    return collectActivity({ shared, state, nowNs, times: lockstep?.times });
  }

  flame(format?: FlameFormat): Promise<Uint8Array> {
    return this.flameClient.write(format);
  }

  memoryHash(): string {
    return host.sha256(ramOf(this.shared));
  }
}
