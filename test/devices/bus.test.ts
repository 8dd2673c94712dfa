// Port and MMIO dispatch: splitting, holes, and the lock.
import { describe, expect, it } from 'vitest';
import { BusGeneration, Mmio, Ports } from '../../src/devices/bus.ts';
import { DeviceLock } from '../../src/devices/lock.ts';
import { ByteRing, ringWords } from '../../src/devices/ring.ts';

const generation = () => new BusGeneration(new Int32Array(1));

describe('Ports', () => {
  it('splits accesses that are wider than a claim, or cross its end', () => {
    const ports = new Ports(generation());
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
    ports.unmap(0x100, 3);
    expect(ports.read(0x100, 4)).toBe(0xffffffff);
    expect(ports.read(0xffff, 2)).toBe(0xffff);
  });
});

describe('Mmio', () => {
  it('finds ranges, and reads all ones between them', () => {
    const mmio = new Mmio(generation());
    mmio.map(0xfee00000, 0x1000, { read: (offset) => offset, write: () => {} });
    mmio.map(0xc0000000, 0x10, { read: () => -1, write: () => {} });
    expect(mmio.read(0xfee00020 | 0, 4)).toBe(0x20);
    expect(mmio.read(0xc0000000, 2)).toBe(0xffff);
    expect(mmio.read(0xd0000000, 4)).toBe(0xffffffff);
    mmio.unmap(0xfee00000, 0x1000);
    expect(mmio.read(0xfee00020, 1)).toBe(0xff);
  });
});

describe('DeviceLock', () => {
  it('nests, and keeps others out until the last leave', () => {
    const words = new Int32Array(new SharedArrayBuffer(8));
    const one = new DeviceLock(words, 1, true);
    const two = new DeviceLock(words, 2, true);
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

describe('ByteRing', () => {
  it('asks for a signal only when the reader had everything', () => {
    const ring = new ByteRing(new Int32Array(new SharedArrayBuffer(ringWords(64) * 4)), 64);
    expect(ring.push(1)).toBe(true);
    expect(ring.push(2)).toBe(false);
    expect(ring.take()).toEqual(Uint8Array.of(1, 2));
    expect(ring.take()).toBeUndefined();
    for (let i = 0; i < 64; i++) ring.push(i);
    expect(ring.room).toBe(0);
    expect(ring.shift()).toBe(0);
  });

  it('takes as many bytes at once as there is room for, around its end', () => {
    const ring = new ByteRing(new Int32Array(new SharedArrayBuffer(ringWords(64) * 4)), 64);
    const bytes = Uint8Array.from({ length: 100 }, (_, i) => i);
    expect(ring.write(bytes.subarray(0, 40))).toBe(40);
    expect(ring.take()).toEqual(bytes.subarray(0, 40));
    expect(ring.write(bytes)).toBe(64);
    expect(ring.room).toBe(0);
    expect(ring.write(bytes)).toBe(0);
    expect(ring.take()).toEqual(bytes.subarray(0, 64));
  });
});
