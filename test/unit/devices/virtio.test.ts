// The transport: discovery, negotiation, reset, and guests that break the rules: the device stops, the host does not.
import { expect, it } from 'vitest';
import { Driver, EVENT_IDX, INDIRECT, IS_INDIRECT, RAM_BYTES, type Rig, rig, VERSION_1, WRITE } from './virtio-driver.ts';

const ALL = {
  disks: [{ capacitySectors: 8 }, { capacitySectors: 16, readOnly: true }],
  net: [{ mac: '52:54:00:12:34:56' }],
  console: true,
  rng: true,
  firstSlot: 4,
};
const BACKEND = { read: (): void => {}, write: (): void => {}, flush: (): void => {}, close: (): void => {} };

const all = (): Rig => rig(ALL, { disks: [BACKEND, BACKEND] });
const entropy = (): Driver => new Driver(rig({ rng: true, firstSlot: 3 }), 3);

it('shows every device as a modern PCI function', () => {
  const on = all();
  const seen: number[][] = [];
  for (let slot = 4; slot < 9; slot++) {
    const d = new Driver(on, slot);
    seen.push([d.config(0, 4), d.config(8, 4), d.config(0x2c, 4), d.read(1, 0x12, 2)]);
    expect(d.config(0x3d, 1)).toBe(1);
    expect(d.config(6, 2) & 0x10).toBe(0x10);
    expect(d.features() & (VERSION_1 | INDIRECT | EVENT_IDX)).toBe(VERSION_1 | INDIRECT | EVENT_IDX);
    expect(Object.keys(d.at)).toEqual(slot === 8 ? ['1', '2', '3'] : ['1', '2', '3', '4']);
    d.setConfig(0x10, 4, 0xffffffff);
    expect(d.config(0x10, 4)).toBe(0xffffc000);
  }
  expect(seen).toEqual([
    [0x10421af4, 0x01000001, 0x11001af4, 1],
    [0x10421af4, 0x01000001, 0x11001af4, 1],
    [0x10411af4, 0x02000001, 0x11001af4, 2],
    [0x10431af4, 0x07800001, 0x11001af4, 2],
    [0x10441af4, 0x00ff0001, 0x11001af4, 1],
  ]);
  on.b.out(0xcf8, 0x80000000 + (9 << 11), 4);
  expect(on.b.in(0xcfc, 4)).toBe(0xffffffff);
});

it('agrees on features only with VERSION_1 and nothing that it does not offer', () => {
  const d = entropy();
  d.status = 1;
  d.status = 3;
  d.setFeatures(0n);
  d.status = 0xb;
  expect(d.status).toBe(3);
  d.setFeatures(VERSION_1 | (1n << 34n));
  d.status = 0xb;
  expect(d.status).toBe(3);
  d.setFeatures(VERSION_1 | 1n);
  d.status = 0xb;
  expect(d.status).toBe(3);
  d.setFeatures(VERSION_1 | INDIRECT);
  d.status = 0xb;
  expect(d.status).toBe(0xb);
  // Settled now.
  d.setFeatures(0n);
  d.write(1, 8, 4, 0);
  expect(d.read(1, 0xc, 4)).toBe(Number(INDIRECT));
  d.write(1, 0, 4, 7);
  expect(d.read(1, 4, 4)).toBe(0);
});

it('has queue registers of the right widths, and none for queues that are not there', () => {
  const d = entropy();
  expect(d.queueSize(0)).toBe(8);
  d.write(1, 0x18, 2, 4);
  expect(d.read(1, 0x18, 4)).toBe(0xffff0004);
  for (const bad of [0, 0x8001, 0xffff]) d.write(1, 0x18, 2, bad);
  expect(d.read(1, 0x18, 2)).toBe(4);
  d.write(1, 0x20, 4, 0x12340);
  d.write(1, 0x24, 4, 0x80000000);
  expect([d.read(1, 0x20, 4), d.read(1, 0x24, 4), d.read(1, 0x22, 2), d.read(1, 0x21, 1)]).toEqual([0x12340, 0x80000000, 1, 0x23]);
  expect(d.read(1, 0x10, 2)).toBe(0xffff);
  expect(d.queueSize(1)).toBe(0);
  d.write(1, 0x1c, 2, 1);
  expect(d.read(1, 0x1c, 2)).toBe(0);
  d.start();
  d.write(1, 0x16, 2, 0);
  expect(d.read(1, 0x1c, 2)).toBe(1);
  const before = d.read(1, 0x20, 4);
  d.write(1, 0x20, 4, 0);
  d.write(1, 0x18, 2, 2);
  expect([d.read(1, 0x20, 4), d.read(1, 0x18, 2)]).toEqual([before, 8]);
  d.status = 0;
  expect([d.read(1, 0x20, 4), d.read(1, 0x18, 2), d.read(1, 0x1c, 2), d.status]).toEqual([0, 8, 0, 0]);
});

it('is reached through configuration space alone', () => {
  const d = entropy();
  expect(d.config(0x43, 1)).toBe(5);
  const window = (offset: number, size: number): void => {
    d.setConfig(0x44, 1, 0);
    d.setConfig(0x48, 4, offset);
    d.setConfig(0x4c, 4, size);
  };
  window(0x14, 1);
  d.setConfig(0x50, 1, 1);
  expect(d.config(0x50, 1)).toBe(1);
  expect(d.status).toBe(1);
  window(0x12, 2);
  expect(d.config(0x50, 2)).toBe(1);
  window(0, 4);
  d.setConfig(0x50, 4, 1);
  window(4, 4);
  expect(d.config(0x50, 4)).toBe(1);
  // Outside the BAR, crooked, or in another BAR: nothing.
  for (const [offset, size] of [
    [0x4000, 4],
    [0xfffffffc, 4],
    [2, 4],
    [0x14, 3],
  ]) {
    window(offset, size);
    d.setConfig(0x50, 4, 0);
    d.config(0x50, 4);
  }
  window(0x14, 1);
  d.setConfig(0x44, 1, 2);
  d.setConfig(0x50, 1, 0);
  expect(d.status).toBe(1);
});

it('does nothing before the driver is ready and may master the bus', () => {
  const d = entropy();
  const room = d.start().room(16);
  d.status = 0;
  d.status = 3;
  d.setFeatures(VERSION_1);
  d.status = 0xb;
  d.setQueue(0, 8);
  d.add(0, [room]);
  d.notify(0);
  d.rig.work();
  expect(d.used(0)).toEqual([]);
  d.setConfig(4, 2, 2);
  d.status = 0xf;
  d.rig.work();
  expect(d.used(0)).toEqual([]);
  d.setConfig(4, 2, 6);
  d.rig.work();
  expect(d.used(0)).toEqual([{ head: 0, length: 16 }]);
});

it('comes back from a reset of the machine', () => {
  const d = entropy();
  d.start();
  d.add(0, [d.room(4)]);
  d.notify(0);
  d.rig.work();
  d.rig.b.pc.hub.reset();
  expect(d.config(4, 2) & 4).toBe(0);
  d.setConfig(4, 2, 6);
  expect([d.status, d.isr, d.read(1, 0x1c, 2)]).toEqual([0, 0, 0]);
  d.start();
  d.add(0, [d.room(4)]);
  d.notify(0);
  d.rig.work();
  expect(d.used(0).length).toBe(1);
});

it('does not take indirect descriptors that were not agreed on', () => {
  const d = entropy().start();
  const table = d.allocate(16);
  d.putDescriptor(table, d.room(4), WRITE, 0);
  d.add(0, [{ address: table, length: 16, flags: IS_INDIRECT }]);
  d.notify(0);
  d.rig.work();
  expect(d.status).toBe(0x4f);
});

it('refuses rings that are not in RAM or not aligned', () => {
  for (const [which, low, high] of [
    [0, RAM_BYTES - 64, 0],
    [0, 0x20008, 0],
    [0, 0x20000, 1],
    [1, RAM_BYTES - 2, 0],
    [1, 0x20001, 0],
    [2, 0xfffffffc, 0],
    [2, 0x20002, 0],
  ]) {
    const d = entropy();
    d.status = 3;
    d.setFeatures(VERSION_1);
    d.status = 0xb;
    [0x30000, 0x31000, 0x32000].forEach((address, i) => {
      d.write(1, 0x20 + 8 * i, 4, i === which ? low : address);
      d.write(1, 0x24 + 8 * i, 4, i === which ? high : 0);
    });
    d.write(1, 0x1c, 2, 1);
    expect(d.read(1, 0x1c, 2)).toBe(0);
    expect(d.status).toBe(0x4b);
    expect(d.isr).toBe(0);
    d.start();
    expect(d.status).toBe(0xf);
  }
});

it('survives noise in rings, tables and registers', () => {
  const on = all();
  let seed = 12345;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
    return (seed >>> 8) % below;
  };
  const drivers = [4, 5, 6, 7, 8].map((slot) => new Driver(on, slot));
  let stopped = 0;
  for (let round = 0; round < 400; round++) {
    for (const d of drivers) {
      d.start(VERSION_1 | (random(2) ? INDIRECT : 0n) | (random(2) ? EVENT_IDX : 0n), 8);
      d.rings.forEach((ring, queue) => {
        for (let i = 0; i < 8; i++) {
          const buffer = { address: random(8) ? random(RAM_BYTES) : seed >>> 0, length: random(8) ? random(600) : seed >>> 0 };
          d.putDescriptor(ring.desc + 16 * i, buffer, random(4) ? random(4) : random(8), random(10), random(40) ? 0 : 1);
        }
        for (let i = random(10); i > 0; i--) d.offer(queue, random(9));
        d.notify(queue);
      });
      on.work();
      on.host.virtioConsole?.pushInput(new Uint8Array(random(100)));
      on.host.net[0].receive(new Uint8Array(14 + random(100)));
      for (let i = 0; i < 10; i++) d.write(1 + random(4), random(0x48), ([1, 2, 4] as const)[random(3)], seed);
      on.work();
      if (d.status & 0x40) stopped++;
    }
  }
  expect(stopped).toBeGreaterThan(100);
  const d = drivers[4].start();
  d.add(0, [d.room(8)]);
  d.notify(0);
  on.work();
  expect(d.used(0)).toEqual([{ head: 0, length: 8 }]);
});
