// What the calls of inspection take: kinds of their arguments.
import { DragomanError } from '../api/errors.ts';
import { integer } from '../api/kind.ts';
import { LINEAR_END } from './page-walk.ts';

export const hex = (n: number): string => `0x${n.toString(16)}`;

const upTo = (what: string, end: number) => integer(what, 0, end - 1, `0 to ${hex(end - 1)}`);
/** Guest physical addresses end where a word does (MAXPHYADDR is 32). */
export const PHYSICAL_END = 2 ** 32;
export const PHYSICAL = upTo('a physical address', PHYSICAL_END);
export const LINEAR = upTo('a linear address', LINEAR_END);
export const LENGTH = integer('a number of bytes', 0, Number.MAX_SAFE_INTEGER, '0 or more');
export const MSR = upTo('the number of a model-specific register', 2 ** 32);
/** Of instructions, and of frames. */
export const COUNT = integer('a count', 1, 65536);

/** Room for a read. Throws OUT_OF_MEMORY. */
export function room(length: number): Uint8Array {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    throw new DragomanError('OUT_OF_MEMORY', `the host has no memory for a read of ${length} bytes`, undefined, { cause });
  }
}

/** BAD_ADDRESS of an address. */
export const badAddress = (address: number, why: string): DragomanError => new DragomanError('BAD_ADDRESS', why, hex(address));
