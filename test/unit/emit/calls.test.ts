// That what stands around calls of the runtime is what src/runtime/abi.ts declares. (That the declarations are true: test/unit/runtime/effects.test.ts.)
import { expect, it, test } from 'vitest';
import { NOWHERE, RuntimeCalls } from '../../../src/emit/lower/calls.ts';
import { type Args, FunctionCode } from '../../../src/emit/lower/function.ts';
import { Lowering } from '../../../src/emit/lower/lowering.ts';
import { REGION } from '../../../src/emit/lower/slow-ways.ts';
import type { PageCache, Target } from '../../../src/emit/lower/target.ts';
import { Emitter, type Expr, i32, i64 } from '../../../src/emit/module.ts';
import type { Op } from '../../../src/ir/operations.ts';
import type { Effects, Type } from '../../../src/ir/types.ts';
import { type RuntimeFunction, runtime, runtimeFunction } from '../../../src/runtime/abi.ts';

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
const zeros = <P extends readonly Type[]>(f: FunctionCode, { params: [, ...types] }: RuntimeFunction<P>) =>
  types.map((type) => (type === 'i64' ? f.m.i64.const(0n) : f.c(0))) as unknown as Args<P>;
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

it('gives a function what it declares, by number and by type', () => {
  const { f, calls } = parts();
  const [word, long] = [f.c(0), f.m.i64.const(0n)];
  const wrong = (name: string) => `${name} is given other types than src/runtime/abi.ts declares`;
  expect(calls.value(runtime.hostBesideCode, word, word).args).toEqual([f.cpu(), word, word]);
  // @ts-expect-error: one less.
  expect(() => calls.value(runtime.hostBesideCode, word)).toThrow(wrong('hostBesideCode'));
  // @ts-expect-error: one more.
  expect(() => calls.way(runtime.slowLoad32, word, word, word)).toThrow(wrong('slowLoad32'));
  // @ts-expect-error: none.
  expect(() => calls.inside(runtime.lockedLoad32, [])).toThrow(wrong('lockedLoad32'));
  // @ts-expect-error: one of two.
  expect(() => f.callRuntime(runtime.internalError, word)).toThrow(wrong('internalError'));
  // The compiler does not know the type of an expression.
  expect(() => calls.value(runtime.hostBesideCode, word, long)).toThrow(wrong('hostBesideCode'));
  expect(() => calls.way(REGION.store[8]!, word, word, word)).toThrow(wrong('regionStore64'));
  expect(calls.way(REGION.store[8]!, word, long, word)).toBeDefined();
  // @ts-expect-error: no value.
  expect(() => calls.way(REGION.store[4]!, word, word)).toThrow(wrong('regionStore32'));
  // Nor that of what it finds by its name, or how many it wants.
  const found: RuntimeFunction = runtimeFunction('hostBesideCode');
  expect(() => calls.value(found, word)).toThrow(wrong('hostBesideCode'));
});

it('lowers no helper with other effects than its function has', () => {
  const helper = (effects: Effects): Op => ({ kind: 'helper', type: undefined, name: 'rdtsc', args: [], effects });
  const { effects } = runtime.rdtsc;
  expect(parts().lowering.lower([helper(effects)]).length).toBeGreaterThan(1);
  const wrong = 'rdtsc is called with other effects than src/runtime/abi.ts declares';
  for (const other of [{}, { ...effects, stores: true }, { ...effects, writes: [0] }, { ...effects, mayFault: false }])
    expect(() => parts().lowering.lower([helper(other)])).toThrow(wrong);
});
