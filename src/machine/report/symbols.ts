// Names of a kernel's code: what System.map and /proc/kallsyms say.
import { DragomanError } from '../../api/errors.ts';

const LINE = /^([0-9a-f]{8,16}) ([a-zA-Z]) (\S+)/;
/** Code; what else there is has no place in a profile. */
const TEXT = /^[tTwW]$/;
const DATA = /^[dDbBrRvVgGsS]$/;
/** What lies so far behind the last symbol before it belongs to none. */
export const LONGEST = 1 << 20;

/** Names by ascending addresses. May be sent to Workers. */
export interface SymbolTable {
  readonly addresses: readonly number[];
  readonly names: readonly string[];
}

export interface KernelSymbols {
  readonly code: SymbolTable;
  readonly data: SymbolTable;
}

/** The table of these symbols, which may be in any order. Of those at one address the last is found. */
export function symbolTable(symbols: readonly (readonly [address: number, name: string])[]): SymbolTable {
  const sorted = symbols.toSorted(([a], [b]) => a - b);
  return { addresses: sorted.map(([address]) => address), names: sorted.map(([, name]) => name) };
}

/** By their kinds, letters as in System.map; a symbol at address 0 is a hidden one. */
export function kernelSymbols(
  symbols: Iterable<{ readonly address: number; readonly kind: string; readonly name: string }>,
): KernelSymbols {
  const code: [number, string][] = [];
  const data: [number, string][] = [];
  for (const { address, kind, name } of symbols) {
    if (address === 0) continue;
    if (TEXT.test(kind)) code.push([address, name]);
    else if (DATA.test(kind)) data.push([address, name]);
  }
  return { code: symbolTable(code), data: symbolTable(data) };
}

function* linesOf(text: string) {
  for (const line of text.split('\n')) {
    const [, address, kind, name] = LINE.exec(line) ?? [];
    if (address !== undefined) yield { address: Number(`0x${address}`), kind: kind!, name: name! };
  }
}

/** Of lines of an address, a kind and a name. Throws BAD_OPTION where there is no code among them, or its addresses are hidden (all 0). */
export function readSymbols(text: string, option: string): KernelSymbols {
  const symbols = kernelSymbols(linesOf(text));
  if (symbols.code.addresses.length === 0)
    throw new DragomanError(
      'BAD_OPTION',
      "no line with an address, 't' or 'T', and a name, as System.map and /proc/kallsyms have them",
      option,
    );
  return symbols;
}

/** A symbol of a table. */
export interface NamedAddress {
  readonly address: number;
  readonly name: string;
}

/** The last symbol that does not lie behind an address; undefined where none is near. */
export function nearestOf({ addresses, names }: SymbolTable, address: number): NamedAddress | undefined {
  let [low, high] = [0, addresses.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (addresses[middle]! <= address) low = middle + 1;
    else high = middle;
  }
  if (low === 0 || address - addresses[low - 1]! >= LONGEST) return undefined;
  return { address: addresses[low - 1]!, name: names[low - 1]! };
}

/** 'name', or 'name+0x1f' inside of it. */
export const nameAt = ({ address, name }: NamedAddress, inside: number): string =>
  inside === address ? name : `${name}+0x${(inside - address).toString(16)}`;

/** The same of the nearest symbol of a table; undefined where none is near. */
export function symbolAt(table: SymbolTable, address: number): string | undefined {
  const nearest = nearestOf(table, address);
  return nearest && nameAt(nearest, address);
}

/** What stands for the code at an EIP in a profile. */
export const codeName = (eip: number, symbols: SymbolTable | undefined): string =>
  (symbols && symbolAt(symbols, eip)) ?? `x86:0x${eip.toString(16)}`;
