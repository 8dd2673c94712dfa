// Both encoders of WebAssembly, over one suite: the engine reads back what was written, and Binaryen, which shares nothing with our own encoder, validates it.
import binaryen from 'binaryen';
import { beforeAll, describe, expect, test } from 'vitest';
import { CODE_TYPE, ENCODERS, HINTS, type MakeBuilder } from '../../../src/emit/module/builder.ts';
import { type Expr, wasm as m, pure } from '../../../src/emit/module/expressions.ts';
import { loadEncoder } from '../../../src/emit/module/load.ts';
import { OPERATORS } from '../../../src/emit/module/opcodes.ts';
import { f32, f64, i32, i64, none, type ValueType, v128 } from '../../../src/emit/module/types.ts';
import { Emitter } from '../../../src/emit/module.ts';
import { emitRegion, type RegionDemands } from '../../../src/emit/region/region.ts';
import { budget, counting, tracing } from '../../../src/instrument/index.ts';
import { Mode } from '../../../src/layout/cpu.ts';
import { PAGE } from '../../../src/layout/memory.ts';
import { growRegion } from '../../../src/translate/grow.ts';

interface Function {
  readonly name: string;
  readonly locals?: readonly ValueType[];
  readonly body: Expr;
  readonly params?: readonly ValueType[];
}
type Bytes = Uint8Array<ArrayBuffer>;

function write(make: MakeBuilder, functions: readonly Function[], imports: readonly string[] = []): Bytes {
  const w = make();
  for (const base of imports) w.addImport({ name: `host.${base}`, module: 'host', base, params: [i32], result: i32 });
  for (const { name, locals = [], body, params = CODE_TYPE.params } of functions)
    w.addFunction({ name, params, result: none, locals, body });
  return w.finish() as Bytes;
}

/** Hints of a binary, as Binaryen reads them: the text of each branch's function and its place among that function's branches. */
function hints(bytes: Bytes): string[] {
  const module = binaryen.readBinary(bytes);
  try {
    let at = '';
    let branches = 0;
    let hinted = '';
    const found: string[] = [];
    for (const line of module.emitText().split('\n')) {
      const [, name] = /^ \(func \$(\S+)/.exec(line) ?? [];
      if (name !== undefined) [at, branches] = [name, 0];
      const [, hint] = /\(@metadata\.code\.branch_hint "(.*)"\)/.exec(line) ?? [];
      if (hint !== undefined) hinted = hint;
      if (!/^\s*\((if|br_if)\b/.test(line)) continue;
      if (hinted !== '') found.push(`${at} ${branches} ${hinted}`);
      hinted = '';
      branches++;
    }
    return found;
  } finally {
    module.dispose();
  }
}

const c = m.i32.const;
const at = (k: number) => c(k * 8);

describe.each(ENCODERS)('WebAssembly encoder %s', (name) => {
  let make: MakeBuilder;
  beforeAll(async () => {
    make = await loadEncoder(name);
  });

  function run(functions: readonly Function[], host: Record<string, (x: number) => number> = {}) {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 16, shared: true });
    const table = new WebAssembly.Table({ element: 'anyfunc', initial: 4 });
    const module = new WebAssembly.Module(write(make, functions, Object.keys(host)));
    const { exports } = new WebAssembly.Instance(module, { env: { memory, table }, host });
    return { view: new DataView(memory.buffer), table, exports: exports as Record<string, (...args: number[]) => void> };
  }

  test('constants of every length', () => {
    const words = [0, 1, -1, 63, 64, -64, -65, 8191, 8192, -8192, -8193, 0x7fffffff, -0x80000000, 0x0fffffff, -0x10000001];
    const wide = [0n, -1n, 63n, 64n, -64n, -65n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 31n, 0xffffffffn];
    const body = m.block(null, [
      ...words.map((v, k) => m.i32.store(0, 4, at(k), c(v))),
      ...wide.map((v, k) => m.i64.store(1024, 8, at(k), m.i64.const(v))),
    ]);
    const { view, exports } = run([{ name: 'f', body }]);
    exports.f!(0, 0);
    expect(words.map((_, k) => view.getInt32(k * 8, true))).toEqual(words);
    expect(wide.map((_, k) => view.getBigInt64(1024 + k * 8, true))).toEqual(wide);
  });

  test('labels, loops and branches', () => {
    // The sum of the numbers below the first argument that are not divisible by 3, up to 100 of them.
    const [n, sum, k] = [0, 2, 3];
    const get = (local: number) => m.local.get(local, i32);
    const body = m.block(null, [
      m.block(
        'out',
        [
          m.loop(
            'again',
            m.block(null, [
              m.br('out', m.unlikely(m.i32.ge_u(get(k), get(n)))),
              m.block(
                'skip',
                [m.if(m.i32.eqz(m.i32.rem_u(get(k), c(3))), m.br('skip')), m.local.set(sum, m.i32.add(get(sum), get(k)))],
                none,
              ),
              m.if(m.unlikely(m.i32.eq(get(k), c(100))), m.br('out'), m.local.set(k, m.i32.add(get(k), c(1)))),
              m.br('again'),
            ]),
          ),
        ],
        none,
      ),
      m.i32.store(0, 4, c(0), get(sum)),
    ]);
    const { view, exports } = run([{ name: 'f', locals: [i32, i32, f64, i32], body }]);
    exports.f!(10, 0);
    expect(view.getInt32(0, true)).toBe(1 + 2 + 4 + 5 + 7 + 8);
    exports.f!(1000, 0);
    expect(view.getInt32(0, true)).toBe(3367);
  });

  test('calls of imports, of itself, of a later function and through the table', () => {
    const argument = m.local.get(0, i32);
    const less = m.i32.sub(argument, c(1));
    const store = (k: number, v: Expr) => m.i32.store(0, 4, at(k), v);
    const body = m.block(null, [
      m.if(m.i32.eqz(argument), m.return_call('later', [c(7), c(0)])),
      store(0, m.i32.add(m.i32.load(0, 4, c(0)), m.call('host.twice', [argument], i32))),
      m.call('f', [less, c(0)], none),
    ]);
    const later = m.block(null, [store(1, argument), m.call_indirect(c(2), [c(9), c(0)])]);
    const { view, table, exports } = run(
      [
        { name: 'f', body },
        { name: 'later', body: later },
        { name: 'third', body: store(2, m.call('host.thrice', [argument], i32)) },
      ],
      { twice: (x) => 2 * x, thrice: (x) => 3 * x },
    );
    table.set(2, exports.third);
    exports.f!(4, 0);
    expect([0, 1, 2].map((k) => view.getInt32(k * 8, true))).toEqual([20, 7, 27]);
  });

  test('atomic accesses', () => {
    const { rmw, load16_u: load, store8 } = m.i32.atomic;
    const results = [
      rmw.add(0, c(512), c(5)),
      rmw.cmpxchg(0, c(512), c(6), c(9)),
      m.i32.atomic.rmw8_u.xchg(0, c(516), c(0x55)),
      m.i32.atomic.rmw16_u.or(0, c(518), c(0x100)),
      load(0, c(518)),
    ];
    const body = m.block(null, [
      m.i32.store(0, 4, c(512), c(1)),
      m.i32.store(0, 4, c(516), c(0x04030201)),
      ...results.map((e, k) => m.i32.store(0, 4, at(k), e)),
      store8(0, c(519), c(1)),
      m.i64.atomic.store(0, c(520), m.i64.atomic.rmw.sub(0, c(512), m.i64.const(1n))),
    ]);
    const { view, exports } = run([{ name: 'f', body }]);
    exports.f!(0, 0);
    expect(results.map((_, k) => view.getInt32(k * 8, true))).toEqual([1, 6, 1, 0x0403, 0x0503]);
    expect(view.getUint32(512, true)).toBe(8);
    expect(view.getUint32(520, true)).toBe(9);
  });

  test('hints are at the branches that are marked, and nowhere else', () => {
    const [a, b] = [m.local.get(0, i32), m.local.get(1, i32)];
    const bytes = write(make, [
      { name: 'a', body: m.if(a, m.return()) },
      {
        name: 'b',
        locals: [f64, v128],
        body: m.block(
          'x',
          [
            m.drop(m.v128.const(Array<number>(16).fill(0x0d))),
            m.drop(m.i64.const(-0x0d0d0d0d0d0dn)),
            m.br('x', m.unlikely(a)),
            m.if(
              a,
              m.if(m.unlikely(m.i32.load(0x2000, 4, b)), m.return(), m.drop(pure('i8x16.extract_lane_u', [m.v128.load(0, 1, a)], 4))),
            ),
            m.if(m.unlikely(b), m.return()),
          ],
          none,
        ),
      },
    ]);
    expect(hints(bytes)).toEqual(['1 0 \\00', '1 2 \\00', '1 3 \\00']);
    expect(WebAssembly.Module.customSections(new WebAssembly.Module(bytes), HINTS)).toHaveLength(1);
  });

  test('hints behind code that is never reached are where they belong', () => {
    const a = m.local.get(0, i32);
    const body = m.block(null, [
      m.block(
        'x',
        [m.if(m.unlikely(a), m.return(), m.unreachable()), m.block(null, [m.br('x'), m.if(a, m.return())]), m.if(a, m.return())],
        none,
      ),
      m.loop('l', m.block(null, [m.br('l', m.unlikely(a))])),
    ]);
    const found = hints(write(make, [{ name: 'f', body }]));
    expect([found[0], found.length]).toEqual(['0 0 \\00', 2]);
  });

  test('a label that is not around it, and a function that is not there, are errors', () => {
    expect(() => write(make, [{ name: 'f', body: m.br('nowhere') }])).toThrow(/nowhere/);
  });
});

/** What Binaryen reads in a binary. */
function text(bytes: Bytes): string {
  const module = binaryen.readBinary(bytes);
  module.setFeatures(binaryen.Features.All);
  expect(module.validate()).toBe(1);
  const found = module.emitText();
  module.dispose();
  return found;
}

test('every operator passes the engine with operands of its types, and is the same from both encoders', async () => {
  const types: readonly ValueType[] = [i32, i64, f32, f64, v128];
  const value = (type: ValueType): Expr => {
    if (type === i32) return c(1);
    if (type === i64) return m.i64.const(1n);
    if (type === v128) return m.v128.const(Array<number>(16).fill(1));
    return type === f32 ? m.f32.const(1) : m.f64.const(1);
  };
  const lists: ValueType[][] = types.flatMap((a) => [[a], ...types.flatMap((b) => [[a, b]])]);
  lists.push([v128, v128, v128]);
  const [binaryen, direct] = await Promise.all(ENCODERS.map(loadEncoder));
  const all = [...OPERATORS.values()].map(({ name, lanes }) => {
    const imm = lanes === 16 ? Array.from({ length: 16 }, (_, k) => k + 3) : lanes === 1 ? 1 : undefined;
    const uses = lists.map((list) => ({ name, body: m.drop(pure(name, list.map(value), imm)) }));
    const fits = uses.filter((use) => WebAssembly.validate(write(direct!, [use])));
    // The operands decide the operator's name, and there is one way to give them.
    expect(fits, name).toHaveLength(1);
    return fits[0]!;
  });
  expect(text(write(binaryen!, all))).toBe(text(write(direct!, all)));
});

test('every access of memory is the same from both encoders', async () => {
  const [binaryen, direct] = await Promise.all(ENCODERS.map(loadEncoder));
  const [at, word, wide, vector] = [c(64), c(1), m.i64.const(1n), m.v128.const(Array<number>(16).fill(1))];
  const list: Expr[] = [];
  for (const [operators, value] of [
    [m.i32, word],
    [m.i64, wide],
    [m.v128, vector],
  ] as const)
    for (const [name, make] of Object.entries(operators) as [string, (offset: number, align: number, at: Expr, v?: Expr) => Expr][]) {
      for (const align of name.includes('8') ? [0, 1] : [0, 1, 2]) {
        if (name.startsWith('load')) list.push(m.drop(make(300, align, at)));
        if (name.startsWith('store')) list.push(make(7, align, at, value));
      }
    }
  for (const [atomic, value] of [
    [m.i32.atomic, word],
    [m.i64.atomic, wide],
  ] as const)
    for (const [name, make] of Object.entries(atomic) as [string, any][]) {
      if (name.startsWith('load')) list.push(m.drop(make(8, at)));
      else if (name.startsWith('store')) list.push(make(8, at, value));
      else
        for (const [op, rmw] of Object.entries<any>(make))
          list.push(m.drop(op === 'cmpxchg' ? rmw(8, at, value, value) : rmw(8, at, value)));
    }
  expect(list.length).toBeGreaterThan(80);
  const functions = [{ name: 'f', body: m.block(null, list) }];
  expect(text(write(binaryen!, functions))).toBe(text(write(direct!, functions)));
});

/** A loop with a locked addition, a call and memory of both kinds. */
const CODE = '8b06 f0830701 0fb64b03 894e04 e80a000000 83c604 4a 75ea c3 90 85c0 7401 40 c3';

function emit(make: MakeBuilder, demands: RegionDemands, name = 'r1'): Bytes {
  const page = new Uint8Array(PAGE);
  page.set(Buffer.from(CODE.replaceAll(' ', ''), 'hex'));
  const region = growRegion(page, 0x1000, 0x1000, Mode.CODE32 | Mode.FLAT)!;
  expect(region.blocks.size).toBeGreaterThan(2);
  const e = new Emitter({ builder: make() });
  emitRegion(e, name, region, () => 1, demands);
  return e.finish() as Bytes;
}

test.each<[string, RegionDemands]>([
  ['plain', {}],
  ['atomic', { atomic: true }],
  ['counting and tracing', { instruments: [counting, tracing] }],
  ['in lockstep', { instruments: [budget, counting] }],
])('a region is valid, and the same from both encoders: %s', async (_name, demands) => {
  const [one, other] = await Promise.all(
    ENCODERS.map(async (name) => {
      const bytes = emit(await loadEncoder(name), demands);
      const compiled = new WebAssembly.Module(bytes);
      expect(text(bytes).includes('i32.atomic.rmw.cmpxchg')).toBe(demands.atomic === true);
      return { imports: WebAssembly.Module.imports(compiled), exports: WebAssembly.Module.exports(compiled), hints: hints(bytes) };
    }),
  );
  expect(one!.hints.length).toBeGreaterThan(5);
  expect(one).toEqual(other);
});

test('Binaryen gives back the memory of each module', async () => {
  const make = await loadEncoder('binaryen');
  const api = binaryen as unknown as { _malloc(bytes: number): number; _free(at: number): void };
  /** Where there is room for what fits into no gap: the end of what is in use. */
  const end = () => {
    const at = api._malloc(1 << 24);
    api._free(at);
    return at;
  };
  const ends = Array.from({ length: 4 }, () => {
    for (let k = 0; k < 50; k++) emit(make, {}, `r${k}`);
    return end();
  });
  expect(ends[3]).toBe(ends[1]);
});
