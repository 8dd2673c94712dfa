// What a machine is made from and what comes back from it: the types that the command line, the tests and users of the package share. Symbol.asyncDispose is not in the libraries that a program has by default.
/// <reference lib="esnext.disposable" preserve="true" />
import type { Receiver } from '../devices/outlet.ts';
import type { EncoderName } from '../emit/module/builder.ts';
import type { MachineActivity } from './activity.ts';
import type { Bytes, Source } from './bytes.ts';
import type { Channel } from './channel.ts';
import type { Breakpoint, BreakpointHit, MachineEventTarget, MachineState, WatchOptions } from './debug.ts';
import type { DiskOptions } from './disks.ts';
import type { RunResult } from './ending.ts';
import type { GdbOptions, GdbServer } from './gdb.ts';
import type { CpuHandle, MachineMemory } from './inspect.ts';
import type { Loading } from './loading.ts';
import type { CodeRegions, InspectedRegion, RegionsOptions } from './regions.ts';
import type { Mode, Relaxation, RelaxTerm } from './relax.ts';
import type { ReverseOptions } from './reverse.ts';
import type { ShareOptions } from './shares.ts';
import type { TraceFilter } from './trace.ts';

export type { EncoderName } from '../emit/module/builder.ts';
export type { Bytes, Source } from './bytes.ts';
export type { DiskOptions } from './disks.ts';
export type { ShareOptions } from './shares.ts';

/** A multiboot module. */
export interface ModuleOptions {
  readonly data: Source;
  /** Text that the kernel finds beside the module. */
  readonly string: string;
}

/** Where a network card is plugged in: a program that takes the guest's frames, and may answer them. `loopback()` is one. */
export interface NetBackend {
  /** A frame from the guest: destination address, source address, type, data; no checksum. The array is the receiver's to keep. */
  readonly onFrame: Receiver<Uint8Array>;
  /** Called once while the machine is built, for a back end that has no hold of the machine. */
  readonly connect?: ((card: NetPort) => void) | undefined;
  /** Called before that, for what can fail: create() rejects with what it rejects with. Not where a recording is run again, which has all that came from outside. */
  readonly open?: (() => Promise<void>) | undefined;
  /** After open(), once: the run has ended, or the machine could not be made. */
  readonly close?: (() => void) | undefined;
}

/** The way to the guest that a back end is given. */
export interface NetPort {
  /** Takes a copy of a frame for the guest. False where it is lost: no driver listens, too many wait, or it is no frame. */
  receive(frame: Uint8Array): boolean;
}

/** A virtio network card: Linux's eth0. */
export interface NetOptions extends NetBackend {
  /** Address of the card, six bytes in hexadecimal. Default: DEFAULT_MAC. */
  readonly mac?: string | undefined;
}

/**
 * All CPUs in turn on one thread, by a seed, with time that comes from the number of executed instructions: the same seed and inputs give
 * the same run, to the bit, on any machine. The clock starts at LOCKSTEP_EPOCH_MS, and the entropy device gives numbers of the seed.
 */
export interface LockstepOptions {
  /** 0 to 4294967295; another one is another interleaving of the CPUs. Default: 0, or that of the recording. */
  readonly seed?: number | undefined;
  /** Whether a guest that waits waits in real time: `sleep 1` takes a second. False: its clock jumps. Default: true. */
  readonly paced?: boolean | undefined;
  /** Gets the lines of a recording: what the machine is, then its inputs with their instants. */
  readonly onRecord?: Receiver<string> | undefined;
  /** The text of a recording: its inputs come again, others are ignored. The machine must be made from the same files and options. */
  readonly replay?: string | undefined;
  /**
   * Whether the machine can go back (Machine.stepBack(), runBack()): it keeps checkpoints and inputs for that, and executes each instruction by itself, with the interpreter alone, so that what is done again comes to the
   * same (docs/debugging.md says what it costs). It is another run than that of the same seed without. Not with a network, shares, clients, recordings, nor disks that are written through or answer later (NOT_SUPPORTED). Default: false.
   */
  readonly reverse?: boolean | ReverseOptions | undefined;
}

export type EngineName = 'jit' | 'interpreter';

export interface MachineOptions {
  /** A Linux bzImage or a multiboot kernel. Either this or `bios` must be given. */
  readonly kernel?: Source | undefined;
  /** Initial RAM disk; Linux only. */
  readonly initrd?: Source | undefined;
  /** Command line of the kernel. Default: empty. */
  readonly append?: string | undefined;
  /** The kernel's file name: the first word of a multiboot kernel's command line, as QEMU has it. Default: none; `append` is all of it. */
  readonly kernelName?: string | undefined;
  /** Multiboot only. */
  readonly modules?: readonly ModuleOptions[] | undefined;
  /** ROM image of 64 KiB to 1 MiB; the CPU starts at its reset vector. */
  readonly bios?: Source | undefined;
  /** CPUs, 1 to MOST_CPUS, each on a thread of its own. Default: 1. */
  readonly cpus?: number | undefined;
  /**
   * Memory accesses in the order that x86 promises, whatever the host is; slower. Default: true where the host is no x86 and CPUs run side
   * by side (docs/memory-model.md).
   */
  readonly strictOrder?: boolean | undefined;
  /** Run in lockstep instead of on a thread for each CPU. */
  readonly lockstep?: LockstepOptions | undefined;
  /**
   * Milliseconds that a CPU's own timer may be late once it has done nothing for a second (a quarter of one where it did before, and
   * was only woken for a moment), so that an idle machine wakes less often: several ticks come as one. 0: never late. Default: defaultTimerSlackMs(cpus).
   */
  readonly timerSlackMs?: number | undefined;
  /** Bytes of RAM, a multiple of 64 KiB, SMALLEST_MEMORY to largestMemory(cpus). Default: DEFAULT_MEMORY. */
  readonly memoryBytes?: number | undefined;
  /** /dev/vda, /dev/vdb ..., in order. */
  readonly disks?: readonly DiskOptions[] | undefined;
  /** Folders of the host's that the guest can mount. Not where a run is recorded, or a recording is run again. */
  readonly shares?: readonly ShareOptions[] | undefined;
  /** The network card. Without it there is none. */
  readonly net?: NetOptions | undefined;
  /** Default: 'jit'. */
  readonly engine?: EngineName | undefined;
  /**
   * What writes the WebAssembly that the JIT makes of the guest's code: Binaryen, or Dragoman's own writer, which is the yardstick. The guest sees no difference
   * but in time. Default: 'binaryen'.
   */
  readonly encoder?: EncoderName | undefined;
  /**
   * Regions (translations) that there may be at once. When there are as many, all are dropped, and what is hot is translated anew: the host's memory for them is bounded. Default: as many as there is room for, some ten thousands.
   */
  readonly maxRegions?: number | undefined;
  /**
   * A folder where translated code is kept from run to run, so that the next run of the same guest starts hot; in a browser one of the files of the page's origin. It is made where it is missing; what is in it may be lost or
   * damaged at any time. Not used in lockstep, nor with `perfMap` or `onTrace`. Default: none.
   */
  readonly codeCache?: string | undefined;
  /**
   * 'relaxed': translated code of kernels relies on all that docs/relaxations.md has; 'transparent': on nothing that a guest could see; 'classic': on nothing at all, as translators of the kind were
   * built before, to compare with. Machine.setMode() changes it while the guest runs. Default: 'relaxed'.
   */
  readonly mode?: Mode | undefined;
  /**
   * What translated code of kernels relies on instead of proving it at each access (docs/relaxations.md): names, names with '-' for all that the mode has but these, 'all', 'off'; in
   * their order. Machine.relax() changes it while the guest runs. Default: what the mode has.
   */
  readonly relax?: readonly RelaxTerm[] | undefined;
  /** I/O port of an isa-debug-exit device, which answers at the three ports behind it as well where they are free (QEMU's with iosize=4); none where undefined. */
  readonly debugExitPort?: number | undefined;
  /** A device for tests of machines, as QEMU's pc-testdev: a latch at ports E0H and E8H, interrupt lines at 2000H, memory at FF000000H. Default: false. */
  readonly testDevice?: boolean | undefined;
  /** Bytes that the guest sent through its first serial port. The array is the receiver's to keep. */
  readonly onConsole?: Receiver<Uint8Array> | undefined;
  /** Whether there is a virtio console (Linux's /dev/hvc0): Machine.virtioConsole. Default: where somebody takes what it sends, by `onVirtioConsole`. */
  readonly virtioConsole?: boolean | undefined;
  /** Ends the run: as stop() does with its reason as text. A machine whose signal has ended already is not made: create() rejects with the reason. */
  readonly signal?: AbortSignal | undefined;
  /** The run begins with a pause: no CPU executes anything before resume(). Default: false. */
  readonly paused?: boolean | undefined;
  /** Bytes that the guest sent through its virtio console; the receiver's to keep. */
  readonly onVirtioConsole?: Receiver<Uint8Array> | undefined;
  /** Bytes written to the debug console, port E9H. Without it nothing answers at that port. */
  readonly onDebugConsole?: Receiver<Uint8Array> | undefined;
  /** Count guest instructions, by block (one that a fault leaves counts whole); costs some speed. Default: false. */
  readonly countInstructions?: boolean | undefined;
  /**
   * What looks at how the guest runs, by words: 'NAME' or 'NAME:OPTION=TEXT,OPTION=TEXT' (a comma in a text stands twice). There is prof, which counts how control gets from one piece of
   * code to the next, with options from and until: texts on the console between which it counts; flame, which samples the guest's stacks: flame(); inscount,
   * coverage, trace, sharing, shadow and races; and a path in the place of a name, or an object, is a client of one's own (docs/clients.md). Default: none, which costs nothing.
   */
  readonly clients?: readonly (string | ClientSpec)[] | undefined;
  /** POST codes: bytes written to port 80H. */
  readonly onPost?: Receiver<Uint8Array> | undefined;
  /** Lines (whole, with their newlines, many at a time) of the execution trace: see docs/trace.md. Slow in any case; without it nothing is
   * traced. */
  readonly onTrace?: Receiver<string> | undefined;
  /** What of the trace is wanted. Default: all of it. */
  readonly traceFilter?: TraceFilter | undefined;
  /**
   * The engine's functions have names for profilers: instruction forms, functions of the runtime, regions by the guest's code. In Node the files for
   * Linux perf are written as well (docs/profiling.md). Default: false.
   */
  readonly perfMap?: boolean | undefined;
  /** In a browser, while Machine.create() fetches the engine: how far it is. In Node, and where all of it is there, nobody is told. */
  readonly onLoading?: ((loading: Loading) => unknown) | undefined;
  /** The text of the guest kernel's System.map, or of its /proc/kallsyms: for the names of regions, and for Machine.symbol() and its like. */
  readonly symbols?: string | undefined;
}

export interface SnapshotOptions {
  /** A snapshot of the same machine, itself without a base: pages of memory that are as they were there are left out, and restore() needs the same bytes again. */
  readonly base?: Source | undefined;
  /** Text of the program's own, up to LONGEST_NOTE characters, that describeSnapshot() gives back. Default: none. */
  readonly note?: string | undefined;
}

/** What is in a snapshot (describeSnapshot()). */
export interface SnapshotFacts {
  readonly cpus: number;
  /** Of RAM. */
  readonly memoryBytes: number;
  readonly disks: number;
  /** Of a machine in lockstep: what restore() must be given as well. */
  readonly lockstep: { readonly seed: number; readonly engine: EngineName } | undefined;
  /** Whether it needs its base. */
  readonly hasBase: boolean;
  readonly note: string | undefined;
}
/** Of a snapshot, in characters. */
export const LONGEST_NOTE = 65_536;

/** Options of a machine that goes on from a snapshot. What it is made of comes from there: what is given of it must be the same, and disks, in their order, must be given. */
export interface RestoreOptions extends Omit<MachineOptions, 'kernel' | 'initrd' | 'append' | 'kernelName' | 'modules' | 'bios'> {
  /** The snapshot that this one was saved against. */
  readonly base?: Source | undefined;
}

export const MiB = 1024 * 1024;
export const DEFAULT_ENCODER: EncoderName = 'binaryen';
export const DEFAULT_MEMORY = 256 * MiB;
/** The least `memoryBytes`; the most is largestMemory() of the number of CPUs. */
export const SMALLEST_MEMORY = 2 * MiB;
export const MEMORY_GRAIN = 64 * 1024;
export const MOST_DISKS = 8;
export const MOST_CPUS = 64;
/** 1 January 2026, 0:00 UTC, in Unix milliseconds. */
export const LOCKSTEP_EPOCH_MS = 1_767_225_600_000;
export const DEFAULT_MAC = '52:54:00:12:34:56';

/** Each CPU has to be woken: 25 ms for each, but 50 at least and 200 at the most. */
export const defaultTimerSlackMs = (cpus: number): number => Math.min(200, Math.max(50, 25 * cpus));
export const LARGEST_TIMER_SLACK_MS = 1000;

/** What an engine did; null where it was not measured. */
export interface EngineStats {
  readonly ms: number | null;
  /** Of its time: see MachineStats.timesAre. */
  readonly samples: number;
  readonly instructions: number | null;
}

/** What the client prof counted of code at one privilege level, of all CPUs. */
export interface ProfLevel {
  readonly instructions: number;
  /** Near RETs, JMPs and CALLs through a register or memory, whose target had to be looked for: `returns` and `jumps` together; and `firstLevel`, `secondLevel` and `misses` together. */
  readonly indirectBranches: number;
  readonly returns: number;
  readonly jumps: number;
  /** Found in the jump cache's own entry; in another entry of its line; neither. */
  readonly firstLevel: number;
  readonly secondLevel: number;
  readonly misses: number;
  /** RETs that needed no look-up: where a region waited for them, and of callees that are part of their caller's region. */
  readonly directReturns: number;
  readonly waitedReturns: number;
  readonly inlinedReturns: number;
  /** Far transfers that code made: INT n, IRET, SYSENTER, SYSEXIT, far jumps, calls and returns. */
  readonly crossings: number;
  /** Direct jumps and calls of regions to another page, which ask the jump cache as well. */
  readonly directJumps: number;
  /** Entries of the dispatcher, for whatever reason; and by reason and where it found what came next. */
  readonly dispatcherEntries: number;
  /** Those that the jump cache could not answer. */
  readonly lookUps: number;
  readonly dispatcher: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** `begun`: the text came from which on it counts, or there is none; `ended`: that came at which it stops. */
export interface ProfStats {
  readonly begun: boolean;
  readonly ended: boolean;
  /** CPL 0 (to 2), and CPL 3. */
  readonly kernel: ProfLevel;
  readonly user: ProfLevel;
}

/** What the client flame has gathered. `begun`, `ended`: as with prof. */
export interface FlameStats {
  readonly begun: boolean;
  readonly ended: boolean;
  /** Samples a second that were asked for, and how many there are of the level that was. */
  readonly hz: number;
  readonly samples: number;
  /** Samples that found no room until the host took others. */
  readonly lost: number;
  /** Different stacks. */
  readonly stacks: number;
}

/** Forms of a profile: JSON for speedscope.app, a compressed protocol buffer for pprof, or a line for each stack, as flamegraph.pl reads them. */
export type FlameFormat = 'speedscope' | 'pprof' | 'folded';

/** Counters of a run so far. Times in milliseconds. */
export interface MachineStats {
  readonly wallMs: number;
  /** Guest instructions; null where nobody counted. */
  readonly instructions: number | null;
  /** How the numbers of instructions came about: every one counted, or estimated from samples. */
  readonly instructionsAre: 'counted' | 'sampled' | 'unknown';
  /** How the engines' times came about. 'sampled': every 5 to 10 ms that the guest runs it is noted which engine does, and the time outside HLT
   * (from the first instruction on) is shared in this proportion. 'measured': with the interpreter alone, all of it is its own. 'unknown': no sample yet. */
  readonly timesAre: 'measured' | 'sampled' | 'unknown';
  readonly engines: { readonly interpreter: EngineStats; readonly jit: EngineStats };
  /** Where there are several CPUs, times and numbers are the sums of all of them. Guest waiting in HLT: */
  readonly idleMs: number;
  readonly translator: {
    readonly ms: number;
    /** To put the modules where every CPU finds them, and to tell the CPUs; waiting for room is part of it. 0 in lockstep. */
    readonly publishMs: number;
    readonly regions: number;
    readonly modules: number;
    /** Who encodes the modules to come. 'direct' until the encoder that was asked for is loaded, in the translator's first pause; null with the interpreter alone. */
    readonly encoder: EncoderName | null;
    /** The encoder that was asked for could not be loaded (standard error says why): modules go on to be encoded directly. */
    readonly encoderFailed: boolean;
    /** Modules by their encoders. */
    readonly modulesBy: Readonly<Record<EncoderName, number>>;
    readonly bytes: number;
    /** Regions that were taken from the code cache, and those that were translated because they were not there; both 0 without one. */
    readonly cacheHits: number;
    readonly cacheMisses: number;
    /** How often all regions were dropped: to make room (MachineOptions.maxRegions), or because what code relies on had changed (Machine.relax). */
    readonly flushes: number;
    /** Regions that an error of the translator prevented: their code is interpreted. */
    readonly failed: number;
  };
  /** Modules that CPUs instantiated (each does so with each that the translator made), and how long that took. */
  readonly installs: { readonly ms: number; readonly modules: number };
  /** By CPU: bytes of the kernel's direct map that its code relies on now (docs/relaxations.md). */
  readonly directMapBytes: readonly number[];
  /** How often code of the kernel could not rely on its stack, so that one instruction was interpreted (docs/relaxations.md, stack). */
  readonly stackRefusals: number;
  readonly tlbMisses: number;
  readonly faults: number;
  readonly interrupts: number;
  /** Exits of the run loop by reason. */
  readonly exits: Readonly<Record<string, number>>;
  /** How long they took, in milliseconds of the CPUs together, until the CPU ran on: decoding, installing, what a device or a timer wanted. Without sleep (HLT). */
  readonly exitMs: Readonly<Record<string, number>>;
  /** What code asked of JavaScript while it ran (ports, devices in memory, clocks, interrupts to acknowledge), how often and how long it took; null where nobody counted. */
  readonly hostCalls: Readonly<Record<string, { readonly count: number; readonly ms: number }>> | null;
  /**
   * Ways inside the engine that are slow, by reason: how often they were taken and how long that took, from the first of each 64 times of each CPU. What happens within another one
   * (a TLB miss of a delivery) counts for both. Null where nobody counted.
   */
  readonly slowPaths: Readonly<Record<string, { readonly count: number; readonly ms: number }>> | null;
  /** Instructions by CPU; null where nobody counted. */
  readonly instructionsByCpu: readonly number[] | null;
  /** Where the client prof was asked for (docs/clients.md). */
  readonly prof?: ProfStats;
  /** What other clients that are attached have found, by their names. */
  readonly clients?: Readonly<Record<string, unknown>>;
  /** Where the client flame was. */
  readonly flame?: FlameStats;
  /** Of a lockstep run: slices so far, and the guest's time. */
  readonly lockstep?: {
    readonly seed: number;
    readonly turns: number;
    readonly virtualMs: number;
    /**
     * Of one that can go back: checkpoints, bytes of their memory, and whether it is where it was before. Instructions of all CPUs together since power-on: where its history begins, where it stands, and where it was when it
     * went back (else as `at`): see goTo().
     */
    readonly history?: {
      readonly checkpoints: number;
      readonly bytes: number;
      readonly inPast: boolean;
      readonly first: number;
      readonly at: number;
      readonly last: number;
    };
  };
}

/** A client of one's own: a module whose default export makes it (docs/clients.md). */
export interface ClientSpec {
  /** The module's address, or in Node its path. */
  readonly module: string | URL;
  /** What its reports are called. Default: the file's name without its ending. */
  readonly name?: string | undefined;
  /** Texts for its maker. `level` ('kernel', 'user') and `ranges` ('0x1000-0x2000', several with '+' between them) say which code it gets, whatever the client itself says. */
  readonly options?: Readonly<Record<string, string>> | undefined;
}

/** A client that is attached to a machine. */
export interface AttachedClient {
  readonly name: string;
  /** What it has found by now; behind detach(), had found by then. */
  report(): unknown;
  /** What it gives beside that, as docs/clients.md says of each: of coverage the bytes of its map ('map'); or what it is to do ('clear'). Not behind detach(). Throws BAD_OPTION for what it does not know. */
  ask(question: string): unknown;
  /** Resolves when no CPU runs code of it any more, and none will. At any time, also more than once. Rejects with ENDED where the run has ended. */
  detach(): Promise<void>;
}

/** A machine as its users hold it. */
export interface MachineHandle extends MachineEventTarget {
  /** The CPUs, for whoever inspects or changes a machine that stands still: one that has not run yet, is paused, or whose run has ended. */
  readonly cpus: readonly CpuHandle[];
  readonly memory: MachineMemory;
  /**
   * Gives the guest's kernel its names: the text of its System.map or /proc/kallsyms, or the bytes of an ELF file with a symbol table. Default: the option `symbols`, else what the kernel's file has.
   * Throws BAD_OPTION where there are none.
   */
  loadSymbols(symbols: string | Bytes): void;
  /**
   * Gives the guest's kernel the names that a Linux kernel of 32 bits carries in its own memory (CONFIG_KALLSYMS), and the functions of modules that are loaded now, wherever it runs: no file is needed,
   * and KASLR does not matter. How many they are. Throws NO_SYMBOLS where there are none, or not yet, and BAD_STATE while the machine runs.
   */
  loadGuestSymbols(): number;
  /** The address of a name; undefined where there is no such one. */
  symbol(name: string): number | undefined;
  /** 'name', or 'name+0x1f' inside of it; undefined where no symbol is near. */
  symbolAt(address: number): string | undefined;
  /**
   * Runs to the end, and until all that the guest has sent is handed over, however slow its receivers are (see Receiver). Guest failures are results, not
   * exceptions; what a callback throws, run() rejects with, and with HOST_LIMIT where the host gives no thread for a CPU. May be called once: after that, and behind close(), it rejects with BAD_STATE.
   */
  run(): Promise<RunResult>;
  /** The first serial port. */
  readonly console: Channel;
  /** Undefined where the machine has none. */
  readonly virtioConsole: Channel | undefined;
  /**
   * Types bytes into the first serial port; any number of them, at any time: what the guest has not taken waits in memory. Where that is
   * more than INPUT_BUFFER bytes it returns a promise, which resolves when at most half as many wait (or the run has ended): who has more
   * to send had better wait for it. Throws BAD_OPTION for what is no bytes.
   */
  sendInput(bytes: Bytes): Promise<void> | undefined;
  /** The same for the virtio console. Throws BAD_OPTION where the machine has none. */
  sendVirtioConsole(bytes: Bytes): Promise<void> | undefined;
  /**
   * Sends an Ethernet frame to the guest, SMALLEST_FRAME to LARGEST_FRAME bytes without checksum. False where it is lost, as on a wire:
   * the guest has no driver yet, NET_BACKLOG frames wait already, or the run has ended. Throws BAD_FRAME for what is no frame, and
   * BAD_OPTION where the machine has no network card.
   */
  sendFrame(frame: Uint8Array): boolean;
  /** From now on (within some milliseconds) this is the mode, and code relies on what it has; before the run as well. Throws BAD_OPTION. */
  setMode(mode: Mode): void;
  /**
   * From now on (within some milliseconds) code relies on this and no more, whatever `relax` of MachineOptions said; before the run as well. What was translated is dropped, at most once a second, and
   * made anew as it gets hot. Throws BAD_OPTION.
   */
  relax(terms: readonly RelaxTerm[]): void;
  /** The last one that was asked for. */
  readonly mode: Mode;
  /** What code relies on now, by setMode() and relax(): in lockstep only what is exact. */
  readonly relaxations: readonly Relaxation[];
  readonly state: MachineState;
  /**
   * Resolves when no CPU runs any more, each between two of its instructions; the guest's clock stands still from then on, and what it has asked of its devices is done. So does a machine that is paused
   * already. Whoever reads what the guest prints must go on to read until then. Rejects with BAD_STATE before run(), with ENDED where the run has ended, or ends first.
   */
  pause(): Promise<void>;
  /** All CPUs go on; past the breakpoints that they stand at. Rejects with BAD_STATE where the machine is not paused. */
  resume(): Promise<void>;
  /**
   * Runs instructions of one CPU of a paused machine, `count` of them (default: 1), and resolves with how many it were: less where a breakpoint stops it, or where it waits in HLT or for its
   * start-up IPI (in lockstep: none where it waits, and a turn of the others does not wake it). An instruction that faults counts, with its way into the handler. With threads the other CPUs rest meanwhile, and no interrupt is taken; in lockstep the others run as
   * their turns come, and the run stays what its seed makes of it, but that the stepped code sees the clock between its instructions, not between its blocks. pause() ends it. Rejects with BAD_STATE, BAD_OPTION, ENDED.
   */
  step(cpu: number, count?: number): Promise<number>;
  /** Whether stepBack() and runBack() are there: of lockstep machines with the option reverse. */
  readonly canGoBack: boolean;
  /**
   * Goes back by so many instructions of a CPU (default: 1) of a paused machine, to where the CPU had just executed the one before; resolves with how many it were: less at the beginning of the history. Memory, devices, all CPUs and what
   * was written over disks are as they were. Going on from there (step(), resume()), the machine comes through the same again, with the inputs of then, and hands over nothing that it has handed over already; an input, or a
   * change of memory or registers, makes another future of it. pause() ends it where it has come to. Rejects with BAD_STATE, BAD_OPTION, NOT_SUPPORTED, ENDED.
   */
  stepBack(cpu: number, count?: number): Promise<number>;
  /**
   * Goes back to where the last breakpoint before now was met: before its instruction, or, of one on data, before the instruction that made the access. Resolves with what was met, and dispatches the events breakpoint and paused for it; or
   * with nothing, at the beginning of the history. The rest is as with stepBack().
   */
  runBack(): Promise<readonly BreakpointHit[]>;
  /**
   * Goes to where the CPUs together had executed so many instructions since power-on: back, or, where the machine is in its past, on again, up to where it was when it went back (stats().lockstep.history). Resolves with where it
   * stands then: at the nearer end of the history for what is beyond. No breakpoint stops it. The rest is as with stepBack(); what of memory or registers was changed since it last went on is lost.
   */
  goTo(instruction: number): Promise<number>;
  /**
   * As the button does: memory, devices and CPUs are as they were before run(), and the kernel begins anew; of a paused machine with resume(). The guest's clock goes on, and disks keep what is on them. Event
   * reset. Rejects with ENDED, and with NOT_SUPPORTED where the machine is recorded.
   */
  reset(): Promise<void>;
  /**
   * Stops every CPU before it executes the instruction at a linear address (or where a name of the kernel's is), and pauses the machine with it: events breakpoint and paused. At any time; a machine that runs stands still for a moment. Code on the same page is
   * interpreted. Rejects with HOST_LIMIT where there are more than MOST_BREAKPOINTS, with BAD_OPTION.
   */
  setBreakpoint(address: number | string): Promise<Breakpoint>;
  /** The same behind an instruction that accesses data. Accesses to other data of the page are slower. */
  setWatchpoint(address: number | string, options?: WatchOptions): Promise<Breakpoint>;
  /**
   * All that the guest can see of the machine, as bytes that Machine.restore() makes a machine of which goes on where this one stood (docs/snapshots.md). A machine that runs stands still
   * while its memory is copied. What is on disks is not in it: an image is to be kept as it was. Rejects with BAD_STATE before run(), with ENDED; with NOT_SUPPORTED where it records or replays.
   */
  snapshot(options?: SnapshotOptions): Promise<Uint8Array>;
  /**
   * Lets gdb attach (docs/debugging.md) from now on to the end of the run, before or while the machine runs. Rejects with BAD_OPTION where the port cannot be had, BAD_STATE where there is one already, ENDED,
   * and NOT_SUPPORTED in a browser.
   */
  gdb(options?: GdbOptions): Promise<GdbServer>;
  /**
   * Attaches a client (docs/clients.md) by a word as for `clients` of MachineOptions, or one of one's own: before the run, or while the machine runs or is paused. From when it resolves no CPU runs code without it. A machine that
   * runs stands still for a moment, and what was decoded or translated is made anew. Rejects with BAD_OPTION, ENDED; with NOT_SUPPORTED for options that name files in a browser, and for machines that can go back.
   */
  attach(client: string | ClientSpec): Promise<AttachedClient>;
  /**
   * Which regions of translated code there are now, where the CPUs are among them, and what has changed since an answer of before (docs/code-map.md): at any time, whether the machine runs or stands still; none before run(), and with the
   * engine 'interpreter'. It reads shared memory, for less than a millisecond with `since` (the first time, with thousands of regions, for some tenths of a second); guests are no slower for it. Of more than some 30,000 regions at once the first call may not know the oldest. Throws BAD_OPTION.
   */
  regions(options?: RegionsOptions): CodeRegions;
  /**
   * What a region is made of: its x86 instructions, IR and WebAssembly, line by line with the instruction that each is of, and the same without each relaxation that it relies on. The region is translated once more for that, on the thread of the
   * caller, which takes some hundredths of a second (the first time it loads what translates); the machine is not disturbed. Rejects with NO_REGION where there is none with this id any more, or its code has changed; with
   * NOT_SUPPORTED where clients are attached, whose code would be part of it; with BAD_OPTION.
   */
  inspectRegion(id: number): Promise<InspectedRegion>;
  /** Ends the run with kind 'stopped', and waits for no receiver any more (for what is being written to disks it does). Where the guest has ended it before, that is all that it does. */
  stop(reason: string): void;
  /** Ends the run where there is one, and resolves when all is given back: threads, files of disks. Also of a machine that never ran. `await using` calls it. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
  stats(): MachineStats;
  /**
   * What each CPU is doing and has done so far: which part of the time was the kernel's, the user's, idle (activityBetween() of two looks says it), where it is, interrupts, faults, loads of CR3. At any time, while the
   * machine runs as well; it costs a few microseconds, and the guest nothing.
   */
  activity(): MachineActivity;
  /**
   * The profile that the client flame has gathered so far, as the bytes of a file, with the names that the kernel's symbols have now. `format`: as its option says by default. Rejects with BAD_STATE where the
   * client was not asked for, with BAD_OPTION.
   */
  flame(format?: FlameFormat): Promise<Uint8Array>;
  /** The state of all CPUs and devices as text for people: registers, segments, what was executed and delivered last. Throws BAD_STATE while the machine runs. */
  dump(): string;
  /**
   * What the CPUs do, as text for whoever develops the kernel: of each that runs (eight at the most) registers, mode, the next instructions, the top of the stack, the calls that led there, and, behind a double or triple
   * fault, which descriptor kept which exception from its handler; a line for each that waits in HLT. With the names that are known, or else those that a Linux kernel has in its memory (as loadGuestSymbols() gives).
   * Rejects with BAD_STATE while the machine runs.
   */
  describeCpus(): Promise<string>;
  /** The text at B8000H that a video card would show now: lines without spaces at their ends and empty lines at the end; '' where there is none. */
  screenText(): string;
  /** SHA-256 of the guest's RAM, hexadecimal. */
  memoryHash(): string;
}

/** Builds a machine. Throws a DragomanError where an option (BAD_OPTION, which names it and what is allowed) or a file cannot be used. */
export type MachineFactory = (options: MachineOptions) => Promise<MachineHandle>;
/** Builds one that goes on from a snapshot when it is run. Throws as well: BAD_SNAPSHOT for what is none, is damaged, or of another version; BAD_OPTION for options that contradict it. */
export type MachineRestorer = (snapshot: Source, options?: RestoreOptions) => Promise<MachineHandle>;
