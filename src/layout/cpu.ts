// The state of one simulated CPU in shared memory. Every address is `cpu base + offset`.
import { SLOW_PATHS, SlowCost } from './costs.ts';
import { area, array, records, shared32, struct, u16, u32, u64 } from './struct.ts';

/** Bytes between two general registers (wide enough for x86-64); AH is at +1 of EAX's slot. */
export const GPR_STRIDE = 8;
export const GPR_COUNT = 16;
/** Counters for functions of the host. */
export const HOST_COUNTERS = 24;
/** So many of them the code has that is translated: 32 bits and less. */
export const CODE_GPRS = 8;

/** So many xmm registers it has. */
export const CODE_XMMS = 8;

/** Numbers of the general registers, as the instruction encoding has them (SDM vol. 2, 2.1.5). */
export const Gpr = { EAX: 0, ECX: 1, EDX: 2, EBX: 3, ESP: 4, EBP: 5, ESI: 6, EDI: 7 } as const;

/** Numbers of the segment caches; the first six as the encoding of Sreg has them. */
export const Seg = { ES: 0, CS: 1, SS: 2, DS: 3, FS: 4, GS: 5, LDTR: 6, TR: 7 } as const;

/** A segment register with its hidden part (SDM vol. 3, 3.4.3). */
export const SegCache = struct({
  selector: u32,
  base: u32,
  /** Highest valid offset, in bytes (granularity applied). */
  limit: u32,
  /** Bits 8..23 of the descriptor's second word, at bits 8..23 (type, S, DPL, P, AVL, D/B, G); 0 where the selector is null. */
  access: u32,
  /** Fast checks: any read of up to 16 bytes at offset <= topRead is inside the limit and allowed. 0: ask the slow path
   * (an offset of 0 then takes the slow path as well, so a test is `offset < topRead`, unsigned). */
  topRead: u32,
  topWrite: u32,
});

/** What a load of a segment register by a selector of the GDT was found to do (wasm/segments/proven.ts). */
export const SegmentProof = struct(
  {
    /** The register behind it: a SegCache. */
    segment: area(SegCache.size, 16),
    /** The selector that this holds for; NO_SELECTOR: for none. */
    selector: u32,
    /** Its descriptor then. */
    words: u64,
  },
  64,
);
export const NO_SELECTOR = 0x10000;
/** Descriptors of the GDT that loads are proven of. */
export const PROVEN_DESCRIPTORS = 32;

/** What a breakpoint of DR0 to DR3 stands for now (SDM vol. 3, 17.2.4), or one of the host's; its kinds are bits of BreakpointKind, 0 where it is not enabled. */
export const Breakpoint = struct({
  kinds: u32,
  /** The first address (linear, or of a port) that it is for, and how many bytes. */
  first: u32,
  length: u32,
});
export const BreakpointKind = { EXECUTE: 1, READ: 2, WRITE: 4, PORT: 8 } as const;

/** A register of the x87; MMn is the significand of Rn. */
export const FpuRegister = struct({
  significand: u64,
  /** Sign (bit 15) and biased exponent. */
  signExponent: u16,
});

/** A task as it was read from its TSS (in Cpu.scratch, while tasks are switched). */
export const IncomingTask = struct({ eip: u32, eflags: u32, gpr: array(8, u32), seg: array(6, u16), ldt: u16 });
/** The stack of an inner privilege level, with the words of its segment's descriptor (in Cpu.scratch, while control is transferred). */
export const InnerStack = struct({ selector: u32, low: u32, high: u32, esp: u32 });

/** One of the last exceptions and interrupts (Cpu.lastDeliveries). */
export const DeliveryNote = struct({
  /** The vector, with bits of Delivery. */
  what: u32,
  error: u32,
  /** Of the instruction that was interrupted, or that raised it. */
  eip: u32,
  cr2: u32,
});
/** Entries of Cpu.lastDeliveries and Cpu.lastBlocks; powers of two. */
export const LAST_DELIVERIES = 16;
export const LAST_BLOCKS = 16;

export const Cpu = struct(
  {
    /** General registers, GPR_STRIDE apart. */
    gpr: array(GPR_COUNT, u32, GPR_STRIDE),
    /** Offset in CS of the current instruction; only exact when no translated code runs, or a fault is being raised. */
    eip: u32,
    eipHigh: u32,
    /** Lazy flags, two words (see docs/architecture.md, "Flags"): the sign-extended result ... */
    flagR: u32,
    /** ... and the carries: CF bit 31; CF^OF bit 30; parity delta bits 15..8; AF bit 3; sign delta bit 0. */
    flagX: u32,
    /** EFLAGS without CF PF AF ZF SF OF (those bits are 0 here); bit 1 is always set. */
    eflags: u32,
    cpl: u32,
    /** A slot that is always zero: stands for "no base" or "no index" in interpreter records. */
    zero: { ...shared32, bytes: 8, align: 8 },
    seg: records(8, SegCache, 16),
    gdtBase: u32,
    gdtLimit: u32,
    idtBase: u32,
    idtLimit: u32,
    cr0: u32,
    cr2: u32,
    cr3: u32,
    cr4: u32,
    dr: array(8, u32),
    /** PDPTE registers of PAE paging (SDM vol. 3, 4.4.1), loaded by MOV CR3. */
    pdpte: array(4, u64),
    /** Index into Mode: which specialisation of code may run now. */
    mode: u32,
    /** 0xffffffff or 0xffff: mask of ESP by SS.B. */
    stackMask: u32,

    // Faults and interrupts -----------------------------------------------------------------------------------------
    /** 0: none; otherwise FAULT | vector: an exception that the current instruction raised and that is not yet delivered. */
    fault: u32,
    faultError: u32,
    /** Poll word: OR of Pending bits; tested at back-edges, returns and block heads. Set by anybody with Atomics. Upper half: what is held (PENDING_HELD_SHIFT). */
    pending: shared32,
    /** Nonzero: interrupts are held off for one more instruction (Shadow: after STI; after MOV SS or POP SS also debug traps). */
    shadow: u32,
    /** 1 while HLT waits. */
    halted: u32,
    /** Exit of the run loop (Exit), with its argument. */
    exit: u32,
    exitArg: u32,
    /** Extra words of an exit. */
    exitData: array(4, u32),
    /** Nonzero: run one instruction at a time (Step bits). */
    step: u32,
    /** Nonzero while a block of one instruction runs: bit 0; bit 1 where EFLAGS.TF was set at its start; bit 2 where it was a string
     * instruction that must go on (REP). */
    stepArmed: u32,
    /** Nonzero where an x87/MMX instruction must raise #NM (CR0.EM or CR0.TS). */
    fpuTrap: u32,
    /** Nonzero where an SSE instruction must raise: SSE_UD or SSE_NM. */
    sseTrap: u32,
    /** FPU_ERROR where a pending x87 exception stops the next waiting instruction; 0 while CR0.NE is clear and IGNNE# asserted. */
    fpuStop: u32,
    /** Control.shadowRam as this CPU's TLB and code know it. */
    shadowRamSeen: u32,
    /** 1 while FERR# is asserted: a waiting instruction found a pending exception, with CR0.NE clear. */
    ferr: u32,
    index: u32,
    apicId: u32,
    /** 1 from the delivery of an NMI to the next IRET (SDM vol. 3, 6.7.1). */
    nmiBlocked: u32,
    /** DR6 bits of breakpoints on data and ports that the current instruction (or delivery) hit, for the #DB behind it. */
    debugPending: u32,

    // Model-specific registers ---------------------------------------------------------------------------------------
    tscOffset: u64,
    sysenterCs: u32,
    sysenterEsp: u32,
    sysenterEip: u32,
    apicBase: u32,
    msr: array(32, u64),

    // Pointers into this CPU's own areas (absolute addresses) --------------------------------------------------------
    tlb: u32,
    tlbList: u32,
    tlbListCount: shared32,
    tlbGlobalList: u32,
    tlbGlobalCount: shared32,
    /** Bitmap, a bit for each 4 MiB of linear space, of regions that large pages filled. */
    tlbLarge: array(32, u32),
    jumpKernel: u32,
    jumpUser: u32,
    /** Current generations: an entry of another generation is stale. */
    jumpKernelGen: u32,
    jumpUserGen: u32,
    /** The user's last generation so far, and the first of those that may be gone on with: one that an address space left behind comes back with it (wasm/engine/spaces.ts). */
    jumpUserLast: u32,
    jumpUserFirst: u32,
    /** Number of the address space, in CpuArea.spaces, that the CPU is in, and how many it has entered so far. */
    space: u32,
    spacesEntered: u32,
    /** 1 where the kernel's jump cache holds entries of pages that are not global. */
    jumpKernelLocal: u32,
    blockHash: u32,
    arena: u32,
    arenaNext: u32,
    arenaEnd: u32,
    /** CS.base that the jump caches' entries are for. */
    jumpBase: u32,
    /** Linear page numbers, lowest and highest, that entries of the jump caches are for, of those that are not (only) in Fetched; possibly too wide. */
    jumpKernelLow: u32,
    jumpKernelHigh: u32,
    jumpUserLow: u32,
    jumpUserHigh: u32,
    /** Regions that wait for their callee to return (emit/region/calls.ts): the EIP that the last one goes on at, its complement when somebody has come back there, or NO_RETURN; and
     * how many wait. */
    callReturn: u32,
    callDepth: u32,
    /** Where the page begins of which code that floats runs (`floats`): its blocks and regions have EIPs less this. 0 in all other code. */
    codePage: u32,

    // x87, MMX, SSE ----------------------------------------------------------------------------------------------------
    /** Physical registers R0..R7. */
    fpr: records(8, FpuRegister, 16),
    fcw: u32,
    /** Status word without TOP (bits 11..13 are 0 here). */
    fsw: u32,
    ftop: u32,
    /** Bit n set: physical register n is in use (the abridged tag word of FXSAVE). */
    ftw: u32,
    fop: u32,
    fip: u32,
    fcs: u32,
    fdp: u32,
    fds: u32,
    mxcsr: u32,
    xmm: area(16 * 16, 16),
    /** 32 bytes for helpers to take and return wide values in. */
    scratch: area(64, 16),
    /** What the slow way of a load of translated code found. */
    loaded: area(16, 16),

    // Counters (u64 each, written by this CPU only) -----------------------------------------------------------------------
    countTlbMisses: u64,
    countFaults: u64,
    countInterrupts: u64,
    countExits: array(32, u64),
    /** Nanoseconds that exits took until the CPU ran again, by reason. */
    exitNs: array(32, u64),
    /** Calls of functions of the host and nanoseconds in them, in the order of hostFunctions (runtime/host.ts); only where Control.countInstructions asks for it. */
    countHost: array(HOST_COUNTERS, u64),
    hostNs: array(HOST_COUNTERS, u64),
    /** By SlowPath. */
    slow: records(SLOW_PATHS, SlowCost),
    /** Bytes of published modules this CPU has installed (see Control.published). */
    consumed: u32,
    /** Entries of DROP_QUEUE that this CPU has seen to. */
    droppedSeen: u32,
    /** Nonzero: some accesses, or some code, are looked at more closely, and are kept off the fast paths (Watch bits). */
    watch: u32,
    /** Set by every store of this CPU that hit code; a region that called a helper which stores looks at it, and clears it. */
    codeChanged: u32,
    /** EIP of the instruction that Cpu.shadow is for: elsewhere it means nothing any more. */
    shadowEip: u32,
    /** Nanoseconds that HLT has slept, and since when (from power-on) it sleeps now; 0: it does not. */
    idleNs: u64,
    idleSinceNs: u64,
    /** Guest instructions by engine, a block at a time; only where Control.countInstructions asks for it. */
    countInterpreted: u64,
    countTranslated: u64,
    /** Nanoseconds from power-on until the CPU began to run; 0: not yet. */
    startedNs: u64,
    /** Kicks (Pending.KICK) by the engine that was running. */
    samplesInterpreted: u64,
    samplesTranslated: u64,
    /** For dumps: EIPs of code that was entered through the runtime's slow ways (see wasm/engine/history.ts), and how many so far: the newest is
     * at count - 1, modulo LAST_BLOCKS. */
    lastBlocks: array(LAST_BLOCKS, u32),
    lastBlockCount: u32,
    lastDeliveries: records(LAST_DELIVERIES, DeliveryNote),
    lastDeliveryCount: u32,
    /** Records of the trace written (by this CPU) and read (by the host) so far, modulo 2^32. */
    traceHead: shared32,
    traceTail: shared32,
    /** TraceSkips bits, which the host changes at any time. */
    traceSkips: shared32,
    /** Nanoseconds that installing published modules took, and their number. */
    installNs: u64,
    countInstalls: u64,
    /** 1 while the CPU touches no guest memory and holds nothing that it found in its TLB: not started, in HLT, or held (wasm/memory/exclusive.ts). */
    parked: shared32,
    /** 1 while a locked instruction of this CPU runs with all others parked. */
    exclusive: u32,
    /** PAUSE instructions so far, modulo 2^32. */
    pauses: u32,
    /** Lockstep: instructions that are left of this CPU's slice (machine/lockstep/lockstep.ts). */
    budget: u32,
    /** 1 from INIT (or power-on, but for the boot CPU) to the start-up IPI. */
    awaitsStartup: u32,
    /** DR0 to DR3 as DR7 enables them. */
    breakpoints: records(4, Breakpoint),
    /** From the first byte with a data breakpoint to the last one: where that is, and how many bytes (0: there is none). */
    watchFirst: u32,
    watchBytes: u64,
    /** Host address that the load of a read-modify-write found in the slow path (`rmwSlow` in wasm/memory/access.ts), for its store; 0: the store must take the slow path, too. */
    rmwHost: u32,
    /** An access so many bytes or more behind Control.directOrigin is not known to be in the direct map, as this CPU's page tables and its TLB have it. */
    directBytes: u32,
    /** From where on, and how far, the direct map is code of the kernel: present, of global pages, executable. */
    codeFrom: u32,
    codeBytes: u32,
    /** The page (from the origin on) that last could not be had in CpuArea.directStores. */
    directRefused: u32,
    /** While an interrupt is taken at a point of a region (POINTS): the point's address, which the frame gets first; else 0. */
    point: u32,
    /** Control.relax as this CPU goes by it. */
    relaxSeen: u32,
    /** How often a direct map was looked for at MOV CR3. */
    directTries: u32,
    /** Host address of the GDT as a TLB may have it, and 1 where the page is not global (wasm/segments/proven.ts); CpuArea.noTable: it is to be looked for. */
    gdtHost: u32,
    gdtLocal: u32,
    /** How often regions could not rely on their stack at their entry (wasm/engine/reach.ts). */
    countRefused: u64,
    /** Nonzero: the time-stamp counter must be asked for, because the guest holds clocks against each other (machine/board/stalls.ts). */
    clockWatch: u32,
    /** Where the client prof counts: why the dispatcher is entered next (ProfReason and ProfWhy). */
    profWhy: u32,
    /** Whether the CPU's thread rests (Rest): see machine/threads/rest.ts. */
    rest: shared32,
    /** At Exit.DEBUG: why (DebugStop), and the number of the point that was met (Control.debugPoints). */
    debugStop: u32,
    debugPoint: u32,
    /** 1: the host goes on here, and the points at this instruction have been met. */
    debugPass: u32,
    /** Instructions that are left where the host runs so many (Step.DEBUG). */
    stepsLeft: u32,
    /** Records in CpuArea.flame that were written (by this CPU) and read (by the host) so far, and samples that found no room, modulo 2^32. */
    flameHead: shared32,
    flameTail: shared32,
    flameLost: u32,
    /** Of the kicks (samplesInterpreted, samplesTranslated) those that met code of CPL 3. */
    samplesUser: u64,
  },
  4096,
);

/** Code is specialised on these bits of the CPU's state (Cpu.mode). */
export const Mode = {
  /** CS.D: 32-bit operands and addresses are the default. */
  CODE32: 1,
  /** CS, DS, ES and SS have base 0 and limit 4 GiB, with CS.D and SS.B set: no segment arithmetic at all. */
  FLAT: 2,
  /** CPL is 3: accesses use the user's rights. */
  USER: 4,
  /** Not a state of the CPU: the block holds one instruction, to be run alone (Cpu.step). */
  STEP: 8,
  /** Not a state of the CPU: the block is of a page with an instruction breakpoint, and ends before the next one. It has no region and no links. */
  BREAK: 16,
  /** CR0.PG is clear: linear addresses are physical ones. */
  PHYSICAL: 32,
  /** Control.placed: no code floats. */
  PLACED: 64,
} as const;

/**
 * Whether code of a mode has no place: flat code of programs, which each process maps where it likes. Its blocks and regions hold offsets in its page in the place of EIPs, so that
 * they are those of all processes; where the page is says Cpu.codePage.
 */
export const floats = (mode: number): boolean => (mode & (Mode.FLAT | Mode.USER | Mode.PLACED)) === (Mode.FLAT | Mode.USER);
/** The EIP that code at an EIP is known by. */
export const ownEip = (eip: number, mode: number): number => (floats(mode) ? eip & 0xfff : eip);

/** Bits of Cpu.mode from here on: the limit of CS where code must mind it, as limitCode makes it; 0 in flat code. */
export const MODE_LIMIT_SHIFT = 8;
/** In the code of a limit: it counts pages (the low twelve bits of such a limit are ones). */
export const MODE_LIMIT_PAGES = 0x100000;

/** The highest EIP that code of a mode may be fetched from. */
export function codeLimit(mode: number): number {
  const code = mode >>> MODE_LIMIT_SHIFT;
  if (code === 0) return 0xffffffff;
  return code > MODE_LIMIT_PAGES ? (((code - 1) << 12) | 0xfff) >>> 0 : code - 1;
}

/** Cpu.fault is FAULT | vector while an exception is on its way. */
export const FAULT = 0x100;
/** Set with FAULT where the exception pushes an error code. */
export const FAULT_HAS_ERROR = 0x200;
/** Not a guest exception: a region asks that this instruction be run by the interpreter. */
export const FAULT_BAIL = 0x400;
/** Not a guest exception either: what is at eip is looked up. */
export const FAULT_AGAIN = 0x1000;
/** Set with FAULT where the exception is a trap: eip already points behind the instruction. */
export const FAULT_TRAP = 0x800;

/** Status word of the x87: an unmasked exception is pending (ES). */
export const FPU_ERROR = 0x80;
export const SSE_UD = 1;
export const SSE_NM = 2;

/** Bits beside the vector of a DeliveryNote or a TraceRecord. None of INTERRUPT, SOFTWARE: an exception. */
export const Delivery = {
  /** An error code belongs to it. */
  ERROR: 0x100,
  /** External, or an NMI. */
  INTERRUPT: 0x200,
  /** INT n, INT3, INTO or INT1. */
  SOFTWARE: 0x400,
  /** An exception that was not delivered: it came while a double fault was. */
  SHUTDOWN: 0x800,
} as const;

/** Bits of Cpu.pending. */
export const Pending = {
  /** A maskable interrupt may be waiting at the local APIC or the 8259. */
  INTR: 1,
  NMI: 2,
  INIT: 4,
  SIPI: 8,
  /** Leave the run loop: somebody wants the CPU's host thread. */
  STOP: 16,
  /** The translator published a new epoch. */
  INSTALL: 32,
  /** A timer deadline passed: the host should run the local timer. */
  TIMER: 64,
  SMI: 128,
  /** A device wrote to pages with code: drop what came from them before the next interrupt. */
  DROP: 256,
  /** Leave the loop that runs and come back at once: the engine may have better code for it by now. */
  KICK: 512,
  /** Another CPU needs the memory for itself: park until this bit goes (wasm/memory/exclusive.ts). */
  HOLD: 1024,
  /** A second NMI: it came before the CPU took the one that NMI stands for. Alone it means the same as NMI. */
  NMI_AGAIN: 2048,
  /** The host wants the CPU to rest (Cpu.rest). */
  PAUSE: 4096,
  /** The client flame wants a sample of what it does (wasm/engine/sample.ts). */
  SAMPLE: 8192,
} as const;

/** Values of Cpu.rest and Control.timekeeperRest: the thread runs; it is asked to rest; it rests until the word changes. */
export const Rest = { RUNS: 0, ASKED: 1, RESTS: 2 } as const;

/** Why a CPU stopped for the host: at an instruction, behind an access to data, behind as many instructions as were asked for. */
export const DebugStop = { NONE: 0, CODE: 1, DATA: 2, STEPPED: 3 } as const;

/** Beside the bits of DR6 of breakpoints that were hit: one of the host's was (Cpu.debugPoint). */
export const HOST_HIT = 0x80000000;

/**
 * INTR while EFLAGS.IF is clear and NMIs while one is being served are held: so many bits higher in Cpu.pending, where no poll looks. The first poll
 * that cannot take one holds it; whoever sets IF, or ends the service, lets it go (wasm/system/held.ts).
 */
export const PENDING_HELD_SHIFT = 16;

/** Bits of Cpu.step. */
export const Step = {
  TF: 1,
  /** A delivery hit a data breakpoint: #DB comes before the next instruction. */ TRAP: 2,
  BAIL: 4,
  FORCED: 8,
  /** The instruction in the shadow of STI or MOV SS. */ SHADOW: 16,
  /** One is under way. */ ARMED: 32,
  /** No step: CS:EIP was entered from elsewhere, and its code is to be looked up whatever the jump cache knows (without Relax.ENTRIES). */
  LOOKUP: 64,
  /** The host runs Cpu.stepsLeft instructions of this CPU alone; no interrupt is taken meanwhile. */
  DEBUG: 128,
} as const;

/** Cpu.callReturn where nobody waits, or whoever does may not go on: its code, or the mode, is another one. */
export const NO_RETURN = 0xffffffff;

/** Cpu.budget, or a little less, of a slice that is to end now, however much of it is left. */
export const SLICE_OVER = -0x40000000;

/** Values of Cpu.shadow. */
export const Shadow = { STI: 1, SS: 2 } as const;

/** Bits of Cpu.watch: data breakpoints are enabled; alignment is checked (CR0.AM and EFLAGS.AC at CPL 3); instruction breakpoints are enabled. */
export const Watch = { DATA: 1, ALIGN: 2, CODE: 4 } as const;

/** Why the run loop came back to JavaScript. */
export const Exit = {
  NONE: 0,
  /** No block is known for the current EIP: decode one. */
  LOOKUP: 1,
  HALT: 2,
  STOP: 3,
  INSTALL: 4,
  TRIPLE_FAULT: 5,
  /** An error of ours: exitArg says which. */
  INTERNAL: 7,
  RESET: 8,
  TIMER: 9,
  INIT: 11,
  SIPI: 12,
  /** An exception is on its way and Control.stopOnFault asks to see it (Cpu.fault). */
  FAULT: 13,
  DROP: 14,
  /** Lockstep: what comes next is more than is left of the slice. */
  SLICE: 15,
  /** The host wants the CPU to rest (Pending.PAUSE). */
  PAUSE: 16,
  /** The host's debugging stops the CPU here (Cpu.debugStop). */
  DEBUG: 17,
} as const;

/** Bits of EFLAGS (SDM vol. 1, 3.4.3). */
export const Eflags = {
  CF: 1,
  ONE: 2,
  PF: 4,
  AF: 0x10,
  ZF: 0x40,
  SF: 0x80,
  TF: 0x100,
  IF: 0x200,
  DF: 0x400,
  OF: 0x800,
  IOPL: 0x3000,
  NT: 0x4000,
  RF: 0x10000,
  VM: 0x20000,
  AC: 0x40000,
  VIF: 0x80000,
  VIP: 0x100000,
  ID: 0x200000,
  /** The six arithmetic flags. */
  ARITH: 0x8d5,
} as const;

/** Exception vectors (SDM vol. 3, 6.3.1). */
export const Vector = {
  DE: 0,
  DB: 1,
  NMI: 2,
  BP: 3,
  OF: 4,
  BR: 5,
  UD: 6,
  NM: 7,
  DF: 8,
  TS: 10,
  NP: 11,
  SS: 12,
  GP: 13,
  PF: 14,
  MF: 16,
  AC: 17,
  MC: 18,
  XM: 19,
} as const;
