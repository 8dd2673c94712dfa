// Runs x87 lifts at once, without the translator: a Lifter whose values are numbers, over the runtime's helpers.
// The guest has 64 KiB, mapped one to one; the instruction's memory operand is at OPERAND.
import { readFileSync } from 'node:fs';
import { noCode } from '../../../src/cpu/runtime.ts';
import { Builder } from '../../../src/ir/builder.ts';
import type { Op } from '../../../src/ir/operations.ts';
import { Cpu, FPU_ERROR } from '../../../src/layout/cpu.ts';
import { CONTROL, Control, RAM, Tlb } from '../../../src/layout/memory.ts';
import type { Lifter } from '../../../src/lift/lifter.ts';
import { lifts } from '../../../src/lift/x87.ts';
import type { RuntimeFunction } from '../../../src/runtime/abi.ts';
import { operator } from '../../unit/lift/evaluate.ts';

export const OPERAND = 0x1000;
/** Where the test puts things: CPU state, then a TLB. */
const CPU = 0x90000;
const TLB = 0xa0000;
const GUEST_PAGES = 16;

type Any = number | bigint;
type Helper = (cpu: number, ...args: Any[]) => Any | undefined;

export interface Fpu {
  readonly cpu: number;
  readonly view: DataView;
  readonly exports: Record<string, Helper>;
  /** Runs one instruction, named as in "fadd st0 st1" or "fst m32". The vector it raised, or -1. */
  run(text: string): number;
}

/** The built runtime (npm run build:wasm). */
export const loadRuntime = (): WebAssembly.Module =>
  new WebAssembly.Module(readFileSync(new URL('../../../build/runtime.wasm', import.meta.url)));

export function openFpu(module: WebAssembly.Module): Fpu {
  const memory = new WebAssembly.Memory({ initial: (RAM >> 16) + 16, maximum: 65536, shared: true });
  const imports: WebAssembly.Imports = { env: { memory, table: noCode() } };
  for (const { module: space, name, kind } of WebAssembly.Module.imports(module))
    if (kind === 'function') {
      imports[space] ??= {};
      imports[space][name] = () => 0;
    }
  const exports = { ...new WebAssembly.Instance(module, imports).exports } as unknown as Record<string, Helper>;
  const view = new DataView(memory.buffer);
  const word = (offset: number, value: number) => view.setUint32(CPU + offset, value, true);
  view.setUint32(CONTROL + Control.at.ramBytes, GUEST_PAGES * 4096, true);
  word(Cpu.at.tlb, TLB);
  word(Cpu.at.cr0, 0x21);
  word(Cpu.at.fpuStop, FPU_ERROR);
  for (let page = 0; page < GUEST_PAGES; page++)
    view.setUint32(TLB + page * 4, RAM | Tlb.KERNEL_READ | Tlb.KERNEL_WRITE | Tlb.USER_READ | Tlb.USER_WRITE, true);
  return { cpu: CPU, view, exports, run: (text) => execute(view, exports, text) };
}

class Raised {
  readonly vector: number;
  constructor(vector: number) {
    this.vector = vector;
  }
}

/** Values instead of their numbers. */
class Immediate extends Builder {
  override const(value: number): number {
    return value | 0;
  }
  override const64(value: bigint): number {
    return BigInt.asIntN(64, value) as unknown as number;
  }
  override push(op: Op): number {
    if (op.kind !== 'pure') throw new Error(`${op.kind} has no value here`);
    return operator(op.name, op.args as number[]) as number;
  }
  override op(name: string, ...args: number[]): number {
    return operator(name, args) as number;
  }
  override select(cond: number, a: number, b: number): number {
    return cond === 0 ? b : a;
  }
  override known(v: number): number {
    return v;
  }
}

const OPERAND_SIZES: Record<string, number> = { m16: 2, m32: 4, m64: 8, m80: 10, m14: 14, m28: 28, m94: 94, m108: 108, m512: 512 };

function execute(view: DataView, exports: Record<string, Helper>, text: string): number {
  const [mnemonic, ...names] = text.split(' ') as [string, ...string[]];
  // The assembler's short forms.
  const operands = /^f(add|subr?|mul|divr?)p$/.test(mnemonic) && names.length === 0 ? ['st1', 'st0'] : names;
  const ops = operands.map((o) =>
    o.startsWith('m') ? { kind: 'm', size: OPERAND_SIZES[o]! } : { kind: o === 'ax' ? 'r' : 'st', size: o === 'ax' ? 2 : 10 },
  );
  const at = (n: number) => RAM + n;
  const read = (bytes: number, address: number, signed = false): Any => {
    if (bytes === 8) return view.getBigInt64(at(address), true);
    if (bytes === 4) return view.getInt32(at(address), true);
    return signed ? view.getInt16(at(address), true) : view.getUint16(at(address), true);
  };
  const write = (bytes: number, address: number, v: Any) => {
    if (bytes === 4) view.setUint32(at(address), Number(v), true);
    else view.setUint16(at(address), Number(v), true);
  };
  const state = (offset: number, bytes = 4): Any =>
    bytes === 8 ? view.getBigInt64(CPU + offset, true) : view.getInt32(CPU + offset, true);
  const raiseIf = (cond: Any, vector: number) => {
    if (cond) throw new Raised(vector);
  };
  const flags = () => view.getUint32(CPU + Cpu.at.eflags, true);
  const conditions: Record<string, () => boolean> = {
    e: () => (flags() & 0x40) !== 0,
    ne: () => (flags() & 0x40) === 0,
    b: () => (flags() & 1) !== 0,
    ae: () => (flags() & 1) === 0,
    be: () => (flags() & 0x41) !== 0,
    a: () => (flags() & 0x41) === 0,
    p: () => (flags() & 4) !== 0,
    np: () => (flags() & 4) === 0,
  };
  const x = {
    n: ops.length,
    op: (k: number) => ops[k]!,
    read: (k: number) => read(ops[k]!.size, OPERAND),
    readSigned: (k: number) => read(ops[k]!.size, OPERAND, true),
    number: (k: number) => Number(operands[k]!.slice(2)),
    linear: () => OPERAND,
    offset: () => OPERAND,
    load: (_type: string, bytes: number, address: number) => read(bytes, address),
    write: (k: number, v: Any) => write(ops[k]!.size, OPERAND, v),
    set: (reg: number, size: number, v: Any) => {
      if (size === 2) view.setUint16(CPU + Cpu.at.gpr + reg * 8, Number(v), true);
    },
    cpu: () => CPU,
    state,
    setState: (offset: number, v: Any) => view.setUint32(CPU + offset, Number(v), true),
    stateAt: (_type: string, bytes: number, address: number, offset: number) =>
      bytes === 8 ? view.getBigInt64(address + offset, true) : view.getUint16(address + offset, true),
    setStateAt(bytes: number, address: number, offset: number, v: Any) {
      if (bytes === 8) view.setBigInt64(address + offset, v as bigint, true);
      else view.setUint16(address + offset, Number(v), true);
    },
    thisEip: () => 0x1234,
    cond: (cc: string) => Number(conditions[cc]!()),
    flagsRX(r: Any, x: Any) {
      view.setInt32(CPU + Cpu.at.flagR, Number(r), true);
      view.setInt32(CPU + Cpu.at.flagX, Number(x), true);
      view.setUint32(CPU + Cpu.at.eflags, flags() & ~0x8d5, true);
      view.setUint32(CPU + Cpu.at.eflags, Number(exports.readFlags!(CPU)), true);
    },
    raiseIf,
    helperIf: (when: Any[], otherwise: Any, { name }: RuntimeFunction, args: Any[]) =>
      when.every((v) => v === 0) ? otherwise : exports[name]!(CPU, ...args),
    helper({ name }: RuntimeFunction, args: Any[] = []) {
      const result = exports[name]!(CPU, ...args);
      const fault = Number(state(Cpu.at.fault));
      view.setUint32(CPU + Cpu.at.fault, 0, true);
      raiseIf(fault, fault & 0xff);
      return result;
    },
    b: new Immediate(),
  };
  const entry = lifts[mnemonic];
  if (entry === undefined) throw new Error(`no lift of ${mnemonic}`);
  try {
    (typeof entry === 'function' ? entry : entry.lift)(x as unknown as Lifter);
  } catch (e) {
    if (e instanceof Raised) return e.vector;
    throw e;
  }
  return -1;
}
