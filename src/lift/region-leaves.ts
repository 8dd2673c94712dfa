// Operands of a lift for the JIT: constants, and registers by number.
import type { Instruction } from '../decode/decoder.ts';
import type { BlockId } from '../ir/blocks.ts';
import type { Builder } from '../ir/builder.ts';
import type { Value } from '../ir/types.ts';
import { Cpu, SegCache } from '../layout/cpu.ts';
import type { Leaves } from './leaves.ts';

/** An EIP of code that floats. */
export const eipAt = (b: Builder, own: Value): Value =>
  b.add(own, b.push({ kind: 'ldstate', type: 'i32', bytes: 4, signed: false, address: undefined, offset: Cpu.at.codePage }));

export class RegionLeaves implements Leaves {
  private readonly b: Builder;
  private readonly x: Instruction;
  readonly target: BlockId | undefined;
  readonly next: BlockId;
  private readonly floats: boolean;
  /** `copy`: what the names of blocks in the instruction's copy have beyond their EIPs. `floats`: its EIPs are offsets in its page. */
  constructor(b: Builder, x: Instruction, copy = 0, floats = false) {
    this.b = b;
    this.x = x;
    this.floats = floats;
    this.target = x.target === undefined ? undefined : copy + x.target;
    this.next = copy + x.next;
  }

  readReg(k: number, size: number, signed: boolean): Value {
    const n = this.x.values[k]!;
    const high = size === 1 && n > 3;
    const v = this.getGpr(high ? n - 4 : n, size, high);
    if (!signed || size === 4) return v;
    return size === 1 ? this.b.extend8_s(v) : this.b.extend16_s(v);
  }
  writeReg(k: number, size: number, v: Value): void {
    const n = this.x.values[k]!;
    const high = size === 1 && n > 3;
    this.setGpr(high ? n - 4 : n, size, high, v);
  }
  imm(k: number): Value {
    return this.b.const(this.x.values[k]!);
  }
  farOffset(): Value {
    return this.b.const(this.x.farOffset);
  }
  number(k: number): Value {
    return this.b.const(this.x.values[k]!);
  }
  regAddress(k: number): Value {
    const at = this.x.form.ops[k]!.kind === 'mm' ? Cpu.at.fpr : Cpu.at.xmm;
    return this.b.add(this.b.push({ kind: 'cpu', type: 'i32' }), this.b.const(at + this.x.values[k]! * 16));
  }
  offset(): Value {
    const { b } = this;
    const m = this.x.memory!;
    let v: Value | undefined;
    if (m.base >= 0) v = this.getGpr(m.base, 4, false);
    if (m.index >= 0) {
      const index = b.address('shl', this.getGpr(m.index, 4, false), b.const(m.scale));
      v = v === undefined ? index : b.address('add', v, index);
    }
    v = v === undefined ? b.const(m.disp) : b.address('add', v, b.const(m.disp));
    return this.x.form.segmented && this.x.form.addrsize === 2 ? b.address('and', v, b.const(0xffff)) : v;
  }
  segment(): Value {
    return this.b.add(this.b.push({ kind: 'cpu', type: 'i32' }), this.b.const(Cpu.at.seg + this.x.memory!.seg * SegCache.size));
  }
  addressMask(): Value {
    return this.b.const(this.x.form.addrsize === 2 ? 0xffff : -1);
  }
  getGpr(reg: number, size: number, high: boolean): Value {
    const { b } = this;
    const v = b.push({ kind: 'get', type: 'i32', reg });
    if (size === 4) return v;
    if (size === 2) return b.and(v, b.const(0xffff));
    return b.and(high ? b.shr_u(v, b.const(8)) : v, b.const(0xff));
  }
  setGpr(reg: number, size: number, high: boolean, v: Value): void {
    const { b } = this;
    let value = v;
    if (size !== 4) {
      const mask = size === 2 ? 0xffff : high ? 0xff00 : 0xff;
      const old = b.and(b.push({ kind: 'get', type: 'i32', reg }), b.const(~mask));
      value = b.or(old, b.and(high ? b.shl(v, b.const(8)) : v, b.const(mask)));
    }
    b.push({ kind: 'set', reg, value });
  }
  thisEip(): Value {
    return this.eip(this.x.eip);
  }
  nextEip(): Value {
    return this.eip(this.x.next);
  }
  private eip(own: number): Value {
    const known = this.b.const(own);
    return this.floats ? eipAt(this.b, known) : known;
  }
}
