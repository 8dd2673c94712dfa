// Calls of functions of the runtime that lifts ask for (`helper`, `cross`): always, seldom, or in place where the quick way of one (quick-ways.ts) finds nothing odd.
import type { OpOf } from '../../ir/operations.ts';
import { type Effects, type HelperEffects, overlap, type Place, type Type, type Value } from '../../ir/types.ts';
import { Cpu } from '../../layout/cpu.ts';
import { JumpEntry } from '../../layout/memory.ts';
import { MXCSR, type RuntimeFunction, runtimeFunction } from '../../runtime/abi.ts';
import { type Expr, wasmType } from '../module.ts';
import type { Access, Values } from './access.ts';
import type { RuntimeCalls } from './calls.ts';
import type { FunctionCode } from './function.ts';
import { type QuickWay, quickDeed, quickWay } from './quick-ways.ts';
import type { Target } from './target.ts';

/** Places are the very same, or, where a lift is of another script than its emitter (a Worker's clients in a browser), say the same. */
const isSame = (said: unknown, declared: unknown): boolean => said === declared || JSON.stringify(said) === JSON.stringify(declared);

/** Whether an operation says of a function what is declared of it: passes believe the operation. */
const hasEffects = ({ result: _, ...said }: HelperEffects, { effects }: RuntimeFunction): boolean => {
  const declared = Object.entries(effects);
  return declared.length === Object.keys(said).length && declared.every(([name, what]) => isSame(said[name as keyof Effects], what));
};

/** Whether places that are changed, undefined: any, may be MXCSR. */
export const touchesControl = (changes: readonly Place[] | undefined): boolean =>
  changes === undefined || changes.some((place) => overlap(place, MXCSR));

export class Helpers {
  private readonly f: FunctionCode;
  private readonly values: Values;
  private readonly target: Target;
  private readonly calls: RuntimeCalls;
  private readonly access: Access;

  /** `values`: what operands are, and where results go. */
  constructor(f: FunctionCode, values: Values, target: Target, calls: RuntimeCalls, access: Access) {
    this.f = f;
    this.values = values;
    this.target = target;
    this.calls = calls;
    this.access = access;
  }

  /** A helper operation, the one at `i`. */
  helper(op: OpOf<'helper'>, i: number): void {
    const f = this.callee(op.name, op.type);
    if (!hasEffects(op.effects, f)) throw new Error(`${op.name} is called with other effects than src/runtime/abi.ts declares`);
    if (op.when !== undefined) return this.seldomHelper(f, op, i);
    const quick = this.target.unusual && quickWay(op.name);
    if (quick !== undefined) return this.quickHelper(f, op, i, quick);
    const deed = this.target.unusual && quickDeed(op.name);
    if (deed !== undefined) return this.quickDeed(f, op, deed);
    const { mayFault, eip } = f.effects;
    if (mayFault || eip) this.f.emit(this.f.storeCpu(Cpu.at.eip, this.target.eip()));
    const args = op.args.map((v) => this.values.value(v));
    this.target.beforeCall(op);
    const call = this.f.callRuntime(f, ...args);
    this.access.dropKept();
    if (op.type === undefined) this.f.emit(call);
    else this.values.define(i, op.type, call);
    // First what it changed (a string instruction that faults midway has moved its registers), then the fault.
    this.target.afterCall(op);
    if (mayFault) this.f.emit(this.calls.leaveWhereFaulted());
  }

  /** The function that a helper operation calls for a result of type `type`. Throws where it has another one. (Of its arguments callRuntime does.) */
  private callee(name: string, type: Type | undefined): RuntimeFunction {
    const f = runtimeFunction(name);
    if (f.result !== type) throw new Error(`${name} is called for another result than src/runtime/abi.ts declares`);
    return f;
  }

  /** A `cross`, with all state in memory: on by the entry of the jump cache that its function gives, else by `raise` where that faulted, or `dispatch`. */
  crossing(op: OpOf<'cross'>, raise: Expr, dispatch: Expr): Expr[] {
    const { m } = this.f;
    const callee = this.callee(op.name, 'i32');
    const entry = this.f.locals.take();
    const field = (offset: number) => m.i32.load(offset, 4, this.f.get(entry));
    const code = [
      this.f.storeCpu(Cpu.at.eip, this.target.eip()),
      m.local.set(entry, this.f.callRuntime(callee, ...op.args.map((v) => this.values.value(v)))),
      m.if(this.f.get(entry), m.return_call_indirect(field(JumpEntry.at.func), [field(JumpEntry.at.arg), this.f.cpu()])),
      m.if(this.f.loadCpu(Cpu.at.fault), raise),
      dispatch,
    ];
    this.f.locals.free(entry);
    return code;
  }

  private seldomHelper(f: RuntimeFunction, op: OpOf<'helper'>, i: number): void {
    const { m } = this.f;
    const result = this.f.locals.take(wasmType[op.type!]);
    this.f.emit(m.local.set(result, this.values.value(op.otherwise!)));
    const args = op.args.map((v) => this.values.value(v));
    this.callSeldom(
      f,
      args,
      op.when!.map((v) => this.values.value(v)),
      { result },
    );
    this.keep(i, result);
  }
  /** The value defined at `i` is in `local`, unless nobody uses it. */
  private keep(i: number, local: number): void {
    if (this.values.dead(i)) this.f.locals.free(local);
    else this.values.place(i, local);
  }

  /** What a function gives, or does, in place where nothing is odd. */
  private quickHelper(f: RuntimeFunction, op: OpOf<'helper'>, i: number, quick: QuickWay): void {
    const { m } = this.f;
    const [args, own] = this.repeatables(op.args);
    const type = wasmType[op.type!];
    const result = this.f.locals.take(type);
    this.f.emit(m.local.set(result, quick.result(args)));
    const odd = quick.odd(args, this.f.get(result, type));
    const fine = quick.fine?.(args, this.f.get(result, type));
    this.callSeldom(f, args, quick.usual ? [this.target.unusual!(), ...odd] : odd, { result, ...(fine && { fine }) });
    for (const local of own) this.f.locals.free(local);
    this.keep(i, result);
  }
  private quickDeed(f: RuntimeFunction, op: OpOf<'helper'>, deed: NonNullable<ReturnType<typeof quickDeed>>): void {
    const [args, own] = this.repeatables(op.args);
    const { odd, code } = deed(this.f, args, (v) => {
      const local = this.f.locals.take();
      own.push(local);
      this.f.emit(this.f.m.local.set(local, v));
      return this.f.get(local);
    });
    this.callSeldom(f, args, odd, { code });
    for (const local of own) this.f.locals.free(local);
  }
  /** Values as expressions that may be used again and again, and the locals that were taken for them. */
  private repeatables(values: readonly Value[]): [Expr[], number[]] {
    const own: number[] = [];
    const all = values.map((v) => {
      if (this.values.repeatable(v)) return this.values.value(v);
      const type = wasmType[this.values.typeOfValue(v)];
      const local = this.f.locals.take(type);
      own.push(local);
      this.f.emit(this.f.m.local.set(local, this.values.value(v)));
      return this.f.get(local, type);
    });
    return [all, own];
  }

  /** Calls `f`, for what is in `result`, where one of the conditions is not 0; not where the last is, but `fine` as well. Else `code` is done. */
  private callSeldom(
    f: RuntimeFunction,
    args: readonly Expr[],
    when: readonly Expr[],
    { result, fine, code = [] }: { readonly result?: number; readonly fine?: Expr; readonly code?: readonly Expr[] },
  ): void {
    const { m } = this.f;
    const value = this.f.callRuntime(f, ...args);
    const call = result === undefined ? value : m.local.set(result, value);
    this.access.dropKept();
    const { mayFault, forgets, reads } = f.effects;
    const calls = forgets ? [call, ...this.calls.forget()] : [call];
    if (reads === 'all') calls.unshift(...(this.target.storeAside?.() ?? []), this.f.storeCpu(Cpu.at.eip, this.target.eip()));
    if (touchesControl(f.effects.changes)) calls.push(...(this.target.controlChanged?.() ?? []));
    if (mayFault) {
      calls.unshift(this.f.storeCpu(Cpu.at.eip, this.target.eip()));
      calls.push(this.calls.leaveWhereFaulted());
    }
    // A branch for each: V8 would make values of the conditions to combine them.
    const ways = when.map((cond) => m.br('seldom', this.f.unlikely(cond)));
    if (fine !== undefined) {
      const last = ways.pop()!;
      ways.push(m.block('fine', [m.br('fine', last.args[0]!), m.br('often')]), m.br('seldom', m.i32.eqz(fine)));
    }
    this.f.emit(m.block('often', [m.block('seldom', [...ways, ...code, m.br('often')]), ...calls]));
  }
}
