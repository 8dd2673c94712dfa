// The devices of a machine: an entry for each, in the order of their construction, which is the same on every thread. An entry has a name, how
// the device is built and from what of those before it, and its node of the DSDT. Construction, reset, timers, the host's signals, the names
// where two claim one place, and the DSDT follow from it.
import { DragomanError } from '../api/errors.ts';
import type { SharedWord } from '../layout/view.ts';
import { A20 } from './a20.ts';
import { AcpiPm, pmNode } from './acpi-pm.ts';
import type { Aml } from './aml.ts';
import { DEBUG_PORTS, DebugPorts, type DebugPortsOptions, mapExit } from './debug-ports.ts';
import type { Device } from './device.ts';
import { FpuError } from './fpu-error.ts';
import { FwCfg, type FwCfgContents } from './fw-cfg.ts';
import { Hpet, hpetNode } from './hpet.ts';
import type { DeviceHub, HubOptions } from './hub.ts';
import { I8042 } from './i8042.ts';
import { Interrupts } from './interrupts.ts';
import type { IoApic } from './ioapic.ts';
import type { Lapic } from './lapic.ts';
import { LegacyIrqs } from './legacy-irqs.ts';
import { PciBus } from './pci/bus.ts';
import { addHostBridge } from './pci/host-bridge.ts';
import type { Pic } from './pic.ts';
import { Pit } from './pit.ts';
import { ResetControl } from './reset.ts';
import { Rtc, rtcNode } from './rtc.ts';
import { TestDevice } from './test-device.ts';
import { COM_PORTS, Uart, type UartOptions, uartNode } from './uart.ts';
import { Vga } from './vga.ts';
import type { VirtioBlk } from './virtio/blk.ts';
import type { VirtioConsole } from './virtio/console.ts';
import { buildConsole, buildDisks, buildNet, buildRng, buildShares, type VirtioConfig, type VirtioHost } from './virtio/index.ts';
import type { VirtioNet } from './virtio/net.ts';
import type { VirtioShare } from './virtio/share.ts';

export interface ChipsetOptions extends HubOptions {
  readonly cpuCount: number;
  readonly ramBytes: number;
  /** Cpu.pending of a CPU. */
  readonly pending: (cpu: number) => SharedWord;
  /** Of the A20 gate. */
  readonly a20: SharedWord;
  /** The blocks of RAM in the place of ROM (see addHostBridge). */
  readonly shadowRam?: SharedWord;
  readonly serial?: readonly UartOptions[];
  readonly debug?: DebugPortsOptions;
  /** What firmware is told; without it there is no fw_cfg device. The same on every thread. */
  readonly firmware?: () => FwCfgContents;
  /** There is a test device; it keeps its hands off the debug console's port. */
  readonly testDevice?: boolean;
  /** Which virtio devices there are, and the host thread's ends of them. */
  readonly virtio?: VirtioConfig | undefined;
  readonly virtioHost?: VirtioHost | undefined;
}

/** Those that others, or the machine, know by name. */
export interface Parts {
  readonly interrupts: Interrupts;
  readonly pic: Pic;
  readonly lapic: Lapic;
  readonly ioapic: IoApic;
  readonly a20: A20;
  readonly reset: ResetControl;
  readonly legacyIrqs: LegacyIrqs;
  readonly pit: Pit;
  readonly rtc: Rtc;
  readonly hpet: Hpet;
  readonly serial: readonly Uart[];
  readonly acpi: AcpiPm;
  readonly debug: DebugPorts;
  readonly fpu: FpuError;
  readonly vga: Vga;
  readonly pci: PciBus;
  readonly disks: readonly VirtioBlk[];
  readonly net: readonly VirtioNet[];
  readonly virtioConsole: VirtioConsole | undefined;
  readonly shares: readonly VirtioShare[];
}

/** What an entry is built from: the parts before it. */
export interface Site extends Parts {
  readonly hub: DeviceHub;
  readonly options: ChipsetOptions;
  /** The CPU whose access this thread runs. */
  readonly current: { readonly index: number };
}

/** What a name of Parts stands for; else anything of the kind. */
type Built<N, Kind> = N extends keyof Parts ? Parts[N] : Kind;
type Devices = Device | readonly Device[] | undefined;

export interface Entry {
  readonly name: string;
  readonly build: (site: Site) => unknown;
  /** Whether what is built is a device: reset and served by the hub. */
  readonly isDevice: boolean;
  /** In the DSDT. */
  readonly node?: Aml | undefined;
}

/** A device; none where `build` gives undefined. */
export function device<N extends string>(name: N, build: (site: Site) => Built<N, Devices>, node?: Aml): Entry {
  return { name, build, isDevice: true, node };
}
/** What is no device by itself. */
export function part<N extends string>(name: N, build: (site: Site) => Built<N, unknown>): Entry {
  return { name, build, isDevice: false };
}

export const DEVICES: readonly Entry[] = [
  part('interrupts', ({ hub, options, current }) => hub.connect(new Interrupts(hub, { ...options, current }))),
  device('pic', ({ interrupts }) => interrupts.pic),
  device('lapic', ({ interrupts }) => interrupts.lapic),
  device('ioapic', ({ interrupts }) => interrupts.ioapic),
  part('a20', ({ options }) => new A20(options.a20)),
  device('reset', ({ hub, a20 }) => new ResetControl(hub, a20)),
  device('i8042', ({ hub, a20 }) => new I8042(hub, a20)),
  part('legacyIrqs', ({ hub }) => new LegacyIrqs(hub)),
  device('pit', ({ hub, legacyIrqs }) => new Pit(hub, legacyIrqs)),
  device('rtc', ({ hub, legacyIrqs, options }) => new Rtc(hub, legacyIrqs, options.ramBytes), rtcNode),
  device('serial', ({ hub, options }) => uarts(hub, options.serial), uartNode(1, COM_PORTS[0])),
  device('hpet', ({ hub, legacyIrqs }) => new Hpet(hub, legacyIrqs), hpetNode),
  device('acpi', ({ hub }) => new AcpiPm(hub), pmNode(DEBUG_PORTS)),
  device('debug', ({ hub, options }) => new DebugPorts(hub, options.debug)),
  device('fpu', ({ hub }) => new FpuError(hub)),
  device('vga', ({ hub }) => new Vga(hub)),
  device('pci', ({ hub, reset }) => new PciBus(hub, hub.generation, reset)),
  part('host-bridge', ({ pci, options }) => addHostBridge(pci, (blocks) => options.shadowRam?.store(blocks))),
  device('fw-cfg', ({ hub, options }) => options.firmware && new FwCfg(hub, options.firmware)),
  device('test-device', ({ hub, options }) => (options.testDevice ? new TestDevice(hub) : undefined)),
  device('disks', buildDisks),
  device('net', buildNet),
  device('virtioConsole', buildConsole),
  device('shares', buildShares),
  device('virtio-rng', buildRng),
  // Behind all others: it takes the ports that they leave.
  part('debug-exit', ({ hub, options }) => mapExit(hub, options.debug?.exitPort)),
];

/** The nodes of all devices that a kernel finds by ACPI. */
export const ACPI_NODES: readonly Aml[] = DEVICES.flatMap(({ node }) => (node === undefined ? [] : [node]));

const uarts = (hub: DeviceHub, serial: readonly UartOptions[] = [{}]): Uart[] =>
  serial.map((one, n) => new Uart(hub, { name: `serial${n}`, ...COM_PORTS[n & 3], ...one }));

/** Builds all of `entries`, in order, on this thread. An entry that needs what is not before it is an error. */
export function buildDevices(
  hub: DeviceHub,
  options: ChipsetOptions,
  current: Site['current'],
  entries: readonly Entry[] = DEVICES,
): Parts {
  const built: Record<string | symbol, unknown> = { hub, options, current };
  for (const { name, build, isDevice } of entries) {
    const site = new Proxy(built, {
      get(_, needed) {
        if (needed in built) return built[needed];
        throw new DragomanError('INTERNAL', `the device ${name} needs ${String(needed)}, which is not before it`);
      },
    });
    const made = hub.build(name, () => build(site as unknown as Site));
    built[name] = made;
    if (isDevice && made !== undefined) for (const one of [made].flat()) hub.add(one as Device);
  }
  return built as unknown as Parts;
}
