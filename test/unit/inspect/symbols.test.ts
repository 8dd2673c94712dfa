// Names of a guest's kernel: from ELF files of both kinds, whole and damaged, and from lines of text.
import { describe, expect, it } from 'vitest';
import { DragomanError } from '../../../src/api/errors.ts';
import { readElfSymbols } from '../../../src/inspect/elf-symbols.ts';
import { MachineSymbols } from '../../../src/inspect/symbols.ts';
import { errorOf, noise, patched } from '../loaders/images.ts';
import { elfWithSymbols, type MadeSymbol } from './elf-file.ts';

const SYMBOLS: MadeSymbol[] = [
  { name: 'later', value: 0xc0100200, type: 2, section: 1 },
  { name: 'start', value: 0xc0100000, type: 0, section: 1 },
  { name: 'counter', value: 0xc0200000, type: 1, section: 2 },
  { name: 'banner', value: 0xc0200010, type: 0, section: 2 },
  { name: 'kernel.c', value: 0, type: 4, section: 0xfff1 },
  { name: '.text', value: 0xc0100000, type: 3, section: 1 },
  { name: '.L12', value: 0xc0100004, type: 0, section: 1 },
  { name: 'elsewhere', value: 0, type: 0, section: 0 },
  { name: 'absolute', value: 0x55, type: 0, section: 0xfff1 },
];

describe.each([32, 64] as const)('an ELF file of %i bits', (bits) => {
  const file = elfWithSymbols(bits, SYMBOLS);

  it('has names of code and of data, and nothing else', () => {
    expect(readElfSymbols(file, 'symbols')).toEqual({
      code: { addresses: [0xc0100000, 0xc0100200], names: ['start', 'later'] },
      data: { addresses: [0xc0200000, 0xc0200010], names: ['counter', 'banner'] },
    });
  });

  it('that is cut off anywhere is refused, or has the same names', () => {
    const whole = readElfSymbols(file, 'symbols');
    let refused = 0;
    for (let length = 0; length < file.length; length++) {
      try {
        expect(readElfSymbols(file.subarray(0, length), 'symbols'), `${length} bytes`).toEqual(whole);
      } catch (error) {
        if (!(error instanceof DragomanError)) throw error;
        expect([error.code, error.where], `${length} bytes`).toEqual(['BAD_OPTION', 'symbols']);
        refused++;
      }
    }
    // Its last bytes are a section header, which all has to be there.
    expect(refused).toBe(file.length);
  });

  it('that is damaged anywhere is refused, or read', () => {
    let [refused, read] = [0, 0];
    for (const byte of [0, 0x7f, 0x80, 0xff])
      for (let at = 4; at < file.length; at++) {
        try {
          readElfSymbols(patched(file, at, byte), 'symbols');
          read++;
        } catch (error) {
          if (!(error instanceof DragomanError)) throw error;
          expect(error.code).toBe('BAD_OPTION');
          refused++;
        }
      }
    expect(Math.min(refused, read)).toBeGreaterThan(20);
  });

  it('of noise behind its header is refused', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const bytes = noise(4096, seed);
      bytes.set(file.subarray(0, 16));
      try {
        readElfSymbols(bytes, 'symbols');
      } catch (error) {
        if (!(error instanceof DragomanError)) throw error;
      }
    }
  });

  it('says what is wrong with it', () => {
    const sections = file.length - 5 * (bits === 32 ? 40 : 64);
    const at = (n: number, offset32: number, offset64: number) =>
      sections + n * (bits === 32 ? 40 : 64) + (bits === 32 ? offset32 : offset64);
    for (const [bytes, message] of [
      [patched(file, 5, 2), 'byte order 2'],
      [patched(file, 4, 3), 'unknown ELF class 3'],
      [patched(file, at(3, 4, 4), 0), 'stripped'],
      [patched(file, at(3, 24, 40), 9), 'are in section 9, and there are 5'],
      [patched(file, at(3, 36, 56), 0), 'symbols of 0 bytes'],
      [patched(file, at(4, 20, 32), 1, 0), 'a name at 0x'],
      [elfWithSymbols(bits, []), 'has no names'],
      [elfWithSymbols(bits, SYMBOLS.slice(4)), 'has no names'],
    ] as const)
      expect(errorOf(() => readElfSymbols(bytes, 'symbols')).message).toContain(message);
  });

  it('of a name of megabytes, which many symbols have, is read as far as a name may be long', () => {
    const symbol = { name: 'x'.repeat(4 << 20), type: 2, section: 1 };
    const many = elfWithSymbols(
      bits,
      Array.from({ length: 2000 }, (_, value) => ({ ...symbol, value })),
    );
    const { names } = readElfSymbols(many, 'symbols').code;
    expect([names.length, names[0]?.length]).toEqual([2000, 1024]);
  });
});

it('addresses beyond what a number holds exactly are left out', () => {
  const file = elfWithSymbols(64, [...SYMBOLS, { name: 'high', value: 0xffffffff81000000n, type: 2, section: 1 }]);
  expect(readElfSymbols(file, 'symbols').code.names).toEqual(['start', 'later']);
});

describe('a machine', () => {
  const LINES = 'c0100000 T one\nc0100100 t two\nc0100180 r table\nc0100100 T alias\nc0200000 D one\n';

  it('finds names and addresses', () => {
    const symbols = new MachineSymbols(undefined, undefined);
    expect([symbols.address('one'), symbols.at(0xc0100000), symbols.behindCall(0xc0100000)]).toEqual([undefined, undefined, undefined]);
    symbols.load(LINES);
    expect(['one', 'two', 'alias', 'table', 'three'].map((name) => symbols.address(name))).toEqual([
      ...[0xc0100000, 0xc0100100, 0xc0100100, 0xc0100180],
      undefined,
    ]);
    expect([0xc00fffff, 0xc0100000, 0xc01000ff, 0xc0100100, 0xc010017f, 0xc0100184].map((at) => symbols.at(at))).toEqual([
      ...[undefined, 'one', 'one+0xff', 'alias', 'alias+0x7f', 'table+0x4'],
    ]);
    // A call that never returns may be a function's last instruction.
    expect(symbols.behindCall(0xc0100100)).toBe('one+0x100');
  });

  it('takes text, its bytes, and ELF files, and what was loaded last', () => {
    const symbols = new MachineSymbols(undefined, elfWithSymbols(32, SYMBOLS));
    expect([symbols.address('start'), symbols.address('banner')]).toEqual([0xc0100000, 0xc0200010]);
    symbols.load(Buffer.from(LINES));
    expect([symbols.address('start'), symbols.address('two')]).toEqual([undefined, 0xc0100100]);
    symbols.load(elfWithSymbols(64, SYMBOLS));
    expect([symbols.address('start'), symbols.address('two')]).toEqual([0xc0100000, undefined]);
    for (const bad of ['', 'no symbols', elfWithSymbols(32, []), new Uint8Array(3), 5, undefined] as string[])
      expect(errorOf(() => symbols.load(bad))).toMatchObject({ code: 'BAD_OPTION', where: 'symbols' });
    expect(symbols.address('start')).toBe(0xc0100000);
  });

  it('runs a kernel whose symbol table is damaged, without names', () => {
    const symbols = new MachineSymbols(undefined, elfWithSymbols(32, SYMBOLS).subarray(0, 200));
    expect([symbols.address('start'), symbols.at(0xc0100000)]).toEqual([undefined, undefined]);
    expect(new MachineSymbols(undefined, noise(200, 1)).at(0xc0100000)).toBeUndefined();
  });

  it('says which function an address is in, by the name of several that is no mark', () => {
    const symbols = new MachineSymbols(undefined, undefined);
    expect(symbols.functionAt(0x1004)).toBeUndefined();
    symbols.load('00001000 T __text_start\n00001000 T entry\n00001000 T __entry_end\n00001100 t __alone\n00001200 d data\n');
    const all = [0xfff, 0x1000, 0x10ff, 0x1100, 0x1204, 0x1100 + (1 << 20)].map((address) => symbols.functionAt(address));
    expect(all).toEqual([undefined, 'entry', 'entry', '__alone', '__alone', undefined]);
  });

  it('goes by the option before the kernel', () => {
    const given = { code: { addresses: [0x1000], names: ['given'] }, data: { addresses: [], names: [] } };
    const symbols = new MachineSymbols(given, elfWithSymbols(32, SYMBOLS));
    expect([symbols.at(0x1004), symbols.address('start')]).toEqual(['given+0x4', undefined]);
  });
});
