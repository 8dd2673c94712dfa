// A PC put together: memory, kernel, the host's end of the devices, and the Workers that run CPUs, translator and timers.
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { DragomanError } from '../api/errors.ts';
import {
  DEFAULT_MAC,
  DEFAULT_MEMORY,
  DEFAULT_TIMER_SLACK_MS,
  LARGEST_MEMORY,
  LARGEST_TIMER_SLACK_MS,
  type MachineHandle,
  type MachineOptions,
  type MachineStats,
  MEMORY_GRAIN,
  MOST_CPUS,
  type RunResult,
  SMALLEST_MEMORY,
} from '../api/options.ts';
import { ramWritten } from '../cache/drop.ts';
import { loadEngineImage } from '../cpu/image.ts';
import { instantiate } from '../cpu/runtime.ts';
import { createMemory, resetCpu, type SharedMemory } from '../cpu/state.ts';
import type { RunEnd } from '../devices/device.ts';
import { checkFrame, checkMac } from '../devices/virtio/ethernet.ts';
import { FIRST_FORM } from '../emit/table.ts';
import { Cpu, Exit, GPR_STRIDE, Gpr, Pending, Seg, SegCache } from '../layout/cpu.ts';
import { CONTROL, Control, cpuBase, planMemory, RAM, ROM, ROM_BYTES } from '../layout/memory.ts';
import { writeFirmwareTables } from './acpi-tables.ts';
import { type Board, type BoardConfig, buildBoard, monotonicMs } from './board.ts';
import { DiskFile } from './disk-file.ts';
import { dumpMachine, exitName } from './dump.ts';
import { engineTimes } from './engine-times.ts';
import type { EntryState } from './loaders/entry.ts';
import { loadKernel } from './loaders/kernel.ts';
import { loadRom } from './loaders/rom.ts';
import { type CpuMessage, type CpuWorkerData, type TimerWorkerData, type TranslatorWorkerData, workerUrl } from './threads.ts';
import { releaseTracers, TraceReader } from './trace.ts';

/** Executions of a block in the interpreter before it is translated. */
const HOT = 500;
/** V8 replaces a function's baseline code only for its next call, so a loop must be left now and then to get the better code. */
const KICK_MS = 5;
/** A guest that does little must not keep its trace to itself for longer. */
const TRACE_MS = 100;
const NEVER = 0x7fffffff;
/** A CPU that spins gives its core away at each PAUSE whose number has none of these bits: so often where CPUs outnumber the host's cores, and else. */
const CROWDED_PAUSES = 63;
const PAUSES = 2047;
/** Turns of the host's ends of the devices behind the end of a run: enough for all that a guest may have left in its queues. */
const LAST_TURNS = 256;
/** A Worker's last message may come behind the news that it has ended, but not as late as this. */
const LAST_MESSAGE_MS = 500;
const HOST_THREAD = 1;
const TIMER_THREAD = 2;
const FIRST_CPU_THREAD = 16;

export class Machine implements MachineHandle {
  private readonly options: MachineOptions;
  private readonly shared: SharedMemory;
  private readonly config: BoardConfig;
  private readonly board: Board;
  private readonly workers: Worker[] = [];
  /** Each resolves when its Worker has ended, which may be before we hear why. */
  private readonly gone: Promise<void>[] = [];
  private readonly trace: TraceReader | undefined;
  private traceTimer: NodeJS.Timeout | undefined;
  private finish: ((result: RunResult | Promise<never>) => void) | undefined;
  /** What a callback threw. */
  private failure: { readonly error: unknown } | undefined;
  private result: RunResult | undefined;
  private readonly timerSlackMs: number;
  private startedAt = 0;
  private endedAt = 0;

  /** Builds a machine and loads its kernel. Throws DragomanError for options and files that cannot be used. */
  static create(options: MachineOptions): Promise<Machine> {
    return Promise.resolve().then(() => new Machine(options));
  }

  private constructor(options: MachineOptions) {
    this.options = options;
    const ramBytes = options.memoryBytes ?? DEFAULT_MEMORY;
    if (!Number.isInteger(ramBytes) || ramBytes < SMALLEST_MEMORY || ramBytes > LARGEST_MEMORY || ramBytes % MEMORY_GRAIN !== 0)
      throw new DragomanError('BAD_OPTION', `${ramBytes} bytes of memory: it must be 2 MiB to 2 GiB in steps of 64 KiB`, 'memory');
    const cpuCount = options.cpus ?? 1;
    if (!Number.isInteger(cpuCount) || cpuCount < 1 || cpuCount > MOST_CPUS)
      throw new DragomanError('BAD_OPTION', `${cpuCount} CPUs: there must be 1 to ${MOST_CPUS}`, 'cpus');
    this.timerSlackMs = options.timerSlackMs ?? DEFAULT_TIMER_SLACK_MS;
    if (!(this.timerSlackMs >= 0 && this.timerSlackMs <= LARGEST_TIMER_SLACK_MS))
      throw new DragomanError(
        'BAD_OPTION',
        `a timer slack of ${this.timerSlackMs} ms: it must be 0 to ${LARGEST_TIMER_SLACK_MS} ms`,
        'timerSlackMs',
      );
    const plan = planMemory(cpuCount, ramBytes);
    const { net } = options;
    const mac = checkMac(net?.mac ?? DEFAULT_MAC, 'net.mac');
    const disks = (options.disks ?? []).map(({ path, readOnly }) => new DiskFile(path, readOnly));
    this.shared = createMemory(plan);
    this.config = {
      memory: this.shared.memory,
      plan,
      startMs: monotonicMs(),
      startWallMs: Date.now(),
      debugExitPort: options.debugExitPort,
      debugConsole: options.onDebugConsole !== undefined,
      logPost: options.onPost !== undefined,
      virtio: {
        disks: disks.map((disk) => ({ capacitySectors: disk.sectors, readOnly: disk.readOnly })),
        net: net === undefined ? [] : [{ mac }],
        console: options.onVirtioConsole !== undefined,
        rng: true,
      },
    };
    if (options.onTrace !== undefined) this.trace = new TraceReader(this.shared, options.onTrace);
    const entry = this.load();
    this.board = buildBoard(this.config, {
      thread: HOST_THREAD,
      isHost: true,
      isFirst: true,
      onEnd: (reason) => this.guestEnded(reason),
      onConsole: options.onConsole,
      onDebugConsole: options.onDebugConsole,
      onPost: options.onPost,
      virtio: {
        disks,
        net: net === undefined ? [] : [{ onFrame: (frame) => net.onFrame(frame) }],
        onConsole: options.onVirtioConsole,
        ramWritten: (address, bytes) => ramWritten(this.shared, address, bytes),
      },
    });
    net?.connect?.({ receive: (frame) => this.receive(frame) });
    this.board.chipset.hub.reset();
    if (entry.firmwareTables) writeFirmwareTables(this.ram, { cpuCount, ramBytes });
    for (let cpu = 0; cpu < cpuCount; cpu++) resetCpu(this.shared, cpu);
    this.enter(entry);
  }

  private get ram(): Uint8Array {
    return this.shared.u8.subarray(RAM, RAM + this.shared.plan.ramBytes);
  }

  private load(): EntryState {
    const { bios, kernel, initrd, modules, append } = this.options;
    const { ramBytes } = this.shared.plan;
    if (bios !== undefined) {
      const entry = loadRom(this.ram, this.shared.u8.subarray(ROM, ROM + ROM_BYTES), bios);
      this.shared.i32[this.control(Control.at.romBytes)] = bios.length;
      return entry;
    }
    if (kernel === undefined) throw new DragomanError('BAD_OPTION', 'neither a kernel nor a BIOS was given', 'kernel');
    return loadKernel(this.ram, { kernel, initrd, modules: modules ?? [], commandLine: append ?? '', ramBytes });
  }

  /** Puts CPU 0 into the state that the loader asks for. */
  private enter(entry: EntryState): void {
    const base = cpuBase(this.shared.plan, 0);
    const set = (offset: number, value: number) => (this.shared.i32[(base + offset) >> 2] = value);
    if (entry.segments === 'flat32') {
      for (let s = 0; s < 6; s++) {
        const at = Cpu.at.seg + s * SegCache.size;
        set(at + SegCache.at.selector, s === Seg.CS ? entry.codeSelector : entry.dataSelector);
        set(at + SegCache.at.base, 0);
        set(at + SegCache.at.limit, -1);
        set(at + SegCache.at.access, s === Seg.CS ? 0xcf9b00 : 0xcf9300);
      }
    }
    if (entry.gdt) {
      set(Cpu.at.gdtBase, entry.gdt.base);
      set(Cpu.at.gdtLimit, entry.gdt.limit);
    }
    set(Cpu.at.cr0, entry.cr0);
    set(Cpu.at.eip, entry.eip);
    set(Cpu.at.eflags, entry.eflags & ~0x8d5);
    const { gpr } = entry;
    const names = {
      eax: Gpr.EAX,
      ecx: Gpr.ECX,
      edx: Gpr.EDX,
      ebx: Gpr.EBX,
      esp: Gpr.ESP,
      ebp: Gpr.EBP,
      esi: Gpr.ESI,
      edi: Gpr.EDI,
    } as const;
    for (const [name, n] of Object.entries(names) as [keyof typeof names, number][]) set(Cpu.at.gpr + n * GPR_STRIDE, gpr[name]);
    // What is derived from segments and control registers is the runtime's to compute.
    const { runtime } = instantiate(loadEngineImage(), this.shared, {
      portIn: () => -1,
      portOut: () => {},
      mmioRead: () => -1,
      mmioWrite: () => {},
      rdtsc: () => 0n,
      setTscDeadline: () => {},
      tscDeadlineArmed: () => 0,
      interruptAck: () => -1,
      fpuError: () => 0,
      invalidateCode: () => {},
      trace: () => {},
      log: () => {},
    });
    runtime.updateMode(base);
    runtime.updateFpuTraps(base);
  }

  private control(offset: number): number {
    return (CONTROL + offset) >> 2;
  }

  run(): Promise<RunResult> {
    if (this.startedAt !== 0) return Promise.reject(new Error('a machine runs once'));
    this.startedAt = monotonicMs();
    if (this.result !== undefined) {
      this.endedAt = this.startedAt;
      return Promise.resolve(this.result);
    }
    const image = loadEngineImage();
    const { jit } = this;
    this.shared.i32[this.control(Control.at.hotThreshold)] = jit ? HOT : NEVER;
    this.shared.i32[this.control(Control.at.countInstructions)] = this.counts ? 1 : 0;
    this.shared.i32[this.control(Control.at.trace)] = this.trace === undefined ? 0 : 1;
    return new Promise((resolve) => {
      this.finish = resolve;
      this.watchSignals();
      if (this.trace !== undefined) this.traceTimer = setInterval(() => this.serve(), TRACE_MS);
      const board = this.config;
      this.start<TimerWorkerData>('timer-worker', { board, thread: TIMER_THREAD, kickMs: jit ? KICK_MS : Number.POSITIVE_INFINITY });
      if (jit) this.start<TranslatorWorkerData>('translator-worker', { board, firstSlot: FIRST_FORM + image.keys.length });
      const { cpuCount } = this.shared.plan;
      this.shared.i32[this.control(Control.at.pauseMask)] = cpuCount > availableParallelism() ? CROWDED_PAUSES : PAUSES;
      for (let index = 0; index < cpuCount; index++) {
        const cpu = this.start<CpuWorkerData>('cpu-worker', {
          board,
          image,
          index,
          thread: FIRST_CPU_THREAD + index,
          timerSlackNs: this.timerSlackMs * 1e6,
        });
        cpu.on('message', (message: CpuMessage) => this.onCpu(message));
      }
    });
  }

  private start<T>(name: string, workerData: T): Worker {
    const worker = new Worker(workerUrl(name), { workerData, stdin: false });
    this.workers.push(worker);
    this.gone.push(new Promise((resolve) => worker.once('exit', () => resolve())));
    worker.once('exit', (code) => {
      if (this.result === undefined) setTimeout(() => this.lost(name, code), LAST_MESSAGE_MS);
    });
    worker.on('error', (error) =>
      this.end({
        kind: 'internal-error',
        message: `${name}: ${error instanceof Error ? (error.stack ?? error.message) : error}`,
        dump: dumpMachine(this.shared),
      }),
    );
    return worker;
  }

  /** A Worker has ended: where nobody has ended the run by now, nobody ever would. */
  private lost(name: string, code: number): void {
    this.end({ kind: 'internal-error', message: `${name}: ended with ${code} while the machine ran`, dump: dumpMachine(this.shared) });
  }

  /** Runs the devices' host ends whenever one asks. */
  private watchSignals(): void {
    const { i32 } = this.shared;
    const at = this.control(Control.at.ioSignal);
    const look = () => {
      while (this.result === undefined) {
        const seen = Atomics.load(i32, at);
        this.serve();
        const wait = Atomics.waitAsync(i32, at, seen);
        if (wait.async) {
          void wait.value.then(look);
          return;
        }
        // Devices that have more to do signal themselves: let others have a turn in between.
        setImmediate(look);
        return;
      }
    };
    look();
  }

  /** Lets the devices' host ends work, and hands over what was traced. A callback that throws ends the run. */
  private serve(): void {
    try {
      this.board.chipset.hub.runHostSignals();
      this.trace?.drain();
    } catch (error) {
      this.failure ??= { error };
      this.end({ kind: 'stopped', reason: 'a callback of the host failed' });
    }
  }

  private onCpu(message: CpuMessage): void {
    if (message.kind === 'end-run') return this.guestEnded(message.reason);
    const dump = () => dumpMachine(this.shared);
    switch (message.exit) {
      case Exit.HALT:
        return this.end({ kind: 'halted' });
      case Exit.TRIPLE_FAULT:
        return this.end({ kind: 'triple-fault', dump: dump() });
      case Exit.STOP:
        // Whoever asked for the stop has said why.
        return;
      default:
        return this.end({
          kind: 'internal-error',
          message: `CPU ${message.cpu}: the run loop came back with ${exitName(message.exit)}, ${message.arg}, ${message.data.toString(16)}`,
          dump: dump(),
        });
    }
  }

  private guestEnded(reason: RunEnd): void {
    this.end(reason);
  }

  /** Ends the run once; everything the guest has written reaches its callbacks first. */
  private end(result: RunResult): void {
    if (this.result !== undefined) return;
    this.result = result;
    this.endedAt = monotonicMs();
    const { i32, plan } = this.shared;
    Atomics.store(i32, this.control(Control.at.stop), 1);
    for (const offset of [Control.at.heatSignal, Control.at.timerSignal, Control.at.ioSignal, Control.at.consumedSignal]) {
      Atomics.add(i32, this.control(offset), 1);
      Atomics.notify(i32, this.control(offset));
    }
    for (let cpu = 0; cpu < plan.cpuCount; cpu++) {
      const pending = (cpuBase(plan, cpu) + Cpu.at.pending) >> 2;
      Atomics.or(i32, pending, Pending.STOP);
      Atomics.notify(i32, pending);
    }
    releaseTracers(this.shared);
    clearInterval(this.traceTimer);
    void this.close(result);
  }

  private async close(result: RunResult): Promise<void> {
    // They end by themselves at their next safe point; a thread that hangs is ended from here.
    const timer = setTimeout(() => {
      for (const worker of this.workers) void worker.terminate();
    }, 1000);
    await Promise.all(this.gone);
    clearTimeout(timer);
    // A device that has more to do than fits in its turn signals itself.
    const at = this.control(Control.at.ioSignal);
    for (let turn = 0, seen = -1; turn < LAST_TURNS && seen !== this.shared.i32[at]; turn++) {
      seen = this.shared.i32[at]!;
      this.serve();
    }
    this.board.virtio.close();
    this.finish?.(this.failure === undefined ? result : Promise.reject(this.failure.error));
  }

  sendInput(bytes: Uint8Array): void {
    this.board.chipset.serialInput(0, bytes);
  }

  sendVirtioConsole(bytes: Uint8Array): void {
    const port = this.board.virtio.console;
    if (port === undefined) throw new DragomanError('BAD_OPTION', 'the machine has no virtio console', 'onVirtioConsole');
    if (this.result === undefined) port.pushInput(bytes);
  }

  sendFrame(frame: Uint8Array): boolean {
    if (this.options.net === undefined) throw new DragomanError('BAD_OPTION', 'the machine has no network card', 'net');
    checkFrame(frame);
    return this.receive(frame);
  }

  private receive(frame: Uint8Array): boolean {
    return this.result === undefined && this.board.virtio.net[0].receive(frame);
  }

  stop(reason: string): void {
    this.end({ kind: 'stopped', reason });
  }

  private get jit(): boolean {
    return (this.options.engine ?? 'jit') === 'jit';
  }

  private get counts(): boolean {
    return this.options.countInstructions === true;
  }

  stats(): MachineStats {
    const { i32, plan } = this.shared;
    const bases = Array.from({ length: plan.cpuCount }, (_, cpu) => cpuBase(plan, cpu));
    const word = (offset: number) => i32[this.control(offset)]! >>> 0;
    const ofCpu = (base: number, offset: number) => (i32[(base + offset) >> 2]! >>> 0) + (i32[(base + offset + 4) >> 2]! >>> 0) * 2 ** 32;
    const counter = (offset: number) => bases.reduce((sum, base) => sum + ofCpu(base, offset), 0);
    const counted = (...offsets: number[]) => (this.counts ? offsets.reduce((sum, at) => sum + counter(at), 0) : null);
    const now = this.endedAt || monotonicMs();
    const wallMs = this.startedAt === 0 ? 0 : now - this.startedAt;
    const idleMs = counter(Cpu.at.idleNs) / 1e6;
    const samples = { interpreter: counter(Cpu.at.samplesInterpreted), jit: counter(Cpu.at.samplesTranslated) };
    const sinceStart = (startedNs: number) => (startedNs === 0 ? 0 : now - this.config.startMs - startedNs / 1e6);
    const runningMs = bases.reduce((sum, base) => sum + sinceStart(ofCpu(base, Cpu.at.startedNs)), 0);
    const times = engineTimes(this.jit, Math.max(runningMs - idleMs, 0), samples.interpreter, samples.jit);
    const exits: Record<string, number> = {};
    for (const n of Object.values(Exit)) {
      const count = counter(Cpu.at.countExits + n * 8);
      if (count > 0) exits[exitName(n)] = count;
    }
    return {
      wallMs,
      instructions: counted(Cpu.at.countInterpreted, Cpu.at.countTranslated),
      instructionsAre: this.counts ? 'counted' : 'unknown',
      timesAre: times.timesAre,
      engines: {
        interpreter: { ms: times.interpreter, samples: samples.interpreter, instructions: counted(Cpu.at.countInterpreted) },
        jit: { ms: times.jit, samples: samples.jit, instructions: counted(Cpu.at.countTranslated) },
      },
      idleMs,
      translator: {
        ms: word(Control.at.statTranslateUs) / 1000,
        regions: word(Control.at.statRegions),
        modules: word(Control.at.statModules),
        bytes: word(Control.at.statModuleBytes),
      },
      tlbMisses: counter(Cpu.at.countTlbMisses),
      faults: counter(Cpu.at.countFaults),
      interrupts: counter(Cpu.at.countInterrupts),
      exits,
    };
  }
}
