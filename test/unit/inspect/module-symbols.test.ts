// Names of a Linux kernel's modules out of memory that is made here: a list that a function of the kernel walks, and tables of symbols; and memory that is damaged.
import { describe, expect, it } from 'vitest';
import { type LinearWords, moduleSymbols } from '../../../src/inspect/module-symbols.ts';

const WALKER = 0xc1000400;
const HEAD = 0xc1500010;
const MODULES = 0xe0000000;
const KERNEL = [{ address: WALKER, kind: 't', name: 'print_modules' }];

class Memory implements LinearWords {
  readonly bytes = new Map<number, number>();
  put(at: number, data: Uint8Array): void {
    data.forEach((byte, n) => this.bytes.set(at + n, byte));
  }
  words(at: number, ...words: number[]): void {
    this.put(at, new Uint8Array(Uint32Array.from(words).buffer));
  }
  word(at: number): number | undefined {
    const bytes = [0, 1, 2, 3].map((n) => this.bytes.get(at + n));
    return bytes.includes(undefined) ? undefined : Buffer.from(bytes as number[]).readUInt32LE();
  }
  text(at: number): string | undefined {
    let text = '';
    for (let n = at; ; n++) {
      const byte = this.bytes.get(n);
      if (byte === undefined || text.length > 500) return undefined;
      if (byte === 0) return text;
      text += String.fromCharCode(byte);
    }
  }
}

interface Made {
  readonly name: string;
  readonly symbols: readonly (readonly [name: string, address: number])[];
}

/** A kernel with these modules: structures of 768 bytes, tables behind them. */
function memoryOf(modules: readonly Made[]): Memory {
  const memory = new Memory();
  memory.put(WALKER, Buffer.alloc(300, 0x90));
  memory.put(WALKER + 41, Buffer.from([0xbb]));
  memory.words(WALKER + 42, HEAD);
  const places = [HEAD, ...modules.map((_, n) => MODULES + n * 0x4000 + 4)];
  places.forEach((place, n) => {
    memory.put(place - 4, Buffer.alloc(n === 0 ? 16 : 1100));
    memory.words(place, places[(n + 1) % places.length]!, places.at(n - 1)!);
  });
  modules.forEach(({ name, symbols }, n) => {
    const module = MODULES + n * 0x4000;
    memory.put(module + 12, Buffer.from(`${name}\0`));
    const [table, names] = [module + 0x1000, module + 0x3000];
    memory.words(module + 512, table, symbols.length + 1, names);
    let text = '\0';
    memory.words(table, 0, 0, 0, 0);
    symbols.forEach(([symbol, address], k) => {
      memory.words(table + 16 * (k + 1), text.length, address, 10, 2);
      text += `${symbol}\0`;
    });
    memory.put(names, Buffer.from(text));
  });
  return memory;
}
const TWO: readonly Made[] = [
  {
    name: 'virtio_net',
    symbols: [
      ['virtnet_poll', 0xe0100000],
      ['virtnet_open', 0xe0100040],
    ],
  },
  { name: 'mistakes', symbols: [['request_free', 0xe0200000]] },
];

it('finds the symbols of all modules', () => {
  expect(moduleSymbols(memoryOf(TWO), KERNEL)).toEqual([
    { address: 0xe0100000, kind: 't', name: 'virtnet_poll' },
    { address: 0xe0100040, kind: 't', name: 'virtnet_open' },
    { address: 0xe0200000, kind: 't', name: 'request_free' },
  ]);
});

describe('finds none', () => {
  it('of a kernel without modules, and without a function that it knows', () => {
    expect(moduleSymbols(memoryOf([]), KERNEL)).toEqual([]);
    expect(moduleSymbols(memoryOf(TWO), [])).toEqual([]);
  });

  it('where memory is damaged, or only some', () => {
    const whole = memoryOf(TWO);
    const all = moduleSymbols(whole, KERNEL).length;
    let fewer = 0;
    for (const at of [...whole.bytes.keys()].filter((_, n) => n % 13 === 0)) {
      const byte = whole.bytes.get(at)!;
      whole.bytes.set(at, byte ^ 0xff);
      if (moduleSymbols(whole, KERNEL).length < all) fewer++;
      whole.bytes.set(at, byte);
    }
    expect(fewer).toBeGreaterThan(3);
  });
});
