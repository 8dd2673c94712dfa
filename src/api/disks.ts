// What a disk of a machine is made from: a file, bytes, a Blob, or an object that a program gives.
import type { Bytes } from './bytes.ts';

interface DiskUse {
  /** The guest cannot write, and nobody else is kept from reading. Default: false. */
  readonly readOnly?: boolean | undefined;
  /** The guest may write, but to an overlay that is gone at the end of the run: what the disk is made from is only read. Without effect on a read-only disk. Default: false. */
  readonly snapshot?: boolean | undefined;
}
interface ImageUse extends DiskUse {
  /** 'raw': whatever its first bytes look like. Default: it is raw, but refused (BAD_DISK) where it begins as a qcow2, VMDK, VHD, VHDX or VDI image does. */
  readonly format?: 'raw' | undefined;
}

/** A raw image file, locked as QEMU locks it. Not in a browser. */
export interface FileDisk extends ImageUse {
  /** Path of the image; its size is a multiple of 512 bytes. */
  readonly path: string;
}

/** A raw image in memory: the guest writes into this very array, unless it is a snapshot. Nobody else should while the machine is there. */
export interface BytesDisk extends ImageUse {
  readonly bytes: Bytes;
}

/** A raw image that is read when the guest reads. It cannot change: what the guest writes is always gone at the end. */
export interface BlobDisk extends ImageUse {
  readonly blob: Blob;
}

/**
 * A disk of a program's own. Its functions are called as its methods, for whole sectors, at most 1 MiB at a time; in threads up to 64 requests are open at once and may be answered in any order (a guest does not
 * write and read the same place at once), in lockstep one. What throws or rejects is an I/O error for the guest, and so is an answer of the wrong size; standard error is told of the first one of each disk.
 * run() resolves when what the guest has written is answered, also where the run is stopped. Where a run is recorded, or a recording is run again, create() reads all of it.
 */
export interface DiskDevice extends DiskUse {
  /** Its size in sectors of 512 bytes, or in bytes; one of them. */
  readonly sectors?: number | undefined;
  readonly size?: number | undefined;
  /** `length` bytes from `offset` on. */
  read(offset: number, length: number): Bytes | Promise<Bytes>;
  /** Done when what it returns has settled; the array is the receiver's to keep. Without it the disk is read-only, or has to be a snapshot. */
  write?(offset: number, bytes: Uint8Array): unknown;
  /** Done when everything that was written lasts. Default: it always does. */
  flush?(): unknown;
  /** Called before all others, for what can fail: create() rejects with what it throws or rejects with. */
  open?(): unknown;
  /** Behind open(), once: the run has ended, or the machine could not be made. Nobody waits for what it returns. */
  close?(): unknown;
}

/** A disk that the guest sees as a virtio block device. One thing has one writer, or any number of readers (read-only disks and snapshots). */
export type DiskOptions = FileDisk | BytesDisk | BlobDisk | DiskDevice;
