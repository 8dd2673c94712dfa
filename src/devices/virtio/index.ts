// The virtio devices of a machine, each kind as the list of devices has it (../list.ts): from a description that is the same on every thread (and can be
// sent to a Worker), and from the files and callbacks that only the host thread has.
import type { ShareTree } from '../../share/tree.ts';
import type { DeviceHub } from '../hub.ts';
import type { Receiver } from '../outlet.ts';
import type { PciBus } from '../pci/bus.ts';
import { type BlockBackend, VirtioBlk } from './blk.ts';
import { VirtioConsole } from './console.ts';
import { parseMac } from './ethernet.ts';
import { VirtioNet } from './net.ts';
import { VirtioRng } from './rng.ts';
import { VirtioShare } from './share.ts';
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

export interface VirtioShareConfig {
  /** What the guest mounts it by: ASCII. */
  readonly tag: string;
  readonly readOnly: boolean;
}

/** Plain data. */
export interface VirtioConfig {
  /** In order: /dev/vda, /dev/vdb ... */
  readonly disks?: readonly VirtioDiskConfig[];
  readonly net?: readonly VirtioNetConfig[];
  readonly console?: boolean;
  readonly rng?: boolean;
  readonly shares?: readonly VirtioShareConfig[];
  /** No device has a lower PCI slot. Default: 2. */
  readonly firstSlot?: number;
}

/** Host thread only. Arrays go with those of the configuration. */
export interface VirtioHost extends VirtioHooks {
  readonly disks?: readonly BlockBackend[];
  /** What the backend of a disk threw, which the guest sees as an I/O error. */
  readonly onDiskError?: ((disk: number, error: unknown) => void) | undefined;
  readonly net?: readonly { readonly onFrame: Receiver<Uint8Array> }[];
  readonly onConsole?: Receiver<Uint8Array> | undefined;
  readonly onConsoleInputTaken?: (() => void) | undefined;
  readonly randomFill?: (into: Uint8Array<ArrayBuffer>) => void;
  readonly shares?: readonly { readonly tree: ShareTree }[];
  /** Something failed in a share that is no error of a file system; the guest sees EIO. */
  readonly onShareFault?: ((share: number, error: unknown) => void) | undefined;
}

/** What they are built from. */
export interface VirtioSite {
  readonly hub: DeviceHub;
  readonly pci: PciBus;
  readonly options: { readonly virtio?: VirtioConfig | undefined; readonly virtioHost?: VirtioHost | undefined };
}

const FIRST_SLOT = 2;

/** A device in the next slot. */
function build<T extends VirtioDevice>(
  { hub, pci, options }: VirtioSite,
  name: string,
  make: (place: { name: string; slot: number }, host: VirtioHost) => T,
): T {
  const slot = pci.freeSlot(options.virtio?.firstSlot ?? FIRST_SLOT);
  return hub.build(name, () => make({ name, slot }, options.virtioHost ?? {}));
}

export const buildDisks = (site: VirtioSite): readonly VirtioBlk[] =>
  (site.options.virtio?.disks ?? []).map((disk, i) =>
    build(site, `virtio-blk${i}`, (place, host) => {
      const onError = (error: unknown) => host.onDiskError?.(i, error);
      return new VirtioBlk(site.hub, site.pci, { ...disk, ...place, backend: host.disks?.[i], onError }, host);
    }),
  );

/** `receive(frame)` of each takes a frame for the guest (host thread). */
export const buildNet = (site: VirtioSite): readonly VirtioNet[] =>
  (site.options.virtio?.net ?? []).map(({ mac: text }, i) => {
    const mac = parseMac(text);
    if (mac === undefined) throw new RangeError(`not a MAC address: ${text}`);
    return build(
      site,
      `virtio-net${i}`,
      (place, host) => new VirtioNet(site.hub, site.pci, { ...place, mac, onFrame: host.net?.[i]?.onFrame }, host),
    );
  });

/** `pushInput(bytes)` (host thread). */
export const buildConsole = (site: VirtioSite): VirtioConsole | undefined =>
  site.options.virtio?.console
    ? build(
        site,
        'virtio-console',
        (place, host) =>
          new VirtioConsole(site.hub, site.pci, { ...place, onOutput: host.onConsole, onInputTaken: host.onConsoleInputTaken }, host),
      )
    : undefined;

export const buildRng = (site: VirtioSite): VirtioRng | undefined =>
  site.options.virtio?.rng
    ? build(site, 'virtio-rng', (place, host) => new VirtioRng(site.hub, site.pci, { ...place, fill: host.randomFill }, host))
    : undefined;

/** `settled()`, `end()` (host thread). */
export const buildShares = (site: VirtioSite): readonly VirtioShare[] =>
  (site.options.virtio?.shares ?? []).map((share, i) =>
    build(site, `virtio-share${i}`, (place, host) => {
      const onFault = (error: unknown) => host.onShareFault?.(i, error);
      return new VirtioShare(site.hub, site.pci, { ...share, ...place, tree: host.shares?.[i]?.tree, onFault }, host);
    }),
  );
