// What is found out about addresses in loops, from guest code.
import { describe, expect, test } from 'vitest';
import { Builder } from '../../../src/ir/builder.ts';
import type { Op } from '../../../src/ir/operations.ts';
import { strides } from '../../../src/passes/strides.ts';

const [EAX, ECX, EDX, EBX] = [0, 1, 2, 3];

/** Operations of one block that is a loop. */
function loop(
  make: (b: Builder & { get(reg: number): number; set(reg: number, v: number): void; at(v: number, bytes?: number): number }) => void,
) {
  const b = new Builder();
  const code = Object.assign(b, {
    get: (reg: number) => b.push({ kind: 'get', type: 'i32', reg }),
    set: (reg: number, value: number) => void b.push({ kind: 'set', reg, value }),
    at: (address: number, bytes = 4) => b.push({ kind: 'load', type: 'i32', bytes, signed: false, address, rmw: false }),
  });
  make(code);
  return strides(new Map([[1, b.code.ops]]), () => [1]);
}

describe('strides', () => {
  test('a pointer that grows by a constant; accesses before and behind the step are one group', () => {
    const found = loop((b) => {
      b.at(b.get(EAX));
      b.set(EAX, b.add(b.get(EAX), b.const(8)));
      b.at(b.sub(b.get(EAX), b.const(4)), 2);
    });
    expect(found?.groups).toEqual([{ terms: new Map([[EAX, 1]]), lo: 0, span: 6, writes: false, step: 8, stepTerms: new Map() }]);
    expect([...found!.accesses.get(1)!.values()]).toEqual([0, 0]);
  });

  test('an index with a scale, downwards, and a base that stands still', () => {
    const found = loop((b) => {
      b.set(ECX, b.sub(b.get(ECX), b.const(1)));
      b.at(b.add(b.add(b.get(EBX), b.shl(b.get(ECX), b.const(2))), b.const(0x100)));
    });
    expect(found?.groups).toMatchObject([{ lo: 0xfc, span: 4, step: -4 }]);
    expect([...found!.groups[0]!.terms]).toEqual([
      [EBX, 1],
      [ECX, 4],
    ]);
  });

  test('a step by a register that stands still; by one that does not, nothing is known', () => {
    const found = loop((b) => {
      b.at(b.get(EAX), 1);
      b.set(EAX, b.add(b.get(EAX), b.get(EDX)));
    });
    expect(found?.groups).toMatchObject([{ step: 0, stepTerms: new Map([[EDX, 1]]) }]);
    const moving = loop((b) => {
      b.at(b.get(EAX), 1);
      b.set(EAX, b.add(b.get(EAX), b.get(EDX)));
      b.set(EDX, b.add(b.get(EDX), b.const(1)));
    });
    expect(moving).toBeUndefined();
  });

  test('an index that is masked: in its range from the second pass on', () => {
    const found = loop((b) => {
      b.at(b.add(b.shl(b.get(EAX), b.const(2)), b.const(0x5000)));
      b.set(EAX, b.op('i32.and', b.add(b.get(EAX), b.const(1)), b.const(0x3f)));
    });
    expect(found?.groups).toMatchObject([{ terms: new Map(), lo: 0x5000, span: 0x100, step: 0 }]);
    expect(found?.bounds.get(EAX)).toMatchObject({ lo: 0, hi: 0x3f });
  });

  test('a byte that was loaded is an index into a table; a word is not', () => {
    const table = (bytes: number) =>
      loop((b) => {
        const index = b.at(b.get(EBX), bytes);
        b.at(b.add(b.shl(index, b.const(2)), b.const(0x5000)));
      });
    expect(table(1)?.groups.map(({ span }) => span)).toEqual([1, 0x400]);
    expect(table(4)?.groups.map(({ span }) => span)).toEqual([4]);
  });

  test('a register that differs by the way through the loop is not known behind where they meet', () => {
    const block = (make: (b: Builder) => void): Op[] => {
      const x = new Builder();
      make(x);
      return x.code.ops;
    };
    const head = block(() => {});
    const one = block((x) => x.push({ kind: 'set', reg: EAX, value: x.add(x.push({ kind: 'get', type: 'i32', reg: EAX }), x.const(4)) }));
    const end = block((x) =>
      x.push({ kind: 'load', type: 'i32', bytes: 4, signed: false, address: x.push({ kind: 'get', type: 'i32', reg: EAX }), rmw: false }),
    );
    const next = (n: number) => ({ 1: [2, 3], 2: [3], 3: [1] })[n]!;
    expect(
      strides(
        new Map([
          [1, head],
          [2, one],
          [3, end],
        ]),
        next,
      ),
    ).toBeUndefined(); // prettier-ignore
    expect(
      strides(
        new Map([
          [1, head],
          [3, end],
        ]),
        (n) => (n === 1 ? [3] : [1]),
      )?.groups,
    ).toHaveLength(1); // prettier-ignore
  });
});
