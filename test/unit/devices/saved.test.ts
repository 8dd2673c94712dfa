// What devices keep on the host's side of what a guest can see: it goes from one machine's device into another's, and nothing else does.
import { expect, it } from 'vitest';
import type { Device } from '../../../src/devices/device.ts';
import { DEVICE_STATE } from '../../../src/layout/memory.ts';
import { describePieces, putDevices, saveDevices, saveKept } from '../../../src/snapshot/devices.ts';
import { bench } from './harness.ts';
import { Driver, rig } from './virtio-driver.ts';

const RX = 0;
const TX = 1;
const SLOT = 5;
const MAC = '52:54:00:ab:cd:ef';
const frame = (fill: number) => new Uint8Array(60).fill(fill);

it('frames that wait for buffers of the guest', () => {
  const make = () => {
    const on = rig({ net: [{ mac: MAC }], firstSlot: SLOT });
    return { on, d: new Driver(on, SLOT).start(), card: on.host.net[0]! };
  };
  const [one, two] = [make(), make()];
  one.card.receive(frame(1));
  one.card.receive(frame(2));
  const frames = one.card.save();
  expect(frames).toHaveLength(2);
  expect(two.card.restore(frames)).toBe(true);
  const rooms = [two.d.room(100), two.d.room(100)];
  for (const room of rooms) two.d.add(RX, [room]);
  two.d.notify(RX);
  two.on.work();
  expect(two.d.used(RX)).toHaveLength(2);
  expect(rooms.map((room) => two.d.bytes(room, 72)[71])).toEqual([1, 2]);
  expect(two.card.save()).toEqual([]);
  // After a reset of the guest's they are none of its any more.
  one.d.start();
  expect(one.card.save()).toEqual([]);
  expect(two.card.restore(new Array(2000).fill(frame(1)))).toBe(false);
});

it('output of a console that was handed on in part, and input that waits', () => {
  const make = () => {
    const pieces: Uint8Array[] = [];
    // Asks to be given no more, for ever.
    const on = rig(
      { console: true, firstSlot: SLOT },
      { onConsole: (piece) => (pieces.push(piece) > 0 ? new Promise(() => {}) : undefined) },
    );
    const d = new Driver(on, SLOT).start();
    d.add(TX, [d.put(Uint8Array.from({ length: 100_000 }, (_, n) => n % 251))]);
    return { on, d, pieces, port: on.host.virtioConsole! };
  };
  const [one, two] = [make(), make()];
  one.d.notify(TX);
  one.on.work();
  expect(one.pieces.map(({ length }) => length)).toEqual([65536]);
  one.port.pushInput(Uint8Array.of(1, 2, 3));
  expect(two.port.restore(one.port.save())).toBe(true);
  two.d.notify(TX);
  two.on.work();
  expect(two.pieces.map((piece) => [piece.length, piece[0]])).toEqual([[100_000 - 65536, 65536 % 251]]);
  expect(two.port.inputWaiting).toBe(3);
  for (const wrong of [[], [new Uint8Array(1)], [new Uint8Array(1), new Uint8Array(3)]]) expect(two.port.restore(wrong)).toBe(false);
});

/** A board, and its memory as a machine's: with the state of devices where that has it. */
function board(cpus = 1, extra: Parameters<typeof bench>[1] = {}) {
  const b = bench(cpus, extra);
  const u8 = new Proxy(new Uint8Array(b.memory.buffer), {
    get(bytes, name) {
      if (name === 'subarray') return (from: number, to: number) => bytes.subarray(from - DEVICE_STATE, to - DEVICE_STATE);
      if (name === 'set') return (from: Uint8Array, at: number) => bytes.set(from, at - DEVICE_STATE);
      return Reflect.get(bytes, name);
    },
  });
  return { b, hub: b.pc.hub, shared: { u8 } as Parameters<typeof saveDevices>[1] };
}
const saved = ({ hub, shared }: ReturnType<typeof board>) => ({
  records: describePieces(hub),
  state: saveDevices(hub, shared),
  kept: saveKept(hub),
});

it('what the guest has moved is where it moved it', () => {
  const [one, two] = [board(1, { virtio: { rng: true } }), board(1, { virtio: { rng: true } })];
  const MOVED = 0xfe000000;
  /** Number of queues, of the common structure. */
  const queues = ({ b }: typeof one) => b.read(MOVED + 0x10) >>> 16;
  const move = ({ b }: typeof one, to: number) => {
    b.out(0xcf8, 0x80000000 + (2 << 11) + 0x10, 4);
    b.out(0xcfc, to, 4);
  };
  // Both as often, so that no count tells the one from the other.
  move(one, MOVED);
  move(two, MOVED + 0x100000);
  expect([queues(one), queues(two)]).toEqual([1, 0xffff]);
  putDevices(two.hub, two.shared, saved(one));
  expect(queues(two)).toBe(1);
});

it('all of a board, piece by piece; another board’s is refused', () => {
  const [one, two, other] = [board(), board(), board(2)];
  // The timer counts down from 1234H, the serial port has a divisor of 7 and a byte that waits, a PCI function has moved.
  for (const value of [0x34, 0x12]) one.b.out(0x40, value);
  one.b.out(0x3fb, 0x83);
  one.b.out(0x3f8, 7);
  one.b.out(0x3fb, 3);
  one.b.pc.serialInput(0, new Uint8Array(5000).fill(65));
  one.b.advance(1e6);
  const { records, state, kept } = saved(one);
  expect(kept.size).toBe(1);
  two.b.time.now = one.b.time.now;
  putDevices(two.hub, two.shared, { records, state, kept });
  expect(two.b.pc.parts.serial[0]!.inputWaiting).toBe(5000);
  const read = (b: typeof one.b) => {
    b.out(0x43, 0);
    const count = [b.in(0x40), b.in(0x40)];
    b.out(0x3fb, 0x83);
    return [count, b.in(0x3f8), b.in(0x3f9), b.in(0x3fd)];
  };
  expect(read(two.b)).toEqual(read(one.b));
  expect(read(two.b)[1]).toBe(7);
  expect(() => putDevices(other.hub, other.shared, { records, state, kept })).toThrow(/lapic with other state/);
  expect(() => putDevices(two.hub, two.shared, { records, state: state.subarray(1), kept })).toThrow(/another size/);
  const uart = two.hub.devices.findIndex((device: Device) => device.save !== undefined);
  expect(() => putDevices(two.hub, two.shared, { records, state, kept: new Map([[uart, []]]) })).toThrow(/not its/);
  expect(() => putDevices(two.hub, two.shared, { records, state, kept: new Map([[0, [new Uint8Array(1)]]]) })).toThrow(/not its/);
});
