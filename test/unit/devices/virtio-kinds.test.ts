// Every queue of every virtio device, by one table: sizes of the driver's own, registers written in other ways than they should be, drivers that
// skip steps, and rings that break the rules. Nothing hangs: a request is served, or the device says that it needs a reset.
import { describe, expect, it } from 'vitest';
import type { GuestMemory } from '../../../src/devices/virtio/guest-memory.ts';
import { BREAKS } from './virtio-breaks.ts';
import { type Buffer, Driver, INDIRECT, type Rig, rig, VERSION_1, WRITE } from './virtio-driver.ts';

const SLOT = 3;
const FRAME = new Uint8Array(60).fill(0x42);

interface Kind {
  readonly queue: number;
  readonly offered: number;
  make(): Rig;
  /** What a driver puts into the queue. */
  buffers(d: Driver): Buffer[];
  /** What then has to happen on the host's side. */
  readonly host?: (on: Rig) => void;
  /** Bytes that the device says it wrote. */
  readonly written: number;
}

const disk = { read: (_: number, into: Uint8Array) => void into.fill(7), write: () => {}, flush: () => {}, close: () => {} };
const network = () => rig({ net: [{ mac: '52:54:00:12:34:56' }], firstSlot: SLOT });
const KINDS: Record<string, Kind> = {
  disk: {
    queue: 0,
    offered: 256,
    make: () => rig({ disks: [{ capacitySectors: 8 }], firstSlot: SLOT }, { disks: [disk] }),
    buffers: (d) => [d.put(new Uint8Array(16)), d.room(512), d.room(1)],
    written: 513,
  },
  'network card, receiving': {
    queue: 0,
    offered: 256,
    make: network,
    buffers: (d) => [d.room(1530)],
    host: (on) => void on.host.net[0].receive(FRAME),
    written: 72,
  },
  'network card, sending': { queue: 1, offered: 256, make: network, buffers: (d) => [d.put(new Uint8Array(72))], written: 0 },
  'console, input': {
    queue: 0,
    offered: 128,
    make: () => rig({ console: true, firstSlot: SLOT }),
    buffers: (d) => [d.room(4)],
    host: (on) => void on.host.virtioConsole?.pushInput(Uint8Array.of(1, 2, 3, 4)),
    written: 4,
  },
  'console, output': {
    queue: 1,
    offered: 128,
    make: () => rig({ console: true, firstSlot: SLOT }),
    buffers: (d) => [d.put(Uint8Array.of(1, 2, 3))],
    written: 0,
  },
  'entropy source': { queue: 0, offered: 8, make: () => rig({ rng: true, firstSlot: SLOT }), buffers: (d) => [d.room(4)], written: 4 },
};

describe.each(Object.entries(KINDS))('%s', (_, kind) => {
  const { queue, written } = kind;
  const make = (): Driver => new Driver(kind.make(), SLOT);
  /** A request and all that follows from it. */
  const ask = (d: Driver, buffers: Buffer[]): number => {
    const head = d.add(queue, buffers);
    d.notify(queue);
    d.rig.work();
    kind.host?.(d.rig);
    return head;
  };
  const works = (d: Driver): void => {
    const head = ask(d, kind.buffers(d));
    expect(d.used(queue)).toEqual([{ head, length: written }]);
  };

  it('offers what QEMU offers', () => {
    expect(make().queueSize(queue)).toBe(kind.offered);
  });

  it.each([3, 4, 7, 16, 100, 128, 256, 1024, 2048, 4096])('works with %i entries, twice round', (size) => {
    const d = make().startWith(VERSION_1, () => size);
    expect(d.queueSize(queue)).toBe(size);
    const buffers = kind.buffers(d);
    const turns = Math.ceil((2 * size) / buffers.length) + 2;
    for (let turn = 0; turn < turns; turn++) {
      const head = ask(d, buffers);
      expect(d.used(queue)).toEqual([{ head, length: written }]);
    }
    expect([d.status, d.rig.problems]).toEqual([0xf, []]);
  });

  it('keeps its size where none is written that a queue can have', () => {
    const d = make();
    d.write(1, 0x16, 2, queue);
    for (const bad of [0, 0x8001, 0xffff]) {
      d.write(1, 0x18, 2, bad);
      expect(d.read(1, 0x18, 2)).toBe(kind.offered);
    }
    works(d.start());
    d.write(1, 0x16, 2, queue);
    d.write(1, 0x18, 2, 4);
    expect(d.read(1, 0x18, 2), 'an enabled queue').toBe(Math.min(16, kind.offered));
    works(d);
  });

  it('has nothing where there is no queue', () => {
    const d = make().start();
    for (const none of [d.rings.length, 100, 0xffff]) {
      d.write(1, 0x16, 2, none);
      [0x18, 0x1c].forEach((at) => void d.write(1, at, 2, 1));
      for (let at = 0x20; at < 0x38; at += 4) d.write(1, at, 4, 0x1000);
      expect([0x18, 0x1c, 0x1e].map((at) => d.read(1, at, 2))).toEqual([0, 0, 0]);
      for (let at = 0x20; at < 0x38; at += 4) expect(d.read(1, at, 4)).toBe(0);
    }
    works(d);
  });

  it('takes fields that are written in another width', () => {
    const d = make();
    for (const status of [0, 1, 3]) d.write(1, 0x14, 4, status);
    d.setFeatures(VERSION_1);
    d.write(1, 0x14, 2, 0xff0b);
    expect([d.status, d.read(1, 0x15, 1)]).toEqual([0xb, 0]);
    d.setQueue(queue, 8);
    d.write(1, 0x14, 4, 0xf);
    d.write(1, 0x16, 1, queue);
    works(d);
    const fresh = make();
    fresh.write(1, 0x16, 1, queue);
    fresh.write(1, 0x18, 4, 0x00010008);
    expect(fresh.read(1, 0x18, 2)).toBe(8);
    [0x20, 0x28, 0x30].forEach((at, k) => void fresh.write(1, at, 4, 0x1000 * (k + 1)));
    fresh.write(1, 0x1c, 1, 1);
    expect(fresh.read(1, 0x1c, 2)).toBe(1);
  });

  it('works for a driver that never asks about its features', () => {
    const d = make();
    for (const status of [0, 1, 3]) d.status = status;
    d.setFeatures(VERSION_1);
    d.setQueue(queue, 8);
    d.status = 7;
    works(d);
    expect(d.status).toBe(7);
    // Settled by then.
    d.setFeatures(0n);
    works(d);
  });

  it.each([0n, VERSION_1 | (1n << 40n), VERSION_1 | (1n << 23n)])('needs a reset where a driver goes on with features %i', (features) => {
    const d = make();
    for (const status of [0, 1, 3]) d.status = status;
    d.setFeatures(features);
    d.status = 0xb;
    expect(d.status).toBe(3);
    d.setQueue(queue, 8);
    d.status = 0xf;
    expect(d.status).toBe(0x47);
    expect(d.isr).toBe(2);
    d.status = 0xf;
    expect([d.status, d.isr]).toEqual([0x47, 0]);
    ask(d, kind.buffers(d));
    expect(d.used(queue)).toEqual([]);
    works(d.start());
  });

  it('is not disabled by a write of 0, but says so', () => {
    const d = make();
    d.write(1, 0x16, 2, queue);
    d.write(1, 0x1c, 2, 0);
    expect(d.status).toBe(0);
    works(d.start());
    d.write(1, 0x16, 2, queue);
    d.write(1, 0x1c, 2, 0);
    expect([d.read(1, 0x1c, 2), d.status, d.isr & 2]).toEqual([1, 0x4f, 2]);
    works(d.start());
  });

  it('forgets everything at a reset with requests on the way', () => {
    const d = make().start();
    d.add(queue, kind.buffers(d));
    d.notify(queue);
    d.status = 0;
    d.write(1, 0x16, 2, queue);
    expect([d.status, d.read(1, 0x18, 2), d.read(1, 0x1c, 2), d.read(1, 0x20, 4)]).toEqual([0, kind.offered, 0, 0]);
    d.rig.work();
    expect(d.used(queue)).toEqual([]);
    works(d.start());
  });

  it('takes no more than 1024 buffers in a request', () => {
    const d = make().startWith(VERSION_1, () => 2048);
    const at = d.room(1);
    const chain = (length: number) => Array.from({ length }, () => ({ ...at, flags: WRITE }));
    d.add(queue, chain(1025));
    d.notify(queue);
    d.rig.work();
    kind.host?.(d.rig);
    expect([d.status, d.rig.problems]).toEqual([0x4f, [expect.stringContaining('a chain of more than 1024 buffers')]]);
  });

  it.each(Object.entries(BREAKS))('stops at %s, and works again after a reset', (_, damage) => {
    const d = make().start(VERSION_1 | INDIRECT, 8);
    damage(d, queue);
    const work = () => {
      d.notify(queue);
      d.rig.work();
      kind.host?.(d.rig);
    };
    work();
    expect(d.status).toBe(0x4f);
    expect(d.isr).toBe(2);
    expect(d.rig.problems.length).toBe(1);
    // It stays so, whatever the driver does short of a reset.
    d.status = 0xf;
    work();
    expect(d.status).toBe(0x4f);
    expect(d.used(queue)).toEqual([]);
    works(d.start(VERSION_1, 8));
    expect(d.rig.problems.length).toBe(1);
  });
});

it('input for a guest that gives buffers without room back at once does not keep the host', () => {
  // Each buffer that was used is available again before the host looks: as from a CPU beside it.
  const on = rig({ console: true, firstSlot: SLOT });
  const d = new Driver(on, SLOT).start(VERSION_1, 128);
  const { avail, desc: table } = d.rings[0];
  for (let k = 0; k < 128; k++) {
    d.putDescriptor(table + 16 * k, { address: 0x1000, length: 0 }, WRITE, 0);
    d.view.setUint16(avail + 4 + 2 * k, k, true);
  }
  const { memory } = on.host.virtioConsole as unknown as { memory: GuestMemory };
  const store = memory.storeIndex.bind(memory);
  let pushed = 0;
  memory.storeIndex = (address, value) => {
    store(address, value);
    // One hundred thousand are as good as for ever.
    if (++pushed < 100_000) d.view.setUint16(avail + 2, (value + 128) & 0xffff, true);
  };
  d.view.setUint16(avail + 2, 128, true);
  on.host.virtioConsole!.pushInput(Uint8Array.of(1));
  expect(pushed).toBe(128);
  expect(on.host.virtioConsole!.inputWaiting).toBe(1);
});
