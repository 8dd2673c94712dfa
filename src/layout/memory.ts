// Where everything is in the one shared WebAssembly.Memory. Fixed addresses first, then guest RAM, then what
// grows with the number of CPUs. Nobody else writes an address as a number.
import { DragomanError } from '../api/errors.ts';
import { ClientWords, STRING_PARTS, StringPart } from './clients.ts';
import { Breakpoint, Cpu, PROVEN_DESCRIPTORS, SegmentProof } from './cpu.ts';
import { FLAME_RECORDS, FlameRecord } from './flame.ts';
import { PROF_LEVELS, ProfCounts } from './prof.ts';
import { area, array, f64, ownLine, records, shared32, struct, u8, u16, u32, u64 } from './struct.ts';

export const WASM_PAGE = 0x10000;
export const PAGE = 4096;
export const PAGE_SHIFT = 12;

const KiB = 1024;
const MiB = 1024 * KiB;

/** Pages of RAM that somebody wrote to and that held code: entries of the ring of page numbers that CPUs read (Control.dropped counts them). */
export const DROP_QUEUE_ENTRIES = 4096;
/** State of devices (src/devices): so much in all, a slice a device. */
export const DEVICE_STATE_BYTES = 0x80000;
/** Requests of hot code from CPUs to the translator: entries of a ring. */
export const HEAT_QUEUE_ENTRIES = 4096;
/** An entry of it. `cpu`: the index of the CPU that asks. */
export const HeatRequest = struct({
  phys: u32,
  eip: u32,
  mode: u32,
  /** 1: code that is hot; 0: all that is kept of the page is wanted. */
  hot: u32,
  cpu: u32,
  /** 1: the stack is not in the kernel's direct map, so that nothing is to rely on that (the relaxation `stack`). */
  plain: u32,
});
/** A block that stays in the interpreter asks again after this many executions. A power of two. */
export const HEAT_PERIOD = 16384;
/** Guest PC and mode of each table slot. `points`: address of the first point (POINTS) of a region that was made for it; 0: there is none. */
export const Slot = struct({ eip: u32, phys: u32, mode: u32, points: u32 });
/** EIPs at which regions may be interrupted that say by the address of such a word where they are (without Relax.FRAMES): the region's entry, then heads of its loops. */
export const POINTS_BYTES = 1 * MiB;
/** Entries of the function table: 0 is the trap of a null index, then handlers, then slots of regions. */
export const TABLE_ENTRIES = 65536;
/** Entries that a CPU's table may have behind those: handlers that clients asked for (clients/handlers.ts). */
export const CLIENT_HANDLERS = 65536;
/** A machine has room for so many regions at the least (Control.mostRegions): a module of them. */
export const SMALLEST_REGIONS = 32;
/** Bytes of published modules: a ring. A power of two, as positions in it wrap at 2^32. */
export const PUBLISH_BYTES = 16 * MiB;
/** Of what is known of each region that was made (cache/region-log.ts): a ring. A power of two, as positions in it wrap at 2^32. Nobody's memory until somebody writes to it. */
export const REGION_LOG_BYTES = 8 * MiB;
/** ROM images at the top of the 32-bit physical space and below 1 MiB. */
export const ROM_BYTES = 1 * MiB;
/** How much of a ROM, from its end, shows below 1 MiB as well. */
export const LOW_ROM_BYTES = 128 * KiB;
/** Code maps: a bit for each byte of a page, set where some CPU may hold code of it (cache/code-pages.ts). Handed out by `markCode` to pages with code. */
export const CODE_MAP_BYTES = PAGE / 8;
export const CODE_MAP_COUNT = 16384;

/** Of the list of a machine's clients. */
export const CLIENT_TABLE_BYTES = 64 * KiB;
/** Room of clients in each CPU's block; and what a machine has of it for all CPUs together, beside a byte for each eight of guest RAM. Nobody's memory until somebody writes to it. */
export const CLIENT_CPU_BYTES = 1 * MiB;
const CLIENT_SHARED_BYTES = 16 * MiB;
const CLIENT_RAM_PARTS = 8;

/** The memory's fixed part, in this order. The addresses are the constants below. */
const MAP = struct({
  /** A null pointer's page. */
  nothing: area(PAGE, PAGE),
  /** The machine-wide control block. */
  control: area(3 * PAGE, PAGE),
  dropQueue: area(DROP_QUEUE_ENTRIES * 4, 4 * PAGE),
  /** Static data of the AssemblyScript runtime (asc --memoryBase). */
  runtimeStatic: area(7 * WASM_PAGE, WASM_PAGE),
  deviceState: area(DEVICE_STATE_BYTES, WASM_PAGE),
  heatQueue: records(HEAT_QUEUE_ENTRIES, HeatRequest, MiB),
  slots: records(TABLE_ENTRIES, Slot, 2 * MiB),
  publish: area(PUBLISH_BYTES, 4 * MiB),
  rom: area(ROM_BYTES, MiB),
  codeMaps: area(CODE_MAP_COUNT * CODE_MAP_BYTES, 4 * MiB),
  /** The page of RAM that has each code map: a word each. */
  codeMapPages: array(CODE_MAP_COUNT, u32),
  points: area(POINTS_BYTES, 16),
  /** The clients that are attached, as text (clients/table.ts). */
  clientTable: area(CLIENT_TABLE_BYTES, 16),
  regionLog: area(REGION_LOG_BYTES, PAGE),
  /** Guest physical address 0: RAM, and behind it what grows with the number of CPUs (planMemory). */
  ram: area(0, 32 * MiB),
});
export const CONTROL = MAP.at.control;
/** Index in 32-bit words of a field of the machine's control block. */
export const controlWord = (offset: number): number => (CONTROL + offset) >> 2;
export const DROP_QUEUE = MAP.at.dropQueue;
export const RUNTIME_STATIC = MAP.at.runtimeStatic;
export const RUNTIME_STATIC_END = MAP.at.deviceState;
export const DEVICE_STATE = MAP.at.deviceState;
export const HEAT_QUEUE = MAP.at.heatQueue;
export const SLOTS = MAP.at.slots;
export const PUBLISH = MAP.at.publish;
export const ROM = MAP.at.rom;
export const CODE_MAPS = MAP.at.codeMaps;
export const CODE_MAP_PAGES = MAP.at.codeMapPages;
export const POINTS = MAP.at.points;
export const CLIENT_TABLE = MAP.at.clientTable;
export const REGION_LOG = MAP.at.regionLog;
export const RAM = MAP.at.ram;

/** Guest physical addresses that are a video card's: no RAM, up to the text that the card shows, which is 32 KiB of RAM. */
export const VIDEO_MEMORY = 0xa0000;
export const TEXT_MEMORY = 0xb8000;

/** As many as there are in the stretch by which a kernel moves. */
export const KEPT_PAGES = 4096;

/** Breakpoints that the host may have at once, on code and data. */
export const DEBUG_POINTS = 256;

/** Addresses that a trace is of: linear, the last one included. */
export const TraceRange = struct({ first: u32, last: u32 });
/** So many of them there may be. */
export const TRACE_RANGES = 16;

export const Control = struct({
  // What changes seldom or never, on cache lines of its own: every CPU reads it all the time.
  cpuCount: u32,
  ramBytes: u32,
  /** First CPU block; the others follow cpuStride apart. */
  cpus: u32,
  cpuStride: u32,
  /** Page metadata: PageMeta.size bytes for each page of RAM. */
  pageMeta: u32,
  /** Bytes of ROM that end at 4 GiB (and, the last LOW_ROM_BYTES of them, at 1 MiB); 0 without a ROM. */
  romBytes: u32,
  /** Which of the eight blocks of 16 KiB from E0000H to FFFFFH are RAM in the place of ROM: for reads bit n, for writes bit 8 + n. */
  shadowRam: u32,
  a20: u32,
  /** What translated code may rely on: Relax bits. */
  relax: u32,
  /** Linear address at which the guest's kernel maps physical address DIRECT_START, and what follows (docs/relaxations.md); 0: not known. Once known it stays: regions hold it. */
  directOrigin: u32,
  /** The execution count after which a block asks for a translation; 0x7fffffff: never. */
  hotThreshold: u32,
  /** Within how much time (heatNow in wasm/engine/engine.ts) a block must have been executed so often, for it to ask; 0: any. */
  hotWithin: u32,
  /** Nonzero: exceptions of the guest end the run loop instead of being delivered (tests, debuggers). */
  stopOnFault: u32,
  /** EIP + 1 of a HLT that stands for a breakpoint of the host, and halts at any privilege level; 0: none (tests). */
  haltBehind: u32,
  /** Nonzero, from before any code runs: blocks count their instructions (Cpu.countInterpreted, Cpu.countTranslated). */
  countInstructions: u32,
  /** Nonzero, from before any code runs: blocks and deliveries are written to the CPUs' trace rings (CpuArea.trace). */
  trace: u32,
  /** How many of traceRanges there are; 0: addresses do not matter. */
  traceRangeCount: u32,
  /** A CPU's trace begins when it has executed so many instructions (with countInstructions); 0: at once. */
  traceFrom: u64,
  traceRanges: records(TRACE_RANGES, TraceRange),
  /** Nonzero, from before any code is translated: accesses are in the order of x86 whatever the host is (wasm/base/order.ts). */
  strictOrder: u32,
  /** Nonzero, from before any code runs: one CPU runs at a time, for Cpu.budget instructions (machine/lockstep/lockstep.ts). */
  lockstep: u32,
  /** A CPU that spins gives its host thread's core away at each PAUSE whose number has none of these bits; all ones: never. */
  pauseMask: u32,
  /** Nonzero once somebody asked the machine to stop. */
  stop: shared32,
  /** ClockAsks bits; 0: the time-stamp counter is the host's monotonic clock less clockStart. */
  clockAsks: u32,
  /** The host's monotonic clock at power-on, and later by as much as the machine was paused, nanoseconds. */
  clockStart: u64,
  /** Nonzero, from before any code runs: how control gets from one piece of code to the next is counted (CpuArea.prof). */
  prof: u32,

  // What threads tell each other.
  /** Bumped when the translator published a module. */
  epoch: ownLine(u32),
  heatHead: shared32,
  heatTail: shared32,
  /** Words that sleepers wait on. */
  heatSignal: shared32,
  ioSignal: u32,
  timerSignal: u32,
  /** A bit for each number of a linear page modulo KEPT_PAGES: some code of such a page is kept, and the translator is to be told when a CPU decodes its first (cache/code-cache.ts). */
  keptPages: array(KEPT_PAGES / 32, u32),
  /** Regions that were taken from the code cache, and those that were not there. */
  statCacheHits: u32,
  statCacheMisses: u32,
  /** Table slots handed out so far. */
  slotNext: u32,
  /** Bytes of POINTS that are in use. */
  pointsNext: u32,
  /** Bytes published so far (wraps at 2^32): where the translator writes next in PUBLISH, modulo PUBLISH_BYTES. */
  published: u32,
  /** Bytes written to REGION_LOG so far (wraps at 2^32), where the oldest record begins that is still whole, and how many regions have been entered there. */
  regionLogEnd: u32,
  regionLogFirst: u32,
  regionsLogged: u32,
  /** Words that the translator waits on when PUBLISH is full. */
  consumedSignal: u32,
  statRegions: u32,
  /** Who encodes the translator's modules now (cache/tally.ts): an index of ENCODERS. */
  encoder: u32,
  statModuleBytes: u32,
  statTranslateUs: u32,
  statPublishUs: u32,
  /** Pages entered in DROP_QUEUE so far. */
  dropped: u32,
  /** 1 while some CPU has the memory for itself (wasm/memory/exclusive.ts): a mutex. */
  exclusive: shared32,
  /** 1 while a CPU writes to HEAT_QUEUE. */
  heatLock: shared32,
  /** Code maps handed out so far, at first; later where the search for one that is free goes on. */
  codeMapNext: u32,
  /** CPUs that can only be woken by another CPU (HLT with interrupts off, or waiting for a start-up IPI). */
  asleepForGood: u32,
  /** Counts how often a CPU entered HLT or left it. */
  clockChanges: u32,
  /** Doubles, nanoseconds (machine/board/clock-lag.ts): how far the guest's clock lags behind the host's; since when; what timers have seen of the guest's. */
  clockLag: f64,
  clockLagSince: f64,
  clockSeen: f64,
  /** Regions that an error of the translator prevented. */
  statFailedRegions: u32,
  /** Addresses of the local APICs' words (layout/lapic.ts), CPU 0 first, and of the table of their registers; 0: there are none. */
  lapics: u32,
  lapicTable: u32,
  /** Regions that there may be at once; 0: as many as the table has room for. */
  mostRegions: u32,
  /** How often all regions were dropped: to make room, or because what code relies on had changed. */
  statFlushes: u32,
  /** Modules by encoder, in the order of ENCODERS. */
  statModules: array(2, u32),
  /** 1 where the encoder that was asked for cannot be loaded. */
  encoderFailed: u32,
  /** Whether the timekeeper's thread rests (Rest). */
  timekeeperRest: shared32,
  /** 1 while the machine is paused: its clock stands still at pausedAt, nanoseconds of the host's. */
  paused: u32,
  pausedAt: u64,
  /** The host's breakpoints, of which there are so many; they change while no CPU runs, and how often they did. */
  debugCount: u32,
  debugChanges: u32,
  debugPoints: records(DEBUG_POINTS, Breakpoint),
  /** Twice how often the list of attached clients (CLIENT_TABLE) has changed, which it does while no CPU runs; odd while it is written. */
  clientChanges: shared32,
  /** What some client wants of the runtime (ClientTells bits). */
  clientTells: u32,
  /** Nonzero: there are clients, which want to know where code is, so that none floats (Mode.PLACED). CPUs go by it when they take the list. */
  placed: u32,
  /** So often a second the timekeeper asks each CPU that runs for a sample (Pending.SAMPLE); 0: never. */
  flameHz: u32,
});

/** Invariants of kernels that translated code may rely on (docs/relaxations.md). */
export const Relax = {
  DIRECTMAP: 1,
  HOLES: 2,
  PRECISION: 4,
  SEGMENTS: 8,
  CACHE: 16,
  RETURNS: 32,
  ENTRIES: 64,
  SHARED: 128,
  FRAMES: 256,
  STACK: 512,
} as const;
/** The first physical address that is looked for in the kernel's direct map: what lies below is not all RAM. */
export const DIRECT_START = 1 * MiB;
/** Bytes that an access in the direct map may be long. */
export const DIRECT_MOST = 16;

/** While the guest's clock lags, it is faster than the host's by one part in so many. */
export const CATCH_UP_PARTS = 128;

/** Why there is more to the time-stamp counter (Control.clockAsks). */
export const ClockAsks = {
  /** It is not the host's clock, but what HostImports.rdtsc says: lockstep, tests. */
  MADE: 1,
  /** It lags behind the host's clock (machine/board/clock-lag.ts). */
  LAGS: 2,
} as const;

/** What we know of one page of guest RAM. */
export const PageMeta = struct(
  {
    /** Bit 0: some CPU holds decoded blocks or regions of this page, so stores to it take the slow path. Bit 1 (PAGE_GROWS): somebody stored beside its code
     * since then. The bits above count the decodings (PAGE_MARK), so that whoever clears the flag sees that none came in between. */
    flags: shared32,
    /** Bumped by every store that hit code on this page. */
    version: u32,
    /** How the CPUs were last notified of stores to this page (cache/code-pages.ts): Control.dropped from then on, `flags` before, by which CPU. */
    notified: u32,
    notifiedFlags: u32,
    notifiedBy: u32,
    /** 1 while a thread reads or writes the four. */
    notifyLock: u32,
    /** Stores to code since the CPUs were last notified, without anybody decoding in between. */
    notifiedHits: u32,
    /** Address of the page's code map, which means something only with PAGE_HAS_CODE; 0: none was free, any byte may be code. */
    codeMap: u32,
  },
  32,
);
export const PAGE_HAS_CODE = 1;
export const PAGE_GROWS = 2;
export const PAGE_MARK = 4;

/** TLB: one word for each page of the 32-bit linear space: (host page - linear page) | Tlb bits. */
export const TLB_BYTES = 4 * MiB;
/** Bits in the low twelve of a TLB word. A zero word misses always. */
export const Tlb = {
  KERNEL_READ: 1,
  KERNEL_WRITE: 2,
  USER_READ: 4,
  USER_WRITE: 8,
  // Rights to a page with a data breakpoint: TLB_WATCHED_SHIFT above those. Only the slow paths find them there.
  WATCHED_KERNEL_READ: 16,
  WATCHED_KERNEL_WRITE: 32,
  WATCHED_USER_READ: 64,
  WATCHED_USER_WRITE: 128,
  // Rights to write that the page has but for its code: TLB_CODE_SHIFT above those.
  CODE_KERNEL_WRITE: 256,
  CODE_USER_WRITE: 1024,
  GLOBAL: 512,
  LARGE: 2048,
} as const;
export const TLB_CODE_SHIFT = 7;
export const TLB_WATCHED_SHIFT = 4;
export const TLB_LIST_ENTRIES = 16384;

/** Pages of the 32-bit linear space. */
const DIRECT_PAGES = 2 ** 20;

/** Jump cache: guest EIP -> function. Direct-mapped, but what was displaced may wait in the entries beside, in the same line of the host's cache (wasm/engine/jumps.ts). */
export const JumpEntry = struct({ eip: u32, gen: u32, func: u32, arg: u32 });
export const JUMP_ENTRIES = 32768;
/** By so much an EIP is shifted to spread what is at the same place of different pages: with 9 two of a kernel's functions share an entry as seldom as by chance, with 12 five times as often. */
export const JUMP_SHIFT = 9;
/** Entries that an EIP may be in: its own one, and those whose numbers differ in less than so much. */
export const JUMP_WAYS = 4;
/** Number of the entry that an EIP has. */
export const jumpIndex = (eip: number): number => (eip ^ (eip >>> JUMP_SHIFT)) & (JUMP_ENTRIES - 1);

/** Pages that a jump cache knows code of, by linear page: where they were mapped (wasm/engine/fetched.ts). */
export const Fetched = struct({ page: u32, gen: u32, frame: u32, unused: u32 });
export const FETCHED_ENTRIES = 2048;

/**
 * What the user's jump cache knows of an address space (wasm/engine/spaces.ts). `gen`: the generation of its entries; `used`: the lower, the longer ago the CPU entered it;
 * `count`: of its SpaceEntry records, or SPACE_UNKNOWN; `low`, `high`: linear page numbers of code that was found there.
 */
export const Space = struct({ cr3: u32, gen: u32, used: u32, count: u32, low: u32, high: u32 });
/** A word of its page tables by which code was found: host address, and what is there. */
export const SpaceEntry = struct({ at: u32, value: u32 });
export const SPACES = 8;
/** Of each of them. */
export const SPACE_ENTRIES = 512;
/** Nobody can tell whether code is where it was. */
export const SPACE_UNKNOWN = 0xffffffff;

/** Block hash: (physical address, EIP, mode) -> block; open hashing with chains through BlockHead.hashNext. */
export const BLOCK_HASH_BITS = 16;
export const BLOCK_HASH_ENTRIES = 1 << BLOCK_HASH_BITS;
/** Bytes of a CPU's decode arena: what all CPUs share, but within bounds. */
const ARENAS_BYTES = 192 * MiB;
const ARENA_MOST = 48 * MiB;
const ARENA_LEAST = 6 * MiB;

/**
 * Decoded instruction, as the interpreter's handlers read it: half a line of the host's cache, because a kernel's code is large and runs through. All addresses absolute.
 * Operands that are not in memory are in op0, op1 and, where none is, op2, in their order (RecordPlace).
 */
export const Record = struct(
  {
    /** Table index of the handler. */
    handler: u32,
    eip: u32,
    /** Operands: address of a register, or an immediate, or a number (segment, control register, ST index). */
    op0: u32,
    op1: u32,
    /** Addresses of base and index registers (the zero slot for none). */
    base: u32,
    index: u32,
    disp: u32,
    /** log2 of the index's scale; and ADDRESS16, which is no part of it to a shift. */
    scale: u8,
    /** Bytes of the instruction. */
    length: u8,
    /** Where in the CPU's state the SegCache is (segmented forms and strings only). */
    seg: u16,
  },
  32,
);
/** In Record.scale: effective addresses have 16 bits. */
export const ADDRESS16 = 32;

/** What stands in the place of a memory operand, or of operands. */
export const RecordPlace = {
  op2: Record.at.base,
  /** Target EIP of a direct branch (already wrapped to the operand size). */
  target: Record.at.op0,
  /** Head record of the block at `target`, or 0 where not yet linked or not linkable (another page). */
  link: Record.at.op1,
  /** The same for the fall-through of a block's last instruction. */
  linkNext: Record.at.base,
} as const;

/** The head of a block: begins as a Record does (its handler counts and polls), and is followed by the instructions' records. */
export const BlockHead = struct(
  {
    handler: u32,
    eip: u32,
    /** EIP behind the last instruction. */
    end: u32,
    /** Physical address of the first byte. */
    phys: u32,
    mode: u32,
    /** Executions so far, up to the hot threshold those since `heatSince`. */
    heat: u32,
    /** Instructions in the block. */
    count: u32,
    /** Next block in the hash chain. */
    hashNext: u32,
    /** Since when `heat` has been counted (heatNow in wasm/engine/engine.ts). */
    heatSince: u32,
    /** Table slot of the region that starts here; 0: none. */
    region: u32,
    /** Physical page of the block's last byte, where it crosses a page, else the same as the first. */
    lastPage: u32,
    /** How many bytes of code it was made from: they stand behind the block's records. */
    bytes: u32,
    /** The EIP that a jump cache has known it by, or MANY_PLACES: it may be any; 0: none has. */
    place: u32,
  },
  64,
);

/** In BlockHead.place. */
export const MANY_PLACES = 1;

/** One line of the execution trace. */
export const TraceRecord = struct({
  /** Low byte: TraceKind. Above it, for a delivery: vector and bits of Delivery. */
  kind: u32,
  eip: u32,
  /** Selector. */
  cs: u32,
  cpl: u32,
  cr3: u32,
  /** All of EFLAGS. */
  eflags: u32,
  gpr: array(8, u32),
  /** Of a delivery only. */
  error: u32,
  cr2: u32,
});
/** Bits of Cpu.traceSkips: what a CPU's trace has nothing of. Interrupts are those of INT n as well. */
export const TraceSkips = { BLOCKS: 1, EXCEPTIONS: 2, INTERRUPTS: 4, ALL: 7 } as const;
export const TraceKind = { INTERPRETED: 0, TRANSLATED: 1, DELIVERY: 2 } as const;
/** Records in a CPU's trace ring, and after how many the host is told; powers of two. */
export const TRACE_RECORDS = 16384;
export const TRACE_WAKE = 4096;

/** A CPU's block: state, TLB, lists, jump caches, block hash, trace, decode arena. */
export const CpuArea = struct(
  {
    state: area(Cpu.size, PAGE),
    jumpKernel: area(JUMP_ENTRIES * JumpEntry.size, PAGE),
    jumpUser: area(JUMP_ENTRIES * JumpEntry.size, PAGE),
    tlbList: area(TLB_LIST_ENTRIES * 4, PAGE),
    tlbGlobalList: area(TLB_LIST_ENTRIES * 4, PAGE),
    blockHash: area(BLOCK_HASH_ENTRIES * 4, PAGE),
    tlb: area(TLB_BYTES, PAGE),
    /** A byte for each page from the direct map's origin on (Control.directOrigin): 1 where this CPU may store to it, and to the first bytes of the page behind it,
     * without a look at anything. */
    directStores: area(DIRECT_PAGES, PAGE),
    trace: records(TRACE_RECORDS, TraceRecord, PAGE),
    fetchedKernel: records(FETCHED_ENTRIES, Fetched, PAGE),
    fetchedUser: records(FETCHED_ENTRIES, Fetched, PAGE),
    spaces: records(SPACES, Space, PAGE),
    /** SPACE_ENTRIES for each of them. */
    spaceEntries: records(SPACES * SPACE_ENTRIES, SpaceEntry, PAGE),
    /** Loads of ES and DS in flat code, and of FS and GS, by descriptor; and bytes that are no descriptor which such a load could find, in the place of a table. */
    provenFlat: records(PROVEN_DESCRIPTORS, SegmentProof, PAGE),
    provenFree: records(PROVEN_DESCRIPTORS, SegmentProof, PAGE),
    noTable: area(PROVEN_DESCRIPTORS * 8, 16),
    /** Of the kernel, of the user. */
    prof: records(PROF_LEVELS, ProfCounts, PAGE),
    /** What clients have for each CPU (machine/clients.ts). */
    clients: area(CLIENT_CPU_BYTES, PAGE),
    /** What the runtime does for them; and of the string instruction that faults. */
    clientWords: records(1, ClientWords, PAGE),
    stringParts: records(STRING_PARTS, StringPart, 16),
    /** A ring of samples. */
    flame: records(FLAME_RECORDS, FlameRecord, PAGE),
    /** To the end of the CPU's block. */
    arena: area(0, PAGE),
  },
  WASM_PAGE,
);

export interface MemoryPlan {
  readonly ramBytes: number;
  readonly cpuCount: number;
  readonly pageMeta: number;
  readonly cpus: number;
  /** Bytes from one CPU's block to the next. */
  readonly cpuStride: number;
  /** What clients have for all CPUs together: where, and how many bytes. Guest RAM goes before: of the largest machines there is less. */
  readonly clients: number;
  readonly clientBytes: number;
  /** Whole size in WebAssembly pages of 64 KiB. */
  readonly wasmPages: number;
}

const up = (value: number, to: number) => Math.ceil(value / to) * to;

/** Every address, and the end of everything, is a positive 32-bit integer: JavaScript finds a word by a signed shift. */
const LAST_END = 2 ** 31 - WASM_PAGE;

function place(cpuCount: number, ramBytes: number) {
  const pageMeta = up(RAM + ramBytes, WASM_PAGE);
  const cpus = up(pageMeta + (ramBytes / PAGE) * PageMeta.size, WASM_PAGE);
  const arena = Math.min(Math.max(ARENAS_BYTES / cpuCount, ARENA_LEAST), ARENA_MOST);
  const cpuStride = up(CpuArea.size + arena, WASM_PAGE);
  return { pageMeta, cpus, cpuStride, end: cpus + cpuCount * cpuStride };
}

/** The most RAM that a machine of `cpuCount` CPUs can have: a multiple of 64 KiB. */
export function largestMemory(cpuCount: number): number {
  const { cpus, end } = place(cpuCount, 0);
  const free = LAST_END - (end - cpus) - RAM;
  // A page of RAM needs its metadata as well, and both end on a 64 KiB page.
  const most = Math.floor(free / (1 + PageMeta.size / PAGE) / WASM_PAGE) * WASM_PAGE;
  return place(cpuCount, most).end <= LAST_END ? most : most - WASM_PAGE;
}

/** Addresses for a machine of `cpuCount` CPUs and `ramBytes` of RAM (a multiple of 64 KiB). Throws BAD_OPTION where they do not fit. */
export function planMemory(cpuCount: number, ramBytes: number): MemoryPlan {
  const { pageMeta, cpus, cpuStride, end } = place(cpuCount, ramBytes);
  if (end > LAST_END) {
    const most = largestMemory(cpuCount);
    throw new DragomanError(
      'BAD_OPTION',
      `${ramBytes} bytes of memory are too many for ${cpuCount === 1 ? 'one CPU' : `${cpuCount} CPUs`}: at most ${most} (${Math.floor(most / MiB)} MiB)`,
      'memoryBytes',
    );
  }
  const clientBytes = Math.min(up(ramBytes / CLIENT_RAM_PARTS, WASM_PAGE) + CLIENT_SHARED_BYTES, LAST_END - end);
  return { ramBytes, cpuCount, pageMeta, cpus, cpuStride, clients: end, clientBytes, wasmPages: (end + clientBytes) / WASM_PAGE };
}

/** Base address of CPU `index`. */
export const cpuBase = (plan: MemoryPlan, index: number): number => plan.cpus + index * plan.cpuStride;
