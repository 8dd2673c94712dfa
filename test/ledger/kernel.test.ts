// The functions of kernel.c do what they are there for, on both engines. Their bytes are data here: that they come of the source is compile.ts's word.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { engineNames, openEngine, type TestEngine } from '../harness/engine.ts';
import { KERNEL } from './forms.ts';

const CODE = 0x1000;
const END = 0x2000;
const STACK = 0x8000;
const DATA = 0x10000;

describe.each(engineNames)('%s', (name) => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = await openEngine(name);
  });
  afterAll(() => engine.close?.());
  beforeEach(() => engine.reset());

  const put = (at: number, ...words: number[]) => engine.writeMemory(at, new Uint8Array(Uint32Array.from(words).buffer));
  const word = (at: number) => Buffer.from(engine.readMemory(at, 4)).readUInt32LE();
  const text = (at: number, bytes: number) => Buffer.from(engine.readMemory(at, bytes)).toString('latin1');

  /** Calls a function; its arguments are in EAX, EDX and ECX. Gives EAX. */
  function call(which: string, eax = 0, edx = 0, ecx = 0): number {
    engine.writeMemory(CODE, Buffer.from(KERNEL.find((f) => f.name === which)!.hex, 'hex'));
    engine.writeMemory(END, Uint8Array.of(0xf4));
    put(STACK, END);
    engine.setState({ eip: CODE, gpr: Uint32Array.of(eax, ecx, edx, 0, STACK, 0, 0, 0) });
    expect(engine.run()).toEqual({ reason: 'halted' });
    const { gpr, eip } = engine.getState();
    expect([eip, gpr[4]]).toEqual([END + 1, STACK + 4]);
    return gpr[0]!;
  }

  it('moves a list entry', () => {
    const [a, x, y, b] = [DATA, DATA + 8, DATA + 16, DATA + 24];
    put(a, x, y, /* x */ y, a, /* y */ a, x, /* b */ b, b);
    call('list_move_tail', x, b);
    expect([a, a + 4, y, y + 4, x, x + 4, b, b + 4].map(word)).toEqual([y, y, a, a, b, b, x, x]);
  });

  it('keeps a tree red and black', () => {
    const root = DATA;
    const keys = Array.from({ length: 60 }, (_, n) => (n * 37) % 61);
    const at = (key: number) => DATA + 16 + key * 16;
    for (const key of keys) {
      let [link, parent] = [root, 0];
      while (word(link) !== 0) {
        parent = word(link);
        link = at(key) < parent ? parent + 4 : parent + 8;
      }
      put(link, at(key));
      put(at(key), parent, 0, 0);
      call('tree_inserted', at(key), root);
    }
    const seen: number[] = [];
    /** Black nodes on each way down. */
    const check = (node: number, parent: number, parentIsRed: boolean): number => {
      if (node === 0) return 0;
      const isRed = (word(node) & 1) === 0;
      expect(word(node) & ~1).toBe(parent);
      expect(isRed && parentIsRed).toBe(false);
      const left = check(word(node + 4), node, isRed);
      seen.push((node - DATA - 16) / 16);
      expect(check(word(node + 8), node, isRed)).toBe(left);
      return left + (isRed ? 0 : 1);
    };
    expect(check(word(root), 0, true)).toBeGreaterThan(2);
    expect(seen).toEqual([...keys].sort((a, b) => a - b));
  });

  it('finds bits', () => {
    put(DATA, 0x12, 0, 0x80000000, 1);
    const found = [0, 2, 4, 5, 95, 96, 97].map((from) => call('bitmap_next', DATA, 100, from));
    expect(found).toEqual([1, 4, 4, 95, 95, 96, 100]);
    expect([call('bitmap_next', DATA, 3, 2), call('bitmap_next', DATA, 3, 7)]).toEqual([3, 3]);
  });

  it('adds up a header', () => {
    // An IPv4 header whose checksum field is zero: b861 belongs there, in the order of the network.
    engine.writeMemory(DATA, Buffer.from('450000730000400040110000c0a80001c0a800c7', 'hex'));
    expect(call('checksum', DATA, 20, 0)).toBe(0x61b8);
    put(DATA, 0xffffffff, 1, 0, 0, 0xffffffff);
    expect(call('checksum', DATA, 20, 5)).toBe(0xfff9);
  });

  it('copies strings', () => {
    for (const string of ['', 'a', 'abc', 'abcd', 'eleven byte', '\x80\xff\x7f\x81 high'])
      for (const most of [0, 3, 4, 7, 40]) {
        engine.writeMemory(DATA, Buffer.from(`${string}\0`, 'latin1'));
        engine.writeMemory(DATA + 64, new Uint8Array(64).fill(0x2e));
        const copied = Math.min(string.length, most);
        expect(call('string_copy', DATA + 64, DATA, most)).toBe(copied);
        expect(text(DATA + 64, copied)).toBe(string.slice(0, copied));
        expect(text(DATA + 64 + most, 8)).toBe('........');
      }
  });

  it('takes locks and references', () => {
    put(DATA, 0x50005);
    call('ticket_lock', DATA);
    expect(word(DATA)).toBe(0x60005);
    put(DATA, 0);
    expect([call('reference_get', DATA), word(DATA)]).toEqual([0, 0]);
    put(DATA, 7);
    expect([call('reference_get', DATA), word(DATA)]).toEqual([1, 8]);
  });
});
