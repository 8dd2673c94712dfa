// An allocator of a kernel, as the client shadow is told of it: which functions give and take objects, and how large these are.

/**
 * What a function does, with its arguments (from 0):
 * - allocate: returns an object, of `size` bytes, or as large as those of `cache`; where it is given an `object`, that one with another size, or another one;
 * - allocate-many: stores objects of `cache` to the array `objects`, and returns how many;
 * - free: takes `object`; free-many: takes `size` ones, from the array `objects`;
 * - size: returns how many bytes of `object` may be used, and from then on all of them may;
 * - give-back: the pages of `slab` are no objects' any more;
 * - own: uses free objects, as it is of the allocator.
 */
export interface AllocatorFunction {
  readonly deed: 'allocate' | 'allocate-many' | 'free' | 'free-many' | 'size' | 'give-back' | 'own';
  readonly name: string;
  readonly size?: number;
  readonly object?: number;
  readonly objects?: number;
  readonly cache?: number;
  readonly slab?: number;
  /** Not all kernels have it. */
  readonly optional?: boolean;
}

/** Objects of a size. */
export interface Sizes {
  /** Bytes up to the next object. */
  extent(size: number): number;
  /** Larger ones are pages of their own: what is done to them when they are free is not known. */
  readonly largest?: number;
}

export interface Allocator {
  readonly functions: readonly AllocatorFunction[];
  /** Where arguments are: on the stack, or the first three in EAX, EDX and ECX. */
  readonly arguments: 'stack' | 'registers';
  /** Linear address of physical address 0, in the kernel's direct map, where the heap is. */
  readonly origin: number;
  readonly sizes: Sizes;
  /** Of 2^n objects it is noted what they are; of more, which were freed long ago, or any, no more. */
  readonly noted: number;
  /** The kernel reads words that begin in an object and end behind it, and uses nothing of that. */
  readonly words?: boolean;
  /** Functions that read beside objects on purpose. */
  readonly careless?: readonly string[];
}
