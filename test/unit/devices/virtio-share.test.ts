// A virtio 9P device: its tag, answers in the order in which they come, drivers that break its rules and those of the queue, resets with requests under way, and what of it can be saved.
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { DragomanError } from '../../../src/api/errors.ts';
import { Outlets } from '../../../src/devices/outlet.ts';
import { MessageReader, MessageWriter } from '../../../src/share/message.ts';
import { NO_FID, Open, RLERROR, T } from '../../../src/share/protocol.ts';
import type { ShareTree } from '../../../src/share/tree.ts';
import { shared } from '../share/folder.ts';
import { BREAKS } from './virtio-breaks.ts';
import { Driver, EVENT_IDX, INDIRECT, type Buffer as Part, rig, VERSION_1 } from './virtio-driver.ts';

const SLOT = 3;
const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

async function device(options: { readOnly?: boolean; outlets?: Outlets; wrap?: (tree: ShareTree) => ShareTree } = {}) {
  const { outlets, readOnly = false, wrap = (tree) => tree } = options;
  const folder = await shared({ attached: false });
  const faults: unknown[] = [];
  const on = rig(
    { shares: [{ tag: 'files', readOnly }], firstSlot: SLOT },
    { shares: [{ tree: wrap(folder.tree) }], onShareFault: (n, error) => faults.push([n, error]) },
    outlets === undefined ? {} : { outlets },
  );
  const share = on.host.shares[0]!;
  onTestFinished(() => share.end());
  return { ...folder, on, d: new Driver(on, SLOT), share, faults };
}

const message = (type: number, tag: number, put: (to: MessageWriter) => unknown = () => {}): Uint8Array => {
  const to = new MessageWriter(type, tag);
  put(to);
  return to.finish();
};
const VERSION = message(T.VERSION, 0xffff, (to) => to.u32(1 << 16).text('9P2000.L'));
const ATTACH = message(T.ATTACH, 1, (to) => to.u32(0).u32(NO_FID).text('').text('').u32(0));
const walk = (tag: number, fid: number, ...names: string[]) =>
  message(T.WALK, tag, (to) => {
    to.u32(0).u32(fid).u16(names.length);
    for (const name of names) to.text(name);
  });
const open = (tag: number, fid: number, flags = 0) => message(T.LOPEN, tag, (to) => to.u32(fid).u32(flags));
const read = (tag: number, fid: number, count: number, offset = 0n) => message(T.READ, tag, (to) => to.u32(fid).u64(offset).u32(count));

/** Makes a request available. */
function ask(d: Driver, bytes: Uint8Array, room = 256) {
  const answer = d.room(room);
  const head = d.add(0, [d.put(bytes), answer]);
  return { head, answer: () => d.bytes(answer), kind: () => d.bytes(answer)[4]! };
}
/** Lets the device work until so many requests came back. */
async function go(d: Driver, requests: number) {
  d.notify(0);
  d.rig.work();
  const used: { head: number; length: number }[] = [];
  for (let turn = 0; turn < 400 && used.length < requests; turn++) {
    used.push(...d.used(0));
    if (used.length < requests) await settle();
  }
  return used;
}
async function one(d: Driver, bytes: Uint8Array, room?: number) {
  const request = ask(d, bytes, room);
  const used = await go(d, 1);
  expect(used.map(({ head }) => head)).toEqual([request.head]);
  return { bytes: request.answer().subarray(0, used[0]!.length), kind: request.kind() };
}
async function mounted(d: Driver, features = VERSION_1): Promise<void> {
  d.start(features, 128);
  expect((await one(d, VERSION)).kind).toBe(T.VERSION + 1);
  expect((await one(d, ATTACH)).kind).toBe(T.ATTACH + 1);
}

it('says its tag', async () => {
  const { d } = await device();
  expect(d.features() & 0xffffffn & ~INDIRECT & ~EVENT_IDX).toBe(1n);
  expect([d.config(0, 2), d.config(2, 2), d.queueSize(0)]).toEqual([0x1af4, 0x1049, 128]);
  expect([d.read(4, 0, 2), ...[2, 3, 4, 5, 6].map((at) => String.fromCharCode(d.read(4, at, 1)))]).toEqual([5, 'f', 'i', 'l', 'e', 's']);
});

it.each([VERSION_1, VERSION_1 | INDIRECT | EVENT_IDX])(
  'reads and writes files, in buffers of any number, with an interrupt (features %i)',
  async (features) => {
    const { d, at, on } = await device();
    await mounted(d, features);
    d.route(0x51);
    if (features !== VERSION_1) d.setUsedEvent(0, d.rings[0].seen);
    await one(d, walk(1, 5, 'hello'));
    expect(d.takeInterrupt()).toBe(0x51);
    expect(d.isr).toBe(1);
    d.endInterrupt();
    await one(d, open(1, 5, Open.READ_WRITE));
    // A header of its own, then pieces, as Linux has it.
    const pieces = [d.room(11), d.room(1), d.room(7), d.room(100)];
    d.add(0, [d.put(read(9, 5, 100)), ...pieces]);
    expect((await go(d, 1))[0]!.length).toBe(11 + 19);
    expect(
      Buffer.concat(pieces.slice(1).map((part) => d.bytes(part)))
        .toString('latin1')
        .slice(0, 19),
    ).toBe('hello from the host');
    const head = message(T.WRITE, 2, (to) => to.u32(5).u64(0n).u32(5).bytes(Buffer.from('HELLO')));
    d.add(0, [d.put(head.subarray(0, 9)), d.put(head.subarray(9, 25)), d.put(head.subarray(25)), d.room(11)]);
    await go(d, 1);
    expect([readFileSync(at('hello'), 'utf8'), on.problems]).toEqual(['HELLO from the host', []]);
  },
);

it('answers errors of the guest, and goes on', async () => {
  const { d, on } = await device({ readOnly: true });
  await mounted(d);
  const error = async (bytes: Uint8Array, room?: number) => {
    const { bytes: answer, kind } = await one(d, bytes, room);
    return kind === RLERROR ? new MessageReader(answer).u32() : 0;
  };
  expect(await error(walk(1, 1, 'none'))).toBe(2);
  expect(await error(walk(1, 1, 'hello'))).toBe(0);
  expect(await error(open(1, 1, Open.WRITE))).toBe(30);
  expect(await error(message(255, 1))).toBe(95);
  expect(await error(message(T.WALK, 1, (to) => to.u32(1)))).toBe(22);
  expect(
    await error(
      message(T.GETATTR, 1, (to) => to.u32(1).u64(0n)),
      11,
    ),
  ).toBe(90);
  expect([d.status, on.problems]).toEqual([0xf, []]);
});

describe('needs a reset after', () => {
  const head = (size: number, length: number): Uint8Array => {
    const bytes = new Uint8Array(length);
    if (length >= 4) new DataView(bytes.buffer).setUint32(0, size, true);
    return bytes;
  };
  const MESSAGES: Record<string, (d: Driver) => Part[]> = {
    'a message without a header': (d) => [d.put(head(6, 6)), d.room(64)],
    'no message at all': (d) => [d.room(64)],
    'a message that is longer than its buffer': (d) => [d.put(head(20, 19)), d.room(64)],
    'a message of four bytes': (d) => [d.put(head(4, 20)), d.room(64)],
    'a message without room for an answer': (d) => [d.put(VERSION), d.room(10)],
    'a message with no answer wanted': (d) => [d.put(VERSION)],
  };
  const breaks: [string, (d: Driver) => void][] = [
    ...Object.entries(MESSAGES).map(([name, parts]): [string, (d: Driver) => void] => [name, (d) => void d.add(0, parts(d))]),
    ...Object.entries(BREAKS).map(([name, wreck]): [string, (d: Driver) => void] => [name, (d) => wreck(d, 0)]),
  ];
  it.each(breaks)('%s', async (_, wreck) => {
    const { d, on } = await device();
    d.start(VERSION_1 | INDIRECT, 8);
    wreck(d);
    d.notify(0);
    d.rig.work();
    await settle();
    expect([d.status, on.problems.length, d.used(0)]).toEqual([0x4f, 1, []]);
    expect(d.isr & 2).toBe(2);
    await mounted(d);
  });
});

/** A tree whose stat() waits. */
function waiting() {
  const waits: (() => void)[] = [];
  let isOpen = true;
  const wrap = (tree: ShareTree): ShareTree =>
    new Proxy(tree, {
      get(real, key) {
        const value = Reflect.get(real, key, real);
        if (key !== 'stat') return value.bind(real);
        return async (path: string) => {
          if (!isOpen) await new Promise<void>((resolve) => waits.push(resolve));
          return real.stat(path);
        };
      },
    });
  return { wrap, waits, shut: () => void (isOpen = false) };
}

it('gives answers in the order in which they come, as many at once as it may', async () => {
  const { wrap, waits, shut } = waiting();
  const { d, share } = await device({ wrap });
  await mounted(d);
  for (let n = 0; n < 40; n++) await one(d, walk(1, 10 + n));
  shut();
  const requests = Array.from({ length: 40 }, (_, n) =>
    ask(
      d,
      message(T.GETATTR, n, (to) => to.u32(10 + n).u64(0n)),
      200,
    ),
  );
  d.notify(0);
  d.rig.work();
  await settle();
  expect([waits.length, d.used(0), share.settled() === undefined]).toEqual([32, [], false]);
  waits[20]!();
  waits[3]!();
  const used = await go(d, 2);
  expect(used.map(({ head }) => head).sort()).toEqual([requests[20]!.head, requests[3]!.head].sort());
  await settle();
  expect(waits.length).toBe(34);
  for (let n = 0; n < waits.length; n++) {
    waits[n]!();
    await settle();
  }
  expect((await go(d, 38)).length).toBe(38);
  expect(share.settled()).toBeUndefined();
});

it('in lockstep works on one request at a time, and the machine waits for it', async () => {
  const outlets = new Outlets(true);
  const { wrap, waits, shut } = waiting();
  const { d } = await device({ wrap, outlets });
  await mounted(d);
  for (const fid of [1, 2]) await one(d, walk(1, fid));
  shut();
  const requests = [1, 2].map((fid) =>
    ask(
      d,
      message(T.GETATTR, fid, (to) => to.u32(fid).u64(0n)),
      200,
    ),
  );
  d.notify(0);
  d.rig.work();
  let isIdle = false;
  void outlets.idle()!.then(() => (isIdle = true));
  await settle();
  expect([waits.length, isIdle]).toEqual([1, false]);
  waits[0]!();
  await settle();
  expect([waits.length, isIdle]).toEqual([2, false]);
  waits[1]!();
  await settle();
  expect([isIdle, d.used(0).map(({ head }) => head)]).toEqual([true, requests.map(({ head }) => head)]);
});

it('forgets what was under way when the guest reset the device, and all that it had open', async () => {
  const { wrap, waits, shut } = waiting();
  const { d, share, on } = await device({ wrap });
  await mounted(d);
  await one(d, walk(1, 5, 'hello'));
  await one(d, open(1, 5));
  await one(d, walk(1, 6));
  shut();
  ask(
    d,
    message(T.GETATTR, 1, (to) => to.u32(6).u64(0n)),
    200,
  );
  d.notify(0);
  d.rig.work();
  await settle();
  d.start(VERSION_1, 128);
  const again = ask(d, VERSION);
  d.notify(0);
  d.rig.work();
  const before = d.rig.ram.slice();
  await settle();
  // The old one is waited for.
  expect([waits.length, Buffer.compare(d.rig.ram, before)]).toEqual([1, 0]);
  expect(() => share.save()).not.toThrow();
  waits[0]!();
  expect((await go(d, 1)).map(({ head }) => head)).toEqual([again.head]);
  expect(again.kind()).toBe(T.VERSION + 1);
  const { kind, bytes } = await one(d, read(1, 5, 10));
  expect([kind, new MessageReader(bytes).u32(), on.problems]).toEqual([RLERROR, 9, []]);
});

it('can be saved while the guest has nothing mounted, and in lockstep where it never had', async () => {
  const { d, share } = await device();
  const refusal = () => {
    try {
      return share.save();
    } catch (error) {
      return (error as DragomanError).message;
    }
  };
  expect(refusal()).toEqual([]);
  await mounted(d);
  expect(refusal()).toBe("not supported: a snapshot while the guest has the share 'files' mounted (umount it first)");
  await one(
    d,
    message(T.CLUNK, 1, (to) => to.u32(0)),
  );
  expect(refusal()).toEqual([]);
  const lockstep = await device({ outlets: new Outlets(true) });
  expect(lockstep.share.save()).toEqual([]);
  lockstep.d.start();
  expect(lockstep.share.save()).toEqual([]);
  await one(lockstep.d, VERSION);
  expect(() => lockstep.share.save()).toThrow('a lockstep machine whose guest has mounted');
});

it('tells of faults that are none of the guest, which sees EIO', async () => {
  const wrap = (tree: ShareTree): ShareTree =>
    new Proxy(tree, {
      get: (real, key) => (key === 'readLink' ? () => Promise.reject(new TypeError('a fault')) : Reflect.get(real, key, real).bind(real)),
    });
  const { d, faults } = await device({ wrap });
  await mounted(d);
  await one(d, walk(1, 5, 'within'));
  const { kind, bytes } = await one(
    d,
    message(T.READLINK, 1, (to) => to.u32(5)),
  );
  expect([kind, new MessageReader(bytes).u32(), faults]).toEqual([RLERROR, 5, [[0, new TypeError('a fault')]]]);
});

it('copies a message before it works on it', async () => {
  const { d, at } = await device();
  writeFileSync(at('victim'), '');
  await mounted(d);
  await one(d, walk(1, 5, 'victim'));
  await one(d, open(1, 5, Open.WRITE));
  const bytes = message(T.WRITE, 2, (to) => to.u32(5).u64(0n).u32(5).bytes(Buffer.from('right')));
  const part = d.put(bytes);
  d.add(0, [part, d.room(11)]);
  d.notify(0);
  d.rig.work();
  d.rig.ram.fill(0x21, part.address, part.address + part.length);
  await go(d, 1);
  expect(readFileSync(at('victim'), 'utf8')).toBe('right');
});
