// The encoder of WebAssembly: the engine reads back what was written.
import { describe, expect, test } from 'vitest';
import { OPERATORS } from '../../src/emit/opcodes.ts';
import { type Expr, wasm as m, pure } from '../../src/emit/wasm.ts';
import { f32, f64, i32, i64, none, type ValueType, v128 } from '../../src/emit/wasm-types.ts';
import { ModuleWriter } from '../../src/emit/writer.ts';

const CODE = { params: [i32, i32], result: none };
const PAGES = { initial: 1, maximum: 16 };

interface Function {
  readonly name: string;
  readonly locals?: readonly ValueType[];
  readonly body: Expr;
  readonly params?: readonly ValueType[];
}

function write(functions: readonly Function[], imports: readonly string[] = []): Uint8Array<ArrayBuffer> {
  const w = new ModuleWriter(CODE, PAGES);
  for (const base of imports) w.addImport({ name: `host.${base}`, module: 'host', base, params: [i32], result: i32 });
  for (const { name, locals = [], body, params = CODE.params } of functions) w.addFunction({ name, params, result: none, locals, body });
  return w.finish() as Uint8Array<ArrayBuffer>;
}

function run(functions: readonly Function[], host: Record<string, (x: number) => number> = {}) {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 16, shared: true });
  const table = new WebAssembly.Table({ element: 'anyfunc', initial: 4 });
  const module = new WebAssembly.Module(write(functions, Object.keys(host)));
  const { exports } = new WebAssembly.Instance(module, { env: { memory, table }, host });
  return { view: new DataView(memory.buffer), table, exports: exports as Record<string, (...args: number[]) => void> };
}
const c = m.i32.const;
const at = (k: number) => c(k * 8);

describe('WebAssembly encoder', () => {
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

  test('every operator passes the engine with operands of its types', () => {
    const types: readonly ValueType[] = [i32, i64, f32, f64, v128];
    const value = (type: ValueType): Expr => {
      if (type === i32) return c(1);
      if (type === i64) return m.i64.const(1n);
      if (type === v128) return m.v128.const(Array<number>(16).fill(1));
      return type === f32 ? m.f32.const(1) : m.f64.const(1);
    };
    const lists: ValueType[][] = types.flatMap((a) => [[a], ...types.flatMap((b) => [[a, b]])]);
    lists.push([v128, v128, v128]);
    for (const { name, lanes } of OPERATORS.values()) {
      const imm = lanes === 16 ? Array<number>(16).fill(3) : lanes === 1 ? 1 : undefined;
      const fits = lists.filter((list) => WebAssembly.validate(write([{ name: 'f', body: m.drop(pure(name, list.map(value), imm)) }])));
      // The operands decide the operator's name, and there is one way to give them.
      expect(fits, name).toHaveLength(1);
    }
  });

  test('hints are at the branches that are marked', () => {
    const bytes = write([
      { name: 'a', body: m.if(m.local.get(0, i32), m.return()) },
      {
        name: 'b',
        body: m.block('x', [m.br('x', m.unlikely(m.local.get(0, i32))), m.if(m.unlikely(m.local.get(1, i32)), m.return())], none),
      },
    ]);
    const [section] = WebAssembly.Module.customSections(new WebAssembly.Module(bytes), 'metadata.code.branch_hint');
    const [functions, index, count, ...hints] = new Uint8Array(section!);
    expect([functions, index, count]).toEqual([1, 1, 2]);
    const text = Buffer.from(bytes).toString('latin1');
    // The body of b: no locals, a block, local.get 0, br_if.
    const body = text.indexOf('\x00\x02\x40\x20\x00\x0d');
    expect(body).toBeGreaterThan(0);
    expect([bytes[body + hints[0]!], bytes[body + hints[3]!]]).toEqual([0x0d, 0x04]);
    expect([hints[1], hints[2], hints[4], hints[5]]).toEqual([1, 0, 1, 0]);
  });
});
