// What a lift sees: operands that answer with IR, guest memory, stack, flags, faults, helpers and terminators.
// A lift must do all that may fault before its first register write, so that faults are precise.
import { eipOf } from '../ir/blocks.ts';
import type { Builder } from '../ir/builder.ts';
import { ADDRESS, type ConditionCode, type FlagKind, type Place, type Type, type Value } from '../ir/types.ts';
import { Cpu, Eflags, Gpr, Seg, SegCache } from '../layout/cpu.ts';
import type { RuntimeFunction } from '../runtime/abi.ts';
import type { Form, FormOperand } from './form.ts';
import type { Leaves } from './leaves.ts';

export type Lift = (x: Lifter) => void;
export interface LiftSpec {
  readonly lift: Lift;
  /** Uses the stack implicitly. */
  readonly stack?: boolean;
  /** Depends on the address size even without a memory operand (string instructions, LOOP, JCXZ, XLAT). */
  readonly string?: boolean;
  /** Always ends a basic block. */
  readonly ends?: boolean;
  /** Ends its block and leaves through the dispatcher, because what follows may run in another mode or must see an event. */
  readonly dispatches?: boolean;
}
export type LiftTable = Record<string, Lift | LiftSpec>;

export class Lifter {
  readonly b: Builder;
  readonly form: Form;
  readonly leaves: Leaves;
  /** By operand. */
  private readonly linears: (Value | undefined)[] = [];
  /** Set once a terminator was appended. */
  ended = false;

  constructor(b: Builder, form: Form, leaves: Leaves) {
    this.b = b;
    this.form = form;
    this.leaves = leaves;
  }

  // Operands ---------------------------------------------------------------------------------------------------------
  get n(): number {
    return this.form.ops.length;
  }
  op(k: number): FormOperand {
    return this.form.ops[k]!;
  }
  get opsize(): 2 | 4 {
    return this.form.opsize;
  }
  get addrsize(): 2 | 4 {
    return this.form.addrsize;
  }
  get rep(): 0 | 1 | 2 {
    return this.form.rep;
  }

  /** Operand k: i32 zero-extended for 1, 2, 4 bytes; i64 for 8; v128 for 16. */
  read(k: number): Value {
    return this.readOperand(k, false, false);
  }
  /** The same, sign-extended to i32. */
  readSigned(k: number): Value {
    return this.readOperand(k, true, false);
  }
  /** Reads an operand that will be written: memory is checked for writing, so that the write cannot fault. */
  readRmw(k: number): Value {
    return this.readOperand(k, false, true);
  }

  private readOperand(k: number, signed: boolean, rmw: boolean): Value {
    const { kind, size } = this.op(k);
    switch (kind) {
      case 'r':
        return this.leaves.readReg(k, size, signed);
      case 'i':
        return signed || size === 4 ? this.imm(k) : this.b.and(this.imm(k), this.b.const(size === 1 ? 0xff : 0xffff));
      case 'm': {
        const type: Type = size <= 4 ? 'i32' : size === 8 ? 'i64' : 'v128';
        return this.load(type, size, this.linear(k, size, rmw), { signed, rmw });
      }
      case 'mm':
        return this.stateAt('i64', 8, this.regAddress(k), 0);
      case 'xmm':
        return this.stateAt('v128', 16, this.regAddress(k), 0);
      default:
        throw new Error(`operand ${k} of ${this.form.mnemonic} is ${kind}: not readable`);
    }
  }

  write(k: number, v: Value): void {
    const { kind, size } = this.op(k);
    if (kind === 'r') this.leaves.writeReg(k, size, v);
    else if (kind === 'm') this.store(size, this.linear(k, size, true), v);
    else if (kind === 'mm') this.setStateAt(8, this.regAddress(k), 0, v);
    else if (kind === 'xmm') this.setStateAt(16, this.regAddress(k), 0, v);
    else throw new Error(`operand ${k} of ${this.form.mnemonic} is ${kind}: not writable`);
  }

  imm(k: number): Value {
    return this.leaves.imm(k);
  }
  farOffset(k: number): Value {
    return this.leaves.farOffset(k);
  }
  number(k: number): Value {
    return this.leaves.number(k);
  }
  regAddress(k: number): Value {
    return this.leaves.regAddress(k);
  }
  /** Effective address of the memory operand (what LEA gives). */
  offset(_k = 0): Value {
    return this.leaves.offset();
  }
  /** Linear address of memory operand k for an access of `bytes` bytes; computed and checked once. */
  linear(k: number, bytes: number, write: boolean): Value {
    let v = this.linears[k];
    if (v === undefined) {
      v = this.form.segmented ? this.inSegment(this.leaves.segment(), this.leaves.offset(), bytes, write) : this.leaves.offset();
      this.linears[k] = v;
    }
    return v;
  }
  /** Address of the SegCache that the memory operand (or string source) goes through. */
  segment(): Value {
    return this.leaves.segment();
  }
  addressMask(): Value {
    return this.leaves.addressMask();
  }

  // Guest memory -----------------------------------------------------------------------------------------------------
  /** Linear address of `offset` in the segment whose cache is at `seg`, checked; may fault. */
  inSegment(seg: Value, offset: Value, bytes: number, write: boolean): Value {
    return this.b.push({ kind: 'linear', type: ADDRESS, seg, offset, bytes, write });
  }
  /** A vector of less than 16 bytes: the rest is 0. */
  load(type: Type, bytes: number, address: Value, options: { signed?: boolean; rmw?: boolean } = {}): Value {
    const { signed = false, rmw = false } = options;
    return this.b.push({ kind: 'load', type, bytes, signed, address, rmw, locked: rmw && this.form.locked });
  }
  store(bytes: number, address: Value, value: Value): void {
    this.b.push({ kind: 'store', bytes, address, value });
  }

  fence(): void {
    this.b.push({ kind: 'fence' });
  }
  pause(): void {
    this.b.push({ kind: 'pause' });
  }

  // State ------------------------------------------------------------------------------------------------------------
  cpu(): Value {
    return this.b.push({ kind: 'cpu', type: 'i32' });
  }
  /** A general register by its number: size 1 (low byte, or `high`), 2 (zero-extended) or 4. */
  get(reg: number, size = 4, options: { high?: boolean } = {}): Value {
    return this.leaves.getGpr(reg, size, options.high ?? false);
  }
  set(reg: number, size: number, v: Value, options: { high?: boolean } = {}): void {
    this.leaves.setGpr(reg, size, options.high ?? false, v);
  }
  state(offset: number, bytes = 4): Value {
    return this.b.push({
      kind: 'ldstate',
      type: bytes <= 4 ? 'i32' : bytes === 8 ? 'i64' : 'v128',
      bytes,
      signed: false,
      address: undefined,
      offset,
    });
  }
  setState(offset: number, value: Value, bytes = 4): void {
    this.b.push({ kind: 'ststate', bytes, address: undefined, offset, value });
  }
  stateAt(type: Type, bytes: number, address: Value, offset: number): Value {
    return this.b.push({ kind: 'ldstate', type, bytes, signed: false, address, offset });
  }
  /** `within`: what it changes at the most, where the address does not tell. */
  setStateAt(bytes: number, address: Value, offset: number, value: Value, within?: readonly Place[]): void {
    this.b.push({ kind: 'ststate', bytes, address, offset, value, ...(within && { within }) });
  }
  /** Address of a SegCache by number. */
  segCache(seg: number): Value {
    return this.b.add(this.cpu(), this.b.const(Cpu.at.seg + seg * SegCache.size));
  }

  // Stack ------------------------------------------------------------------------------------------------------------
  /** Linear address of SS:offset for an access of `bytes`. */
  stackLinear(offset: Value, bytes: number, write: boolean): Value {
    if (this.form.flat) return offset;
    return this.inSegment(this.segCache(Seg.SS), this.b.and(offset, this.state(Cpu.at.stackMask)), bytes, write);
  }
  stackPointer(): Value {
    return this.get(Gpr.ESP);
  }
  /** ESP as it becomes where the stack pointer moves to `v`: only SP changes where the stack segment is a 16-bit one. */
  movedStackPointer(v: Value): Value {
    if (this.form.flat) return v;
    const mask = this.state(Cpu.at.stackMask);
    const old = this.b.and(this.get(Gpr.ESP), this.b.xor(mask, this.b.const(-1)));
    return this.b.or(old, this.b.and(v, mask));
  }
  setStackPointer(v: Value): void {
    this.set(Gpr.ESP, 4, this.movedStackPointer(v));
  }
  push(v: Value, size: number = this.opsize): void {
    const sp = this.b.sub(this.stackPointer(), this.b.const(size));
    this.store(size, this.stackLinear(sp, size, true), v);
    this.setStackPointer(sp);
  }
  /** Pops: the load may fault; ESP moves at once (so do other faulting things with peek() first). */
  pop(size: number = this.opsize): Value {
    const v = this.peek(0, size);
    this.setStackPointer(this.b.add(this.stackPointer(), this.b.const(size)));
    return v;
  }
  /** The value at SS:ESP + bytes, without moving ESP. */
  peek(bytes: number, size: number = this.opsize): Value {
    const at = this.b.add(this.stackPointer(), this.b.const(bytes));
    return this.load('i32', size, this.stackLinear(at, size, false));
  }

  // Flags ------------------------------------------------------------------------------------------------------------
  /** Lazy flags of an arithmetic instruction; inputs and result may have any bits above `width`. */
  flags(flag: FlagKind, width: 8 | 16 | 32, a: Value, b: Value, r: Value): void {
    this.b.push({ kind: 'flags', flag, width, a, b, r });
  }
  flagsRX(r: Value, x: Value): void {
    this.b.push({ kind: 'setRX', r, x });
  }
  flagR(): Value {
    return this.b.push({ kind: 'flagR', type: 'i32' });
  }
  flagX(): Value {
    return this.b.push({ kind: 'flagX', type: 'i32' });
  }
  cond(cc: ConditionCode): Value {
    return this.b.push({ kind: 'cond', type: 'i32', cc });
  }
  /** CF, PF, AF, ZF, SF, OF at their places in EFLAGS. */
  arith(): Value {
    const { b } = this;
    const bit = (cc: ConditionCode, shift: number) => b.shl(this.cond(cc), b.const(shift));
    const af = b.shl(b.and(this.flagX(), b.const(8)), b.const(1));
    return b.or(b.or(b.or(this.cond('b'), bit('p', 2)), b.or(af, bit('e', 6))), b.or(bit('s', 7), bit('o', 11)));
  }
  /** Sets the arithmetic flags in `mask` (a constant of Eflags bits) from `packed`. */
  setArith(packed: Value, mask: number = Eflags.ARITH): void {
    const { b } = this;
    const all = mask === Eflags.ARITH ? packed : b.or(b.and(packed, b.const(mask)), b.and(this.arith(), b.const(Eflags.ARITH & ~mask)));
    const bit = (n: number) => b.and(b.shr_u(all, b.const(n)), b.const(1));
    const cf = b.and(all, b.const(1));
    const r = b.eqz(bit(6)); // 0 where ZF, else 1: never negative, of odd parity (1 bit) where it is 1
    // Parity of R is even for 0, odd for 1: delta bit 8 corrects it to what PF asks.
    const delta = b.xor(b.eqz(bit(2)), r);
    const x = b.or(
      b.or(b.shl(cf, b.const(31)), b.shl(b.xor(cf, bit(11)), b.const(30))),
      b.or(b.or(b.shl(delta, b.const(8)), b.shr_u(b.and(all, b.const(0x10)), b.const(1))), bit(7)),
    );
    this.flagsRX(r, x);
  }

  // Faults, helpers, ends --------------------------------------------------------------------------------------------
  raiseIf(cond: Value, vector: number, error?: Value): void {
    this.b.push({ kind: 'raise', cond, vector, error });
  }
  raise(vector: number, error?: Value): void {
    this.b.push({ kind: 'raise', cond: undefined, vector, error });
  }
  /** Calls a function of the runtime: (cpu, ...args). */
  helper({ name, result, effects }: RuntimeFunction, args: readonly Value[] = []): Value {
    return this.b.push({ kind: 'helper', type: result, name, args: [...args], effects: { ...effects, ...(result && { result }) } });
  }
  /** The same where one of `when` is not 0, which is seldom; else the result is `otherwise`. It leaves registers and flags alone. */
  helperIf(when: readonly Value[], otherwise: Value, { name, result, effects }: RuntimeFunction, args: readonly Value[]): Value {
    return this.b.push({
      kind: 'helper',
      type: result,
      name,
      args: [...args],
      effects: { ...effects, ...(result && { result }) },
      when,
      otherwise,
    });
  }
  thisEip(): Value {
    return this.leaves.thisEip();
  }
  nextEip(): Value {
    return this.leaves.nextEip();
  }
  jump(): void {
    this.end({ kind: 'jump', to: this.leaves.target });
  }
  branch(cond: Value): void {
    this.end({ kind: 'branch', cond, to: this.leaves.target, next: this.leaves.next });
  }
  /** A call, whose return address is pushed already, of the instruction's target, or of the code at `eip`. */
  call(eip?: Value): void {
    const { target } = this.leaves;
    const back = this.nextTarget;
    if (eip === undefined) this.end({ kind: 'call', to: target === undefined ? undefined : eipOf(target), back });
    else this.end({ kind: 'callIndirect', eip, back });
  }
  /** A near return to `eip`. */
  ret(eip: Value): void {
    this.end({ kind: 'ret', eip });
  }
  indirect(eip: Value): void {
    this.end({ kind: 'indirect', eip });
  }
  /** Goes where a function of the runtime says. */
  cross({ name }: RuntimeFunction, args: readonly Value[] = []): void {
    this.end({ kind: 'cross', name, args: [...args] });
  }
  leave(): void {
    this.end({ kind: 'leave' });
  }
  next(): void {
    this.end({ kind: 'next', to: this.nextTarget });
  }
  repeatIf(cond: Value): void {
    this.b.push({ kind: 'repeat', cond });
  }
  /** Goes on behind this instruction, through the dispatcher where `cond`. */
  nextIf(cond: Value): void {
    this.b.push({ kind: 'nextIf', cond });
  }
  private get nextTarget(): number | undefined {
    const { next } = this.leaves;
    return next === undefined ? undefined : eipOf(next);
  }
  private end(op: Parameters<Builder['push']>[0]): void {
    this.b.push(op);
    this.ended = true;
  }
}
