// Calls that come back: a region calls its callee as a Wasm function and waits for it, so that a guest's RET is a Wasm return,
// which the processor predicts. All state is in memory meanwhile, so that it does not matter who comes back, or how: if the CPU is to go
// on at the return point in the same mode, with the same code there, the region goes on; else it returns itself, in the end to `run`,
// which asks the dispatcher. Whoever waits longer than that (the stack was switched, the call never returns) is dropped that way when
// too many wait.
import { Cpu } from '../../layout/cpu.ts';
import type { RegionIr } from '../../translate/graph.ts';
import type { FunctionCode } from '../lower/function.ts';
import { type Expr, none } from '../module.ts';
import type { RegionExits } from './exits.ts';

/** So many regions wait at the most: their frames must fit on the thread's stack. */
const MOST_WAITING = 64;

/** Cpu.callReturn where nobody waits. (A RET to this address returns to `run`, which goes on there.) */
export const NO_RETURN = -1;

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
    const [depth, before, generation] = [this.f.locals.take(), this.f.locals.take(), this.f.locals.take()];
    const eip = value && this.f.locals.take();
    const where = () => (eip === undefined ? this.f.c(known!) : this.f.get(eip));
    const gen = () => this.f.loadCpu(this.exits.generation);
    const differs = [
      m.i32.xor(this.f.loadCpu(Cpu.at.eip), this.f.c(back)),
      m.i32.xor(gen(), this.f.get(generation)),
      m.i32.xor(this.f.loadCpu(Cpu.at.mode), this.f.c(this.region.mode)),
      this.f.loadCpu(Cpu.at.exit),
      this.f.loadCpu(Cpu.at.step),
    ].reduce((a, b) => m.i32.or(a, b));
    const out = [
      ...(eip === undefined ? [] : [m.local.set(eip, value!)]),
      m.local.set(depth, this.f.loadCpu(Cpu.at.callDepth)),
      m.if(
        this.f.unlikely(m.i32.gt_u(this.f.get(depth), this.f.c(MOST_WAITING - 1))),
        m.block(null, [this.f.storeCpu(Cpu.at.eip, where()), m.return()]),
      ),
      m.local.set(before, this.f.loadCpu(Cpu.at.callReturn)),
      m.local.set(generation, gen()),
      this.f.storeCpu(Cpu.at.callReturn, this.f.c(back)),
      this.f.storeCpu(Cpu.at.callDepth, m.i32.add(this.f.get(depth), this.f.c(1))),
      ...this.callCode(known, where),
      m.if(this.f.unlikely(differs), m.return()),
      this.f.storeCpu(Cpu.at.callReturn, this.f.get(before)),
      this.f.storeCpu(Cpu.at.callDepth, this.f.get(depth)),
    ];
    for (const local of [depth, before, generation, ...(eip === undefined ? [] : [eip])]) this.f.locals.free(local);
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
