// A CPU with a GDT, an IDT, an LDT and TSSs in guest RAM, for the tests of control transfers.
import { noCode } from '../../../src/cpu/runtime.ts';
import { Cpu, Eflags, Gpr, Seg, SegCache } from '../../../src/layout/cpu.ts';
import { CONTROL, Control, POINTS, RAM, SLOTS, Slot } from '../../../src/layout/memory.ts';
import { machine, runtimeModule } from './machine.ts';

export const GDT = 0x1000;
export const IDT = 0x2000;
export const LDT = 0x3000;
export const TSS = 0x4000;
export const TSS_B = 0x4100;
export const TSS_16 = 0x4200;
export const TSS_16_LIMIT = 0x2b;

/** Selectors of the GDT below. */
export const SEL = {
  CODE0: 0x08,
  DATA0: 0x10,
  CODE3: 0x1b,
  DATA3: 0x23,
  TSS: 0x28,
  LDT: 0x30,
  CONFORMING: 0x38,
  CODE16: 0x40,
  DATA16: 0x48,
  TSS_B: 0x50,
  TSS_16: 0x58,
  ABSENT: 0x60,
  READ_ONLY: 0x68,
  EXECUTE_ONLY: 0x70,
  CODE1: 0x79,
  DATA1: 0x81,
  GATE: 0x88,
  TASK_GATE: 0x90,
  DOWN: 0x98,
  SMALL: 0xa0,
  GATE16: 0xa8,
  CODE3_NEXT: 0xb3,
  DATA3_NEXT: 0xbb,
  END: 0xc0,
} as const;

/** A code or data descriptor: `type` is the access byte (P, DPL, S, type), `flags` G, D/B, L, AVL. */
export function descriptor(base: number, limit: number, type: number, flags: number): [number, number] {
  return [
    ((base & 0xffff) << 16) | (limit & 0xffff),
    (base & 0xff000000) | (flags << 20) | (limit & 0xf0000) | (type << 8) | ((base >>> 16) & 0xff),
  ];
}

/** A gate: `type` is the access byte. */
export function gate(selector: number, offset: number, type: number, count = 0): [number, number] {
  return [(selector << 16) | (offset & 0xffff), (offset & 0xffff0000) | (type << 8) | count];
}

/** At CPL 0 with flat segments, ESP 0x8000, EIP 0x100; inner stacks SS0:9000 and SS1:a000. */
export async function system() {
  const base = await machine();
  const { cpu, view, set, setPhys32, memory } = base;
  const acks: number[] = [];
  const nothing = () => 0;
  const host = {
    portIn: nothing,
    portOut: nothing,
    mmioRead: nothing,
    mmioWrite: nothing,
    monotonic: () => 0n,
    rdtsc: () => 0n,
    setTscDeadline: () => {},
    setApicBase: () => {},
    tscDeadlineArmed: () => 0,
    invalidateCode: nothing,
    trace: nothing,
    clientCall: nothing,
    clientCrossing: nothing,
    interruptAck: () => acks.shift() ?? -1,
    fpuError: () => 0,
  };
  const instance = new WebAssembly.Instance(await runtimeModule(), { env: { memory, table: noCode() }, host });
  const call = instance.exports as Record<string, (...args: any[]) => any>;

  const put = (at: number, [low, high]: [number, number]) => {
    setPhys32(at, low);
    setPhys32(at + 4, high);
  };
  const setDescriptor = (selector: number, words: [number, number]) => put(GDT + (selector & 0xfff8), words);
  const setGate = (vector: number, words: [number, number]) => put(IDT + vector * 8, words);
  const flat = (type: number) => descriptor(0, 0xfffff, type, 0xc);
  setDescriptor(SEL.CODE0, flat(0x9a));
  setDescriptor(SEL.DATA0, flat(0x92));
  setDescriptor(SEL.CODE3, flat(0xfa));
  setDescriptor(SEL.DATA3, flat(0xf2));
  setDescriptor(SEL.TSS, descriptor(TSS, 0x67, 0x89, 0));
  setDescriptor(SEL.LDT, descriptor(LDT, 0x1f, 0x82, 0));
  setDescriptor(SEL.CONFORMING, flat(0x9e));
  setDescriptor(SEL.CODE16, descriptor(0x10000, 0xffff, 0x9a, 0));
  setDescriptor(SEL.DATA16, descriptor(0x20000, 0xffff, 0x92, 0));
  setDescriptor(SEL.TSS_B, descriptor(TSS_B, 0x67, 0x89, 0));
  setDescriptor(SEL.TSS_16, descriptor(TSS_16, TSS_16_LIMIT, 0x81, 0));
  setDescriptor(SEL.ABSENT, flat(0x12));
  setDescriptor(SEL.READ_ONLY, flat(0xf0));
  setDescriptor(SEL.EXECUTE_ONLY, flat(0xf8));
  setDescriptor(SEL.CODE1, flat(0xba));
  setDescriptor(SEL.DATA1, flat(0xb2));
  setDescriptor(SEL.GATE, gate(SEL.CODE0, 0x5000, 0xec, 2));
  setDescriptor(SEL.TASK_GATE, gate(SEL.TSS_B, 0, 0xe5));
  setDescriptor(SEL.DOWN, descriptor(0, 0xf, 0x96, 0xc));
  setDescriptor(SEL.SMALL, descriptor(0x30000, 0xff, 0x9a, 4));
  setDescriptor(SEL.GATE16, gate(SEL.CODE0, 0x5000, 0xe4, 1));
  setDescriptor(SEL.CODE3_NEXT, flat(0xfa));
  setDescriptor(SEL.DATA3_NEXT, flat(0xf2));
  set('gdtBase', GDT);
  set('gdtLimit', SEL.END - 1);
  set('idtBase', IDT);
  set('idtLimit', 0x7ff);
  set('eflags', Eflags.ONE);
  set('flagR', 1);

  const selector = (n: number) => view.getUint32(base.seg(n) + SegCache.at.selector, true);
  const field = (n: number, name: keyof typeof SegCache.at) => view.getUint32(base.seg(n) + SegCache.at[name], true);
  /** What updateMode derives from the rest, as text. */
  const derived = () =>
    [base.get('mode'), base.get('stackMask'), ...[0, 1, 2, 3, 4, 5].flatMap((n) => [field(n, 'topRead'), field(n, 'topWrite')])].join(' ');
  /** Every helper must leave the derived words as updateMode would. */
  const upToDate = (name: string) => {
    const before = derived();
    call.updateMode!(cpu);
    if (derived() !== before) throw new Error(`after ${name}: ${before}, should be ${derived()}`);
  };
  const must = () => {
    const fault = base.fault();
    if (fault) throw new Error(`unexpected ${fault}`);
  };
  for (const n of [Seg.ES, Seg.SS, Seg.DS]) call.loadSegment(cpu, n, SEL.DATA0);
  for (const n of [Seg.FS, Seg.GS]) call.loadSegment(cpu, n, 0);
  base.setGpr(Gpr.ESP, 0x8000);
  set('eip', 0x100);
  call.ltr(cpu, SEL.TSS);
  must();
  setPhys32(TSS + 4, 0x9000);
  setPhys32(TSS + 8, SEL.DATA0);
  setPhys32(TSS + 12, 0xa000);
  setPhys32(TSS + 16, SEL.DATA1);

  const flags = () => call.readFlags(cpu) >>> 0;
  const stack = (count: number, at = base.gpr(Gpr.ESP)) => Array.from({ length: count }, (_, i) => view.getUint32(RAM + at + i * 4, true));
  const push = (...values: number[]) => {
    for (const value of values) {
      base.setGpr(Gpr.ESP, base.gpr(Gpr.ESP) - 4);
      setPhys32(base.gpr(Gpr.ESP), value);
    }
  };
  return {
    ...base,
    call,
    acks,
    put,
    setDescriptor,
    setGate,
    selector,
    field,
    must,
    flags,
    stack,
    push,
    /** CS:EIP and CPL as text. */
    place: () => `${selector(Seg.CS).toString(16)}:${base.get('eip').toString(16)} cpl ${base.get('cpl')}`,
    /** Runs a helper; gives the fault it raised. */
    run: (name: string, ...args: number[]) => {
      call[name]!(cpu, ...args);
      upToDate(name);
      return base.fault();
    },
    /** The address of the first point of the region in a table slot, which stands for an EIP. */
    point: (slot: number, eip: number): number => {
      const point = POINTS + slot * 4;
      view.setUint32(SLOTS + slot * Slot.size + Slot.at.points, point, true);
      view.setUint32(point, eip, true);
      return point;
    },
    relax: (bits: number) => view.setUint32(CONTROL + Control.at.relax, bits, true),
    setFlags: (value: number) => call.writeFlags(cpu, value, 0x3fffff),
    /** Goes to CPL 3 by IRET, with ESP 0x7000 and these flags. */
    user: (value: number = Eflags.IF) => {
      push(SEL.DATA3, 0x7000, value, SEL.CODE3, 0x400);
      call.iret(cpu, 4);
      upToDate('iret');
      must();
      call.loadSegment(cpu, Seg.DS, SEL.DATA3);
      call.loadSegment(cpu, Seg.ES, SEL.DATA3);
      must();
    },
    /** Goes to virtual-8086 mode by IRET. */
    virtual: (value: number = 0) => {
      push(0x6000, 0x5000, 0x4000, 0x3000, 0x2000, 0xfff0, Eflags.VM | value, 0x1000, 0x20);
      call.iret(cpu, 4);
      upToDate('iret');
      must();
    },
    raise: (vector: number, error?: number) => {
      if (error === undefined) call.raise(cpu, vector);
      else call.raiseError(cpu, vector, error);
    },
    counter: (name: 'countFaults' | 'countInterrupts') => Number(view.getBigUint64(cpu + Cpu.at[name], true)),
  };
}

export type System = Awaited<ReturnType<typeof system>>;
export { Eflags, Gpr, Seg };
