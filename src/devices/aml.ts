// Builds ACPI Machine Language (ACPI 5.0, chapter 20) and resource descriptors (6.4): only what the machine's DSDT needs.

export type Aml = readonly number[];

const word = (value: number): number[] => [value & 0xff, (value >> 8) & 0xff];
const dword = (value: number): number[] => [...word(value), ...word(value >>> 16)];
const ascii = (text: string): number[] => Array.from(text, (letter) => letter.charCodeAt(0));

/** PkgLength counts itself. */
function packaged(body: Aml): number[] {
  if (body.length + 1 < 0x40) return [body.length + 1, ...body];
  const bytes = body.length + 2 < 0x1000 ? 2 : 3;
  const length = body.length + bytes;
  const head = [((bytes - 1) << 6) | (length & 15)];
  for (let shift = 4; head.length < bytes; shift += 8) head.push((length >> shift) & 0xff);
  return [...head, ...body];
}

/** A name like `\_SB.PCI0` or `_HID`; segments are padded with underscores. */
export function name(path: string): number[] {
  const root = path.startsWith('\\');
  const segments = path
    .slice(root ? 1 : 0)
    .split('.')
    .map((segment) => ascii(segment.padEnd(4, '_')));
  const prefix = segments.length === 1 ? [] : segments.length === 2 ? [0x2e] : [0x2f, segments.length];
  return [...(root ? [0x5c] : []), ...prefix, ...segments.flat()];
}

export function integer(value: number): number[] {
  if (value === 0 || value === 1) return [value];
  if (value <= 0xff) return [0x0a, value];
  if (value <= 0xffff) return [0x0b, ...word(value)];
  return [0x0c, ...dword(value)];
}

/** A compressed id like PNP0A03 (big-endian five-bit letters). */
export function eisaId(id: string): number[] {
  const letters = ascii(id.slice(0, 3)).map((letter) => letter & 31);
  const high = (letters[0] << 10) | (letters[1] << 5) | letters[2];
  const low = Number.parseInt(id.slice(3), 16);
  return [0x0c, high >> 8, high & 0xff, low >> 8, low & 0xff];
}

export const define = (path: string, value: Aml): number[] => [0x08, ...name(path), ...value];
export const scope = (path: string, ...body: Aml[]): number[] => [0x10, ...packaged([...name(path), ...body.flat()])];
export const device = (path: string, ...body: Aml[]): number[] => [0x5b, 0x82, ...packaged([...name(path), ...body.flat()])];
export const method = (path: string, args: number, ...body: Aml[]): number[] => [0x14, ...packaged([...name(path), args, ...body.flat()])];
export const pack = (...elements: Aml[]): number[] => [0x12, ...packaged([elements.length, ...elements.flat()])];
export const buffer = (bytes: Aml): number[] => [0x11, ...packaged([...integer(bytes.length), ...bytes])];
export const returns = (value: Aml): number[] => [0xa4, ...value];
export const store = (value: Aml, target: Aml): number[] => [0x70, ...value, ...target];
export const when = (condition: Aml, ...body: Aml[]): number[] => [0xa0, ...packaged([...condition, ...body.flat()])];
export const arg = (index: number): number[] => [0x68 + index];

// Resource descriptors ---------------------------------------------------------------------------------------------------

/** A fixed range of I/O ports, 16 bits decoded. */
export const ioPorts = (first: number, count: number): number[] => [0x47, 1, ...word(first), ...word(first), 1, count];
/** Memory at a fixed place, read-only. */
export const memory = (first: number, count: number): number[] => [0x86, 9, 0, 0, ...dword(first), ...dword(count)];
/** An edge-triggered, active-high, exclusive interrupt. */
export const irq = (line: number): number[] => [0x22, ...word(1 << line)];

const MEMORY = 0;
const IO = 1;
const BUS = 2;
/** Both ends fixed, positive decode, and the device produces (passes on) the range. */
const PRODUCED = 0x0c;

const wordSpace = (type: number, flags: number, first: number, last: number): number[] => [
  0x88,
  13,
  0,
  type,
  PRODUCED,
  flags,
  ...word(0),
  ...word(first),
  ...word(last),
  ...word(0),
  ...word(last - first + 1),
];

export const busNumbers = (first: number, last: number): number[] => wordSpace(BUS, 0, first, last);
/** A window of I/O ports, ISA and non-ISA ones. */
export const ioWindow = (first: number, last: number): number[] => wordSpace(IO, 3, first, last);
/** A window of memory, not cacheable, writable. */
export const memoryWindow = (first: number, last: number): number[] => [
  0x87,
  23,
  0,
  MEMORY,
  PRODUCED,
  1,
  ...dword(0),
  ...dword(first),
  ...dword(last),
  ...dword(0),
  ...dword(last - first + 1),
];

/** A resource template, with its end tag. */
export const resources = (...descriptors: Aml[]): number[] => buffer([...descriptors.flat(), 0x79, 0]);
