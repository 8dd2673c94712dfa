// Names of a kernel's code: what System.map and /proc/kallsyms say.
import { DragomanError } from '../../api/errors.ts';

const LINE = /^([0-9a-f]{8,16}) ([a-zA-Z]) (\S+)/;
/** Code; what else there is has no place in a profile. */
const TEXT = /^[tTwW]$/;
/** What lies so far behind the last symbol before it belongs to none. */
const LONGEST = 1 << 20;

/** What stands for the code at an EIP in a profile. */
export const codeName = (eip: number, symbols: Symbols | undefined): string => symbols?.nameOf(eip) ?? `x86:0x${eip.toString(16)}`;

export class Symbols {
  readonly #addresses: readonly number[];
  readonly #names: readonly string[];

  /** `text`: lines of an address, a kind and a name. Throws BAD_OPTION where there is no code in it, or its addresses are hidden (all 0). */
  constructor(text: string, option: string) {
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
    this.#addresses = found.map(([address]) => address);
    this.#names = found.map(([, name]) => name);
  }

  /** 'name', or 'name+0x1f' inside of it; undefined where no symbol is near. */
  nameOf(address: number): string | undefined {
    let [low, high] = [0, this.#addresses.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#addresses[middle]! <= address) low = middle + 1;
      else high = middle;
    }
    const offset = address - this.#addresses[low - 1]!;
    if (low === 0 || offset >= LONGEST) return undefined;
    return offset === 0 ? this.#names[low - 1]! : `${this.#names[low - 1]}+0x${offset.toString(16)}`;
  }
}
