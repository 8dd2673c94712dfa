// What a device says of its function on the PCI bus.
import type { AccessSize, MmioRead, MmioWrite } from '../device.ts';

export interface PciBar {
  readonly kind: 'memory' | 'io';
  /** A power of two: at least 16 for memory, at least 4 for I/O. */
  readonly bytes: number;
  /** Offsets count from the start of the BAR, for both kinds. */
  readonly read: MmioRead;
  readonly write: MmioWrite;
  /** I/O only: the widest access the handlers take whole (4 by default). */
  readonly width?: AccessSize;
}

export interface PciFunctionOptions {
  readonly name: string;
  /** Device number 0..31 on bus 0. */
  readonly slot: number;
  readonly function?: number;
  readonly vendorId: number;
  readonly deviceId: number;
  /** Class, subclass and programming interface, 24 bits: 0x010000 is a SCSI controller. */
  readonly classCode: number;
  readonly revision?: number;
  readonly subsystemVendorId?: number;
  readonly subsystemId?: number;
  /** 1 = INTA ... 4 = INTD; 0 or absent: no interrupt. */
  readonly interruptPin?: number;
  /** BARs 0..5; undefined leaves a hole. */
  readonly bars?: readonly (PciBar | undefined)[];
  /** Whole capabilities, first byte the id, second byte (next) ignored. They follow one another from 0x40, each aligned to 4. */
  readonly capabilities?: readonly (readonly number[])[];
  /** May answer a configuration read itself (for virtio's VIRTIO_PCI_CAP_PCI_CFG); undefined: the stored bytes. */
  readonly onConfigRead?: (offset: number, size: AccessSize) => number | undefined;
  /** Runs after a configuration write was stored (through the masks). */
  readonly onConfigWrite?: (offset: number, size: AccessSize, value: number) => void;
  /** Bytes of configuration space that the guest may write besides the standard ones: [offset, count] pairs, offsets absolute. */
  readonly writable?: readonly (readonly [offset: number, count: number])[];
}
