// That what stands around calls of the runtime is what src/runtime/abi.ts declares. (That the declarations are true: test/unit/runtime/effects.test.ts.)
import { expect, it, test } from 'vitest';
import { NOWHERE, RuntimeCalls } from '../../../src/emit/lower/calls.ts';
import { FunctionCode } from '../../../src/emit/lower/function.ts';
import { Lowering } from '../../../src/emit/lower/lowering.ts';
import type { PageCache, Target } from '../../../src/emit/lower/target.ts';
import { Emitter, type Expr, i32, i64 } from '../../../src/emit/module.ts';
import type { Op } from '../../../src/ir/operations.ts';
import type { Effects } from '../../../src/ir/types.ts';
import { type RuntimeFunction, runtime } from '../../../src/runtime/abi.ts';

/** A target with one page cache, which notes what it is told. */
function parts() {
  const f = new FunctionCode(new Emitter(), 2);
  const cache: PageCache = { page: f.locals.take(i64), delta: f.locals.take(i32), writes: false };
  const told: string[] = [];
  const target = {
    pages: { of: () => undefined, all: () => [cache], unchecked: () => 0 },
    eip: () => f.c(0x1234),
    faultExit: (faulted?: Expr) => (faulted === undefined ? f.m.return() : f.m.if(faulted, f.m.return())),
    mayHaveStored: () => told.push('stored'),
    beforeCall: () => told.push('before'),
    afterCall: () => told.push('after'),
  } as unknown as Target;
  return { f, target, told, calls: new RuntimeCalls(f, target), lowering: new Lowering(f, target) };
}
const zeros = (f: FunctionCode, of: RuntimeFunction) => of.params.slice(1).map((type) => (type === 'i64' ? f.m.i64.const(0n) : f.c(0)));
/** What stands behind a call. */
const behindCall = ({ f, calls }: ReturnType<typeof parts>, of: RuntimeFunction) => {
  const text = (e: Expr) => JSON.stringify(e, (_, value) => (typeof value === 'bigint' ? String(value) : value));
  const [, ...behind] = calls.inside(of, zeros(f, of));
  return behind.map((e) => (text(e).includes(`"${NOWHERE}"`) ? 'forget' : 'leave'));
};

test.each<[RuntimeFunction, string[]]>([
  [runtime.lockedHost, ['leave']],
  [runtime.lockedLoad32, ['leave', 'forget']],
  [runtime.lockedStore32, ['forget']],
  [runtime.slowLinear, ['leave']],
  [runtime.relax, []],
])('behind $name inside an operation', (of, behind) => {
  expect(behindCall(parts(), of)).toEqual(behind);
});

it('tells of stores that may change the code that goes on, where they are declared', () => {
  const { f, calls, told } = parts();
  calls.way(runtime.regionStore32, ...zeros(f, runtime.regionStore32));
  expect(told).toEqual([]);
  calls.way(runtime.slowStore32, ...zeros(f, runtime.slowStore32));
  expect(told).toEqual(['stored']);
});

it('calls no function that needs, or does, what an operation must say', () => {
  const { f, calls } = parts();
  expect(() => calls.inside(runtime.cpuid, [])).toThrow('cpuid must be called by a helper operation');
  expect(() => calls.inside(runtime.popfSystem, [f.c(0)])).toThrow('popfSystem must be called by a helper operation');
  expect(() => calls.value(runtime.slowLoad32, f.c(0), f.c(0))).toThrow('slowLoad32 does more than give a value');
  const forgetful = { ...runtime.slowLoad32, effects: { mayFault: true, forgets: true } };
  expect(() => calls.way(forgetful, f.c(0), f.c(0))).toThrow('slowLoad32 may empty page caches');
});

it('lowers no helper with other effects than its function has', () => {
  const helper = (effects: Effects): Op => ({ kind: 'helper', type: undefined, name: 'rdtsc', args: [], effects });
  const { effects } = runtime.rdtsc;
  expect(parts().lowering.lower([helper(effects)]).length).toBeGreaterThan(1);
  const wrong = 'rdtsc is called with other effects than src/runtime/abi.ts declares';
  for (const other of [{}, { ...effects, stores: true }, { ...effects, writes: [0] }, { ...effects, mayFault: false }])
    expect(() => parts().lowering.lower([helper(other)])).toThrow(wrong);
});
