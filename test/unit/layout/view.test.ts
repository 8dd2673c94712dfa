// Views: a record's fields as properties.
import { describe, expect, it } from 'vitest';
import { area, array, f64, i32, records, shared32, struct, u8, u16, u32, u64 } from '../../../src/layout/struct.ts';
import { address, clear, SharedWord, view, word } from '../../../src/layout/view.ts';

const Inner = struct({ low: u16, high: u32 }, 8);
const Outer = struct({
  byte: u8,
  half: u16,
  word: u32,
  signed: i32,
  float: f64,
  long: u64,
  signal: shared32,
  list: array(3, u16),
  inner: records(2, Inner),
  bytes: area(5, 64),
});

const AT = 0x40;
const fresh = () => {
  const buffer = new SharedArrayBuffer(AT + Outer.size);
  return { s: view(Outer, buffer, AT), data: new DataView(buffer, AT), all: new Uint8Array(buffer) };
};

describe('a view', () => {
  it('reads and writes each field where the record has it, in its type', () => {
    const { s, data } = fresh();
    const { at } = Outer;
    s.byte = 0x1ff;
    s.half = 0x12345;
    s.word = -1;
    s.signed = 0xffffffff;
    s.float = 0.5;
    s.long = -1n;
    expect([s.byte, s.half, s.word, s.signed, s.float, s.long]).toEqual([0xff, 0x2345, 0xffffffff, -1, 0.5, 0xffff_ffff_ffff_ffffn]);
    expect([data.getUint8(at.byte), data.getUint16(at.half, true), data.getUint32(at.word, true)]).toEqual([0xff, 0x2345, 0xffffffff]);
    expect([data.getInt32(at.signed, true), data.getFloat64(at.float, true), data.getBigInt64(at.long, true)]).toEqual([-1, 0.5, -1n]);
    expect(word(s, at.word / 4)).toBe(0xffffffff);
    expect(address(s)).toBe(AT);
  });

  it('has arrays, areas and records as objects that end with their field', () => {
    const { s, data } = fresh();
    const { at } = Outer;
    s.list.set([1, 2, 3]);
    s.inner[1].high = 7;
    s.bytes.fill(9);
    s.list[3] = 0xff;
    expect([0, 1, 2, 3].map((n) => data.getUint16(at.list + 2 * n, true))).toEqual([1, 2, 3, 0]);
    expect(data.getUint32(at.inner + Inner.size + Inner.at.high, true)).toBe(7);
    expect([s.bytes.length, data.getUint8(at.bytes + 4), data.getUint8(at.bytes + 5)]).toEqual([5, 9, 0]);
    expect(s.inner.length).toBe(2);
  });

  it('has a shared word with its atomic operations', () => {
    const { s, data } = fresh();
    expect(s.signal).toBeInstanceOf(SharedWord);
    s.signal.store(-2);
    expect([s.signal.add(1), s.signal.exchange(5), s.signal.compareExchange(5, 6), s.signal.compareExchange(5, 7)]).toEqual([-2, -1, 5, 6]);
    expect([s.signal.or(8), s.signal.and(6), s.signal.load()]).toEqual([6, 14, 6]);
    expect([s.signal.load(), s.signal.plain, data.getInt32(Outer.at.signal, true)]).toEqual([6, 6, 6]);
  });

  it('clears its record and nothing else', () => {
    const { s, all } = fresh();
    all.fill(0xff);
    clear(s);
    expect([s.long, s.inner[1].high, s.bytes[4], s.signal.load()]).toEqual([0n, 0, 0, 0]);
    expect(all.subarray(0, AT).every((byte) => byte === 0xff)).toBe(true);
    expect(all.subarray(AT).every((byte) => byte === 0)).toBe(true);
  });

  it('is of one class for one record', () => {
    expect(fresh().s.constructor).toBe(fresh().s.constructor);
  });

  it('is not there for elements with gaps between them', () => {
    expect(() => view(struct({ gaps: array(2, u16, 4) }), new ArrayBuffer(16))).toThrow('gaps');
  });
});
