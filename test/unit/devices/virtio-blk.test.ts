// The block device: a driver's requests against a file, errors, flush, and what happens beside a running request.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { BlockBackend } from '../../../src/devices/virtio/index.ts';
import { DiskFile } from '../../../src/host/disk-file.ts';
import { type Buffer, Driver, EVENT_IDX, INDIRECT, IS_INDIRECT, NEXT, type Rig, rig, VERSION_1, WRITE } from './virtio-driver.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dragoman-blk-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const SECTORS = 64;
const IN = 0;
const OUT = 1;
const FLUSH = 4;
const GET_ID = 8;

function image(name: string): { path: string; bytes: Uint8Array } {
  const path = join(folder, name);
  const bytes = Uint8Array.from({ length: SECTORS * 512 }, (_, i) => (i >> 9) * 3 + (i & 0xff));
  writeFileSync(path, bytes);
  return { path, bytes };
}

function header(type: number, sector: number | bigint): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setBigUint64(8, BigInt(sector), true);
  return bytes;
}

/** Runs one request to its end; the status byte and the used length. */
function request(d: Driver, type: number, sector: number | bigint, buffers: readonly Buffer[] = []): { status: number; length: number } {
  const status = d.room(1);
  const head = d.add(0, [d.put(header(type, sector)), ...buffers, status]);
  d.notify(0);
  d.rig.work();
  const used = d.used(0);
  expect(used.length).toBe(1);
  expect(used[0].head).toBe(head);
  return { status: d.bytes(status)[0], length: used[0].length };
}

function withFile(name: string, readOnly = false) {
  const { path, bytes } = image(name);
  const disk = new DiskFile(path, readOnly);
  const on = rig({ disks: [{ capacitySectors: disk.sectors, readOnly, serial: 'SERIAL-1' }], firstSlot: 3 }, { disks: [disk] });
  return { path, bytes, disk, on, d: new Driver(on, 3) };
}

function withBackend(backend: Partial<BlockBackend>): { on: Rig; d: Driver } {
  const nothing = (): void => {};
  const on = rig(
    { disks: [{ capacitySectors: SECTORS }], firstSlot: 3 },
    { disks: [{ read: nothing, write: nothing, flush: nothing, ...backend }] },
  );
  return { on, d: new Driver(on, 3) };
}

it('reads, writes and flushes a file, with an interrupt for each', () => {
  const { d, path, bytes, disk } = withFile('rw.img');
  expect(d.config(0, 4)).toBe(0x10421af4);
  expect(d.config(8, 4)).toBe(0x01000001);
  d.start();
  d.route(0x51);
  expect([d.read(4, 0, 4), d.read(4, 4, 4), d.read(4, 12, 4), d.read(4, 20, 4)]).toEqual([SECTORS, 0, 254, 512]);
  const one = d.room(512);
  const two = d.room(1024);
  expect(d.takeInterrupt()).toBe(-1);
  expect(request(d, IN, 5, [one, two])).toEqual({ status: 0, length: 1537 });
  expect(d.takeInterrupt()).toBe(0x51);
  expect(d.config(6, 2) & 8).toBe(8);
  expect(d.isr).toBe(1);
  expect(d.isr).toBe(0);
  d.endInterrupt();
  expect(d.takeInterrupt()).toBe(-1);
  expect([...d.bytes(one), ...d.bytes(two)]).toEqual([...bytes.subarray(5 * 512, 8 * 512)]);
  const data = Uint8Array.from({ length: 1024 }, (_, i) => i * 7);
  expect(request(d, OUT, 62, [d.put(data.subarray(0, 100)), d.put(data.subarray(100))])).toEqual({ status: 0, length: 1 });
  expect(d.takeInterrupt()).toBe(0x51);
  d.endInterrupt();
  // Nobody read the ISR: the level still stands.
  expect(d.takeInterrupt()).toBe(0x51);
  expect(d.isr).toBe(1);
  d.endInterrupt();
  expect(request(d, FLUSH, 0)).toEqual({ status: 0, length: 1 });
  expect(readFileSync(path).subarray(62 * 512)).toEqual(Buffer.from(data));
  const id = d.room(20);
  expect(request(d, GET_ID, 0, [id]).status).toBe(0);
  expect(new TextDecoder().decode(d.bytes(id))).toBe('SERIAL-1'.padEnd(20, '\0'));
  disk.close();
});

it('refuses what is not on the disk, not whole sectors, or not known', () => {
  const { d, path, bytes, disk } = withFile('errors.img');
  d.start();
  const answer = (type: number, sector: number | bigint, buffers: Buffer[]) => request(d, type, sector, buffers).status;
  expect(answer(IN, SECTORS - 1, [d.room(512)])).toBe(0);
  expect(answer(IN, SECTORS - 1, [d.room(1024)])).toBe(1);
  expect(answer(IN, SECTORS, [d.room(512)])).toBe(1);
  expect(answer(IN, (1n << 64n) - 1n, [d.room(512)])).toBe(1);
  expect(answer(IN, 1n << 55n, [d.room(512)])).toBe(1);
  expect(answer(IN, 0, [d.room(511)])).toBe(1);
  expect(answer(OUT, SECTORS, [d.put(new Uint8Array(512))])).toBe(1);
  expect(answer(OUT, 1, [d.put(new Uint8Array(513))])).toBe(1);
  expect(answer(99, 0, [])).toBe(2);
  expect(d.status).toBe(0xf);
  expect(new Uint8Array(readFileSync(path))).toEqual(bytes);
  disk.close();
});

it('does not write to a read-only disk', () => {
  const { d, path, bytes, disk } = withFile('ro.img', true);
  expect(d.features() & 0x20n).toBe(0x20n);
  d.start(VERSION_1 | 0x20n);
  expect(request(d, OUT, 0, [d.put(new Uint8Array(512))]).status).toBe(1);
  expect(request(d, FLUSH, 0).status).toBe(0);
  expect(request(d, IN, 0, [d.room(512)]).status).toBe(0);
  expect(new Uint8Array(readFileSync(path))).toEqual(bytes);
  disk.close();
});

it('keeps writes from a read-only disk even where its backend would take them', () => {
  let writes = 0;
  const on = rig(
    { disks: [{ capacitySectors: SECTORS, readOnly: true }], firstSlot: 3 },
    { disks: [{ read: () => {}, write: () => writes++, flush: () => {} }] },
  );
  const d = new Driver(on, 3).start();
  expect(request(d, OUT, 0, [d.put(new Uint8Array(512))]).status).toBe(1);
  expect(writes).toBe(0);
});

it('answers IOERR where the backend fails, and goes on', () => {
  const fail = (): void => {
    throw new Error('EIO');
  };
  const { d, on } = withBackend({ read: fail, write: fail, flush: fail });
  d.start();
  expect(request(d, IN, 0, [d.room(512)]).status).toBe(1);
  expect(request(d, OUT, 0, [d.put(new Uint8Array(512))]).status).toBe(1);
  expect(request(d, FLUSH, 0).status).toBe(1);
  expect(request(d, GET_ID, 0, [d.room(20)]).status).toBe(0);
  expect(on.problems).toEqual([]);
});

it('follows indirect descriptors, at any alignment, also behind a direct one', () => {
  const { d, bytes, on, disk } = withFile('indirect.img');
  d.start(VERSION_1 | INDIRECT, 4);
  const data = d.room(1024);
  const status = d.room(1);
  const head = d.put(header(IN, 9));
  const parts = [{ address: data.address, length: 512, flags: WRITE }, { address: data.address + 512, length: 512, flags: WRITE }, status];
  const table = d.allocate(16 * 3 + 16) + 4;
  parts.forEach((part, i) => {
    d.putDescriptor(table + 16 * i, part, WRITE | (i < 2 ? NEXT : 0), i + 1);
  });
  d.add(0, [head, { address: table, length: 48, flags: IS_INDIRECT }]);
  d.notify(0);
  on.work();
  expect(d.used(0)).toEqual([{ head: 0, length: 1025 }]);
  expect(d.bytes(data)).toEqual(bytes.slice(9 * 512, 11 * 512));
  expect(d.bytes(status)).toEqual(Uint8Array.of(0));
  disk.close();
});

it('serves many requests, around the end of the ring', () => {
  const { d, bytes, on, disk } = withFile('many.img');
  d.start(VERSION_1, 16);
  const heap = d.allocate(0);
  for (let round = 0; round < 3000; round++) {
    const rooms: Buffer[] = [];
    for (let i = 0; i < 4; i++) {
      const room = { address: heap + 0x1000 + 512 * i, length: 512, flags: WRITE };
      rooms.push(room);
      d.add(0, [d.put(header(IN, (round + i) % SECTORS), heap + 16 * i), room, { address: heap + 0x800 + i, length: 1, flags: WRITE }]);
      on.ram[heap + 0x800 + i] = 9;
    }
    d.notify(0);
    on.work();
    expect(d.used(0).length).toBe(4);
    for (let i = 0; i < 4; i++) {
      const sector = (round + i) % SECTORS;
      if (on.ram[heap + 0x800 + i] !== 0 || on.ram[rooms[i].address + 7] !== bytes[sector * 512 + 7])
        throw new Error(`round ${round}, ${i}`);
    }
  }
  expect(on.problems).toEqual([]);
  disk.close();
});

it('takes turns: a long queue does not keep the host thread', () => {
  let calls = 0;
  const { d, on } = withBackend({ flush: () => calls++ });
  d.start(VERSION_1, 256);
  const head = d.put(header(FLUSH, 0));
  const status = d.room(1);
  d.putDescriptor(d.rings[0].desc, head, NEXT, 1);
  d.putDescriptor(d.rings[0].desc + 16, status, WRITE, 0);
  for (let i = 0; i < 256; i++) d.offer(0, 0);
  d.notify(0);
  on.work();
  expect(calls).toBe(128);
  on.work();
  on.work();
  expect(calls).toBe(256);
  expect(d.used(0).length).toBe(256);
  // The positions are 16 bits wide.
  while (calls < 66_000) {
    for (let i = 0; i < 100; i++) d.offer(0, 0);
    d.notify(0);
    on.work();
    if (d.used(0).length !== 100) throw new Error(`behind ${calls}`);
  }
  expect(on.problems).toEqual([]);
});

it('interrupts as the driver asks: never, or past an index', () => {
  const { d } = withBackend({});
  d.start();
  d.view.setUint16(d.rings[0].avail, 1, true);
  expect(request(d, FLUSH, 0).status).toBe(0);
  expect(d.isr).toBe(0);
  d.view.setUint16(d.rings[0].avail, 0, true);
  expect(request(d, FLUSH, 0).status).toBe(0);
  expect(d.isr).toBe(1);

  d.start(VERSION_1 | EVENT_IDX);
  d.setUsedEvent(0, 1);
  request(d, FLUSH, 0);
  expect(d.isr).toBe(0);
  expect(d.availEvent(0)).toBe(1);
  request(d, FLUSH, 0);
  expect(d.isr).toBe(1);
  expect(d.availEvent(0)).toBe(2);
  request(d, FLUSH, 0);
  expect(d.isr).toBe(0);
});

it('leaves the lock to others while the backend works', () => {
  let on: Rig | undefined;
  let seen = -1;
  const rigged = withBackend({
    read: () => {
      // The CPU's thread gets at its devices (it would hang otherwise: look first).
      if (on === undefined || on.b.pc.hub.lock.held || on.cpu.hub.lock.owner !== 0) throw new Error('locked');
      seen = rigged.d.status;
    },
  });
  on = rigged.on;
  rigged.d.start();
  expect(request(rigged.d, IN, 0, [rigged.d.room(512)]).status).toBe(0);
  expect(seen).toBe(0xf);
});

it('finishes a request before a reset by the guest takes effect', () => {
  let during = -1;
  const { d, on } = withBackend({
    read: () => {
      d.status = 0;
      during = d.status;
      d.status = 1;
    },
  });
  d.start();
  const status = d.room(1);
  d.add(0, [d.put(header(IN, 0)), d.room(512), status]);
  d.notify(0);
  on.work();
  expect(during).toBe(0xf);
  expect(d.status).toBe(0);
  expect(d.used(0)).toEqual([]);
  expect(d.isr).toBe(0);
  expect(d.bytes(status)).toEqual(Uint8Array.of(0xee));
  d.start();
  expect(request(d, FLUSH, 0).status).toBe(0);
});

it('tells of stores into guest RAM before the guest knows', () => {
  const stores: number[][] = [];
  let d: Driver | undefined;
  const on = rig(
    { disks: [{ capacitySectors: SECTORS }], firstSlot: 3 },
    {
      disks: [{ read: (_, into) => into.fill(1), write: () => {}, flush: () => {} }],
      ramWritten: (address, bytes) => {
        expect(d?.used(0)).toEqual([]);
        stores.push([address, bytes]);
      },
    },
  );
  d = new Driver(on, 3).start();
  const room = d.room(512);
  const status = d.room(1);
  d.add(0, [d.put(header(IN, 0)), room, status]);
  d.notify(0);
  on.work();
  expect(stores).toEqual([
    [room.address, 512],
    [status.address, 1],
  ]);
});
