// The virtio devices of a machine, from a description that is the same on every thread (and can be sent to a Worker), and
// from the files and callbacks that only the host thread has. Every thread calls this once, in the same place.
import type { Chipset } from '../chipset.ts';
import type { Receiver } from '../outlet.ts';
import { type BlockBackend, VirtioBlk } from './blk.ts';
import { VirtioConsole } from './console.ts';
import { parseMac } from './ethernet.ts';
import { VirtioNet } from './net.ts';
import { VirtioRng } from './rng.ts';
import type { VirtioDevice, VirtioHooks } from './transport.ts';

export type { BlockBackend } from './blk.ts';
export type { VirtioHooks } from './transport.ts';

export interface VirtioDiskConfig {
  /** Sectors of 512 bytes. */
  readonly capacitySectors: number;
  readonly readOnly?: boolean;
  /** Up to 20 ASCII characters (/sys/block/vda/serial). */
  readonly serial?: string;
}

export interface VirtioNetConfig {
  /** Six bytes, as '52:54:00:12:34:56'. */
  readonly mac: string;
}

/** Plain data. */
export interface VirtioConfig {
  /** In order: /dev/vda, /dev/vdb ... */
  readonly disks?: readonly VirtioDiskConfig[];
  readonly net?: readonly VirtioNetConfig[];
  readonly console?: boolean;
  readonly rng?: boolean;
  /** PCI slot of the first device; the others follow. Default: 2. */
  readonly firstSlot?: number;
}

/** Host thread only. Arrays go with those of the configuration. */
export interface VirtioHost extends VirtioHooks {
  readonly disks?: readonly BlockBackend[];
  readonly net?: readonly { readonly onFrame: Receiver<Uint8Array> }[];
  readonly onConsole?: Receiver<Uint8Array> | undefined;
  readonly onConsoleInputTaken?: (() => void) | undefined;
  readonly randomFill?: (into: Uint8Array<ArrayBuffer>) => void;
}

export interface VirtioDevices {
  readonly disks: readonly VirtioBlk[];
  /** `receive(frame)` of each takes a frame for the guest (host thread). */
  readonly net: readonly VirtioNet[];
  /** `pushInput(bytes)` (host thread). */
  readonly console: VirtioConsole | undefined;
  readonly rng: VirtioRng | undefined;
  /** Closes the disks' backends. To be called once the CPUs have stopped; takes no lock. */
  close(): void;
}

const FIRST_SLOT = 2;

export function addVirtioDevices(chipset: Chipset, config: VirtioConfig, host: VirtioHost = {}): VirtioDevices {
  const { hub } = chipset;
  const { pci } = chipset.parts;
  let slot = config.firstSlot ?? FIRST_SLOT;
  const add = <T extends VirtioDevice>(name: string, make: (place: { name: string; slot: number }) => T): T =>
    hub.add(hub.build(name, () => make({ name, slot: slot++ })));
  const disks = (config.disks ?? []).map((disk, i) =>
    add(`virtio-blk${i}`, (place) => new VirtioBlk(hub, pci, { ...disk, ...place, backend: host.disks?.[i] }, host)),
  );
  const net = (config.net ?? []).map(({ mac }, i) => {
    const bytes = parseMac(mac);
    if (bytes === undefined) throw new RangeError(`not a MAC address: ${mac}`);
    return add(`virtio-net${i}`, (place) => new VirtioNet(hub, pci, { ...place, mac: bytes, onFrame: host.net?.[i]?.onFrame }, host));
  });
  const console = config.console
    ? add(
        'virtio-console',
        (place) => new VirtioConsole(hub, pci, { ...place, onOutput: host.onConsole, onInputTaken: host.onConsoleInputTaken }, host),
      )
    : undefined;
  const rng = config.rng ? add('virtio-rng', (place) => new VirtioRng(hub, pci, { ...place, fill: host.randomFill }, host)) : undefined;
  return {
    disks,
    net,
    console,
    rng,
    close: () => {
      for (const backend of host.disks ?? []) backend.close();
    },
  };
}
