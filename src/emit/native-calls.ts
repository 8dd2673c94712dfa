// Calls that come back: a region calls its callee as a Wasm function and waits for it, so that a guest's RET is a Wasm return,
// which the processor predicts. All state is in memory meanwhile, so that it does not matter who comes back, or how: if the CPU is to go
// on at the return point in the same mode, with the same code there, the region goes on; else it returns itself, in the end to `run`,
// which asks the dispatcher. Whoever waits longer than that (the stack was switched, the call never returns) is dropped that way when
// too many wait.
import { Cpu } from '../layout/cpu.ts';
import { type Expr, none } from './module.ts';
import { RegionExits } from './region-exits.ts';

/** So many regions wait at the most: their frames must fit on the thread's stack. */
const MOST_WAITING = 64;

/** Cpu.callReturn where nobody waits. (A RET to this address returns to `run`, which goes on there.) */
export const NO_RETURN = -1;

export abstract class NativeCalls extends RegionExits {
  /** The function that is being emitted. */
  protected abstract readonly functionName: string;

  /**
   * Calls the code at EIP `known`, or else at that of `value`, and goes on behind it, where EIP is `back`. All state is in memory before
   * and after.
   */
  protected callAndWait(known: number | undefined, value: Expr | undefined, back: number): Expr[] {
    const { m } = this;
    const [depth, before, generation] = [this.locals.take(), this.locals.take(), this.locals.take()];
    const eip = value && this.locals.take();
    const where = () => (eip === undefined ? this.c(known!) : this.get(eip));
    const gen = () => this.loadCpu(this.generation);
    const differs = [
      m.i32.xor(this.loadCpu(Cpu.at.eip), this.c(back)),
      m.i32.xor(gen(), this.get(generation)),
      m.i32.xor(this.loadCpu(Cpu.at.mode), this.c(this.region.mode)),
      this.loadCpu(Cpu.at.exit),
      this.loadCpu(Cpu.at.step),
    ].reduce((a, b) => m.i32.or(a, b));
    const out = [
      ...(eip === undefined ? [] : [m.local.set(eip, value!)]),
      m.local.set(depth, this.loadCpu(Cpu.at.callDepth)),
      m.if(
        this.unlikely(m.i32.gt_u(this.get(depth), this.c(MOST_WAITING - 1))),
        m.block(null, [this.storeCpu(Cpu.at.eip, where()), m.return()]),
      ),
      m.local.set(before, this.loadCpu(Cpu.at.callReturn)),
      m.local.set(generation, gen()),
      this.storeCpu(Cpu.at.callReturn, this.c(back)),
      this.storeCpu(Cpu.at.callDepth, m.i32.add(this.get(depth), this.c(1))),
      ...this.callCode(known, where),
      m.if(this.unlikely(differs), m.return()),
      this.storeCpu(Cpu.at.callReturn, this.get(before)),
      this.storeCpu(Cpu.at.callDepth, this.get(depth)),
    ];
    for (const local of [depth, before, generation, ...(eip === undefined ? [] : [eip])]) this.locals.free(local);
    return out;
  }

  private callCode(target: number | undefined, where: () => Expr): Expr[] {
    const { m } = this;
    if (target === undefined) return this.lookUp(where, false);
    if (!this.samePage(target)) return this.lookUpKnown(target, false);
    // What runs is what stands at the region's entry: no need of the table.
    if (target === this.region.eip) return [m.call(this.functionName, [this.c(0), this.cpu()], none)];
    const slot = this.slotAt(target);
    return [m.call_indirect(this.c(slot), [this.c(slot), this.cpu()])];
  }
}
