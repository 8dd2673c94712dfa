// Names of a Linux kernel out of its memory: the layouts of its versions, damaged tables, copies that lie about, and what a machine makes of them. Debian's own are in test/boot/boot.test.ts.
import { describe, expect, it } from 'vitest';
import { DragomanError } from '../../../src/api/errors.ts';
import { guestSymbols } from '../../../src/inspect/guest-symbols.ts';
import { findKallsyms, type RawSymbol } from '../../../src/inspect/kallsyms.ts';
import { errorOf, noise } from '../loaders/images.ts';
import { kallsymsTable, LAYOUTS } from './kallsyms-table.ts';
import { still } from './still.ts';

const BASE = 0xc1000000;
const PHYSICAL = 0x400000;
const WORDS = ['idle', 'page_fault', 'sched_in', 'the_irq', 'working', 'x'];
/** A few hundred, one of them with a name of more than 127 tokens, and the last one at the kernel's end. */
const symbols = (count: number): RawSymbol[] =>
  Array.from({ length: count }, (_, n) => ({
    address: BASE + (n === count - 1 ? 0x80000 : n * 20 + (n > 0 ? 7 : 0)),
    kind: ['T', 't', 'D', 'r', 'A'][n % 5]!,
    name: n === 30 ? `big_${'z9'.repeat(140)}` : `do_${WORDS[n % WORDS.length]}${n}`,
  }));
const SYMBOLS = symbols(700);

/** Memory with tables at some addresses. */
function memory(tables: Readonly<Record<number, Uint8Array>>, bytes = 0x800000): Uint8Array {
  const ram = new Uint8Array(bytes);
  for (const [at, table] of Object.entries(tables)) ram.set(table, Number(at));
  return ram;
}

describe.each(Object.entries(LAYOUTS))('the table of %s', (_, layout) => {
  const table = kallsymsTable(SYMBOLS, BASE, layout);

  it('is found wherever it is, whole', () => {
    for (const at of [0, 0x1234, PHYSICAL + 8]) {
      const [found, ...more] = findKallsyms(memory({ [at]: table }));
      expect(more).toEqual([]);
      expect(found?.symbols).toEqual(SYMBOLS);
      expect(found?.anchor).toBe(BASE);
    }
  });

  it.each([257, 258, 512, 513])('is found with %i names', (count) => {
    const some = symbols(count);
    const found = [...findKallsyms(memory({ [PHYSICAL]: kallsymsTable(some, BASE, layout) }, PHYSICAL + 0x8000))];
    expect(found.map((each) => each.symbols)).toEqual([some]);
  });

  it('that is damaged anywhere is refused, or read', () => {
    const small = kallsymsTable(symbols(300), BASE, layout);
    let refused = 0;
    for (let at = 0; at < small.length; at += 37) {
      const ram = memory({ 64: small }, 0x8000);
      ram[64 + at]! ^= 0xa5;
      try {
        guestSymbols(ram, [() => undefined]);
      } catch (error) {
        if (!(error instanceof DragomanError)) throw error;
        expect(error.code).toBe('NO_SYMBOLS');
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(10);
  });

  it('that is cut off anywhere is refused, or read', () => {
    const small = kallsymsTable(symbols(300), BASE, layout);
    for (let length = 0; length < small.length; length += 41) [...findKallsyms(Uint8Array.from(small.subarray(0, length & ~3)))];
  });
});

it('noise has none, with the digits or without', () => {
  for (let seed = 1; seed <= 30; seed++) {
    const ram = Uint8Array.from(noise(0x8000, seed));
    ram.set(Buffer.from('0\u00001\u00002\u00003\u00004\u00005\u00006\u00007\u00008\u00009\u0000'), 0x4000 + seed);
    expect([...findKallsyms(ram)]).toEqual([]);
  }
});

describe('of several tables', () => {
  const other = SYMBOLS.map((symbol) => ({ ...symbol, name: `old${symbol.name}` }));
  const ram = memory({ 2097152: kallsymsTable(other, BASE, {}), [PHYSICAL + 0x1000]: kallsymsTable(SYMBOLS, BASE, {}) });
  const mapping = (linear: number) => (linear >= BASE && linear < BASE + 0x100000 ? linear - BASE + PHYSICAL : undefined);

  it('the one counts that a CPU has mapped with its kernel', () => {
    const { code, data } = guestSymbols(ram, [() => undefined, mapping]);
    expect(code.names).not.toContain('olddo_idle0');
    expect(code.names[0]).toBe('do_idle0');
    // Absolute ones are neither code nor data.
    expect(code.names.length + data.names.length).toBe(560);
  });

  it('none counts where no CPU tells', () => {
    expect(errorOf(() => guestSymbols(ram, [() => undefined, (linear) => linear - BASE + 0x600000]))).toMatchObject({ code: 'NO_SYMBOLS' });
    expect(errorOf(() => guestSymbols(ram, [() => undefined])).message).toContain('2 tables');
  });

  it('one that is alone counts in any case', () => {
    expect(guestSymbols(memory({ [PHYSICAL]: kallsymsTable(SYMBOLS, BASE, {}) }), []).code.names[0]).toBe('do_idle0');
  });
});

it('inspection has them, as long as the machine stands still', () => {
  const s = still();
  expect(errorOf(() => s.symbols.use(s.guestSymbols()))).toMatchObject({ code: 'NO_SYMBOLS' });
  s.ram.set(kallsymsTable(SYMBOLS, BASE, {}), PHYSICAL);
  expect(s.symbols.use(s.guestSymbols())).toBe(560);
  expect([s.symbols.address('do_page_fault1'), s.symbols.at(BASE + 28)]).toEqual([BASE + 27, 'do_page_fault1+0x1']);
  s.runs = true;
  expect(() => s.guestSymbols()).toThrow('it runs');
});
