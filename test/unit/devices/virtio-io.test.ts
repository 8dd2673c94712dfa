// Network, console and entropy: bytes in, bytes out, and what waits when the guest has no room.
import { expect, it } from 'vitest';
import { parseMac } from '../../../src/devices/virtio/ethernet.ts';
import { loopback } from '../../../src/devices/virtio/loopback.ts';
import { NET_BACKLOG } from '../../../src/devices/virtio/net.ts';
import { Driver, rig, VERSION_1 } from './virtio-driver.ts';

const RX = 0;
const TX = 1;
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const utf8 = (value: string): Uint8Array => new TextEncoder().encode(value);
const MAC = '52:54:00:ab:cd:ef';

function network(swap = false) {
  const loop = loopback(swap);
  const on = rig({ net: [{ mac: MAC }], firstSlot: 5 }, { net: [loop] });
  loop.connect(on.host.net[0]);
  return { on, loop, d: new Driver(on, 5) };
}

/** A frame with its virtio header in front. */
function packet(length: number, fill: number): Uint8Array {
  const bytes = new Uint8Array(12 + length).fill(fill, 12);
  bytes.set([1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16], 12);
  return bytes;
}

it('has a MAC address and a link', () => {
  const { d } = network();
  expect(d.features() & 0x10020n).toBe(0x10020n);
  expect([0, 1, 2, 3, 4, 5].map((i) => d.read(4, i, 1))).toEqual([...(parseMac(MAC) as Uint8Array)]);
  expect(d.read(4, 6, 2)).toBe(1);
  expect(parseMac('52:54:00:ab:cd')).toBe(undefined);
  expect(() => rig({ net: [{ mac: 'x' }] })).toThrow('MAC');
});

it('sends frames and gets them back', () => {
  const { d, on, loop } = network(true);
  d.start();
  d.route(0x61);
  const rooms = [d.room(1526), d.room(1526)];
  for (const room of rooms) d.add(RX, [room]);
  d.notify(RX);
  const out = packet(60, 0x77);
  d.add(TX, [d.put(out.subarray(0, 12)), d.put(out.subarray(12, 40)), d.put(out.subarray(40))]);
  d.notify(TX);
  on.work();
  expect(d.used(TX)).toEqual([{ head: 0, length: 0 }]);
  expect(d.used(RX)).toEqual([{ head: 0, length: 72 }]);
  expect(d.takeInterrupt()).toBe(0x61);
  const back = d.bytes(rooms[0], 72);
  expect([...back.subarray(0, 12)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
  expect([...back.subarray(12, 24)]).toEqual([11, 12, 13, 14, 15, 16, 1, 2, 3, 4, 5, 6]);
  expect(back.subarray(24)).toEqual(out.subarray(24));
  // Neither too short nor too long a frame goes out; the guest gets its buffers back.
  d.add(TX, [d.put(new Uint8Array(12 + 13))]);
  d.add(TX, [{ address: 0, length: 12 + 65536 }]);
  d.notify(TX);
  on.work();
  expect(d.used(TX).length).toBe(2);
  expect(loop.counts).toEqual({ frames: 1, lost: 0 });
  expect(d.status).toBe(0xf);
  d.add(TX, [d.put(new Uint8Array(11))]);
  d.notify(TX);
  on.work();
  expect(d.status).toBe(0x4f);
});

it('keeps frames until there are buffers, to a limit, and forgets them at a reset', () => {
  const { d, on } = network();
  const net = on.host.net[0];
  expect(net.receive(new Uint8Array(60))).toBe(false);
  d.start(VERSION_1, 64);
  for (let i = 0; i < NET_BACKLOG; i++) expect(net.receive(new Uint8Array(60).fill(i))).toBe(true);
  expect(net.receive(new Uint8Array(60))).toBe(false);
  expect(net.receive(new Uint8Array(13))).toBe(false);
  expect(net.receive(new Uint8Array(70000))).toBe(false);
  expect(d.isr).toBe(0);
  const rooms = [d.room(100), d.room(100), d.room(100)];
  for (const room of rooms) d.add(RX, [room]);
  d.notify(RX);
  on.work();
  expect(d.used(RX).map((one) => one.length)).toEqual([72, 72, 72]);
  expect(rooms.map((room) => d.bytes(room)[12])).toEqual([0, 1, 2]);
  expect(d.isr).toBe(1);
  d.start(VERSION_1, 64);
  const small = d.room(71);
  d.add(RX, [small]);
  d.notify(RX);
  on.work();
  expect(d.used(RX)).toEqual([]);
  // A frame that does not fit is lost, the buffer is not.
  net.receive(new Uint8Array(60).fill(1));
  net.receive(new Uint8Array(59).fill(2));
  expect(d.used(RX)).toEqual([{ head: 0, length: 71 }]);
  expect(d.bytes(small)[12]).toBe(2);
});

it('prints and reads at the console', () => {
  const seen: string[] = [];
  const on = rig({ console: true, firstSlot: 6 }, { onConsole: (bytes) => seen.push(text(bytes)) });
  const d = new Driver(on, 6);
  const port = on.host.virtioConsole;
  port?.pushInput(utf8('early'));
  d.start();
  on.work();
  expect(port?.inputWaiting).toBe(5);
  d.add(TX, [d.put(utf8('hello, ')), d.put(utf8('world\n'))]);
  d.add(TX, [d.put(utf8('again'))]);
  d.notify(TX);
  on.work();
  expect(seen.join('')).toBe('hello, world\nagain');
  expect(d.used(TX).length).toBe(2);
  const rooms = [d.room(8), d.room(8), d.room(8)];
  d.add(RX, [rooms[0]]);
  d.notify(RX);
  on.work();
  expect(d.used(RX)).toEqual([{ head: 0, length: 5 }]);
  expect(text(d.bytes(rooms[0], 5))).toBe('early');
  port?.pushInput(utf8('0123456789abcdef'));
  expect(d.used(RX)).toEqual([]);
  d.add(RX, [rooms[1]]);
  d.add(RX, [rooms[2]]);
  d.notify(RX);
  on.work();
  expect(d.used(RX).map((one) => one.length)).toEqual([8, 8]);
  expect(text(d.bytes(rooms[1])) + text(d.bytes(rooms[2]))).toBe('0123456789abcdef');
  expect(port?.inputWaiting).toBe(0);
});

it('hands long output on in pieces, and takes turns', () => {
  let bytes = 0;
  const on = rig({ console: true, firstSlot: 6 }, { onConsole: (piece) => (bytes += piece.length) });
  const d = new Driver(on, 6).start();
  d.add(
    TX,
    Array.from({ length: 3 }, () => ({ address: 0, length: 1_000_000 })),
  );
  d.notify(TX);
  on.work();
  expect(d.used(TX)).toEqual([]);
  for (let turns = 0; turns < 3; turns++) on.work();
  expect(d.used(TX)).toEqual([{ head: 0, length: 0 }]);
  expect(bytes).toBe(3_000_000);
});

it('survives a callback that throws', () => {
  const on = rig(
    { console: true, firstSlot: 6 },
    {
      onConsole: () => {
        throw new Error('EPIPE');
      },
    },
  );
  const d = new Driver(on, 6).start();
  d.add(TX, [d.put(utf8('x'))]);
  d.add(TX, [d.put(utf8('y'))]);
  d.notify(TX);
  expect(() => on.work()).toThrow('EPIPE');
  expect(on.b.pc.hub.lock.owner).toBe(0);
  expect(d.used(TX).length).toBe(1);
  expect(d.isr).toBe(1);
  expect(() => on.work()).toThrow('EPIPE');
  expect(d.used(TX).length).toBe(1);
});

it.each(['console', 'network'] as const)('leaves what its receiver does not take in the buffers of the guest (%s)', async (kind) => {
  const got: Uint8Array[] = [];
  let go = () => {};
  const receive = (bytes: Uint8Array) => {
    got.push(bytes);
    return new Promise<void>((resolve) => {
      go = resolve;
    });
  };
  const on =
    kind === 'console'
      ? rig({ console: true, firstSlot: 6 }, { onConsole: receive })
      : rig({ net: [{ mac: MAC }], firstSlot: 6 }, { net: [{ onFrame: receive }] });
  const d = new Driver(on, 6).start();
  const send = (fill: number) => d.add(TX, [d.put(packet(60, fill))]);
  for (const fill of [1, 2, 3]) send(fill);
  d.notify(TX);
  for (let turns = 0; turns < 5; turns++) on.work();
  expect([got.length, d.used(TX).length]).toEqual([1, 1]);
  for (let n = 2; n <= 3; n++) {
    go();
    await new Promise((resolve) => setImmediate(resolve));
    for (let turns = 0; turns < 5; turns++) on.work();
    expect([got.length, d.used(TX).length]).toEqual([n, 1]);
  }
  expect(got.map((bytes) => bytes.at(-1))).toEqual([1, 2, 3]);
});

it('fills buffers with random bytes', () => {
  const on = rig({ rng: true, firstSlot: 7 });
  const d = new Driver(on, 7).start();
  const rooms = [d.room(64), d.room(100_000)];
  d.add(0, [rooms[0]]);
  d.add(0, [
    { ...rooms[1], length: 60_000 },
    { address: rooms[1].address + 60_000, length: 40_000, flags: rooms[1].flags },
  ]);
  d.notify(0);
  on.work();
  expect(d.used(0)).toEqual([
    { head: 0, length: 64 },
    { head: 1, length: 65536 },
  ]);
  expect(new Set(d.bytes(rooms[0])).size).toBeGreaterThan(20);
  expect(new Set(d.bytes(rooms[1]).subarray(60_000, 65536)).size).toBe(256);
  expect(new Set(d.bytes(rooms[1]).subarray(65536))).toEqual(new Set([0xee]));
  expect(d.isr).toBe(1);
});

it('repeats a run with a generator of one’s own', () => {
  const on = rig({ rng: true, firstSlot: 7 }, { randomFill: (into) => into.fill(3) });
  const d = new Driver(on, 7).start();
  const room = d.room(4);
  d.add(0, [room]);
  d.notify(0);
  on.work();
  expect([...d.bytes(room)]).toEqual([3, 3, 3, 3]);
});
