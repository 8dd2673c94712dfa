// Functions of regions moved from one module to another: what both encoders write is taken apart and put together again, and runs with other numbers of imports and table slots.
import { beforeAll, describe, expect, it } from 'vitest';
import { ENCODERS, type MakeBuilder } from '../../../src/emit/module/builder.ts';
import { loadEncoder } from '../../../src/emit/module/load.ts';
import { type Part, putTogether, type RelocatableCode, slotsIn, takeApart } from '../../../src/emit/module/relocation.ts';
import { Emitter, importNamed } from '../../../src/emit/module.ts';
import { emitRegion } from '../../../src/emit/region/region.ts';
import { Mode } from '../../../src/layout/cpu.ts';
import { PAGE } from '../../../src/layout/memory.ts';
import { growRegion } from '../../../src/translate/grow.ts';

const MODE = Mode.CODE32 | Mode.FLAT;
const START = 0xc1234000;
/** Of regions, by their offsets: one calls itself and, far away in the page, another one that is too large to be copied; that one stores, and leaves for a third one. */
const CODE: Readonly<Record<number, string>> = {
  16: '85c0 7406 48 e8f6ffffff 89d8 e8e3000000 c3',
  256: `${'8903 83c304 '.repeat(60)} e9bb060000`,
  2304: '0fa2 c3',
};
const OFFSETS = [0x010, 0x100];

function page(): Uint8Array {
  const bytes = new Uint8Array(PAGE).fill(0x90);
  for (const [at, code] of Object.entries(CODE)) bytes.set(Buffer.from(code.replaceAll(' ', ''), 'hex'), Number(at));
  return bytes;
}

/** A module with the regions; the slot of a place is `slots` behind its offset. */
function made(make: MakeBuilder, slots: number): { readonly bytes: Uint8Array; readonly asked: number } {
  const e = new Emitter({ builder: make() });
  let asked = 0;
  for (const offset of OFFSETS)
    emitRegion(e, `r${offset}`, growRegion(page(), START + offset, offset, MODE)!, (phys) => {
      asked++;
      return slots + (phys & (PAGE - 1));
    });
  return { bytes: e.finish(), asked };
}

const partsOf = (bytes: Uint8Array, slots: number) => takeApart(bytes, (slot) => slot - slots);
const toPart = ([name, code]: readonly [string, RelocatableCode], slots: number): Part => ({
  name,
  code,
  slotAt: (place) => slots + place,
  start: 0,
});
const joined = (parts: ReadonlyMap<string, RelocatableCode>, slots: number) =>
  putTogether(
    [...parts].map((part) => toPart(part, slots)),
    importNamed,
  );
const isValid = (bytes: Uint8Array) => WebAssembly.validate(bytes as Uint8Array<ArrayBuffer>);

describe.each(ENCODERS)('regions that %s wrote', (name) => {
  let make: MakeBuilder;
  beforeAll(async () => {
    make = await loadEncoder(name);
  });

  it('are what they were, wherever their slots are', () => {
    const here = made(make, 4000);
    const parts = partsOf(here.bytes, 4000);
    expect([...parts.values()].reduce((sum, code) => sum + slotsIn(code), 0)).toBe(2 * here.asked);
    expect(here.asked).toBeGreaterThan(0);
    // Slots of other lengths as well.
    for (const slots of [20, 4000, 9000, 60_000]) {
      const moved = joined(parts, slots);
      expect(isValid(moved)).toBe(true);
      expect(partsOf(moved, slots)).toEqual(parts);
      expect(partsOf(made(make, slots).bytes, slots)).toEqual(parts);
    }
  });

  it('stand in any order in a module, beside others', () => {
    const parts = partsOf(made(make, 0).bytes, 0);
    const backwards = new Map([...parts].reverse());
    const moved = joined(backwards, 0);
    expect(isValid(moved)).toBe(true);
    expect(new Map([...partsOf(moved, 0)].reverse())).toEqual(parts);
    expect(WebAssembly.Module.exports(new WebAssembly.Module(moved as Uint8Array<ArrayBuffer>)).map((x) => x.name)).toEqual([
      ...backwards.keys(),
    ]);
  });

  it('have their hints where their branches are', () => {
    const parts = partsOf(made(make, 9000).bytes, 9000);
    for (const { hints, code, relocations } of parts.values()) {
      expect(hints.length).toBeGreaterThan(0);
      expect(relocations.length).toBeGreaterThan(0);
      // `if` or `br_if`.
      for (const hint of hints) expect([0x04, 0x0d]).toContain(code[hint >>> 1]);
    }
  });
});

/** A kernel's page at each of its places: `word` gives four bytes of an address that moves with it. */
function kernelPage(start: number): Uint8Array {
  const bytes = new Uint8Array(PAGE).fill(0x90);
  const word = (offset: number) => Buffer.from(Uint32Array.of((start & -0x1000000) + offset).buffer).toString('hex');
  // Loads and stores of variables, an address as a number, a table's element; a call of another page, a jump there. At 0x800 a callee on this page.
  const code = [
    `a1${word(0xd00124)} c705${word(0xd00f80)}${word(0x3b2c10)} 68${word(0x234567)} 8b0c85${word(0x1400000)} 81f9${word(0x10)}`,
    'e8fc1f0000 0fb603 750a 8903 e8e0070000 e9000f0000 f00fc10b 01d0 c3',
  ].join('');
  bytes.set(Buffer.from(code.replaceAll(' ', ''), 'hex'), 0x100);
  bytes.set(Buffer.from('31c0e91f0f0000', 'hex'), 0x800);
  return bytes;
}

describe.each(ENCODERS)('regions of a kernel that moves, which %s wrote', (name) => {
  let make: MakeBuilder;
  beforeAll(async () => {
    make = await loadEncoder(name);
  });

  const FIRST = 0xc1234000;
  const partsAt = (start: number, origin: number | undefined, precise: boolean) => {
    const e = new Emitter({ builder: make() });
    const region = growRegion(kernelPage(start), start + 0x100, 0x100, MODE)!;
    emitRegion(e, 'r', region, (phys) => phys & (PAGE - 1), { directOrigin: origin, stack: true, precise, atomic: true });
    return takeApart(
      e.finish(),
      (slot) => slot,
      () => ({ start, origin }),
    );
  };

  it.each([
    ['with the direct map', 0xc0100000, false],
    ['without it', undefined, true],
  ])('are the same at all places, %s', (_name, origin, precise) => {
    const there = partsAt(FIRST, origin, precise);
    const code = there.get('r')!;
    expect(code.fixed).toBe(false);
    for (let k = 1; k <= 30; k++) {
      const start = (FIRST + k * 0x1000000) >>> 0;
      expect([k, partsAt(start, origin, precise)]).toEqual([k, there]);
      // Put where the first one never was, it is as if it had been made there: without relocations of places as well.
      const moved = putTogether([{ name: 'r', code, slotAt: (offset) => offset, start }], importNamed);
      const anew = putTogether(
        [{ name: 'r', code: partsAt(start, origin, precise).get('r')!, slotAt: (offset) => offset, start }],
        importNamed,
      );
      expect(moved).toEqual(anew);
      expect(takeApart(moved, (slot) => slot)).not.toEqual(
        takeApart(putTogether([{ name: 'r', code, slotAt: (offset) => offset, start: FIRST }], importNamed), (slot) => slot),
      );
    }
  });
});

it('a call that names two slots is refused', () => {
  const { m, e } = { m: new Emitter().m, e: new Emitter() };
  e.addCode('r1', [], m.block(null, [m.return_call_indirect(m.i32.const(5), [m.i32.const(6), m.local.get(1, 0x7f)])]));
  expect(() => takeApart(e.finish(), (slot) => slot)).toThrow('other operands');
});

it('an import that the runtime has no longer is refused', () => {
  expect(() => importNamed('runtime.gone')).toThrow('there is no runtime.gone');
});
