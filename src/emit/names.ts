// Names of WebAssembly functions, for profilers and debuggers: the custom section "name" (WebAssembly core specification, appendix "Custom Sections"), which
// may stand behind all other sections of a module, whoever wrote those.

const CUSTOM = 0;
const EXPORT = 7;
const FUNCTION = 0;
/** Subsections of "name". */
const MODULE_NAME = 0;
const FUNCTION_NAMES = 1;
const HEADER_BYTES = 8;

interface Section {
  readonly id: number;
  /** Of a custom section. */
  readonly name: string;
  /** Where it begins in the module, where what it says begins, and where it ends. */
  readonly start: number;
  readonly body: number;
  readonly end: number;
}

/** Reads the numbers and names of a module's sections. */
class Reader {
  readonly #bytes: Uint8Array;
  at: number;
  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }
  byte(): number {
    return this.#bytes[this.at++]!;
  }
  /** LEB128 of 32 bits. */
  u32(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
  }
  name(): string {
    const length = this.u32();
    this.at += length;
    return new TextDecoder().decode(this.#bytes.slice(this.at - length, this.at));
  }
}

function* sectionsOf(module: Uint8Array): Generator<Section> {
  for (let start = HEADER_BYTES; start < module.length; ) {
    const reader = new Reader(module, start);
    const id = reader.byte();
    const size = reader.u32();
    const end = reader.at + size;
    const name = id === CUSTOM ? reader.name() : '';
    yield { id, name, start, body: reader.at, end };
    start = end;
  }
}

/** Exported functions: their names by their indices. */
export function exportedFunctions(module: Uint8Array): Map<number, string> {
  const found = new Map<number, string>();
  for (const { id, body } of sectionsOf(module)) {
    if (id !== EXPORT) continue;
    const reader = new Reader(module, body);
    for (let left = reader.u32(); left > 0; left--) {
      const name = reader.name();
      const kind = reader.byte();
      const index = reader.u32();
      if (kind === FUNCTION) found.set(index, name);
    }
  }
  return found;
}

const u32 = (value: number): number[] => (value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...u32(value >>> 7)]);
function bytesOf(text: string): number[] {
  const utf8 = [...new TextEncoder().encode(text)];
  return [...u32(utf8.length), ...utf8];
}
const sized = (id: number, body: readonly number[]): number[] => [id, ...u32(body.length), ...body];

/** The section for a module that is called `module`, with its functions' names by their indices. */
export function nameSection(module: string, functions: ReadonlyMap<number, string>): Uint8Array {
  const names = [...functions].sort(([a], [b]) => a - b).flatMap(([index, name]) => [...u32(index), ...bytesOf(name)]);
  const parts = [...sized(MODULE_NAME, bytesOf(module)), ...sized(FUNCTION_NAMES, [...u32(functions.size), ...names])];
  return Uint8Array.from(sized(CUSTOM, [...bytesOf('name'), ...parts]));
}

/** A module with a section behind its others. */
export function withSection(module: Uint8Array, section: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(module.length + section.length);
  bytes.set(module);
  bytes.set(section, module.length);
  return bytes;
}

/** A module with its exported functions named by `nameOf`, which gets their names as exports. */
export const withExportNames = (module: Uint8Array, name: string, nameOf: (exported: string) => string): Uint8Array<ArrayBuffer> =>
  withSection(module, nameSection(name, new Map([...exportedFunctions(module)].map(([index, exported]) => [index, nameOf(exported)]))));

/** A module taken apart: without its section "name", and that section, empty where it has none. */
export function splitNames(module: Uint8Array): { readonly module: Uint8Array; readonly names: Uint8Array } {
  for (const { id, name, start, end } of sectionsOf(module)) {
    if (id !== CUSTOM || name !== 'name') continue;
    const rest = new Uint8Array(module.length - (end - start));
    rest.set(module.subarray(0, start));
    rest.set(module.subarray(end), start);
    return { module: rest, names: module.slice(start, end) };
  }
  return { module, names: new Uint8Array(0) };
}
