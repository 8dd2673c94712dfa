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

/** A dword of code. */
export const le32 = (n: number) => Buffer.from(Int32Array.of(n).buffer).toString('hex');
/** Writes the low bytes of `count`, `count` - 1 ... 1 to a port below 100H: mov ecx, count; out: mov al, cl; out port, al; dec ecx; jnz out */
export const outMany = (port: number, count: number): string => `b9${le32(count)} 88c8 e6${hex(port)} 49 75f9`;
/** The same to COM1, without a look at its status: mov dx, 0x3f8; mov ecx, count; out: mov al, cl; out dx, al; dec ecx; jnz out */
export const printBlindly = (count: number): string => `66baf803 b9${le32(count)} 88c8 ee 49 75fa`;
/** The same, each byte when the transmitter is empty: mov ecx, count; wait: mov dx, 0x3fd; in al, dx; test al, 0x20; jz wait; mov dx, 0x3f8; mov al, cl; out dx, al; dec ecx; jnz wait */
export const printPolitely = (count: number): string => `b9${le32(count)} 66bafd03 ec a820 74f7 66baf803 88c8 ee 49 75ed`;
/** The same by REP OUTSB, from 200000H on: mov edi, 200000H; mov ecx, count; fill: mov al, cl; stosb; dec ecx; jnz fill; mov esi, 200000H; mov ecx, count; mov dx, 0x3f8; rep outsb */
export const printString = (count: number): string =>
  `bf00002000 b9${le32(count)} 88c8 aa 49 75fa be00002000 b9${le32(count)} 66baf803 f36e`;
/** What outMany and its like send. */
export const counted = (count: number): Buffer => Buffer.from(Array.from({ length: count }, (_, n) => (count - n) & 0xff));
