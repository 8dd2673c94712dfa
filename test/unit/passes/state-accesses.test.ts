// Which accesses to the CPU's state are dropped, as text of the operations that are left.
import { expect, test } from 'vitest';
import { Builder } from '../../../src/ir/builder.ts';
import type { Op } from '../../../src/ir/operations.ts';
import type { HelperEffects, Value } from '../../../src/ir/types.ts';
import { Cpu } from '../../../src/layout/cpu.ts';
import { dropStateAccesses } from '../../../src/passes/state-accesses.ts';
import { MXCSR } from '../../../src/runtime/abi.ts';

const XMM1 = Cpu.at.xmm + 16;

class Code extends Builder {
  load(offset: number, type: 'i32' | 'i64' | 'v128' = 'v128', address?: Value): Value {
    const bytes = { i32: 4, i64: 8, v128: 16 }[type];
    return this.push({ kind: 'ldstate', type, bytes, signed: false, address, offset });
  }
  store(offset: number, value: Value, bytes = 16, address?: Value): void {
    this.push({ kind: 'ststate', bytes, address, offset, value });
  }
  call(effects: HelperEffects = {}): void {
    this.push({ kind: 'helper', type: undefined, name: 'h', args: [], effects });
  }
  at(offset: number): Value {
    return this.add(this.push({ kind: 'cpu', type: 'i32' }), this.const(offset));
  }
  /** What is left of loads, stores and checks: their places among the operations. */
  kept(): number[] {
    const ops = dropStateAccesses(this.code.ops);
    this.result = ops;
    return ops.flatMap((op, i) => (op.kind === 'ldstate' || op.kind === 'ststate' || op.kind === 'raise' ? [i] : []));
  }
  result: readonly Op[] = [];
}

test('a register that was loaded or stored is not loaded again', () => {
  const c = new Code();
  const a = c.load(XMM1);
  const again = c.load(0, 'v128', c.at(XMM1));
  c.store(XMM1 + 16, again);
  const stored = c.load(XMM1 + 16);
  c.store(XMM1 + 32, stored);
  expect(c.kept()).toEqual([a, again + 1, stored + 1]);
  expect((c.result[again + 1] as { value: Value }).value).toBe(a);
  expect((c.result[stored + 1] as { value: Value }).value).toBe(a);
});

test('a half of a vector is taken from the vector', () => {
  const c = new Code();
  c.load(XMM1);
  const high = c.load(XMM1 + 8, 'i64');
  c.kept();
  expect(c.result[high]).toMatchObject({ kind: 'pure', name: 'i64x2.extract_lane', args: [0], imm: 1 });
});

test('a store to a part of it ends what is known of the whole', () => {
  const c = new Code();
  const whole = c.load(XMM1);
  const part = c.load(XMM1 + 48, 'i32');
  c.store(XMM1 + 12, part, 4);
  const again = c.load(XMM1);
  expect(c.kept()).toEqual([whole, part, part + 1, again]);
});

test('a store to an address that is not known ends everything, as a helper does; one of arithmetic ends MXCSR alone', () => {
  const c = new Code();
  const a = c.load(XMM1);
  const m = c.load(Cpu.at.mxcsr, 'i32');
  c.call({ changes: [MXCSR], mayFault: true });
  c.load(XMM1);
  const m2 = c.load(Cpu.at.mxcsr, 'i32');
  c.call();
  const b = c.load(XMM1);
  const somewhere = c.push({ kind: 'get', type: 'i32', reg: 0 });
  c.store(0, m2, 4, somewhere);
  const d = c.load(XMM1);
  expect(c.kept()).toEqual([a, m, m2, b, somewhere + 1, d]);
});

test('a store of what is there is dropped, also behind a load that may fault', () => {
  const c = new Code();
  c.store(Cpu.at.ftop, c.const(0), 4);
  const address = c.push({ kind: 'get', type: 'i32', reg: 0 });
  c.push({ kind: 'load', type: 'i32', bytes: 4, signed: false, address, rmw: false });
  c.store(Cpu.at.ftop, c.const(0), 4);
  const one = c.const(1);
  c.store(Cpu.at.ftop, one, 4);
  expect(c.kept()).toEqual([1, one + 1]);
});

test('a check that passed is not made again, unless its word may have changed', () => {
  const c = new Code();
  const check = () => {
    const trap = c.op('i32.and', c.load(Cpu.at.sseTrap, 'i32'), c.const(1));
    return c.push({ kind: 'raise', cond: trap, vector: 6, error: undefined });
  };
  const first = check();
  check();
  c.call();
  const third = check();
  expect(c.kept()).toEqual([0, first, third - 3, third]);
});

test('a call, or a store to an address that is not known, that tells what it changes leaves the rest known', () => {
  for (const told of [true, false]) {
    const c = new Code();
    const within = { at: Cpu.at.fsw, end: Cpu.at.fsw + 4 };
    const status = c.load(Cpu.at.fsw, 'i32');
    const top = c.load(Cpu.at.ftop, 'i32');
    c.call(told ? { changes: [within] } : {});
    const [statusAgain, topAgain] = [c.load(Cpu.at.fsw, 'i32'), c.load(Cpu.at.ftop, 'i32')];
    const store = c.push({ kind: 'ststate', bytes: 4, address: topAgain, offset: 0, value: status, ...(told && { within: [within] }) });
    const [statusLast, topLast] = [c.load(Cpu.at.fsw, 'i32'), c.load(Cpu.at.ftop, 'i32')];
    expect(c.kept()).toEqual([status, top, statusAgain, ...(told ? [] : [topAgain]), store, statusLast, ...(told ? [] : [topLast])]);
  }
});
