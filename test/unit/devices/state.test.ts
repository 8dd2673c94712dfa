// The state of all devices of a full machine in shared memory: no piece lies over another, and no device leaves its own, whatever a guest writes.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FwCfgItem } from '../../../src/devices/fw-cfg.ts';
import { DeviceHub } from '../../../src/devices/hub.ts';
import { TEST_MEMORY } from '../../../src/devices/test-device.ts';
import { area, type Struct, struct } from '../../../src/layout/struct.ts';
import { type Bench, bench } from './harness.ts';

const CPUS = 3;

function fullMachine(): Bench {
  return bench(CPUS, {
    serial: [{}, {}, {}, {}],
    debug: { exitPort: 0xf4, console: true, logPost: true },
    firmware: () => ({ items: new Map([[FwCfgItem.SIGNATURE, Uint8Array.of(1, 2, 3, 4)]]), files: new Map() }),
    testDevice: true,
    virtio: {
      disks: [{ capacitySectors: 8 }],
      net: [{ mac: '52:54:00:12:34:56' }],
      console: true,
      rng: true,
      shares: [{ tag: 'share', readOnly: false }],
    },
  });
}

/** The record and those in it. */
function withParts(record: Struct<unknown>): Struct<unknown>[] {
  const inner = Object.values(record.fields).flatMap(({ array }) => (array?.record === undefined ? [] : withParts(array.record)));
  return [record, ...inner];
}

describe('device state', () => {
  it('is handed out in pieces that do not overlap', () => {
    const { pc } = fullMachine();
    const { pieces } = pc.hub;
    expect(pieces.length).toBeGreaterThan(pc.hub.devices.length);
    let end = 0;
    for (const { at, record } of pieces) {
      expect(at).toBeGreaterThanOrEqual(end);
      expect(at % 64).toBe(0);
      end = at + record.size;
    }
  });

  it('has records whose fields lie behind one another, inside', () => {
    for (const record of fullMachine().pc.hub.pieces.flatMap((piece) => withParts(piece.record))) {
      let end = 0;
      for (const [name, { bytes, align }] of Object.entries(record.fields)) {
        const at = (record.at as Record<string, number>)[name]!;
        expect([at >= end, at % align, at + bytes <= record.size], name).toEqual([true, 0, true]);
        end = at + bytes;
      }
    }
  });
});

describe('a device that a guest writes to at random', () => {
  /** A piece behind each device's, which nobody writes to. */
  const Fence = struct({ bytes: area(256, 64) });

  beforeEach(() => {
    const take = DeviceHub.prototype.state;
    vi.spyOn(DeviceHub.prototype, 'state').mockImplementation(function (this: DeviceHub, record) {
      const taken = take.call(this, record);
      take.call(this, Fence);
      return taken as never;
    });
  });
  afterEach(() => vi.restoreAllMocks());

  it('stays inside its state', () => {
    const b = fullMachine();
    const { hub } = b.pc;
    /** For each piece of a device: its fields, and the bytes from its end to the end of its fence. */
    const fences = hub.pieces.flatMap(({ at, record }, n) => {
      if (record === Fence) return [];
      const end = hub.pieces[n + 1]!.at + Fence.size;
      return [{ fields: Object.keys(record.fields), bytes: new Uint8Array(b.memory.buffer, at + record.size, end - at - record.size) }];
    });
    for (const { bytes } of fences) bytes.fill(0xa5);
    let seed = 1;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    const size = () => ([1, 2, 4] as const)[random(3)];
    const value = () => (random(2) === 0 ? random(256) : random(2 ** 32));
    const ports = Array.from({ length: 0x10000 }, (_, port) => port).filter((port) => hub.ports.claimed(port));
    const bars = b.pc.parts.pci.functions.map((one) => one.bars.address(0)).filter((address) => address >= 0);
    expect(bars.length).toBe(5);
    const ranges = [0xfec00000, 0xfed00000, 0xfee00000, TEST_MEMORY, TEST_MEMORY + 0xf000, ...bars, ...bars.map((bar) => bar + 0x3000)];
    for (let n = 0; n < 60000; n++) {
      const cpu = random(CPUS);
      const port = ports[random(ports.length)]!;
      const address = ranges[random(ranges.length)]! + random(0x1000);
      if (random(2) === 0) b.pc.portOut(cpu, port, size(), value());
      else b.pc.portIn(cpu, port, size());
      if (random(2) === 0) b.pc.mmioWrite(cpu, address, size(), value());
      else b.pc.mmioRead(cpu, address, size());
      b.pc.interruptAck(cpu);
      b.time.now += random(1000) === 0 ? 1e9 : random(1e5);
      hub.runTimers(b.time.now);
      hub.runHostSignals();
      if (n % 10000 === 9999) hub.reset();
    }
    const hurt = fences.filter(({ bytes }) => bytes.some((byte) => byte !== 0xa5));
    expect(hurt.map(({ fields }) => fields)).toEqual([]);
  });
});
