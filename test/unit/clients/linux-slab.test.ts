// What the client shadow makes of calls of Linux's allocator, one by one, on memory with the few words of its structures that it reads.
// Cannot prove: that Debian's kernel calls these functions, and no others (boot/linux-clients).
import { beforeEach, describe, expect, it } from 'vitest';
import { DEEDS, HeapCalls, type HeapMemory } from '../../../src/clients/heap-calls.ts';
import { HeapNotes, KINDS, notesBytes } from '../../../src/clients/heap-notes.ts';
import { LINUX } from '../../../src/clients/linux-slab.ts';

const RAM = 0x100000;
const { origin } = LINUX;
/** Linear addresses: a stack, an array, a struct slab, caches, and the pages of objects. */
const STACK = origin + 0x8000;
const ARRAY = origin + 0x9000;
const SLAB = origin + 0xa000;
const CACHE = origin + 0xb000;
const TYPESAFE = origin + 0xb100;
const OBJECT = origin + 0x20000;
const NEXT = OBJECT + 72;
const EIP = origin + 0x1000;

let memory: HeapMemory;
let words: DataView;
let pending: number;
const notesRoom = new Uint8Array(notesBytes(LINUX.noted));

beforeEach(() => {
  const ram = new Uint8Array(RAM);
  words = new DataView(ram.buffer);
  pending = 0;
  notesRoom.fill(0);
  memory = {
    ram,
    shadow: new Uint8Array(RAM / 8 + 1),
    notes: new HeapNotes(notesRoom, LINUX.noted),
    physical: () => undefined,
    filter: (_esp, by) => {
      pending += by;
    },
    setInside: () => {},
  };
  cache(CACHE, 0, 72, 68);
  cache(TYPESAFE, 0x80000, 72, 68);
});
const put = (linear: number, value: number) => words.setUint32(linear - origin, value, true);
function cache(at: number, flags: number, size: number, objectSize: number): void {
  [flags, 5, size, objectSize].forEach((word, n) => put(at + 4 + 4 * n, word));
}

const calls = new HeapCalls(LINUX, RAM, 'frames');
/** A call of a function as -mregparm=3 makes it, whose accesses are not of interest. */
function call(name: string, given: readonly number[], result = 0): void {
  enter(name, given);
  calls.returned(memory, 0, STACK + 4, result);
}
function enter(name: string, given: readonly number[], esp = STACK): void {
  const which = LINUX.functions.findIndex((each) => each.name === name);
  put(esp, EIP + 5);
  given.slice(3).forEach((value, n) => put(esp + 4 + 4 * n, value));
  calls.entered(memory, which, { cpu: 0, eip: EIP, esp, ebp: 0 }, given.slice(0, 3));
}

/** What is found where so many bytes are read, or written, from an address on: kind, the first byte of the access that may not be. */
function touched(linear: number, bytes: number, deed: 'read' | 'write' = 'read', esp = STACK): string | undefined {
  const before = memory.notes.mistakes().length;
  // Another place each time: one is told of once.
  calls.accessed(memory, DEEDS.indexOf(deed), linear - origin, bytes, { cpu: 0, eip: EIP + 16 * (before + 1), esp, ebp: 0 });
  const found = memory.notes.mistakes();
  if (found.length === before) return undefined;
  const { kind, at } = found.at(-1)!;
  return `${KINDS[kind]} at ${at + origin - linear}`;
}

describe('objects', () => {
  it('of kmalloc are as long as was asked, and nothing may be behind them', () => {
    call('__kmalloc', [23, 0], OBJECT);
    expect(touched(OBJECT, 23, 'write')).toBeUndefined();
    expect(touched(OBJECT + 22, 1)).toBeUndefined();
    expect(touched(OBJECT + 23, 1)).toBe('out-of-bounds at 0');
    expect(touched(OBJECT + 16, 8, 'write')).toBe('out-of-bounds at 7');
    expect(touched(OBJECT + 24, 8)).toBe('out-of-bounds at 0');
    // kmalloc-32 ends there.
    expect(touched(OBJECT + 32, 8)).toBeUndefined();
    expect(pending).toBe(0);
  });

  it('that are too small for a power of two have sizes of their own', () => {
    call('__kmalloc', [65, 0], OBJECT);
    expect(touched(OBJECT + 95, 1)).toBe('out-of-bounds at 0');
    expect(touched(OBJECT + 96, 1)).toBeUndefined();
  });

  it('of a cache are as large as it says', () => {
    call('kmem_cache_alloc', [CACHE, 0], OBJECT);
    expect(touched(OBJECT, 68)).toBeUndefined();
    expect(touched(OBJECT + 68, 1)).toBe('out-of-bounds at 0');
    expect(touched(NEXT, 4)).toBeUndefined();
    call('kmalloc_trace', [CACHE, 0, 40], NEXT);
    expect(touched(NEXT + 40, 1)).toBe('out-of-bounds at 0');
    expect(touched(NEXT + 71, 1)).toBe('out-of-bounds at 0');
  });

  it('of which a word is read that ends behind them are read by the way', () => {
    call('__kmalloc', [23, 0], OBJECT);
    expect(touched(OBJECT + 20, 4, 'read')).toBeUndefined();
    expect(touched(OBJECT + 20, 4, 'write')).toBe('out-of-bounds at 3');
    expect(touched(OBJECT + 23, 4, 'read')).toBe('out-of-bounds at 0');
  });

  it('that there are none of, or that fail, are nothing', () => {
    call('__kmalloc', [0, 0], 16);
    call('__kmalloc', [64, 0], 0);
    call('kfree', [16]);
    call('kfree', [0]);
    expect([memory.notes.count('allocated'), memory.notes.count('freed')]).toEqual([0, 0]);
  });
});

describe('free objects', () => {
  it('may not be used, nor freed again, until they are given once more', () => {
    call('kmem_cache_alloc', [CACHE, 0], OBJECT);
    call('kmem_cache_free', [CACHE, OBJECT]);
    expect(touched(OBJECT, 4)).toBe('use-after-free at 0');
    call('kmem_cache_free', [CACHE, OBJECT]);
    expect(memory.notes.mistakes().at(-1)).toMatchObject({ kind: KINDS.indexOf('double-free'), at: OBJECT - origin });
    call('kmem_cache_alloc_lru', [CACHE, 0, 0], OBJECT);
    expect(touched(OBJECT, 68, 'write')).toBeUndefined();
  });

  it('may be used by the allocator, which is below its call on the stack', () => {
    call('kmem_cache_alloc', [CACHE, 0], OBJECT);
    enter('kmem_cache_free', [CACHE, OBJECT]);
    expect(touched(OBJECT, 4, 'write', STACK - 40)).toBeUndefined();
    expect(touched(OBJECT, 4, 'write', STACK - 0x2000)).toBe('use-after-free at 0');
  });

  it('of a cache that is safe by RCU may be looked at', () => {
    call('kmem_cache_alloc', [TYPESAFE, 0], OBJECT);
    call('kmem_cache_free', [TYPESAFE, OBJECT]);
    expect(touched(OBJECT, 4)).toBeUndefined();
    expect(touched(OBJECT + 68, 1)).toBe('out-of-bounds at 0');
  });

  it('may be anything when their slab is given back', () => {
    call('kmem_cache_alloc', [CACHE, 0], OBJECT);
    call('kmem_cache_alloc', [CACHE, 0], NEXT);
    call('kmem_cache_free', [CACHE, NEXT]);
    call('kmem_cache_free', [CACHE, OBJECT]);
    put(SLAB + 16, NEXT);
    put(SLAB + 20, 56 << 16);
    call('discard_slab', [CACHE, SLAB]);
    expect(touched(OBJECT, 4096, 'write')).toBeUndefined();
    call('kfree', [OBJECT]);
    expect(memory.notes.mistakes()).toEqual([]);
  });

  it('that were pages of their own may be anything at once', () => {
    call('kmalloc_large', [9000, 0], OBJECT);
    expect(touched(OBJECT + 9000, 1)).toBe('out-of-bounds at 0');
    expect(touched(OBJECT + 16383, 1)).toBe('out-of-bounds at 0');
    call('kfree', [OBJECT]);
    expect(touched(OBJECT, 16384, 'write')).toBeUndefined();
  });
});

it('krealloc gives an object that is longer, shorter, or another', () => {
  call('__kmalloc', [20, 0], OBJECT);
  call('krealloc', [OBJECT, 30, 0], OBJECT);
  expect(touched(OBJECT + 29, 1)).toBeUndefined();
  expect(touched(OBJECT + 30, 1)).toBe('out-of-bounds at 0');
  call('krealloc', [OBJECT, 8, 0], OBJECT);
  expect(touched(OBJECT + 8, 1)).toBe('out-of-bounds at 0');
  // To another place: what it calls is within.
  enter('krealloc', [OBJECT, 60, 0], STACK + 64);
  call('__kmalloc_track_caller', [60, 0], NEXT);
  call('kfree', [OBJECT]);
  calls.returned(memory, 0, STACK + 68, NEXT);
  expect(touched(NEXT + 59, 1, 'read', STACK + 64)).toBeUndefined();
  expect(touched(OBJECT, 1, 'read', STACK + 64)).toBe('use-after-free at 0');
});

it('ksize gives all of an object', () => {
  call('__kmalloc', [20, 0], OBJECT);
  call('ksize', [OBJECT], 32);
  expect(touched(OBJECT, 32, 'write')).toBeUndefined();
  call('kfree', [OBJECT]);
  call('ksize', [OBJECT], 32);
  expect(touched(OBJECT, 4)).toBe('use-after-free at 0');
});

it('many at once are as many', () => {
  [OBJECT, NEXT].forEach((object, n) => put(ARRAY + 4 * n, object));
  call('kmem_cache_alloc_bulk', [CACHE, 0, 2, ARRAY], 2);
  expect(touched(NEXT + 68, 1)).toBe('out-of-bounds at 0');
  call('kmem_cache_free_bulk', [0, 2, ARRAY]);
  expect(touched(OBJECT, 1)).toBe('use-after-free at 0');
  expect(touched(NEXT, 1)).toBe('use-after-free at 0');
});
