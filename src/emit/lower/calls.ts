// Calls of the runtime from inside an operation, and what stands behind them: what src/runtime/abi.ts says that the function does decides.
import type { Type } from '../../ir/types.ts';
import { Cpu } from '../../layout/cpu.ts';
import { PAGE } from '../../layout/memory.ts';
import type { AccessWay, Poll, RuntimeFunction } from '../../runtime/abi.ts';
import { wasm } from '../module/expressions.ts';
import type { Expr } from '../module.ts';
import type { Args, FunctionCode } from './function.ts';
import type { Target } from './target.ts';

/** A "page" that no access is near: linear - NOWHERE, as 64 bits, is more than a page for every linear address. */
export const NOWHERE = BigInt(-2 * PAGE);
const NO_PAGE = wasm.i64.const(NOWHERE);

export class RuntimeCalls {
  private readonly f: FunctionCode;
  private readonly target: Target;

  constructor(f: FunctionCode, target: Target) {
    this.f = f;
    this.target = target;
  }

  /** Empties the page caches. */
  forget(): Expr[] {
    const out: Expr[] = [];
    for (const { page } of this.target.pages?.all() ?? []) out.push(this.f.m.local.set(page, NO_PAGE));
    return out;
  }

  /** Leaves where Cpu.fault is set. */
  leaveWhereFaulted(): Expr {
    return this.target.faultExit(this.f.loadCpu(Cpu.at.fault));
  }

  /** A call for its result, of a function that does nothing else. */
  value<P extends readonly Type[]>(f: RuntimeFunction<P>, ...args: Args<P>): Expr {
    if (Object.keys(f.effects).length > 0) throw new Error(`${f.name} does more than give a value`);
    return this.f.callRuntime(f, ...args);
  }

  /** A call in the middle of an operation; `take`: where its result goes. */
  inside<P extends readonly Type[]>(f: RuntimeFunction<P>, args: Args<P>, take = (result: Expr) => result): Expr[] {
    this.check(f);
    const out = [take(this.f.callRuntime(f, ...args))];
    if (f.effects.mayFault) out.push(this.leaveWhereFaulted());
    if (f.effects.forgets) out.push(...this.forget());
    return out;
  }

  /** The slow way of an access, which leaves where it faulted. */
  way<P extends readonly Type[]>(f: AccessWay<P>, ...args: Args<P>): Expr {
    this.check(f);
    if (f.effects.forgets) throw new Error(`${f.name} may empty page caches, which no slow way does`);
    return this.target.faultExit(this.f.callRuntime(f, ...args));
  }

  /** What registers, flags and EIP a call needs in memory, and changes there, the operation that it stands for must say: a helper. */
  private check({ name, effects }: RuntimeFunction): void {
    const { reads, writes, flags, eip } = effects;
    if (reads || writes || flags || eip) throw new Error(`${name} must be called by a helper operation`);
    if (effects.stores) this.target.mayHaveStored();
  }
}

/** A poll: `leave` where it did something; else it did nothing, and the function goes on with what it has in locals. */
export const callPoll = (f: FunctionCode, poll: Poll, eip: Expr, leave: Expr): Expr => f.m.if(f.callRuntime(poll, eip), leave);
