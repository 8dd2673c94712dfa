// The runtime's interface: a line for each function of wasm/ that emitted code (handlers, regions) or the host may call, with its types and what it does to the CPU. Lifts
// and emitters hold these objects, so a name that is not here does not compile; the build compares the lines with what the compiled runtime exports (scripts/check-abi.ts).
import type { Effects, Place, Type } from '../ir/types.ts';
import { Cpu, Gpr } from '../layout/cpu.ts';

/** A function that the runtime exports. */
export interface Exported {
  readonly name: string;
  readonly params: readonly Type[];
  readonly result: Type | undefined;
}
/** One that emitted code may call, with what it does to the CPU (test/unit/runtime/effects.test.ts compares that with what it can reach). `P`: its parameters behind the CPU's address. */
export interface RuntimeFunction<P extends readonly Type[] = readonly Type[]> extends Exported {
  readonly params: readonly ['i32', ...P];
  readonly effects: Effects;
}
/** One whose result is Cpu.fault. */
export interface AccessWay<P extends readonly Type[] = readonly Type[]> extends RuntimeFunction<P> {
  readonly gives: 'fault';
}
/** One that has done nothing of its effects where its result is 0. */
export interface Poll extends RuntimeFunction<readonly ['i32']> {
  readonly gives: 'done';
}

/** Where the x87's state lies. */
export const STATUS: Place = { at: Cpu.at.fsw, end: Cpu.at.fsw + 4 };
export const TAGS: Place = { at: Cpu.at.ftw, end: Cpu.at.ftw + 4 };
export const TOP: Place = { at: Cpu.at.ftop, end: Cpu.at.ftop + 4 };
export const REGISTERS: Place = { at: Cpu.at.fpr, end: Cpu.at.fpr + 8 * 16 };
export const MXCSR: Place = { at: Cpu.at.mxcsr, end: Cpu.at.mxcsr + 4 };
/** Where functions leave numbers. */
export const NUMBER: Place = { at: Cpu.at.scratch, end: Cpu.at.scratch + 16 };

/** Effects of a function that may do anything to the CPU: transfers, interrupts, mode changes. */
const ANYTHING = { mayFault: true, reads: 'all', writes: 'all', flags: 'rw', eip: true, forgets: true } as const;
/** Of one that may fault but leaves registers and flags alone. */
const FAULTS = { mayFault: true, eip: true } as const;
/** Of one that may also take translations out of the TLB (or has debug registers watch them), or waits for the host. */
const FORGETS = { ...FAULTS, forgets: true } as const;
/** Of one that stores to guest memory. */
const STORES = { ...FAULTS, stores: true } as const;
/** Of one that computes in floating point: it may raise #XM. */
const ARITHMETIC = { mayFault: true, eip: true, changes: [MXCSR] } as const;
/** Of one that computes or loads on the x87's stack. */
const X87 = { changes: [STATUS, TOP, TAGS, REGISTERS] } as const;
/** Of a load or store of guest memory, which is given its EIP. */
const ACCESS = { mayFault: true } as const;
/** Of a store that may change the code that makes it. (Those of regions refuse to.) */
const STORE = { ...ACCESS, stores: true } as const;

const { EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI } = Gpr;
const [i32, i64, f32, f64, v128] = ['i32', 'i64', 'f32', 'f64', 'v128'] as const;

/** A line: the parameters behind the CPU's address, what it does, and the type of its result, if any. */
const fn = <const P extends readonly Type[], const R extends Type | undefined = undefined>(
  params: P,
  effects: Effects = {},
  result?: R,
) => ({
  params: [i32, ...params] as const,
  effects,
  result: result as R,
});
/** A line of an access, which gives Cpu.fault. */
const way = <const P extends readonly Type[]>(params: P, effects: Effects) => ({ ...fn(params, effects, 'i32'), gives: 'fault' }) as const;
/** A line of a poll. */
const poll = () => ({ ...fn([i32], ANYTHING, 'i32'), gives: 'done' }) as const;
/** A line of a function that the host alone calls, between two instructions. */
const forHost = <const P extends readonly Type[], const R extends Type | undefined = undefined>(params: P, result?: R) => ({
  params,
  result: result as R,
});

type Line = Omit<Exported, 'name'>;
const named = <T extends Record<string, Line>>(lines: T) =>
  Object.fromEntries(Object.entries(lines).map(([name, line]) => [name, { name, ...line }])) as {
    readonly [K in keyof T]: T[K] & { readonly name: K & string };
  };

// biome-ignore format: a line each
export const runtime = named({
  // Guest memory: what emitted code asks where the TLB does not tell. The last parameter is the EIP of the instruction; the result is Cpu.fault, and what a load found is in
  // Cpu.loaded.
  slowLoad8: way([i32, i32], ACCESS),
  slowLoad16: way([i32, i32], ACCESS),
  slowLoad32: way([i32, i32], ACCESS),
  slowLoad64: way([i32, i32], ACCESS),
  slowLoad128: way([i32, i32], ACCESS),
  slowRmw8: way([i32, i32], ACCESS),
  slowRmw16: way([i32, i32], ACCESS),
  slowRmw32: way([i32, i32], ACCESS),
  slowRmw64: way([i32, i32], ACCESS),
  slowStore8: way([i32, i32, i32], STORE),
  slowStore16: way([i32, i32, i32], STORE),
  slowStore32: way([i32, i32, i32], STORE),
  slowStore64: way([i32, i64, i32], STORE),
  slowStore128: way([i32, v128, i32], STORE),

  // The same for regions, which must not change code themselves: FAULT_BAIL.
  regionRmw8: way([i32, i32], ACCESS),
  regionRmw16: way([i32, i32], ACCESS),
  regionRmw32: way([i32, i32], ACCESS),
  regionRmw64: way([i32, i32], ACCESS),
  regionStore8: way([i32, i32, i32], ACCESS),
  regionStore16: way([i32, i32, i32], ACCESS),
  regionStore32: way([i32, i32, i32], ACCESS),
  regionStore64: way([i32, i64, i32], ACCESS),
  regionStore128: way([i32, v128, i32], ACCESS),

  // The same for regions of kernels, by the address less Control.directOrigin, which the TLB is asked for first (wasm/memory/direct-access.ts).
  directLoad8: way([i32, i32], ACCESS),
  directLoad16: way([i32, i32], ACCESS),
  directLoad32: way([i32, i32], ACCESS),
  directLoad64: way([i32, i32], ACCESS),
  directLoad128: way([i32, i32], ACCESS),
  directRmw8: way([i32, i32], ACCESS),
  directRmw16: way([i32, i32], ACCESS),
  directRmw32: way([i32, i32], ACCESS),
  directRmw64: way([i32, i32], ACCESS),
  directStore8: way([i32, i32, i32], ACCESS),
  directStore16: way([i32, i32, i32], ACCESS),
  directStore32: way([i32, i32, i32], ACCESS),
  directStore64: way([i32, i64, i32], ACCESS),
  directStore128: way([i32, v128, i32], ACCESS),

  // Whether bytes of a stack may be loaded and stored without a look: (address less Control.directOrigin, bytes, EIP) to Cpu.fault. Where not, the instruction there is done alone, or
  // looked up again (then behind the EIP stands that of the region's entry).
  proveReach: fn([i32, i32, i32], ACCESS, i32),
  proveReachAgain: fn([i32, i32, i32, i32], ACCESS, i32),

  // Linear address of an offset in a segment: (SegCache, offset, bytes, write, EIP).
  slowLinear: fn([i32, i32, i32, i32, i32], ACCESS, i32),

  // Locked accesses: (linear, bytes, region, EIP) to a host address, or 0; then the load and the store for which there was none.
  lockedHost: fn([i32, i32, i32, i32], ACCESS, i32),
  lockedLoad8: fn([i32], { ...ACCESS, forgets: true }, i32),
  lockedLoad16: fn([i32], { ...ACCESS, forgets: true }, i32),
  lockedLoad32: fn([i32], { ...ACCESS, forgets: true }, i32),
  lockedLoad64: fn([i32], { ...ACCESS, forgets: true }, i64),
  lockedStore8: fn([i32, i32], { forgets: true }),
  lockedStore16: fn([i32, i32], { forgets: true }),
  lockedStore32: fn([i32, i32], { forgets: true }),
  lockedStore64: fn([i32, i64], { forgets: true }),

  // A store beside code without a call: (linear, bytes) to a host address, or 0.
  hostBesideCode: fn([i32, i32], {}, i32),

  // From block to block.
  poll: poll(),
  pollRegion: poll(),
  pollPoint: poll(),
  lookup: fn([], FAULTS, i32),
  stepDispatch: fn([], ANYTHING, i32),
  linkBlock: fn([i32], FAULTS),
  slotEip: fn([i32], {}, i32),
  hot: fn([i32], { reads: [ESP] }),
  deliverFault: fn([], ANYTHING),
  internalError: fn([i32, i32]),
  relax: fn([]),
  traceInterpreted: fn([i32], { reads: 'all', flags: 'r' }),
  traceTranslated: fn([i32], { reads: 'all', flags: 'r' }),
  // For clients: (address, bits); (byte of the first, bytes of all, shift, bits, linear address, bytes, words of all); (which function, five values); (the
  // same), with all state in memory; (which function, shadow, where in it, limit, bytes, word of the CPU's room, EIP, ESP, EBP).
  clientMark: fn([i32, i32], {}, i32),
  clientMarkRange: fn([i32, i32, i32, i32, i32, i32, i32], {}, i32),
  clientCall: fn([i32, i32, i32, i32, i32, i32], {}, i32),
  clientCallExact: fn([i32, i32, i32, i32, i32, i32], { reads: 'all', flags: 'r', eip: true }, i32),
  clientShadow: fn([i32, i32, i32, i32, i32, i32, i32, i32, i32], {}, i32),

  // Segments, descriptors, control and debug registers.
  loadSegment: fn([i32, i32], FORGETS, i32),
  proveSegment: fn([i32, i32], FORGETS, i32),
  lgdt: fn([i32, i32], FAULTS),
  lidt: fn([i32, i32], FAULTS),
  sgdt: fn([i32], STORES),
  sidt: fn([i32], STORES),
  lldt: fn([i32], FAULTS),
  ltr: fn([i32], FAULTS),
  sldt: fn([], FAULTS, i32),
  str: fn([], FAULTS, i32),
  lar: fn([i32], { ...FORGETS, flags: 'rw' }, i32),
  lsl: fn([i32], { ...FORGETS, flags: 'rw' }, i32),
  verr: fn([i32], { ...FORGETS, flags: 'rw' }),
  verw: fn([i32], { ...FORGETS, flags: 'rw' }),
  arpl: fn([i32, i32], { ...FORGETS, flags: 'rw' }, i32),
  movToCr: fn([i32, i32], FORGETS),
  movFromCr: fn([i32], FAULTS, i32),
  movToDr: fn([i32, i32], FORGETS),
  movFromDr: fn([i32], FAULTS, i32),
  lmsw: fn([i32], FORGETS),
  smsw: fn([], {}, i32),
  clts: fn([], FAULTS),
  invlpg: fn([i32], FORGETS),
  wbinvd: fn([], FAULTS),

  // Flags, interrupts, time, model-specific registers, ports.
  pushf: fn([], { ...FAULTS, flags: 'r' }, i32),
  popf: fn([i32, i32], { ...FORGETS, flags: 'rw' }, i32),
  popfSystem: fn([i32], FORGETS, i32),
  sti: fn([i32], FAULTS, i32),
  hlt: fn([], FAULTS),
  rdtsc: fn([], { ...FAULTS, writes: [EAX, EDX] }),
  rdpmc: fn([], FAULTS),
  rdmsr: fn([], { ...FAULTS, reads: [ECX], writes: [EAX, EDX] }),
  wrmsr: fn([], { ...FORGETS, reads: [EAX, ECX, EDX] }),
  cpuid: fn([], { reads: [EAX, ECX], writes: [EAX, ECX, EDX, EBX] }),
  portIn: fn([i32, i32], FORGETS, i32),
  portOut: fn([i32, i32, i32], FORGETS),

  // Far transfers: to the entry of the jump cache for where they went, or 0 (wasm/transfer/cross.ts).
  farJump: fn([i32, i32, i32], ANYTHING, i32),
  farCall: fn([i32, i32, i32, i32], ANYTHING, i32),
  farRet: fn([i32, i32], ANYTHING, i32),
  iret: fn([i32], ANYTHING, i32),
  softInterrupt: fn([i32, i32, i32], ANYTHING, i32),
  into: fn([i32, i32], ANYTHING, i32),
  sysenter: fn([], ANYTHING, i32),
  sysexit: fn([], ANYTHING, i32),

  // The stack.
  enter: fn([i32, i32, i32], { ...STORES, reads: [ESP, EBP], writes: [ESP, EBP] }),

  // Strings: (size, address mask, source segment, REP) to whether to come again. REP with a count of 0 writes nothing, so what is
  // written counts as read.
  movs: fn([i32, i32, i32, i32], { ...STORES, reads: [ECX, ESI, EDI], writes: [ECX, ESI, EDI] }, i32),
  stos: fn([i32, i32, i32, i32], { ...STORES, reads: [EAX, ECX, EDI], writes: [ECX, EDI] }, i32),
  lods: fn([i32, i32, i32, i32], { ...FAULTS, reads: [EAX, ECX, ESI], writes: [EAX, ECX, ESI] }, i32),
  cmps: fn([i32, i32, i32, i32], { ...FAULTS, reads: [ECX, ESI, EDI], writes: [ECX, ESI, EDI], flags: 'rw' }, i32),
  scas: fn([i32, i32, i32, i32], { ...FAULTS, reads: [EAX, ECX, EDI], writes: [ECX, EDI], flags: 'rw' }, i32),
  ins: fn([i32, i32, i32], { ...STORES, forgets: true, reads: [ECX, EDX, EDI], writes: [ECX, EDI] }, i32),
  outs: fn([i32, i32, i32, i32], { ...FORGETS, reads: [ECX, EDX, ESI], writes: [ECX, ESI] }, i32),

  // x87: arithmetic with a real of memory (its bits), an integer (significand, sign and exponent), or (destination, source, pops).
  fpuAddF32: fn([i32], X87),
  fpuAddF64: fn([i64], X87),
  fpuAddInt: fn([i64, i32], X87),
  fpuAddReg: fn([i32, i32, i32], X87),
  fpuDivF32: fn([i32], X87),
  fpuDivF64: fn([i64], X87),
  fpuDivInt: fn([i64, i32], X87),
  fpuDivReg: fn([i32, i32, i32], X87),
  fpuDivrF32: fn([i32], X87),
  fpuDivrF64: fn([i64], X87),
  fpuDivrInt: fn([i64, i32], X87),
  fpuDivrReg: fn([i32, i32, i32], X87),
  fpuMulF32: fn([i32], X87),
  fpuMulF64: fn([i64], X87),
  fpuMulInt: fn([i64, i32], X87),
  fpuMulReg: fn([i32, i32, i32], X87),
  fpuSubF32: fn([i32], X87),
  fpuSubF64: fn([i64], X87),
  fpuSubInt: fn([i64, i32], X87),
  fpuSubReg: fn([i32, i32, i32], X87),
  fpuSubrF32: fn([i32], X87),
  fpuSubrF64: fn([i64], X87),
  fpuSubrInt: fn([i64, i32], X87),
  fpuSubrReg: fn([i32, i32, i32], X87),

  // x87: loads and stores.
  fpuLoad: fn([i64, i32], X87),
  fpuLoadF32: fn([i32], X87),
  fpuLoadF64: fn([i64], X87),
  fpuLoadReg: fn([i32], X87),
  fpuLoadConst: fn([i32], X87),
  fpuBcdMagnitude: fn([i64, i32], {}, i64),
  fpuStoreF32: fn([i32, i32], STORES),
  fpuStoreF64: fn([i32, i32], STORES),
  fpuStoreF80: fn([i32], STORES),
  fpuStoreInt16: fn([i32, i32], STORES),
  fpuStoreInt32: fn([i32, i32], STORES),
  fpuStoreInt64: fn([i32], STORES),
  fpuTruncInt16: fn([i32], STORES),
  fpuTruncInt32: fn([i32], STORES),
  fpuTruncInt64: fn([i32], STORES),
  fpuStoreBcd: fn([i32], STORES),

  // x87: what lifts ask seldom. Of the state they change what is named alone.
  fpuCompareSpecial: fn([i32, i64, i32, i32, i32, i32], { changes: [STATUS] }, i32),
  fpuEmptySpecial: fn([], { changes: [STATUS, NUMBER] }, i32),
  fpuExchangeSpecial: fn([i32], { changes: [STATUS, TAGS, REGISTERS] }, i32),

  // x87: the rest.
  fpuArctan: fn([]),
  fpuClearExceptions: fn([]),
  fpuCos: fn([]),
  fpuExamine: fn([]),
  fpuExp2m1: fn([]),
  fpuExtract: fn([]),
  fpuFree: fn([i32, i32]),
  fpuFxrstor: fn([i32], { ...FAULTS, vectors: true }),
  fpuFxsave: fn([i32], { ...STORES, vectors: true }),
  fpuInit: fn([]),
  fpuLoadControl: fn([i32]),
  fpuLoadEnv: fn([i32, i32], FAULTS),
  fpuMoveIf: fn([i32, i32]),
  fpuRemainder: fn([i32]),
  fpuRestore: fn([i32, i32], FAULTS),
  fpuRotate: fn([i32]),
  fpuRoundToInt: fn([]),
  fpuSave: fn([i32, i32], STORES),
  fpuScale: fn([]),
  fpuSin: fn([]),
  fpuSinCos: fn([]),
  fpuSqrt: fn([]),
  fpuStoreEnv: fn([i32, i32], STORES),
  fpuTan: fn([]),
  fpuYLog2x: fn([]),
  fpuYLog2xp1: fn([]),

  // SSE: packed and scalar arithmetic.
  sseAddpd: fn([v128, v128], ARITHMETIC, v128),
  sseAddps: fn([v128, v128], ARITHMETIC, v128),
  sseAddsd: fn([f64, f64], ARITHMETIC, f64),
  sseAddss: fn([f32, f32], ARITHMETIC, f32),
  sseAddsubpd: fn([v128, v128], ARITHMETIC, v128),
  sseAddsubps: fn([v128, v128], ARITHMETIC, v128),
  sseDivpd: fn([v128, v128], ARITHMETIC, v128),
  sseDivps: fn([v128, v128], ARITHMETIC, v128),
  sseDivsd: fn([f64, f64], ARITHMETIC, f64),
  sseDivss: fn([f32, f32], ARITHMETIC, f32),
  sseHaddpd: fn([v128, v128], ARITHMETIC, v128),
  sseHaddps: fn([v128, v128], ARITHMETIC, v128),
  sseHsubpd: fn([v128, v128], ARITHMETIC, v128),
  sseHsubps: fn([v128, v128], ARITHMETIC, v128),
  sseMaxpd: fn([v128, v128], ARITHMETIC, v128),
  sseMaxps: fn([v128, v128], ARITHMETIC, v128),
  sseMaxsd: fn([f64, f64], ARITHMETIC, f64),
  sseMaxss: fn([f32, f32], ARITHMETIC, f32),
  sseMinpd: fn([v128, v128], ARITHMETIC, v128),
  sseMinps: fn([v128, v128], ARITHMETIC, v128),
  sseMinsd: fn([f64, f64], ARITHMETIC, f64),
  sseMinss: fn([f32, f32], ARITHMETIC, f32),
  sseMulpd: fn([v128, v128], ARITHMETIC, v128),
  sseMulps: fn([v128, v128], ARITHMETIC, v128),
  sseMulsd: fn([f64, f64], ARITHMETIC, f64),
  sseMulss: fn([f32, f32], ARITHMETIC, f32),
  sseSqrtpd: fn([v128], ARITHMETIC, v128),
  sseSqrtps: fn([v128], ARITHMETIC, v128),
  sseSqrtsd: fn([f64], ARITHMETIC, f64),
  sseSqrtss: fn([f32], ARITHMETIC, f32),
  sseSubpd: fn([v128, v128], ARITHMETIC, v128),
  sseSubps: fn([v128, v128], ARITHMETIC, v128),
  sseSubsd: fn([f64, f64], ARITHMETIC, f64),
  sseSubss: fn([f32, f32], ARITHMETIC, f32),

  // SSE: approximations, which raise nothing.
  sseRcpps: fn([v128], {}, v128),
  sseRcpss: fn([f32], {}, f32),
  sseRsqrtps: fn([v128], {}, v128),
  sseRsqrtss: fn([f32], {}, f32),

  // SSE: comparisons.
  sseCmppd: fn([v128, v128, i32], ARITHMETIC, v128),
  sseCmpps: fn([v128, v128, i32], ARITHMETIC, v128),
  sseCmpsd: fn([f64, f64, i32], ARITHMETIC, i64),
  sseCmpss: fn([f32, f32, i32], ARITHMETIC, i32),
  sseComisd: fn([f64, f64], ARITHMETIC, i32),
  sseComiss: fn([f32, f32], ARITHMETIC, i32),
  sseUcomisd: fn([f64, f64], ARITHMETIC, i32),
  sseUcomiss: fn([f32, f32], ARITHMETIC, i32),

  // SSE: conversions.
  sseCvtdq2ps: fn([v128], ARITHMETIC, v128),
  sseCvtpd2dq: fn([v128], ARITHMETIC, v128),
  sseCvtpd2ps: fn([v128], ARITHMETIC, v128),
  sseCvtpi2ps: fn([i64], ARITHMETIC, i64),
  sseCvtps2dq: fn([v128], ARITHMETIC, v128),
  sseCvtps2pd: fn([i64], ARITHMETIC, v128),
  sseCvtps2pi: fn([i64], ARITHMETIC, i64),
  sseCvtsd2si: fn([f64], ARITHMETIC, i32),
  sseCvtsd2ss: fn([f64], ARITHMETIC, f32),
  sseCvtsi2ss: fn([i32], ARITHMETIC, f32),
  sseCvtss2sd: fn([f32], ARITHMETIC, f64),
  sseCvtss2si: fn([f32], ARITHMETIC, i32),
  sseCvttpd2dq: fn([v128], ARITHMETIC, v128),
  sseCvttps2dq: fn([v128], ARITHMETIC, v128),
  sseCvttps2pi: fn([i64], ARITHMETIC, i64),
  sseCvttsd2si: fn([f64], ARITHMETIC, i32),
  sseCvttss2si: fn([f32], ARITHMETIC, i32),

  // Bytes with a mask bit.
  sseMaskmovq: fn([i32, i64, i64], STORES),
  sseMaskmovdqu: fn([i32, v128, v128], STORES),

  // What the host alone calls. (It calls some of the above as well.)
  translateExec: forHost([i32, i32], i32),
  codeAddress: forHost([i32, i32], f64),
  markCode: forHost([i32, i32, i32]),
  awaitStores: forHost([i32, i32]),
  heatNow: forHost([i32], i32),
  blockHashIndex: forHost([i32, i32, i32], i32),
  sample: forHost([i32, i64, i64]),
  park: forHost([i32]),
  unpark: forHost([i32]),
  updateMode: forHost([i32]),
  updateFpuTraps: forHost([i32]),
  updateBreakpoints: forHost([i32]),
  updateStep: forHost([i32]),
  unblockNmi: forHost([i32]),
  flush: forHost([i32]),
  readFlags: forHost([i32], i32),
  writeFlags: forHost([i32, i32, i32]),
});

const byName: ReadonlyMap<string, RuntimeFunction> = new Map(
  Object.values<Exported | RuntimeFunction>(runtime).flatMap((f) => ('effects' in f ? [[f.name, f]] : [])),
);

/** The function that the IR calls by this name. Throws where emitted code may call none of it. */
export function runtimeFunction(name: string): RuntimeFunction {
  const found = byName.get(name);
  if (found === undefined) throw new Error(`the runtime has no function ${name}`);
  return found;
}

/** A value of WebAssembly as JavaScript has it. */
export type OfJavaScript<T> = T extends 'i64' ? bigint : T extends 'v128' ? never : number;

/** A function of the runtime as JavaScript calls it. (One with a v128 cannot be called.) */
export type HostCall<F extends Exported> = (
  ...args: HostArguments<F['params']>
) => F['result'] extends Type ? OfJavaScript<F['result']> : void;
type HostArguments<P extends readonly Type[]> = { -readonly [K in keyof P]: OfJavaScript<P[K]> };
