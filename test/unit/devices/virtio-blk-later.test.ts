// A disk whose backend answers later: many requests at once, in any order, and what a reset, an error or the end of the run makes of them.
import { expect, it } from 'vitest';
import { Outlets } from '../../../src/devices/outlet.ts';
import { Driver, type Buffer as Part, type Rig, rig, VERSION_1 } from './virtio-driver.ts';

const SECTORS = 8192;
const [IN, OUT, FLUSH, GET_ID] = [0, 1, 4, 8];
const PENDING = 0xee;

interface Call {
  readonly kind: 'read' | 'write' | 'flush';
  readonly offset: number;
  readonly bytes: Uint8Array;
  answer(): void;
  fail(error: unknown): void;
}
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** A disk that answers by hand. */
function byHand(outlets?: Outlets) {
  const calls: Call[] = [];
  const errors: unknown[] = [];
  const call = (kind: Call['kind'], offset: number, bytes: Uint8Array) =>
    new Promise<void>((resolve, reject) => calls.push({ kind, offset, bytes, answer: resolve, fail: reject }));
  const backend = {
    isLater: true,
    read: (offset: number, into: Uint8Array) => call('read', offset, into),
    write: (offset: number, from: Uint8Array) => call('write', offset, from),
    flush: () => call('flush', 0, new Uint8Array()),
  };
  const on: Rig = rig(
    { disks: [{ capacitySectors: SECTORS, serial: 'later' }], firstSlot: 3 },
    { disks: [backend], onDiskError: (disk, error) => errors.push([disk, error]) },
    outlets === undefined ? {} : { outlets },
  );
  return { on, calls, errors, d: new Driver(on, 3), disk: on.host.disks[0]! };
}

function header(type: number, sector: number): Uint8Array {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint32(0, type, true);
  new DataView(bytes.buffer).setUint32(8, sector, true);
  return bytes;
}
/** Makes a request available, and says where its status will be. */
function ask(d: Driver, type: number, sector: number, data: readonly Part[] = []): { head: number; status: () => number } {
  const status = d.room(1);
  const head = d.add(0, [d.put(header(type, sector)), ...data, status]);
  return { head, status: () => d.bytes(status)[0]! };
}
function go(d: Driver): void {
  d.notify(0);
  d.rig.work();
}

it('gives answers in the order in which they come, with an interrupt for each', async () => {
  const { d, calls } = byHand();
  d.start();
  d.route(0x51);
  const [one, two] = [d.room(1024), d.put(new Uint8Array(512).fill(7))];
  const [read, write, flush] = [ask(d, IN, 3, [one]), ask(d, OUT, 9, [two]), ask(d, FLUSH, 0)];
  go(d);
  expect(calls.map(({ kind, offset, bytes }) => [kind, offset, bytes.length])).toEqual([
    ['read', 3 * 512, 1024],
    ['write', 9 * 512, 512],
    ['flush', 0, 0],
  ]);
  expect([d.used(0), read.status(), d.takeInterrupt()]).toEqual([[], PENDING, -1]);
  // What is being written is not the guest's buffer any more.
  d.put(new Uint8Array(512).fill(8), two.address);
  expect(new Set(calls[1]!.bytes)).toEqual(new Set([7]));
  calls[2]!.answer();
  await settle();
  expect([d.used(0), flush.status(), d.takeInterrupt()]).toEqual([[{ head: flush.head, length: 1 }], 0, 0x51]);
  expect(d.isr).toBe(1);
  d.endInterrupt();
  calls[0]!.bytes.fill(5);
  calls[0]!.answer();
  await settle();
  expect([d.used(0), read.status(), write.status(), d.takeInterrupt()]).toEqual([[{ head: read.head, length: 1025 }], 0, PENDING, 0x51]);
  expect(new Set(d.bytes(one))).toEqual(new Set([5]));
  calls[1]!.answer();
  await settle();
  expect(d.used(0)).toEqual([{ head: write.head, length: 1 }]);
});

it('answers at once what needs no backend', () => {
  const { d, calls } = byHand();
  d.start();
  const id = d.room(20);
  const [known, outside, unknown] = [ask(d, GET_ID, 0, [id]), ask(d, IN, SECTORS, [d.room(512)]), ask(d, 99, 0)];
  go(d);
  expect([known.status(), outside.status(), unknown.status(), calls.length]).toEqual([0, 1, 2, 0]);
  expect(d.used(0).length).toBe(3);
});

it('makes an I/O error of what is thrown or rejected, and tells of it', async () => {
  const { d, calls, errors } = byHand();
  d.start();
  const one = ask(d, IN, 0, [d.room(512)]);
  go(d);
  calls[0]!.fail('the line is dead');
  await settle();
  expect([one.status(), errors, d.used(0).length]).toEqual([1, [[0, 'the line is dead']], 1]);
  const next = ask(d, FLUSH, 0);
  go(d);
  calls[1]!.answer();
  await settle();
  expect([next.status(), d.rig.problems]).toEqual([0, []]);
});

it('has a bounded number of requests open, and takes the others when these are answered', async () => {
  const { d, calls } = byHand();
  d.start(VERSION_1, 256);
  for (let k = 0; k < 80; k++) ask(d, FLUSH, 0);
  go(d);
  expect(calls.length).toBe(64);
  calls[40]!.answer();
  calls[7]!.answer();
  await settle();
  expect([calls.length, d.used(0).map(({ head }) => head / 2)]).toEqual([66, [40, 7]]);
  for (const call of calls.splice(0)) call.answer();
  await settle();
  for (const call of calls.splice(0)) call.answer();
  await settle();
  expect(d.used(0).length).toBe(78);
});

it('asks for pieces of a large request, one after another', async () => {
  const { d, calls } = byHand();
  d.start();
  // The test's guest has 1 MiB of RAM: one buffer many times.
  const data = d.room(300 << 10);
  const read = ask(d, IN, 0, [data, data, data, data]);
  go(d);
  expect(calls.map(({ offset, bytes }) => [offset, bytes.length])).toEqual([[0, 1 << 20]]);
  calls[0]!.bytes.fill(1);
  calls[0]!.answer();
  await settle();
  expect([calls.length, calls[1]!.offset, calls[1]!.bytes.length, read.status()]).toEqual([2, 1 << 20, (1200 << 10) - (1 << 20), PENDING]);
  calls[1]!.bytes.fill(2);
  calls[1]!.answer();
  await settle();
  expect([d.used(0), read.status()]).toEqual([[{ head: read.head, length: (1200 << 10) + 1 }], 0]);
  // Each copy of the buffer lies over the one before: the last bytes are of the second piece, in the fourth copy from (1 MiB - 900 KiB) on.
  expect([d.bytes(data)[(124 << 10) - 1], d.bytes(data)[124 << 10]]).toEqual([1, 2]);
});

it('forgets what was open when the guest reset the device, and lets an old write end before a new one begins', async () => {
  const { d, calls, disk } = byHand();
  d.start();
  const room = d.room(512);
  const old = [ask(d, IN, 0, [room]), ask(d, OUT, 5, [d.put(new Uint8Array(512))])];
  go(d);
  expect(calls.length).toBe(2);
  d.start();
  expect(d.status).toBe(0xf);
  // Buffers are the guest's again: the same addresses.
  const again = ask(d, OUT, 5, [d.put(new Uint8Array(512).fill(3))]);
  go(d);
  expect(calls.length).toBe(2);
  const before = d.rig.ram.slice();
  calls[0]!.bytes.fill(1);
  calls[0]!.answer();
  await settle();
  expect([Buffer.compare(d.rig.ram, before), calls.length]).toEqual([0, 2]);
  expect(disk.written()).toBeInstanceOf(Promise);
  calls[1]!.answer();
  await settle();
  expect([calls.length, new Set(calls[2]!.bytes), old.length]).toEqual([3, new Set([3]), 2]);
  calls[2]!.answer();
  await settle();
  expect([d.used(0), again.status(), disk.written()]).toEqual([[{ head: again.head, length: 1 }], 0, undefined]);
});

it('does not go on with a large write whose buffers are no longer its own', async () => {
  const { d, calls } = byHand();
  d.start();
  const data = { address: d.allocate(300 << 10), length: 300 << 10 };
  ask(d, OUT, 0, [data, data, data, data]);
  go(d);
  d.status = 0;
  calls[0]!.answer();
  await settle();
  expect(calls.length).toBe(1);
});

it('keeps an answer for a guest that takes the bus from the device for a while', async () => {
  const { d, calls } = byHand();
  d.start();
  const one = ask(d, FLUSH, 0);
  go(d);
  d.setConfig(4, 2, d.config(4, 2) & ~4);
  calls[0]!.answer();
  await settle();
  expect([d.used(0), one.status()]).toEqual([[], PENDING]);
  d.setConfig(4, 2, d.config(4, 2) | 4);
  d.rig.work();
  expect([d.used(0).length, one.status()]).toEqual([1, 0]);
});

it('says when all is written', async () => {
  const { d, calls, disk } = byHand();
  d.start();
  ask(d, IN, 0, [d.room(512)]);
  go(d);
  expect(disk.written()).toBeUndefined();
  ask(d, OUT, 0, [d.put(new Uint8Array(512))]);
  ask(d, FLUSH, 0);
  go(d);
  let isWritten = false;
  void disk.written()!.then(() => (isWritten = true));
  calls[1]!.answer();
  await settle();
  expect(isWritten).toBe(false);
  calls[2]!.answer();
  await settle();
  expect([isWritten, disk.written()]).toEqual([true, undefined]);
});

it('is waited for as a receiver is; in lockstep one request after the other', async () => {
  const outlets = new Outlets(true);
  const { d, calls } = byHand(outlets);
  d.start();
  const [one, two] = [ask(d, FLUSH, 0), ask(d, GET_ID, 0, [d.room(20)])];
  expect(outlets.idle()).toBeUndefined();
  go(d);
  let isIdle = false;
  void outlets.idle()!.then(() => (isIdle = true));
  await settle();
  // Not even what could be answered at once.
  expect([calls.length, isIdle, one.status(), two.status()]).toEqual([1, false, PENDING, PENDING]);
  calls[0]!.answer();
  await settle();
  expect([isIdle, d.used(0).map(({ head }) => head)]).toEqual([true, [one.head, two.head]]);
});
