// The registers as gdb numbers them: a line for each, with its type in the target's description, what reads it of a CPU that stands still and what writes it. The order is that of gdb's own descriptions
// (GDB manual, "i386 Features"): so those that need no description of ours have the numbers that they have everywhere.
import { DragomanError } from '../api/errors.ts';
import type { CpuHandle, CpuRegisters } from '../api/inspect.ts';
import type { SharedMemory } from '../cpu/state.ts';
import { Cpu } from '../layout/cpu.ts';
import { cpuBase } from '../layout/memory.ts';

export interface Register {
  readonly name: string;
  readonly bits: number;
  /** Of the description: gdb's own, or one of description.ts. */
  readonly type: string;
  readonly group: string | undefined;
  /** Little-endian, as all that follows. */
  read(cpu: GdbCpu): Uint8Array;
  /** Throws DragomanError where the CPU cannot have that. */
  write(cpu: GdbCpu, bytes: Uint8Array): void;
}

/** A CPU with the words of its state that nobody else asks for. */
export class GdbCpu {
  readonly handle: CpuHandle;
  readonly #i32: Int32Array;
  readonly #base: number;

  constructor(handle: CpuHandle, { i32, plan }: SharedMemory) {
    this.handle = handle;
    this.#i32 = i32;
    this.#base = cpuBase(plan, handle.index);
  }

  get registers(): CpuRegisters {
    return this.handle.registers;
  }
  /** By an offset in the state, unsigned. */
  word(offset: number): number {
    return this.#i32[(this.#base + offset) >> 2]! >>> 0;
  }
  setWord(offset: number, value: number): void {
    this.#i32[(this.#base + offset) >> 2] = value;
  }
  /** What it does instead of running, for people; undefined: it runs. */
  get waits(): string | undefined {
    if (this.word(Cpu.at.awaitsStartup) !== 0) return 'not started';
    return this.word(Cpu.at.halted) === 0 ? undefined : 'halted';
  }
  /** Linear address of the next instruction. */
  get next(): number {
    return (this.registers.segments.cs.base + this.registers.eip) >>> 0;
  }
}

/** The names of the registers that are of a type. */
type Named<T> = { [K in keyof CpuRegisters]: CpuRegisters[K] extends T ? K : never }[keyof CpuRegisters];
/** The registers that can be written, where TypeScript does not know which. */
const writable = (cpu: GdbCpu) => cpu.registers as unknown as Record<string, unknown>;

const little = (value: number, bits: number): Uint8Array => Uint8Array.from({ length: bits / 8 }, (_, n) => (value / 2 ** (8 * n)) & 0xff);
const numberOf = (bytes: Uint8Array): number => bytes.reduceRight((sum, byte) => sum * 256 + byte, 0);
const readOnly = (name: string) => (): never => {
  throw new DragomanError('NOT_SUPPORTED', 'cannot be written', name);
};

interface Number32 {
  readonly type?: string;
  readonly group?: string;
  readonly read: (cpu: GdbCpu) => number;
  /** Undefined: it cannot be written. */
  readonly write?: (cpu: GdbCpu, value: number) => void;
}
function number(name: string, { type = 'int32', group, read, write }: Number32): Register {
  return {
    name,
    bits: 32,
    type,
    group,
    read: (cpu) => little(read(cpu), 32),
    write: write === undefined ? readOnly(name) : (cpu, bytes) => write(cpu, numberOf(bytes)),
  };
}
/** One that a CPU has by some name. */
const own = (name: string, of: Named<number>, type?: string, group?: string): Register =>
  number(name, {
    read: (cpu) => cpu.registers[of] as number,
    write: (cpu, value) => void (writable(cpu)[of] = value),
    ...(type === undefined ? {} : { type }),
    ...(group === undefined ? {} : { group }),
  });
const wide = (name: string, of: Named<Uint8Array>, bits: number, type: string): Register => ({
  name,
  bits,
  type,
  group: undefined,
  read: (cpu) => cpu.registers[of] as Uint8Array,
  write: (cpu, bytes) => void (writable(cpu)[of] = bytes),
});
/** A word of the state of which nothing follows. */
const word = (name: string, offset: number, bits: number): Register =>
  number(name, {
    group: 'float',
    read: (cpu) => cpu.word(offset),
    write: (cpu, value) => cpu.setWord(offset, value & (2 ** bits - 1)),
  });

/** Tags of a register of the x87 (SDM vol. 1, 8.1.7). */
const Tag = { VALID: 0, ZERO: 1, SPECIAL: 2, EMPTY: 3 } as const;
const EIGHT = [0, 1, 2, 3, 4, 5, 6, 7] as const;

function tagOf(bytes: Uint8Array): number {
  const exponent = numberOf(bytes.subarray(8, 10)) & 0x7fff;
  const isZero = bytes.subarray(0, 8).every((byte) => byte === 0);
  if (exponent === 0 && isZero) return Tag.ZERO;
  return exponent === 0 || exponent === 0x7fff || bytes[7]! < 0x80 ? Tag.SPECIAL : Tag.VALID;
}
/** The tag word with two bits for each physical register, which the processor makes of what is in them when it is stored. */
function tagWord({ registers }: GdbCpu): number {
  const [inUse, top] = [registers.ftw, (registers.fsw >> 11) & 7];
  return EIGHT.reduce<number>((word, n) => {
    const tag = (inUse & (1 << n)) === 0 ? Tag.EMPTY : tagOf(registers[`st${EIGHT[(n - top) & 7]!}Bytes`]);
    return word | (tag << (2 * n));
  }, 0);
}
const setTagWord = ({ registers }: GdbCpu, word: number): void => {
  registers.ftw = EIGHT.reduce<number>((inUse, n) => inUse | (((word >> (2 * n)) & 3) === Tag.EMPTY ? 0 : 1 << n), 0);
};

const MSR_EFER = 0xc0000080;
const shown = (name: string, read: (cpu: GdbCpu) => number, type?: string): Register =>
  number(name, { group: 'system', read, ...(type === undefined ? {} : { type }) });

/** org.gnu.gdb.i386.core */
export const CORE: readonly Register[] = [
  ...(['eax', 'ecx', 'edx', 'ebx'] as const).map((name) => own(name, name)),
  own('esp', 'esp', 'data_ptr'),
  own('ebp', 'ebp', 'data_ptr'),
  own('esi', 'esi'),
  own('edi', 'edi'),
  own('eip', 'eip', 'code_ptr'),
  own('eflags', 'eflags', 'i386_eflags'),
  ...(['cs', 'ss', 'ds', 'es', 'fs', 'gs'] as const).map((name) => own(name, name)),
  ...EIGHT.map((n) => wide(`st${n}`, `st${n}Bytes`, 80, 'i387_ext')),
  own('fctrl', 'fcw', 'int', 'float'),
  own('fstat', 'fsw', 'int', 'float'),
  number('ftag', { type: 'int', group: 'float', read: tagWord, write: setTagWord }),
  word('fiseg', Cpu.at.fcs, 16),
  word('fioff', Cpu.at.fip, 32),
  word('foseg', Cpu.at.fds, 16),
  word('fooff', Cpu.at.fdp, 32),
  word('fop', Cpu.at.fop, 11),
];

/** org.gnu.gdb.i386.sse */
export const SSE: readonly Register[] = [
  ...EIGHT.map((n) => wide(`xmm${n}`, `xmm${n}`, 128, 'vec128')),
  own('mxcsr', 'mxcsr', 'i386_mxcsr', 'vector'),
];

/** What only the kernel sees, in a feature of our own. */
export const SYSTEM: readonly Register[] = [
  ...(['cs', 'ss', 'ds', 'es', 'fs', 'gs'] as const).map((name) => shown(`${name}_base`, (cpu) => cpu.registers.segments[name].base)),
  own('cr0', 'cr0', 'dragoman_cr0', 'system'),
  own('cr2', 'cr2', undefined, 'system'),
  own('cr3', 'cr3', undefined, 'system'),
  own('cr4', 'cr4', 'dragoman_cr4', 'system'),
  shown('efer', (cpu) => Number(cpu.handle.registers.msr(MSR_EFER)), 'dragoman_efer'),
  ...(['dr0', 'dr1', 'dr2', 'dr3', 'dr6', 'dr7'] as const).map((name) => own(name, name, undefined, 'system')),
  shown('gdt_base', (cpu) => cpu.registers.gdtr.base),
  shown('gdt_limit', (cpu) => cpu.registers.gdtr.limit),
  shown('idt_base', (cpu) => cpu.registers.idtr.base),
  shown('idt_limit', (cpu) => cpu.registers.idtr.limit),
  shown('ldtr', (cpu) => cpu.registers.segments.ldtr.selector),
  shown('tr', (cpu) => cpu.registers.segments.tr.selector),
  shown('tr_base', (cpu) => cpu.registers.segments.tr.base),
  shown('cpl', (cpu) => cpu.registers.cpl),
];

/** By gdb's numbers. */
export const REGISTERS: readonly Register[] = [...CORE, ...SSE, ...SYSTEM];
/** Who has not read the description knows so many of them. */
export const WITHOUT_DESCRIPTION = CORE.length + SSE.length;

/** All of them side by side, or the first `count`. */
export function readAll(cpu: GdbCpu, count: number): Uint8Array {
  return Uint8Array.from(REGISTERS.slice(0, count).flatMap((register) => [...register.read(cpu)]));
}

/** The x87's stack is numbered from where its status says: that is to be right before the numbers come. */
const FIRST = ['fctrl', 'fstat'];

/** Writes those that are others than they were, of the first ones that `bytes` is of. Throws DragomanError; some may have been written then. */
export function writeAll(cpu: GdbCpu, bytes: Uint8Array): void {
  let at = 0;
  const given: { readonly register: Register; readonly value: Uint8Array }[] = [];
  for (const register of REGISTERS) {
    const value = bytes.slice(at, (at += register.bits / 8));
    if (value.length === register.bits / 8) given.push({ register, value });
  }
  const isFirst = ({ register }: (typeof given)[number]) => FIRST.includes(register.name);
  for (const { register, value } of [...given.filter(isFirst), ...given.filter((one) => !isFirst(one))]) {
    if (register.read(cpu).some((byte, n) => byte !== value[n])) register.write(cpu, value);
  }
}
