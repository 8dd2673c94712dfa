// Calls that come back: a region calls its callee as a Wasm function and waits for it, so that a guest's RET is a Wasm return,
// which the processor predicts. All state is in memory meanwhile. A RET to where the last one that waits goes on says so in Cpu.callReturn and returns;
// whatever else returns does not, and is passed on, in the end to `run`, which asks the dispatcher. What makes the code of those that wait another
// one, or changes the mode, makes Cpu.callReturn NO_RETURN: then they are never gone on with (the guest goes on at their return point by its EIP). Whoever waits in vain
// (the stack was switched, the call never returns) is dropped when too many wait.

import type { RegionIr } from '../../ir/region.ts';
import { Cpu } from '../../layout/cpu.ts';
import { PAGE } from '../../layout/memory.ts';
import { ProfReason, ProfWhy } from '../../layout/prof.ts';
import type { FunctionCode } from '../lower/function.ts';
import { returnToPage } from '../lower/places.ts';
import { type Expr, i64, none } from '../module.ts';
import type { RegionExits } from './exits.ts';

/** So many regions wait at the most: their frames must fit on the thread's stack. */
const MOST_WAITING = 64n;
/** Cpu.callReturn and Cpu.callDepth as one word: the depth is its upper half. */
const DEPTH_SHIFT = 32n;
const LOW = 0xffffffffn;

/** Whether somebody can wait for a return to an EIP: the complement of one could not be told from NO_RETURN, the other one not from nobody. */
const canWaitAt = (back: number, floats: boolean): boolean => (floats ? back !== PAGE - 1 : back !== 0 && (back | 0) !== -1);

export class NativeCalls {
  private readonly f: FunctionCode;
  private readonly exits: RegionExits;
  private readonly region: RegionIr;
  /** The function that is being emitted. */
  private readonly functionName: string;

  constructor(f: FunctionCode, exits: RegionExits, region: RegionIr, functionName: string) {
    this.f = f;
    this.exits = exits;
    this.region = region;
    this.functionName = functionName;
  }

  /**
   * Calls the code at EIP `known`, or else at that of `value`, and goes on behind it, where EIP is `back`. All state is in memory before
   * and after.
   */
  callAndWait(known: number | undefined, value: Expr | undefined, back: number): Expr[] {
    const { m } = this.f;
    const { counts } = this.exits;
    const { floats } = this.exits;
    if (!canWaitAt(back, floats)) return known === undefined ? this.exits.lookUpValue(value!, 'jumps') : this.exits.chain(known);
    const before = this.f.locals.take(i64);
    const eip = value && this.f.locals.take();
    const point = floats ? this.f.locals.take() : undefined;
    const where = () => (eip === undefined ? this.exits.eip(known!) : this.f.get(eip));
    // The return point is a word of its own in both places: kept code of a kernel that moves is told where it is now.
    const behind = () => (point === undefined ? this.f.c(back) : this.f.get(point));
    const depth = m.i64.add(m.i64.or(this.f.get(before, i64), m.i64.const(LOW)), m.i64.const(1n));
    const waiting = m.i64.or(depth, m.i64.extend_u(behind()));
    const another = m.i32.add(m.i32.xor(this.f.loadCpu(Cpu.at.callReturn), behind()), this.f.c(1));
    const out = [
      ...(eip === undefined ? [] : [m.local.set(eip, value!), ...counts.count('jumps')]),
      m.if(
        this.f.unlikely(
          m.i64.ge_u(m.local.tee(before, m.i64.load(Cpu.at.callReturn, 8, this.f.cpu()), i64), m.i64.const(MOST_WAITING << DEPTH_SHIFT)),
        ),
        m.block(null, [
          ...counts.why(ProfReason.UNWOUND | (eip === undefined ? 0 : ProfWhy.BRANCH)),
          this.f.storeCpu(Cpu.at.eip, where()),
          m.return(),
        ]),
      ),
      ...(point === undefined ? [] : [m.local.set(point, this.exits.eip(back))]),
      m.i64.store(Cpu.at.callReturn, 8, this.f.cpu(), waiting),
      ...this.callCode(known, where),
      m.if(this.f.unlikely(another), m.return()),
      m.i64.store(Cpu.at.callReturn, 8, this.f.cpu(), this.f.get(before, i64)),
      ...(point === undefined ? [] : [returnToPage(this.f, this.f.get(point), this.f.get(point))]),
    ];
    this.f.locals.free(before);
    if (point !== undefined) this.f.locals.free(point);
    if (eip !== undefined) this.f.locals.free(eip);
    return out;
  }

  private callCode(target: number | undefined, where: () => Expr): Expr[] {
    const { m } = this.f;
    if (target === undefined) return this.exits.lookUp(where, false);
    if (!this.exits.samePage(target)) return this.exits.lookUpKnown(target, false);
    // What runs is what stands at the region's entry: no need of the table.
    if (target === this.region.eip) return [m.call(this.functionName, [this.f.c(0), this.f.cpu()], none)];
    const slot = this.exits.slotAt(target);
    return [m.call_indirect(this.f.c(slot), [this.f.c(slot), this.f.cpu()])];
  }
}
