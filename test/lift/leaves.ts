// Leaves whose operands are constants of one decoded instruction, over CPU state in memory: what tests lift with.
import type { Instruction } from '../../src/decode/decoder.ts';
import { Builder } from '../../src/ir/builder.ts';
import type { Code, Value } from '../../src/ir/types.ts';
import { Cpu, GPR_STRIDE, SegCache } from '../../src/layout/cpu.ts';
import type { Leaves } from '../../src/lift/leaves.ts';
import { Lifter } from '../../src/lift/lifter.ts';

const gpr = (n: number, size: number, high: boolean) => Cpu.at.gpr + (size === 1 && high ? n * GPR_STRIDE + 1 : n * GPR_STRIDE);

export class ConstantLeaves implements Leaves {
  private readonly b: Builder;
  private readonly i: Instruction;
  constructor(b: Builder, i: Instruction) {
    this.b = b;
    this.i = i;
  }
  private place(k: number, size: number): number {
    const n = this.i.values[k]!;
    return size === 1 ? gpr(n & 3, 1, n >= 4) : gpr(n, size, false);
  }
  readReg(k: number, size: number, signed: boolean): Value {
    return this.b.push({ kind: 'ldstate', type: 'i32', bytes: size, signed, address: undefined, offset: this.place(k, size) });
  }
  writeReg(k: number, size: number, value: Value): void {
    this.b.push({ kind: 'ststate', bytes: size, address: undefined, offset: this.place(k, size), value });
  }
  imm(k: number): Value {
    return this.b.const(this.i.values[k]!);
  }
  farOffset(): Value {
    return this.b.const(this.i.farOffset);
  }
  number(k: number): Value {
    return this.b.const(this.i.values[k]!);
  }
  regAddress(k: number): Value {
    const offset = this.i.form.ops[k]!.kind === 'mm' ? Cpu.at.fpr : Cpu.at.xmm;
    return this.b.add(this.b.push({ kind: 'cpu', type: 'i32' }), this.b.const(offset + this.i.values[k]! * 16));
  }
  offset(): Value {
    const { b } = this;
    const { base, index, scale, disp } = this.i.memory!;
    const at = base < 0 ? b.const(0) : this.getGpr(base, 4, false);
    const by = index < 0 ? b.const(0) : b.shl(this.getGpr(index, 4, false), b.const(scale));
    const sum = b.add(b.add(at, by), b.const(disp));
    return this.i.form.addrsize === 2 ? b.and(sum, b.const(0xffff)) : sum;
  }
  segment(): Value {
    return this.b.add(this.b.push({ kind: 'cpu', type: 'i32' }), this.b.const(Cpu.at.seg + this.i.memory!.seg * SegCache.size));
  }
  addressMask(): Value {
    return this.b.const(this.i.form.addrsize === 2 ? 0xffff : -1);
  }
  getGpr(reg: number, size: number, high: boolean): Value {
    return this.b.push({ kind: 'ldstate', type: 'i32', bytes: size, signed: false, address: undefined, offset: gpr(reg, size, high) });
  }
  setGpr(reg: number, size: number, high: boolean, value: Value): void {
    this.b.push({ kind: 'ststate', bytes: size, address: undefined, offset: gpr(reg, size, high), value });
  }
  thisEip(): Value {
    return this.b.const(this.i.eip);
  }
  nextEip(): Value {
    return this.b.const(this.i.next);
  }
}

/** The IR of one decoded instruction. */
export function lift(i: Instruction): Code {
  if (i.spec === undefined) throw new Error(`no lift of ${i.form.mnemonic}`);
  const b = new Builder();
  i.spec.lift(new Lifter(b, i.form, new ConstantLeaves(b, i)));
  return b.code;
}
