// Port and MMIO dispatch: splitting, holes, and the lock.
import { describe, expect, it } from 'vitest';
import { BusGeneration, Mmio, Ports } from '../../../src/devices/bus.ts';
import { DeviceLock, LockState } from '../../../src/devices/lock.ts';
import { ByteRing, ringState } from '../../../src/devices/ring.ts';
import { SharedWord, view } from '../../../src/layout/view.ts';

const generation = () => new BusGeneration(new SharedWord(new Int32Array(1), 0));

describe('Ports', () => {
  it('splits accesses that are wider than a claim, or cross its end', () => {
    const ports = new Ports(generation(), () => 'test');
    const seen: number[][] = [];
    ports.map(0x100, 3, { read: (port) => port & 0xff, write: (port, size, value) => seen.push([port, size, value]) });
    ports.map(0x200, 2, {
      width: 2,
      read: (_port, size) => (size === 2 ? 0x1234 : 0x56),
      write: (port, size, value) => seen.push([port, size, value]),
    });
    expect(ports.read(0x100, 4)).toBe(0xff020100);
    expect(ports.read(0x200, 4)).toBe(0xffff1234);
    ports.write(0x100, 2, 0xbeef);
    ports.write(0x200, 4, 0xdeadbeef);
    expect(seen).toEqual([
      [0x100, 1, 0xef],
      [0x101, 1, 0xbe],
      [0x200, 2, 0xbeef],
    ]);
    expect(ports.read(0x300, 4)).toBe(0xffffffff);
    expect(ports.read(0xffff, 2)).toBe(0xffff);
  });

  it('refuses a second claim', () => {
    let owner = 'uart';
    const ports = new Ports(generation(), () => owner);
    ports.map(0x3f8, 8, { read: () => 1 });
    owner = 'modem';
    for (const [first, count] of [
      [0x3f8, 1],
      [0x3ff, 2],
      [0x3f0, 9],
    ])
      expect(() => ports.map(first, count, { read: () => 2 })).toThrow(/two devices claim port 0x3f[8f]: uart and modem/);
    ports.map(0x400, 1, { read: () => 2 });
    expect([0x3f7, 0x3f8, 0x3ff, 0x400].map((port) => ports.read(port, 1))).toEqual([0xff, 1, 1, 2]);
  });

  it('gives what the guest places only what is free, and takes only that away', () => {
    const ports = new Ports(generation(), () => 'test');
    ports.map(0x20, 2, { read: () => 1 });
    const remove = ports.place(0x1f, 4, { read: () => 2 });
    const read = () => [0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23].map((port) => ports.read(port, 1));
    expect(read()).toEqual([0xff, 2, 1, 1, 2, 0xff]);
    remove();
    expect(read()).toEqual([0xff, 0xff, 1, 1, 0xff, 0xff]);
  });
});

describe('Mmio', () => {
  it('finds ranges, and reads all ones between them', () => {
    const mmio = new Mmio(generation(), () => 'test');
    mmio.map(0xfee00000, 0x1000, { read: (offset) => offset, write: () => {} });
    mmio.map(0xc0000000, 0x10, { read: () => -1, write: () => {} });
    expect(mmio.read(0xfee00020 | 0, 4)).toBe(0x20);
    expect(mmio.read(0xc0000000, 2)).toBe(0xffff);
    expect(mmio.read(0xd0000000, 4)).toBe(0xffffffff);
  });

  it('refuses a second claim', () => {
    let owner = 'hpet';
    const mmio = new Mmio(generation(), () => owner);
    const handlers = { read: () => 1, write: () => {} };
    mmio.map(0xfed00000, 0x400, handlers);
    owner = 'tpm';
    for (const [base, bytes] of [
      [0xfed00000, 1],
      [0xfed003ff, 1],
      [0xfecffff0, 0x11],
      [0xfec00000, 0x200000],
    ])
      expect(() => mmio.map(base, bytes, handlers)).toThrow(/two devices claim the memory at 0xfed00.*: hpet and tpm/);
    mmio.map(0xfed00400, 0x10, handlers);
    mmio.map(0xfecffff0, 0x10, handlers);
    expect(mmio.read(0xfecfffff, 1)).toBe(1);
  });

  it('gives what the guest places only what is free, and takes only that away', () => {
    const mmio = new Mmio(generation(), () => 'test');
    const constant = (value: number) => ({ read: () => value, write: () => {} });
    mmio.map(0xe0001000, 0x10, constant(1));
    mmio.map(0xe0002000, 0x10, constant(2));
    const remove = mmio.place(0xe0000ff0, 0x2000, { read: (offset) => offset, write: () => {} });
    const addresses = [0xe0000fec, 0xe0000ff0, 0xe0001000, 0xe0001010, 0xe0001ffc, 0xe0002000, 0xe0002010, 0xe0002fec, 0xe0002ff0];
    const values = () => addresses.map((address) => mmio.read(address, 4));
    const NONE = 0xffffffff;
    expect(values()).toEqual([NONE, 0, 1, 0x20, 0x100c, 2, 0x1020, 0x1ffc, NONE]);
    remove();
    expect(values()).toEqual([NONE, NONE, 1, NONE, NONE, 2, NONE, NONE, NONE]);
  });
});

describe('DeviceLock', () => {
  it('nests, and keeps others out until the last leave', () => {
    const state = view(LockState, new SharedArrayBuffer(LockState.size));
    const one = new DeviceLock(state, 1, true);
    const two = new DeviceLock(state, 2, true);
    one.enter();
    one.enter();
    one.leave();
    expect(two.tryEnter()).toBe(false);
    const depth = one.release();
    expect(two.tryEnter()).toBe(true);
    two.leave();
    one.retake(depth);
    expect(one.owner).toBe(1);
    one.leave();
    expect(one.held).toBe(false);
  });
});

function ringOf(bytes: number): ByteRing {
  const state = ringState(bytes);
  return new ByteRing(view(state, new SharedArrayBuffer(state.size)));
}

describe('ByteRing', () => {
  it('asks for a signal only when the reader had everything', () => {
    const ring = ringOf(64);
    expect(ring.push(1)).toBe(true);
    expect(ring.push(2)).toBe(false);
    expect(ring.take()).toEqual(Uint8Array.of(1, 2));
    expect(ring.take()).toBeUndefined();
    for (let i = 0; i < 64; i++) ring.push(i);
    expect(ring.room).toBe(0);
    expect(ring.shift()).toBe(0);
  });

  it('takes as many bytes at once as there is room for, around its end', () => {
    const ring = ringOf(64);
    const bytes = Uint8Array.from({ length: 100 }, (_, i) => i);
    expect(ring.write(bytes.subarray(0, 40))).toBe(40);
    expect(ring.take()).toEqual(bytes.subarray(0, 40));
    expect(ring.write(bytes)).toBe(64);
    expect(ring.room).toBe(0);
    expect(ring.write(bytes)).toBe(0);
    expect(ring.take()).toEqual(bytes.subarray(0, 64));
  });
});
