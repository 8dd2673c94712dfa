// Formats of disk images that are not raw, by how they begin: as a raw disk such a file would be garbage to the guest, and garbage to its owner once that writes.
import { DragomanError } from '../api/errors.ts';

/** Bytes of an image's beginning that tell. */
export const HEAD_BYTES = 512;

interface Format {
  readonly name: string;
  /** For `qemu-img convert -f`. */
  readonly tool: string;
  /** What it has at a place of its beginning. */
  readonly at: number;
  readonly text: string;
}
const FORMATS: readonly Format[] = [
  { name: 'qcow2', tool: 'qcow2', at: 0, text: 'QFI\xfb\0\0\0\x02' },
  { name: 'qcow2', tool: 'qcow2', at: 0, text: 'QFI\xfb\0\0\0\x03' },
  { name: 'qcow', tool: 'qcow', at: 0, text: 'QFI\xfb' },
  { name: 'QED', tool: 'qed', at: 0, text: 'QED\0' },
  { name: 'VMDK', tool: 'vmdk', at: 0, text: 'KDMV' },
  { name: 'VMDK', tool: 'vmdk', at: 0, text: 'COWD' },
  { name: 'VMDK', tool: 'vmdk', at: 0, text: '# Disk DescriptorFile' },
  { name: 'VHDX', tool: 'vhdx', at: 0, text: 'vhdxfile' },
  { name: 'VHD', tool: 'vpc', at: 0, text: 'conectix' },
  { name: 'VDI', tool: 'vdi', at: 0x40, text: '\x7f\x10\xda\xbe' },
];

/** Throws BAD_DISK where an image begins as one of another format does. `force`: how its user says that it is raw. */
export function checkRaw(head: Uint8Array, where: string, force: string): void {
  const text = String.fromCharCode(...head.subarray(0, HEAD_BYTES));
  const format = FORMATS.find(({ at, text: magic }) => text.startsWith(magic, at));
  if (format === undefined) return;
  const advice = `make a raw one of it (qemu-img convert -f ${format.tool} -O raw IMAGE RAW), or say that it is raw (${force})`;
  throw new DragomanError('BAD_DISK', `this is a ${format.name} image, and only raw ones can be used: ${advice}`, where);
}
