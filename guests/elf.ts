// What an i386 ELF file asks of the dynamic linker: which shared objects it needs, and which program loads it.
import { DragomanError } from '../src/api/errors.ts';

export interface DynamicNeeds {
  /** Names of shared objects: DT_NEEDED, in the file's order. */
  readonly needed: readonly string[];
  /** Path of the dynamic linker: PT_INTERP. A shared object has none, nor has a static program. */
  readonly interpreter?: string;
}

const [CLASS_32, LITTLE, MACHINE_386] = [1, 1, 3];
const [PT_LOAD, PT_DYNAMIC, PT_INTERP] = [1, 2, 3];
const [DT_NULL, DT_NEEDED, DT_STRTAB] = [0, 1, 5];

export const isElf = (data: Buffer): boolean => data.length >= 4 && data.readUInt32BE(0) === 0x7f454c46;

/** `name`: for messages. Throws GUEST_MISSING where it is no ELF file for i386, or is cut off. */
export function dynamicNeeds(data: Buffer, name: string): DynamicNeeds {
  if (!isElf(data)) throw new DragomanError('GUEST_MISSING', 'not an ELF file', name);
  if (data.length < 52 || data[4] !== CLASS_32 || data[5] !== LITTLE || data.readUInt16LE(18) !== MACHINE_386)
    throw new DragomanError('GUEST_MISSING', 'not an ELF file for i386', name);
  try {
    return read(data);
  } catch (error) {
    throw new DragomanError('GUEST_MISSING', `an ELF file that is cut off or broken: ${(error as Error).message}`, name, { cause: error });
  }
}

function read(data: Buffer): DynamicNeeds {
  const [table, size, count] = [data.readUInt32LE(28), data.readUInt16LE(42), data.readUInt16LE(44)];
  const segments = Array.from({ length: count }, (_, k) => {
    const [type, offset, address, , fileBytes] = [0, 4, 8, 12, 16].map((at) => data.readUInt32LE(table + k * size + at)) as number[];
    return { type: type!, offset: offset!, address: address!, fileBytes: fileBytes! };
  });
  const text = (at: number) => {
    const end = data.indexOf(0, at);
    if (end < 0) throw new RangeError(`a text without an end at ${at}`);
    return data.toString('latin1', at, end);
  };
  const find = (type: number) => segments.find((segment) => segment.type === type);
  const [interp, dynamic] = [find(PT_INTERP), find(PT_DYNAMIC)];
  const offsets: number[] = [];
  let strings: number | undefined;
  for (let at = dynamic?.offset ?? 0; dynamic !== undefined && at < dynamic.offset + dynamic.fileBytes; at += 8) {
    const [tag, value] = [data.readUInt32LE(at), data.readUInt32LE(at + 4)];
    if (tag === DT_NULL) break;
    if (tag === DT_NEEDED) offsets.push(value);
    if (tag === DT_STRTAB) strings = value;
  }
  // An address, which a segment says where to find in the file.
  const inFile = (address: number) => {
    const segment = segments.find(
      ({ type, address: from, fileBytes }) => type === PT_LOAD && address >= from && address < from + fileBytes,
    );
    if (segment === undefined) throw new RangeError(`nothing at address ${address.toString(16)}`);
    return address - segment.address + segment.offset;
  };
  const base = offsets.length === 0 ? 0 : inFile(strings ?? 0);
  return {
    needed: offsets.map((offset) => text(base + offset)),
    ...(interp === undefined ? {} : { interpreter: text(interp.offset) }),
  };
}
