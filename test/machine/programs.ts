// Multiboot kernels of a few instructions, for tests of a whole machine.
import { elf, multibootCode } from '../loaders/images.ts';

const BASE = 0x100000;
const HEADER = 0x20;

/** A kernel that runs `code` (hexadecimal bytes; 32-bit, flat, interrupts off) from `ENTRY` on. */
export function kernel(...code: string[]): Uint8Array {
  const bytes = Buffer.from(code.join('').replaceAll(' ', ''), 'hex');
  const image = multibootCode(HEADER + bytes.length);
  image.set(bytes, HEADER);
  return elf([{ physical: BASE, data: image, memoryBytes: 0x1000 }], ENTRY);
}

export const ENTRY = BASE + HEADER;

const hex = (n: number) => n.toString(16).padStart(2, '0');
/** mov al, value; out port, al */
export const out = (port: number, value: number): string => `b0${hex(value)} e6${hex(port)}`;
/** mov dx, port; mov al, value; out dx, al */
export const outDx = (port: number, value: number): string => `66ba${hex(port & 0xff)}${hex(port >> 8)} b0${hex(value)} ee`;
export const CLI_HLT = 'fa f4';
export const UD2 = '0f0b';
export const SPIN = 'ebfe';
/** Sends what comes in at COM1 back, up to a 'q' (included). */
export const ECHO = '66bafd03 ec a801 74fb 66baf803 ec ee 3c71 75ed';
