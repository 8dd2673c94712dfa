// Names of a kernel's code: what System.map and /proc/kallsyms say.
import { DragomanError } from '../../api/errors.ts';

const LINE = /^([0-9a-f]{8,16}) ([a-zA-Z]) (\S+)/;
/** Code; what else there is has no place in a profile. */
const TEXT = /^[tTwW]$/;
/** What lies so far behind the last symbol before it belongs to none. */
const LONGEST = 1 << 20;

/** Names by ascending addresses. May be sent to Workers. */
export interface SymbolTable {
  readonly addresses: readonly number[];
  readonly names: readonly string[];
}

/** Of lines of an address, a kind and a name. Throws BAD_OPTION where there is no code among them, or its addresses are hidden (all 0). */
export function parseSymbols(text: string, option: string): SymbolTable {
  const found: [number, string][] = [];
  for (const line of text.split('\n')) {
    const [, address, kind, name] = LINE.exec(line) ?? [];
    if (address !== undefined && TEXT.test(kind!) && Number(`0x${address}`) !== 0) found.push([Number(`0x${address}`), name!]);
  }
  if (found.length === 0)
    throw new DragomanError(
      'BAD_OPTION',
      "no line with an address, 't' or 'T', and a name, as System.map and /proc/kallsyms have them",
      option,
    );
  found.sort(([a], [b]) => a - b);
  return { addresses: found.map(([address]) => address), names: found.map(([, name]) => name) };
}

/** 'name', or 'name+0x1f' inside of it; undefined where no symbol is near. */
export function symbolAt({ addresses, names }: SymbolTable, address: number): string | undefined {
  let [low, high] = [0, addresses.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (addresses[middle]! <= address) low = middle + 1;
    else high = middle;
  }
  const offset = address - addresses[low - 1]!;
  if (low === 0 || offset >= LONGEST) return undefined;
  return offset === 0 ? names[low - 1]! : `${names[low - 1]}+0x${offset.toString(16)}`;
}

/** What stands for the code at an EIP in a profile. */
export const codeName = (eip: number, symbols: SymbolTable | undefined): string =>
  (symbols && symbolAt(symbols, eip)) ?? `x86:0x${eip.toString(16)}`;
