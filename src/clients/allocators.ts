// The allocators that the client shadow knows, and what its options say of others.
import type { Allocator, AllocatorFunction, Sizes } from './allocator.ts';
import type { OptionTexts } from './client.ts';
import { LINUX } from './linux-slab.ts';

/** Objects take a power of two of bytes, `smallest` at least; undefined: nobody knows what is behind one. */
const powersFrom = (smallest: number | undefined): Sizes => ({
  extent(size) {
    if (smallest === undefined) return Math.max(8, (size + 7) & ~7);
    let extent = smallest;
    while (extent < size) extent *= 2;
    return extent;
  },
});

/** Options of the allocators that are known by functions. */
const BY_FUNCTIONS: Readonly<Record<string, OptionTexts>> = {
  // examples/serai/kernel/memory/heap.c
  serai: { allocate: 'heap_allocate:0', free: 'heap_free:0', arguments: 'stack', smallest: '64' },
};
/** Those that more is known of. */
const KNOWN: Readonly<Record<string, Allocator>> = { linux: LINUX };
export const ALLOCATORS = [...Object.keys(BY_FUNCTIONS), ...Object.keys(KNOWN)];

function functionsOf(deed: 'allocate' | 'free', text: string): AllocatorFunction[] {
  return text.split('+').map((part) => {
    const [, name, argument] = /^([^:]+):([0-7])$/.exec(part) ?? [];
    if (name === undefined)
      throw new Error(`'${part}' is no function of an allocator: SYMBOL:ARGUMENT or 0xADDRESS:ARGUMENT, as heap_free:0`);
    return { deed, name, [deed === 'free' ? 'object' : 'size']: Number(argument) };
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
  if (name !== undefined && !ALLOCATORS.includes(name))
    throw new Error(`there is no allocator '${name}'; there are ${ALLOCATORS.join(', ')}`);
  const known = name === undefined ? undefined : KNOWN[name];
  if (known !== undefined) {
    const other = ['allocate', 'free', 'arguments', 'smallest'].find((option) => options[option] !== undefined);
    if (other !== undefined) throw new Error(`${other} is known of the allocator ${name}`);
    return { ...known, origin: options.origin === undefined ? known.origin : numberOf('origin', options.origin) };
  }
  const { allocate, free, origin = '0xc0000000', smallest, ...more }: OptionTexts = { ...(name && BY_FUNCTIONS[name]), ...options };
  if (allocate === undefined || free === undefined) throw new Error('allocate and free are both needed: SYMBOL:ARGUMENT');
  const where = more.arguments ?? 'stack';
  if (where !== 'stack' && where !== 'registers') throw new Error(`arguments: '${where}' is neither stack nor registers`);
  const functions = [...functionsOf('allocate', allocate), ...functionsOf('free', free)];
  const least = smallest === undefined ? undefined : numberOf('smallest', smallest);
  if (least !== undefined && (least < 8 || (least & (least - 1)) !== 0))
    throw new Error(`smallest: '${smallest}' is no power of two from 8 on`);
  return { functions, arguments: where, origin: numberOf('origin', origin), sizes: powersFrom(least), noted: 16 };
}
