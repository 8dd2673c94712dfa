// From what a disk was given as to the disk: a file, bytes, a Blob or an object, with an overlay where writes are not to reach it.
import type { DiskDevice } from '../api/disks.ts';
import { DragomanError } from '../api/errors.ts';
import type { DiskSettings } from '../api/schema.ts';
import { host } from '../host/node.ts';
import { BlobDisk } from './blob-disk.ts';
import { BytesDisk } from './bytes-disk.ts';
import { ClusterStore } from './clusters.ts';
import { DeviceDisk } from './device-disk.ts';
import { type Disk, inUse, SECTOR } from './disk.ts';
import { checkRaw, HEAD_BYTES } from './image-format.ts';
import { lockObject } from './object-lock.ts';
import { Overlay } from './overlay.ts';

/** How a program says that an image is raw. */
const FORCE = "format: 'raw'";

/** `name`: the option, for errors about what has no path. `written`: what is in its overlay to begin with. Throws DragomanError: NO_FILE, BAD_DISK, NOT_SUPPORTED. */
export async function openDisk(disk: DiskSettings, name: string, written?: ClusterStore): Promise<Disk> {
  const { readOnly, snapshot } = disk;
  const isOverlaid = snapshot && !readOnly;
  const base = await openBase(disk, readOnly || snapshot, name);
  return isOverlaid ? new Overlay(base, written ?? new ClusterStore(host.overlayRoom)) : base;
}

async function openBase(disk: DiskSettings, readOnly: boolean, name: string): Promise<Disk> {
  if (disk.kind === 'path') return host.openDisk(disk.path, readOnly, disk.format);
  if (disk.kind === 'device') return openDevice(disk.device, disk.sectors, readOnly, name);
  if (disk.kind === 'blob') {
    const { blob } = disk;
    if (disk.format === undefined) checkRaw(new Uint8Array(await blob.slice(0, HEAD_BYTES).arrayBuffer()), name, FORCE);
    checkSize(blob.size, name);
    return new BlobDisk(blob);
  }
  const { bytes } = disk;
  if (disk.format === undefined) checkRaw(bytes, name, FORCE);
  checkSize(bytes.length, name);
  return new BytesDisk(bytes, readOnly, locked(bytes.buffer, readOnly, name, bytes.byteOffset, bytes.byteOffset + bytes.length));
}

async function openDevice(device: DiskDevice, sectors: number, readOnly: boolean, name: string): Promise<Disk> {
  const release = locked(device, readOnly, name);
  try {
    await device.open?.();
  } catch (error) {
    release();
    throw error;
  }
  return new DeviceDisk(device, sectors, readOnly, name, release);
}

function locked(object: object, readOnly: boolean, name: string, start?: number, end?: number): () => void {
  const release = lockObject(object, readOnly, start, end);
  if (release === undefined) throw new DragomanError('BAD_DISK', inUse(readOnly), name);
  return release;
}

function checkSize(bytes: number, name: string): void {
  if (bytes === 0) throw new DragomanError('BAD_DISK', 'the disk image is empty', name);
  if (bytes % SECTOR !== 0) throw new DragomanError('BAD_DISK', `${bytes} bytes: not a multiple of ${SECTOR}`, name);
}
