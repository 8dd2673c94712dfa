// The list of devices, and what follows from it where somebody adds an entry.
import { describe, expect, it } from 'vitest';
import type { Device, DeviceContext } from '../../../src/devices/device.ts';
import { DeviceHub } from '../../../src/devices/hub.ts';
import { ACPI_NODES, buildDevices, type ChipsetOptions, DEVICES, device, type Entry, part } from '../../../src/devices/list.ts';
import { struct, u32 } from '../../../src/layout/struct.ts';
import { SharedWord, type View } from '../../../src/layout/view.ts';
import { dumpDevices } from '../../../src/machine/report/devices.ts';
import { bench } from './harness.ts';

const STATE_BYTES = 0x80000;

function build(entries: readonly Entry[], extra: Partial<ChipsetOptions> = {}, memory = new SharedArrayBuffer(STATE_BYTES + 256)) {
  const wordAt = (n: number) => new SharedWord(new Int32Array(memory), STATE_BYTES / 4 + n);
  const options: ChipsetOptions = {
    state: new Int32Array(memory, 0, STATE_BYTES / 4),
    pending: (cpu) => wordAt(cpu),
    a20: wordAt(63),
    ram: new Uint8Array(0x1000),
    ramBytes: 64 << 20,
    cpuCount: 1,
    clock: { now: () => 0, wallMs: () => 0 },
    thread: 1,
    mayWait: true,
    isHost: true,
    isFirst: true,
    onEnd: () => {},
    ...extra,
  };
  const hub = new DeviceHub(options);
  return { hub, memory, parts: buildDevices(hub, options, { index: 0 }, entries) };
}

const JoystickState = struct({
  /** What was written last. */
  latch: u32,
});
/** A device as somebody might add it. */
class Joystick implements Device {
  readonly name = 'joystick';
  readonly #s: View<typeof JoystickState>;

  constructor(context: DeviceContext, port = 0x201) {
    this.#s = context.state(JoystickState);
    context.ports.map(port, 1, { read: () => this.#s.latch, write: (_port, _size, value) => (this.#s.latch = value) });
    if (context.isFirst) this.reset();
  }

  reset(): void {
    this.#s.latch = 0xf0;
  }
}
const joystick = device('joystick', ({ hub }) => new Joystick(hub));

/** The first one of entries that have several, or none, and are called otherwise. */
const OF_A_KIND = { serial: 'serial0', disks: 'virtio-blk0', net: 'virtio-net0', virtioConsole: 'virtio-console', shares: 'virtio-share0' };

describe('the list of devices', () => {
  it('names each entry once', () => {
    const names = DEVICES.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('is what a machine is made of: all its devices, their state and their nodes', () => {
    const virtio = {
      disks: [{ capacitySectors: 8 }],
      net: [{ mac: '52:54:00:12:34:56' }],
      console: true,
      rng: true,
      shares: [{ tag: 'share', readOnly: false }],
    };
    const { hub } = bench(1, { testDevice: true, virtio, firmware: () => ({ items: new Map(), files: new Map() }) }).pc;
    const devices = DEVICES.filter(({ isDevice }) => isDevice);
    // Each is called as its entry is, or something is that there may be several of.
    const called = new Map([...DEVICES.map(({ name }) => [name, name]), ...Object.entries(OF_A_KIND)] as [string, string][]);
    expect(hub.devices.map(({ name }) => name)).toEqual(devices.map(({ name }) => called.get(name)));
    const owners = new Set(hub.pieces.map(({ owner }) => owner));
    for (const owner of owners) expect(['hub', ...called.keys(), ...called.values()]).toContain(owner);
    expect(ACPI_NODES).toEqual(DEVICES.map(({ node }) => node).filter((node) => node !== undefined));
  });

  it('takes a device as one entry: it answers at its port on each thread, is reset with the others, and is in the dump', () => {
    const entries = [...DEVICES, joystick];
    const { hub, memory } = build(entries);
    expect(hub.ports.read(0x201, 1)).toBe(0xf0);
    hub.ports.write(0x201, 1, 0x5a);
    expect(build(entries, { thread: 2, isFirst: false }, memory).hub.ports.read(0x201, 1)).toBe(0x5a);
    expect(dumpDevices(hub.pieces, new DataView(memory))).toContain('\n  joystick: latch=5a');
    hub.reset();
    expect(hub.ports.read(0x201, 1)).toBe(0xf0);
  });

  it('says who claims the same port', () => {
    const second = device('gamepad', ({ hub }) => new Joystick(hub, 0x60));
    expect(() => build([...DEVICES, second])).toThrow('two devices claim port 0x60: i8042 and gamepad');
  });

  it('says what an entry needs that is not before it', () => {
    const pit = DEVICES.find(({ name }) => name === 'pit') as Entry;
    const others = DEVICES.filter((entry) => entry !== pit);
    expect(() => build([pit, ...others])).toThrow('the device pit needs legacyIrqs, which is not before it');
  });

  it('may have entries that the machine does not ask for, and entries of several devices', () => {
    const two = device('joysticks', ({ hub }) => [new Joystick(hub), new Joystick(hub, 0x202)]);
    const none = device('nothing', () => undefined);
    const { hub } = build([part('a part', () => 1), none, two]);
    expect(hub.devices.map(({ name }) => name)).toEqual(['joystick', 'joystick']);
  });
});

describe('the dump of the devices', () => {
  it('has the fields that are not 0, record by record', () => {
    const { hub, memory } = build(DEVICES);
    const lines = dumpDevices(hub.pieces, new DataView(memory)).split('\n');
    expect(lines[0]).toBe('devices, what is not 0:');
    // As firmware leaves the 8259s: masks, vectors, the cascade.
    expect(lines).toContain('  pic chips[0]: imr=b8 base=8 cascades=4');
    expect(lines).toContain('  pic chips[1]: imr=8e elcr=e base=70 cascades=2');
    expect(lines).toContain('  ioapic table[0] to [23]: low=10000');
    expect(lines.some((line) => line.startsWith('  fpu'))).toBe(false);
  });
});
