// A disk as a machine has it, whatever is behind it, and the rule of who may use one thing at the same time.
import type { BlockBackend } from '../devices/virtio/blk.ts';

export const SECTOR = 512;

export interface Disk extends BlockBackend {
  readonly sectors: number;
  readonly readOnly: boolean;
  /** When it was last written, Unix milliseconds; undefined: nobody knows. */
  readonly modifiedMs?: number | undefined;
  /** Gives back all that it holds; may be called again. */
  close(): void;
}

/** Why a disk is refused that somebody else has. */
export const inUse = (readOnly: boolean): string =>
  `the image is in use: ${readOnly ? 'another machine writes it' : 'another machine has it (only read-only disks can be shared)'}`;
