// The names of a guest's kernel: what a program gave, or what the kernel's own file has of them.

import type { Bytes } from '../api/bytes.ts';
import { DragomanError } from '../api/errors.ts';
import { TYPED } from '../api/schema.ts';
import { isElf } from '../machine/boot/elf.ts';
import { type KernelSymbols, LONGEST, nameAt, nearestOf, readSymbols, type SymbolTable } from '../machine/report/symbols.ts';
import { readElfSymbols } from './elf-symbols.ts';

/** The text of a System.map, or the bytes of an ELF file. Throws BAD_OPTION where they have no symbols. */
function read(given: string | Bytes, option: string): KernelSymbols {
  const bytes = TYPED.take(given, option);
  return isElf(bytes) ? readElfSymbols(bytes, option) : readSymbols(new TextDecoder().decode(bytes), option);
}

/** Names and addresses, the highest first. */
const pairs = ({ names, addresses }: SymbolTable) => names.map((name, n) => [name, addresses[n]!] as const).reverse();

export class MachineSymbols {
  #symbols: KernelSymbols | undefined;
  #addresses: ReadonlyMap<string, number> | undefined;
  #areGuests = false;
  /** Looked at once, when somebody first asks. */
  #kernel: Uint8Array | undefined;

  /** `given`: of the option; else those of `kernel`, where it has some. */
  constructor(given: KernelSymbols | undefined, kernel: Uint8Array | undefined) {
    this.#symbols = given;
    if (given === undefined) this.#kernel = kernel;
  }

  /** From now on these are the names. */
  load(given: string | Bytes): void {
    this.use(read(given, 'symbols'));
    this.#areGuests = false;
  }

  /** The same of names that were found in the guest's memory. How many they are. */
  use(symbols: KernelSymbols): number {
    this.#symbols = symbols;
    this.#areGuests = true;
    this.#addresses = undefined;
    this.#kernel = undefined;
    return symbols.code.names.length + symbols.data.names.length;
  }

  /** Whether they are of the guest's memory, where there may be others by now. */
  get areGuests(): boolean {
    return this.#areGuests;
  }

  /** Whether there are any. */
  get areKnown(): boolean {
    return this.#known !== undefined;
  }

  get #known(): KernelSymbols | undefined {
    const kernel = this.#kernel;
    this.#kernel = undefined;
    if (kernel === undefined || !isElf(kernel)) return this.#symbols;
    try {
      this.#symbols = readElfSymbols(kernel, 'kernel');
    } catch (error) {
      // A kernel that runs need have none, and none that is whole.
      if (!(error instanceof DragomanError)) throw error;
    }
    return this.#symbols;
  }

  /** Undefined where there is no such name. */
  address(name: string): number | undefined {
    const known = this.#known;
    if (known === undefined) return undefined;
    // Where one name stands for several places, the first of code.
    this.#addresses ??= new Map([known.data, known.code].flatMap(pairs));
    return this.#addresses.get(name);
  }

  /** From a name's address to that of the next name, less one; undefined where there is no such name. */
  extent(name: string): { readonly first: number; readonly last: number } | undefined {
    const first = this.address(name);
    const known = this.#known;
    if (first === undefined || known === undefined) return undefined;
    const next = [known.code, known.data].map(({ addresses }) => addresses.find((address) => address > first) ?? first + LONGEST);
    return { first, last: Math.min(...next, first + LONGEST, 2 ** 32) - 1 };
  }

  /** 'name', or 'name+0x1f' inside of it; undefined where no symbol is near. */
  at(address: number): string | undefined {
    return this.#near(address, address);
  }

  /** The function that an address is in; undefined: of none that is known. Of several names the first that does not begin with '_', as marks of a linker script do. */
  functionAt(address: number): string | undefined {
    const code = this.#known?.code;
    const nearest = code && nearestOf(code, address);
    if (nearest === undefined) return undefined;
    const { addresses, names } = code!;
    for (let n = addresses.indexOf(nearest.address); addresses[n] === nearest.address; n++) if (!names[n]!.startsWith('_')) return names[n];
    return nearest.name;
  }

  /** How far inside of the nearest function's code an address is; undefined where none is near. */
  offsetIn(address: number): number | undefined {
    const known = this.#known;
    const nearest = known && nearestOf(known.code, address);
    return nearest && address - nearest.address;
  }

  /** The same as at() of the address behind a call, which may be another function's where the callee never returns. */
  behindCall(address: number): string | undefined {
    return this.#near(address, address - 1);
  }

  #near(address: number, inside: number): string | undefined {
    const known = this.#known;
    if (known === undefined) return undefined;
    const [code, data] = [nearestOf(known.code, inside), nearestOf(known.data, inside)];
    const nearest = code === undefined || (data !== undefined && data.address > code.address) ? data : code;
    return nearest && nameAt(nearest, address);
  }
}
