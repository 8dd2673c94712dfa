// Allocators of kernels, as the client shadow is told of them: which functions give and take objects, and how large these are.
import type { OptionTexts } from './client.ts';

/** A function: its name or address, and which of its arguments (from 0) is the size, or the object. */
export interface AllocatorFunction {
  readonly deed: 'allocate' | 'free';
  readonly name: string;
  readonly argument: number;
}

export interface Allocator {
  readonly functions: readonly AllocatorFunction[];
  /** Where arguments are: on the stack, or from the first on in EAX, EDX and ECX. */
  readonly arguments: 'stack' | 'registers';
  /** Linear address of physical address 0, in the kernel's direct map, where the heap is. */
  readonly origin: number;
  /** Objects take a power of two of bytes, this at least; undefined: nobody knows what is behind one. */
  readonly smallest: number | undefined;
}

/** Options of the allocators that are known. */
const KNOWN: Readonly<Record<string, OptionTexts>> = {
  // examples/serai/kernel/memory/heap.c
  serai: { allocate: 'heap_allocate:0', free: 'heap_free:0', arguments: 'stack', smallest: '64' },
};
export const ALLOCATORS = Object.keys(KNOWN);

function functionsOf(deed: AllocatorFunction['deed'], text: string): AllocatorFunction[] {
  return text.split('+').map((part) => {
    const [, name, argument] = /^([^:]+):([0-7])$/.exec(part) ?? [];
    if (name === undefined)
      throw new Error(`'${part}' is no function of an allocator: SYMBOL:ARGUMENT or 0xADDRESS:ARGUMENT, as heap_free:0`);
    return { deed, name, argument: Number(argument) };
  });
}

function numberOf(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** 32) throw new Error(`${name}: '${text}' is no number`);
  return value;
}

/** What options say of an allocator. Throws an Error where that is not enough. */
export function allocatorOf(options: OptionTexts): Allocator {
  const name = options.allocator ?? (options.allocate === undefined ? 'serai' : undefined);
  if (name !== undefined && !Object.hasOwn(KNOWN, name))
    throw new Error(`there is no allocator '${name}'; there are ${ALLOCATORS.join(', ')}`);
  const { allocate, free, origin = '0xc0000000', smallest, ...more }: OptionTexts = { ...(name && KNOWN[name]), ...options };
  if (allocate === undefined || free === undefined) throw new Error('allocate and free are both needed: SYMBOL:ARGUMENT');
  const where = more.arguments ?? 'stack';
  if (where !== 'stack' && where !== 'registers') throw new Error(`arguments: '${where}' is neither stack nor registers`);
  const functions = [...functionsOf('allocate', allocate), ...functionsOf('free', free)];
  if (where === 'registers' && functions.some(({ argument }) => argument > 2)) throw new Error('arguments in registers are 0, 1 and 2');
  const least = smallest === undefined ? undefined : numberOf('smallest', smallest);
  if (least !== undefined && (least < 8 || (least & (least - 1)) !== 0))
    throw new Error(`smallest: '${smallest}' is no power of two from 8 on`);
  return { functions, arguments: where, origin: numberOf('origin', origin), smallest: least };
}

/** Bytes up to the next object. */
export function extentOf({ smallest }: Allocator, size: number): number {
  if (smallest === undefined) return Math.max(8, (size + 7) & ~7);
  let extent = smallest;
  while (extent < size) extent *= 2;
  return extent;
}
