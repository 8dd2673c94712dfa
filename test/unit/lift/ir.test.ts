// IR of a handful of instructions as text, and rules that hold for the lift of every form there is.
import { expect, test } from 'vitest';
import { enumerateForms } from '../../../src/emit/interpreter/enumerate.ts';
import { RecordLeaves } from '../../../src/emit/interpreter/handlers.ts';
import { Builder } from '../../../src/ir/builder.ts';
import type { Op } from '../../../src/ir/operations.ts';
import { typeOf } from '../../../src/ir/operations.ts';
import { print } from '../../../src/ir/print.ts';
import { problems, verify } from '../../../src/ir/verify.ts';
import { LIFTS } from '../../../src/lift/index.ts';
import { Lifter } from '../../../src/lift/lifter.ts';
import { runtimeFunction } from '../../../src/runtime/abi.ts';
import { liftBytes } from './leaves.ts';

const text = (hex: string, mode?: number) => print(liftBytes(hex, mode));

test('add [ebx+4], ecx: memory first, then flags', () => {
  expect(text('01 4b 04')).toMatchInlineSnapshot(`
    "%0 = get ebx
    %2 = i32.add %0, 4
    %3 = load32 rmw %2
    %4 = get ecx
    %5 = i32.add %3, %4
    store32 %2, %5
    flags add32 %3, %4 -> %5"
  `);
});

test('a shift by a constant folds to the words of its flags', () => {
  expect(text('c1 e0 04')).toMatchInlineSnapshot(`
    "%0 = get eax
    %9 = i32.shl %0, 3
    %10 = i32.shl %0, 4
    %12 = i32.and %9, 0xc0000000
    set eax, %10
    setRX %10, %12"
  `);
});

test('a shift by 0 does nothing', () => {
  expect(text('c1 e0 20')).toMatchInlineSnapshot(`
    "%0 = get eax
    %9 = i32.shl %0, -1
    %11 = i32.and %9, 0xc0000000"
  `);
});

test('push and pop in a flat mode', () => {
  expect(text('50')).toMatchInlineSnapshot(`
    "%0 = get eax
    %1 = get esp
    %3 = i32.sub %1, 4
    store32 %3, %0
    set esp, %3"
  `);
  expect(text('8f 04 24')).toMatchInlineSnapshot(`
    "%0 = get esp
    %2 = load32 %0
    %3 = get esp
    %5 = i32.add %3, 4
    set esp, %5
    %7 = get esp
    %8 = get esp
    set esp, %3
    store32 %8, %2
    set esp, %7"
  `);
});

test('push in 16-bit code honours SS', () => {
  expect(text('50', 0)).toMatchInlineSnapshot(`
    "%0 = get eax
    %2 = i32.and %0, 0xffff
    %3 = get esp
    %5 = i32.sub %3, 2
    %8 = i32.add cpu, 224
    %9 = ldstate32 stackMask
    %10 = i32.and %5, %9
    %11 = linear %8:%10 write 2
    store16 %11, %2
    %13 = ldstate32 stackMask
    %14 = get esp
    %16 = i32.xor %13, -1
    %17 = i32.and %14, %16
    %18 = i32.and %5, %13
    %19 = i32.or %17, %18
    set esp, %19"
  `);
});

test('rep movsd is a helper that says whether to come again', () => {
  expect(text('f3 a5')).toMatchInlineSnapshot(`
    "%2 = i32.add cpu, 0x100
    %6 = helper movs(4, -1, %2, 1) [faults; stores; eip; reads ecx,esi,edi; writes ecx,esi,edi]
    repeat if %6"
  `);
});

test('jcc, call, ret', () => {
  expect(text('74 10')).toMatchInlineSnapshot(`
    "%0 = cond e
    branch if %0 to 0x1012, else 0x1002"
  `);
  expect(text('e8 00 01 00 00')).toMatchInlineSnapshot(`
    "%1 = get esp
    %3 = i32.sub %1, 4
    store32 %3, 0x1005
    set esp, %3
    call 0x1105, back 0x1005"
  `);
  expect(text('c2 08 00')).toMatchInlineSnapshot(`
    "%0 = get esp
    %2 = load32 %0
    %8 = get esp
    %9 = i32.add %8, 12
    set esp, %9
    ret %2"
  `);
});

test('mov ds, ax loads through the runtime, and leaves where that says so', () => {
  expect(text('8e d8')).toMatchInlineSnapshot(`
    "%1 = get eax
    %3 = i32.and %1, 0xffff
    %5 = i32.and %3, 248
    %8 = i32.shl %5, 3
    %9 = i32.add cpu, %8
    %10 = ldstate32 gdtHost
    %11 = i32.add %10, %5
    %12 = ldstate64 %11 + 0
    %13 = ldstate32 %9 + 7872544
    %14 = i32.xor %13, %3
    %15 = ldstate32 cpl
    %16 = i32.or %14, %15
    %17 = ldstate64 %9 + 7872552
    %18 = i64.ne %17, %12
    %20 = helper proveSegment(3, %3) [faults; eip; forgets] if %16 or %18, else 0
    %21 = ldstate128 %9 + 7872512
    ststate128 seg+96, %21
    %23 = ldstate64 %9 + 7872528
    ststate64 seg+112, %23
    nextIf %20"
  `);
});

test('the verifier finds what is wrong', () => {
  const b = new Builder();
  const one = b.const(1);
  b.op('i64.add', one, one);
  b.push({ kind: 'set', reg: 0, value: 7 });
  b.push({ kind: 'jump' });
  b.push({ kind: 'store', bytes: 8, address: one, value: one });
  expect(problems(b.code)).toMatchInlineSnapshot(`
    [
      "%1 i64.add 1, 1: operand %0 is i32, not i64",
      "%1 i64.add 1, 1: operand %0 is i32, not i64",
      "%2 set eax, %7: operand %7 is not defined before",
      "%4 store64 1, 1: after the terminator %3",
      "%4 store64 1, 1: 8 bytes of i32",
    ]
  `);
  expect(() => verify(b.code)).toThrow('bad IR');
});

const forms = enumerateForms();
const lifted = [...forms].map(([key, { form, spec }]) => {
  const b = new Builder();
  spec.lift(new Lifter(b, form, new RecordLeaves(b, form)));
  return { key, code: b.code };
});

test('the lift of every form is good IR', () => {
  expect(forms.size).toBeGreaterThan(1000);
  expect(lifted.flatMap(({ key, code }) => problems(code).map((p) => `${key}: ${p}`))).toEqual([]);
});

test('every lift is reached by some encoding', () => {
  const met = new Set([...forms.values()].map(({ form }) => form.mnemonic));
  expect([...LIFTS.keys()].filter((mnemonic) => !met.has(mnemonic))).toEqual([]);
});

/** Operations after which an instruction cannot be undone. */
const writesState = (op: Op) => op.kind === 'set' || op.kind === 'ststate' || op.kind === 'flags' || op.kind === 'setRX';
const mayFault = (ops: readonly Op[], op: Op) =>
  ['raise', 'linear', 'load'].includes(op.kind) ||
  (op.kind === 'helper' && op.effects.mayFault === true) ||
  (op.kind === 'store' && !ops.some((o) => o.kind === 'load' && o.rmw && o.address === op.address));

/** POP m restores ESP before it faults. CVTxx2PI and CVTPI2PS enter the MMX state before what may fault: not as it should be. */
const EXCEPT = /^(pop m|cvtpi2ps|cvtt?p[sd]2pi)/;

test('nothing may fault behind the first write of a register or of flags', () => {
  const wrong: string[] = [];
  for (const { key, code } of lifted) {
    const first = code.ops.findIndex(writesState);
    if (first >= 0 && !EXCEPT.test(key) && code.ops.slice(first).some((op) => mayFault(code.ops, op))) wrong.push(key);
  }
  expect(wrong).toEqual([]);
});

const LOCKABLE = /^(add|adc|and|btc|btr|bts|cmpxchg|cmpxchg8b|dec|inc|neg|not|or|sbb|sub|xor|xadd|xchg) m/;

test('a read-modify-write changes nothing before its store, so that a locked one can start again there', () => {
  const wrong = lifted.filter(({ key, code: { ops } }) => {
    if (!LOCKABLE.test(key)) return false;
    const load = ops.findIndex((op) => op.kind === 'load' && op.rmw);
    const address = (ops[load] as { address?: number } | undefined)?.address;
    const store = ops.findIndex((op) => op.kind === 'store' && op.address === address);
    return load < 0 || store < load || ops.slice(0, store).some((op) => writesState(op) || op.kind === 'helper');
  });
  expect(wrong.map(({ key }) => key)).toEqual([]);
  expect(lifted.filter(({ key }) => LOCKABLE.test(key)).length).toBeGreaterThan(50);
});

test('lifts call the runtime with the types that it declares', () => {
  const called = new Set<string>();
  const wrong = new Set<string>();
  for (const { key, code } of lifted)
    for (const op of code.ops) {
      if (op.kind !== 'helper' && op.kind !== 'cross') continue;
      const { params, result } = runtimeFunction(op.name);
      const type = op.kind === 'cross' ? 'i32' : op.type;
      const types = ['i32', ...op.args.map((v) => typeOf(code.ops[v]!))];
      if (types.join() !== params.join() || type !== result) wrong.add(`${op.name}(${types}): ${type} (${key})`);
      called.add(op.name);
    }
  expect([...wrong]).toEqual([]);
  expect(called.size).toBeGreaterThan(150);
});
