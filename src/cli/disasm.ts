// `dragoman disasm`: finds the bytes at an address in a kernel and asks the translator to explain what it makes of them.
import { DragomanError } from '../api/errors.ts';
import { MiB } from '../api/options.ts';
import { meant } from '../api/similar.ts';
import { readElfSymbols } from '../inspect/elf-symbols.ts';
import { MachineSymbols } from '../inspect/symbols.ts';
import { contains } from '../machine/boot/bytes.ts';
import { checkSegments, isElf, readElf, toPhysical } from '../machine/boot/elf.ts';
import { loadKernel } from '../machine/boot/kernel.ts';
import type { DisasmArguments } from './arguments.ts';
import { readInput } from './inputs.ts';

/** Enough for every kernel's image; only what is written takes memory. */
const RAM_BYTES = 512 * MiB;

/** Code to explain: physical memory, and the EIP that its first instruction has. */
export interface CodeImage {
  readonly ram: Uint8Array;
  /** Guest physical address of the first instruction. */
  readonly physical: number;
  /** The same as the guest sees it: linear, with a flat CS. */
  readonly eip: number;
  readonly bits: 16 | 32;
}

/** Names at addresses. */
export type NameOf = (address: number) => string | undefined;

/** What can be shown. */
export interface Explain {
  /** One region: x86, IR, Wasm. */
  region(image: CodeImage): string | Promise<string>;
  /** The x86 instructions of so many bytes. */
  listing(image: CodeImage, bytes: number, nameOf: NameOf): string | Promise<string>;
}

/** Bytes of a stretch that is shown at once. */
const LONGEST = 256 * 1024;

/** A code image's address as it is asked for. */
interface Wanted {
  readonly address: number;
  readonly bits: 16 | 32;
}

const hex = (n: number) => `0x${n.toString(16)}`;

/** Memory as the loader leaves it, and the physical address that `address` means in this file. */
export function locate(kernel: Uint8Array, path: string, { address, bits }: Wanted): CodeImage {
  const { ram, find } = load(kernel, path);
  const physical = find(address);
  if (physical === undefined) {
    // Digits of an address that was copied without its 0x.
    const meant =
      /^\d+$/.test(`${address}`) && find(Number(`0x${address}`)) !== undefined ? `; ${address} is decimal: is 0x${address} meant?` : '';
    throw new DragomanError('BAD_OPTION', `${hex(address)} lies outside the kernel's image${meant}`, 'ADDRESS');
  }
  return { ram, physical, eip: address, bits };
}

/** `find`: the physical address of one that the kernel's image has. */
function load(kernel: Uint8Array, path: string): { readonly ram: Uint8Array; readonly find: (address: number) => number | undefined } {
  const ram = new Uint8Array(RAM_BYTES);
  const inRam = (physical: number | undefined) => (physical === undefined || physical >= ram.length ? undefined : physical);
  if (isElf(kernel)) {
    const { segments } = readElf(kernel);
    checkSegments(segments);
    for (const segment of segments) {
      if (segment.physical + segment.memoryBytes > ram.length)
        throw new DragomanError('OUT_OF_MEMORY', 'a segment lies above 512 MiB', path);
      ram.set(segment.data, segment.physical);
    }
    return { ram, find: (address) => inRam(toPhysical(segments, address)) };
  }
  const { image } = loadKernel(ram, { kernel, commandLine: '', ramBytes: RAM_BYTES });
  return { ram, find: (address) => (image.some((range) => contains(range, address)) ? inRam(address) : undefined) };
}

/** Where names of the kernel's file lead. Throws BAD_OPTION. */
class Names {
  readonly #symbols: MachineSymbols;
  /** Of all that there are. */
  readonly #names: readonly string[];
  readonly #why: string | undefined;

  constructor(kernel: Uint8Array) {
    try {
      if (!isElf(kernel)) throw new DragomanError('BAD_OPTION', 'no ELF file, which alone can have a symbol table');
      const known = readElfSymbols(kernel, 'KERNEL');
      this.#symbols = new MachineSymbols(known, undefined);
      this.#names = [...known.code.names, ...known.data.names];
    } catch (error) {
      if (!(error instanceof DragomanError)) throw error;
      this.#why = error.message.replace(/^KERNEL: /, '');
      this.#symbols = new MachineSymbols(undefined, undefined);
      this.#names = [];
    }
  }

  extent(place: number | string): { readonly first: number; readonly last: number } {
    if (typeof place === 'number') return { first: place, last: place };
    const found = this.#symbols.extent(place);
    if (found !== undefined) return found;
    const hint = /^[0-9a-f]+$/i.test(place) ? `; is 0x${place} meant?` : meant(place, this.#names);
    throw new DragomanError(
      'BAD_OPTION',
      this.#why === undefined ? `the kernel has no name '${place}'${hint}` : `no name is known: ${this.#why}${hint}`,
      place,
    );
  }

  readonly at: NameOf = (address) => this.#symbols.at(address);
}

/** The last address from `first` to `last` that the image has in one piece: where the last name of a part ends, nobody says. `first` itself where it has none. */
function lastHad(first: number, last: number, find: (address: number) => number | undefined): number {
  const start = find(first);
  const has = (address: number) => start !== undefined && find(address) === start + (address - first);
  let [low, high] = [first, last];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (has(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The text for a region, or for a stretch of instructions. */
async function shown(kernel: Uint8Array, { kernel: path, place, to, bits }: DisasmArguments, explain: Explain): Promise<string> {
  const names = new Names(kernel);
  const { first } = names.extent(place);
  const image = locate(kernel, path, { address: first, bits });
  if (to === undefined) return explain.region(image);
  const end = names.extent(to);
  const last = typeof to === 'number' ? end.last : lastHad(end.first, Math.min(end.last, end.first + LONGEST - 1), load(kernel, path).find);
  if (last < first) throw new DragomanError('BAD_OPTION', `'${to}' lies before '${place}'`, 'ADDRESS');
  const bytes = last - first + 1;
  if (bytes > LONGEST) throw new DragomanError('BAD_OPTION', `${bytes} bytes are too many: at most ${LONGEST}`, 'ADDRESS');
  const { physical } = locate(kernel, path, { address: last, bits });
  if (physical - image.physical !== last - first)
    throw new DragomanError('BAD_OPTION', `${hex(first)} and ${hex(last)} are in different parts of the kernel's image`, 'ADDRESS');
  return explain.listing(image, bytes, names.at);
}

export async function disasm(args: DisasmArguments, explain: Explain): Promise<string> {
  const text = await shown(readInput(args.kernel, 'BAD_KERNEL'), args, explain);
  return text.endsWith('\n') ? text : `${text}\n`;
}
