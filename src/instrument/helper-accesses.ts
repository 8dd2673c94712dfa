// What functions of the runtime access of guest memory for the instruction that calls them: what is no load and no store of its IR. One line for each function; those that transfer control tell it
// themselves (wasm/clients/told.ts), and what they read of the CPU's own tables nobody is told.
import type { Builder } from '../ir/builder.ts';
import type { Value } from '../ir/types.ts';
import { Cpu, Eflags, Gpr, Seg, SegCache } from '../layout/cpu.ts';
import { Cr4 } from '../layout/system.ts';

export interface HelperAccess {
  readonly address: Value;
  /** A value where it is a run. */
  readonly bytes: number | Value;
  /** Of any number of bytes, over any number of pages. */
  readonly run?: boolean;
  readonly reads: boolean;
  readonly writes: boolean;
}

/** Where a function is called: in front of that. */
export interface HelperCall {
  readonly b: Builder;
  readonly args: readonly Value[];
  /** A general register as it is where it is asked for. */
  register(number: number): Value;
}

/** Looks at a call before it is made, and gives what says its accesses behind it. */
type Look = (call: HelperCall) => () => readonly HelperAccess[];

const READS = { reads: true, writes: false } as const;
const WRITES = { reads: false, writes: true } as const;
type Way = typeof READS | typeof WRITES;

const state = (b: Builder, offset: number, address?: Value): Value =>
  b.push({ kind: 'ldstate', type: 'i32', bytes: 4, signed: false, address, offset });
const baseOf = (b: Builder, seg: number): Value => state(b, Cpu.at.seg + seg * SegCache.size + SegCache.at.base);

/** So many bytes at the linear address that is the first argument. */
const plain =
  (bytes: number, way: Way): Look =>
  ({ args }) =>
  () => [{ address: args[0]!, bytes, ...way }];

/** As many as the operand size, which is an argument, says. */
const image =
  (bytes: Readonly<Record<2 | 4, number>>, way: Way): Look =>
  ({ b, args }) =>
  () => [{ address: args[0]!, bytes: b.const(bytes[b.known(args[1]!) as 2 | 4]), run: true, ...way }];

/** FXSAVE and FXRSTOR: of the image of 512 bytes what is not reserved, and that of SSE only where the kernel has said that it knows of it. */
const fxImage =
  (way: Way): Look =>
  ({ b, args }) =>
  () => [
    { address: args[0]!, bytes: b.select(b.and(state(b, Cpu.at.cr4), b.const(Cr4.OSFXSR)), b.const(288), b.const(160)), run: true, ...way },
  ];

/** Bytes from the first to the last whose bit is set in `mask` (i32). */
const masked =
  (maskOf: (b: Builder, mask: Value) => Value): Look =>
  ({ b, args }) =>
  () => {
    const mask = maskOf(b, args[2]!);
    const first = b.and(b.op('i32.ctz', mask), b.const(15));
    const last = b.sub(b.const(32), b.op('i32.clz', mask));
    return [{ address: b.add(args[0]!, first), bytes: b.select(mask, b.sub(last, first), b.const(0)), run: true, ...WRITES }];
  };

/** A string instruction by ESI or EDI: registers say behind it how far it came. */
const run = (source: Way | undefined, destination: Way | undefined): Look => {
  const piece = ({ b, args, register }: HelperCall, from: Value, reg: number, base: () => Value, way: Way) => {
    const to = register(reg);
    const down = b.and(state(b, Cpu.at.eflags), b.const(Eflags.DF));
    const first = b.select(down, b.add(to, args[0]!), from);
    return { address: b.add(first, base()), bytes: b.select(down, b.sub(from, to), b.sub(to, from)), run: true, ...way };
  };
  return (call) => {
    const { b, args, register } = call;
    const before = [register(Gpr.ESI), register(Gpr.EDI)] as const;
    return () => [
      ...(source === undefined ? [] : [piece(call, before[0], Gpr.ESI, () => state(b, SegCache.at.base, args[2]!), source)]),
      ...(destination === undefined ? [] : [piece(call, before[1], Gpr.EDI, () => baseOf(b, Seg.ES), destination)]),
    ];
  };
};

/** ENTER: from the frame of EBP the links of the frames around, and onto the stack EBP, these and the new frame's address. */
const enter: Look = ({ b, args, register }) => {
  const [, nesting, size] = args as [Value, Value, Value];
  const [esp, ebp] = [register(Gpr.ESP), register(Gpr.EBP)];
  return () => {
    const level = b.and(nesting, b.const(31));
    const links = b.mul(b.select(level, b.sub(level, b.const(1)), b.const(0)), size);
    const pushed = b.mul(b.add(level, b.const(1)), size);
    const at = (top: Value, bytes: Value) => b.add(baseOf(b, Seg.SS), b.and(b.sub(top, bytes), state(b, Cpu.at.stackMask)));
    return [
      { address: at(ebp, links), bytes: links, run: true, ...READS },
      { address: at(esp, pushed), bytes: pushed, run: true, ...WRITES },
    ];
  };
};

/** By the names of the functions. */
const LOOKS: Readonly<Record<string, Look>> = {
  fpuStoreF32: plain(4, WRITES),
  fpuStoreF64: plain(8, WRITES),
  fpuStoreF80: plain(10, WRITES),
  fpuStoreInt16: plain(2, WRITES),
  fpuStoreInt32: plain(4, WRITES),
  fpuStoreInt64: plain(8, WRITES),
  fpuTruncInt16: plain(2, WRITES),
  fpuTruncInt32: plain(4, WRITES),
  fpuTruncInt64: plain(8, WRITES),
  fpuStoreBcd: plain(10, WRITES),
  fpuStoreEnv: image({ 2: 14, 4: 28 }, WRITES),
  fpuLoadEnv: image({ 2: 14, 4: 28 }, READS),
  fpuSave: image({ 2: 94, 4: 108 }, WRITES),
  fpuRestore: image({ 2: 94, 4: 108 }, READS),
  fpuFxsave: fxImage(WRITES),
  fpuFxrstor: fxImage(READS),
  sseMaskmovq: masked((b, mask) => b.and(b.op('i8x16.bitmask', b.op('i64x2.splat', mask)), b.const(0xff))),
  sseMaskmovdqu: masked((b, mask) => b.op('i8x16.bitmask', mask)),
  sgdt: plain(6, WRITES),
  sidt: plain(6, WRITES),
  lgdt: plain(6, READS),
  lidt: plain(6, READS),
  movs: run(READS, WRITES),
  stos: run(undefined, WRITES),
  lods: run(READS, undefined),
  cmps: run(READS, READS),
  scas: run(undefined, READS),
  ins: run(undefined, WRITES),
  outs: run(READS, undefined),
  enter,
};

/** To be called in front of a call of a function of the runtime; what it gives, behind it, says what the function has accessed. undefined: nothing that its instruction names. */
export const helperAccesses = (name: string, call: HelperCall): (() => readonly HelperAccess[]) | undefined => LOOKS[name]?.(call);
