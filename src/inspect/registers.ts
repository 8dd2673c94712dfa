// The registers of a CPU that stands still as properties of an object: a line for each, with what reads it and what a write has to set going.
import { DragomanError } from '../api/errors.ts';
import type { CpuRegisters, SegmentState, TableRegister } from '../api/inspect.ts';
import { integer, type Kind, plain } from '../api/kind.ts';
import { BYTES } from '../api/schema.ts';
import { Cpu, Eflags, FpuRegister, Gpr, NO_RETURN, Seg, Step } from '../layout/cpu.ts';
import { Cr0 } from '../layout/system.ts';
import { view } from '../layout/view.ts';
import { hex, MSR } from './arguments.ts';
import type { CpuState } from './cpu-state.ts';
import { toExtended, toNumber } from './reals.ts';

/** A register: how a value of any type is taken for it, what reads it, and what writes it (never: it cannot be written). */
interface Register<T> {
  readonly kind: Kind<T>;
  readonly get: (cpu: CpuState) => T;
  readonly set: (cpu: CpuState, value: T, name: string) => void;
}
type Registers<T> = Readonly<Record<string, Register<T>>>;

const word = (bits: number) => integer(`a number of ${bits} bits`, 0, 2 ** bits - 1, `0 to ${hex(2 ** bits - 1)}`);
const WORD = word(32);
const HALF = word(16);
const NUMBER = plain<number>('a number', (value) => typeof value === 'number');
const bytesOf = (count: number): Kind<Uint8Array> => {
  const what = `${count} bytes`;
  const others = plain<Uint8Array>(what, () => false);
  return {
    what,
    take(value, name) {
      const bytes = BYTES.take(value, name);
      return bytes.length === count ? bytes : others.take(`${bytes.length} bytes`, name);
    },
  };
};

/** A word of the state that nothing hangs on. */
const plainWord = (offset: number, kind: Kind<number> = WORD): Register<number> => ({
  kind,
  get: (cpu) => cpu.get(offset),
  set: (cpu, value) => cpu.set(offset, value),
});

const general: Registers<number> = Object.fromEntries(
  Object.entries(Gpr).map(([name, n]) => [
    name.toLowerCase(),
    { kind: WORD, get: (cpu: CpuState) => cpu.gpr(n), set: (cpu: CpuState, value: number) => cpu.setGpr(n, value) },
  ]),
);

/** What belongs to the last instruction of those that run alone. */
const STEP_ONCE = Step.ARMED | Step.BAIL | Step.SHADOW | Step.TRAP;

/** The CPU goes on at `eip`, as if it had come there by a jump. */
function goOn(cpu: CpuState, eip: number): void {
  cpu.set(Cpu.at.eip, eip);
  // Nothing comes any more of the instruction that was executed last.
  for (const offset of [Cpu.at.fault, Cpu.at.shadow, Cpu.at.stepArmed, Cpu.at.debugPending]) cpu.set(offset, 0);
  // Where entries from elsewhere are looked up, this is one.
  cpu.set(Cpu.at.step, (cpu.get(Cpu.at.step) & ~STEP_ONCE) | Step.LOOKUP);
  cpu.set(Cpu.at.callReturn, NO_RETURN);
  // One that waits for its start-up IPI goes on to wait.
  if (cpu.get(Cpu.at.awaitsStartup) === 0) cpu.set(Cpu.at.halted, 0);
}

/** All bits of EFLAGS that there are, but for VM. */
const FLAGS =
  Eflags.ARITH | Eflags.TF | Eflags.IF | Eflags.DF | Eflags.IOPL | Eflags.NT | Eflags.RF | Eflags.AC | Eflags.VIF | Eflags.VIP | Eflags.ID;

function setFlags(cpu: CpuState, value: number, name: string): void {
  if (((value ^ cpu.get(Cpu.at.eflags)) & Eflags.VM) !== 0)
    throw new DragomanError('NOT_SUPPORTED', 'VM cannot be changed: IRET alone enters virtual-8086 mode', name);
  cpu.runtime.writeFlags(cpu.base, value, FLAGS);
}

const flow: Registers<number> = {
  eip: { ...plainWord(Cpu.at.eip), set: goOn },
  eflags: { kind: WORD, get: (cpu) => cpu.runtime.readFlags(cpu.base) >>> 0, set: setFlags },
};

const isReal = (cpu: CpuState): boolean => (cpu.get(Cpu.at.cr0) & Cr0.PE) === 0 || (cpu.get(Cpu.at.eflags) & Eflags.VM) !== 0;

function setSegment(cpu: CpuState, n: number, selector: number, name: string): void {
  if (cpu.segment(n).selector === selector) return;
  if (n === Seg.CS && !isReal(cpu))
    throw new DragomanError('NOT_SUPPORTED', 'CS cannot be written in protected mode: far transfers alone load it', name);
  const { runtime, base } = cpu;
  cpu.execute(name, () => runtime.loadSegment(base, n, selector), cpu.get(Cpu.at.cpl));
  runtime.updateMode(base);
}

const SEGMENTS = { cs: Seg.CS, ss: Seg.SS, ds: Seg.DS, es: Seg.ES, fs: Seg.FS, gs: Seg.GS } as const;
const selectors: Registers<number> = Object.fromEntries(
  Object.entries(SEGMENTS).map(([name, n]) => [
    name,
    {
      kind: HALF,
      get: (cpu: CpuState) => cpu.segment(n).selector,
      set: (cpu: CpuState, value: number) => setSegment(cpu, n, value, name),
    },
  ]),
);

function setControl(cpu: CpuState, n: number, value: number, name: string): void {
  // A processor that leaves protected mode is at privilege level 0: MOV to CR0 wants that.
  if (n === 0 && (value & Cr0.PE) === 0 && cpu.get(Cpu.at.cpl) !== 0)
    throw new DragomanError('BAD_OPTION', 'PE can be cleared at privilege level 0 alone', name);
  cpu.execute(name, () => cpu.runtime.movToCr(cpu.base, n, value));
}
const control = (n: number, offset: number): Register<number> => ({
  ...plainWord(offset),
  set: (cpu, value, name) => setControl(cpu, n, value, name),
});

/** DR7.GD, which has MOV to a debug register raise #DB. */
const GUARD = 0x2000;

function setDebug(cpu: CpuState, n: number, value: number, name: string): void {
  const dr7 = Cpu.at.dr + 7 * 4;
  const guard = cpu.get(dr7) & GUARD;
  cpu.set(dr7, cpu.get(dr7) & ~GUARD);
  cpu.execute(name, () => cpu.runtime.movToDr(cpu.base, n, value));
  if (n !== 7) cpu.set(dr7, cpu.get(dr7) | guard);
}
const debug: Registers<number> = Object.fromEntries(
  [0, 1, 2, 3, 6, 7].map((n) => [
    `dr${n}`,
    { ...plainWord(Cpu.at.dr + n * 4), set: (cpu: CpuState, value: number, name: string) => setDebug(cpu, n, value, name) },
  ]),
);

const system: Registers<number> = {
  cr0: control(0, Cpu.at.cr0),
  cr2: plainWord(Cpu.at.cr2),
  cr3: control(3, Cpu.at.cr3),
  cr4: control(4, Cpu.at.cr4),
  ...debug,
  cpl: {
    ...plainWord(Cpu.at.cpl),
    set: (_cpu, _value, name) => {
      throw new DragomanError('NOT_SUPPORTED', 'the privilege level cannot be written: it follows from CS', name);
    },
  },
};

const TOP_SHIFT = 11;
const TOP = 7 << TOP_SHIFT;

/** Physical register that ST(i) is. */
const physical = (cpu: CpuState, i: number): number => (cpu.get(Cpu.at.ftop) + i) & 7;
const realBytes = (cpu: CpuState, i: number): Uint8Array => cpu.bytes(Cpu.at.fpr + physical(cpu, i) * 16, 10);
const realView = (cpu: CpuState, i: number) => view(FpuRegister, cpu.shared.memory.buffer, cpu.base + Cpu.at.fpr + physical(cpu, i) * 16);
const use = (cpu: CpuState, i: number): void => cpu.set(Cpu.at.ftw, cpu.get(Cpu.at.ftw) | (1 << physical(cpu, i)));

const reals: Registers<number> = Object.fromEntries(
  Array.from({ length: 8 }, (_, i) => [
    `st${i}`,
    {
      kind: NUMBER,
      get: (cpu: CpuState) => toNumber(realView(cpu, i)),
      set: (cpu: CpuState, value: number) => {
        Object.assign(realView(cpu, i), toExtended(value));
        use(cpu, i);
      },
    },
  ]),
);

/** Control and status word together: ES and B follow, and FERR# with them. */
function setStatus(cpu: CpuState, status: number): void {
  cpu.set(Cpu.at.fsw, status & ~TOP);
  cpu.set(Cpu.at.ftop, (status & TOP) >> TOP_SHIFT);
  cpu.runtime.fpuLoadControl(cpu.base, cpu.get(Cpu.at.fcw));
}

const floating: Registers<number> = {
  ...reals,
  fcw: { ...plainWord(Cpu.at.fcw, HALF), set: (cpu, value) => cpu.runtime.fpuLoadControl(cpu.base, value) },
  fsw: { kind: HALF, get: (cpu) => cpu.get(Cpu.at.fsw) | (cpu.get(Cpu.at.ftop) << TOP_SHIFT), set: setStatus },
  ftw: plainWord(Cpu.at.ftw, word(8)),
  // What is above is reserved, and LDMXCSR refuses it.
  mxcsr: plainWord(Cpu.at.mxcsr, HALF),
};

const wide: Registers<Uint8Array> = Object.fromEntries(
  Array.from({ length: 8 }, (_, n) => n).flatMap((n): [string, Register<Uint8Array>][] => [
    [
      `st${n}Bytes`,
      {
        kind: bytesOf(10),
        get: (cpu) => realBytes(cpu, n).slice(),
        set: (cpu, bytes) => {
          realBytes(cpu, n).set(bytes);
          use(cpu, n);
        },
      },
    ],
    [
      `xmm${n}`,
      {
        kind: bytesOf(16),
        get: (cpu) => cpu.bytes(Cpu.at.xmm + n * 16, 16).slice(),
        set: (cpu, bytes) => cpu.bytes(Cpu.at.xmm + n * 16, 16).set(bytes),
      },
    ],
  ]),
);

const segmentState = (cpu: CpuState, n: number): SegmentState => {
  const { selector, base, limit, access } = cpu.segment(n);
  return { selector, base, limit, access };
};
const segments = (cpu: CpuState): CpuRegisters['segments'] => {
  const all = Object.entries({ ...SEGMENTS, ldtr: Seg.LDTR, tr: Seg.TR }).map(([name, n]) => [name, segmentState(cpu, n)]);
  return Object.fromEntries(all) as CpuRegisters['segments'];
};
const table = (cpu: CpuState, base: number, limit: number): TableRegister => ({ base: cpu.get(base), limit: cpu.get(limit) });

/** IA32_TIME_STAMP_COUNTER. */
const MSR_TSC = 0x10;

/** The registers as a program has them. `requireStopped` is asked before each access. */
export function cpuRegisters(cpu: CpuState, requireStopped: (writes?: boolean) => void): CpuRegisters {
  const stopped = (writes = false): CpuState => {
    requireStopped(writes);
    return cpu;
  };
  const property = <T>(name: string, { kind, get, set }: Register<T>): PropertyDescriptor => ({
    enumerable: true,
    get: () => get(stopped()),
    set: (value: unknown) => set(stopped(true), kind.take(value, name), name),
  });
  const properties: PropertyDescriptorMap = {
    segments: { enumerable: true, get: () => segments(stopped()) },
    gdtr: { enumerable: true, get: () => table(stopped(), Cpu.at.gdtBase, Cpu.at.gdtLimit) },
    idtr: { enumerable: true, get: () => table(stopped(), Cpu.at.idtBase, Cpu.at.idtLimit) },
    // Not among those that JSON.stringify shows, which takes no bigints.
    tsc: { get: () => stopped().msr(MSR_TSC) },
    msr: { value: (index: number) => stopped().msr(MSR.take(index, 'index')) },
  };
  for (const group of [general, flow, selectors, system, floating])
    for (const [name, register] of Object.entries(group)) properties[name] = property(name, register);
  for (const [name, register] of Object.entries(wide)) properties[name] = property(name, register);
  return Object.freeze(Object.defineProperties({} as CpuRegisters, properties));
}
