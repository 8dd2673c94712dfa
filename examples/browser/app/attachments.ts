// What a machine of the page is given beside its kernel: disks in memory and disks that the browser keeps, and its place on a network between tabs.
import { type Signal, signal } from '@preact/signals';
import { type BroadcastNetwork, broadcastNetwork, type MachineOptions, type NetworkPeer, originDisk } from '../../../src/api/index.ts';
import type { Report } from './session.ts';
import type { Settings } from './settings.ts';

/** The present machine's card; undefined: it has none. */
export const network: Signal<BroadcastNetwork | undefined> = signal(undefined);
/** Who else is on its network. */
export const peers: Signal<readonly NetworkPeer[]> = signal([]);

/** `onError`: is told the first time that a disk fails while the machine runs. Rejects with a DragomanError where a disk is not there. */
export async function attachments(
  { disks, network: name }: Settings,
  onError: (report: Report) => void,
): Promise<Pick<MachineOptions, 'disks' | 'net'>> {
  const net = name === undefined ? undefined : broadcastNetwork(name, { onPeers: (all) => (peers.value = all) });
  network.value = net;
  peers.value = [];
  const opened = disks.map((disk) => {
    if (disk instanceof File) return { blob: disk };
    let isTold = false;
    const failed = ({ message }: Error) => {
      if (!isTold) onError({ title: `The disk ${disk} failed`, text: `The guest saw an I/O error. ${message}` });
      isTold = true;
    };
    return originDisk(disk, { onError: failed });
  });
  return { disks: await Promise.all(opened), net };
}
