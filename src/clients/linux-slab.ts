// Linux's allocator of objects (SLUB), as the client shadow knows it: its functions, by their names in mm/slub.c and mm/slab_common.c of 6.1 and some before, and the few words of its structures that say how large
// objects are and where a slab's pages are. All offsets are those of 32 bits.
import type { Allocator, AllocatorFunction } from './allocator.ts';

const allocates = (name: string, more: Omit<AllocatorFunction, 'deed' | 'name'>): AllocatorFunction => ({
  deed: 'allocate',
  name,
  optional: true,
  ...more,
});
const owns = (name: string): AllocatorFunction => ({ deed: 'own', name, optional: true });

const FUNCTIONS: readonly AllocatorFunction[] = [
  { deed: 'allocate', name: '__kmalloc', size: 0 },
  { deed: 'allocate', name: 'kmem_cache_alloc', cache: 0 },
  { deed: 'free', name: 'kfree', object: 0 },
  { deed: 'free', name: 'kmem_cache_free', object: 1, cache: 0 },
  // Of an object that may be the same one, longer or shorter.
  allocates('krealloc', { object: 0, size: 1 }),
  allocates('__kmalloc_node', { size: 0 }),
  allocates('__kmalloc_track_caller', { size: 0 }),
  allocates('__kmalloc_node_track_caller', { size: 0 }),
  allocates('kmalloc_large', { size: 0 }),
  allocates('kmalloc_large_node', { size: 0 }),
  allocates('kmalloc_order', { size: 0 }),
  allocates('kmalloc_order_trace', { size: 0 }),
  allocates('kmalloc_trace', { cache: 0, size: 2 }),
  // The size is the fourth, of which those before are in registers.
  allocates('kmalloc_node_trace', { cache: 0, size: 3 }),
  allocates('kmem_cache_alloc_trace', { cache: 0, size: 2 }),
  allocates('kmem_cache_alloc_lru', { cache: 0 }),
  allocates('kmem_cache_alloc_node', { cache: 0 }),
  { deed: 'allocate-many', name: 'kmem_cache_alloc_bulk', cache: 0, objects: 3, optional: true },
  { deed: 'free-many', name: 'kmem_cache_free_bulk', size: 1, objects: 2, optional: true },
  { deed: 'size', name: 'ksize', object: 0, optional: true },
  { deed: 'size', name: '__ksize', object: 0, optional: true },
  // Some of these may be part of others.
  { deed: 'give-back', name: 'discard_slab', cache: 0, slab: 1, optional: true },
  { deed: 'give-back', name: 'free_slab', cache: 0, slab: 1, optional: true },
  { deed: 'give-back', name: '__free_slab', cache: 0, slab: 1, optional: true },
  owns('kfree_sensitive'),
  owns('kzfree'),
  owns('deactivate_slab'),
  owns('flush_cpu_slab'),
  owns('kmem_cache_destroy'),
  owns('kmem_cache_shrink'),
];

/** kmalloc's caches below a power of two from 256 on. */
const SMALL = [8, 16, 32, 64, 96, 128, 192];
const PAGE = 4096;

export const LINUX: Allocator = {
  functions: FUNCTIONS,
  arguments: 'registers',
  origin: 0xc0000000,
  sizes: {
    extent: (size) => SMALL.find((extent) => size <= extent) ?? 2 ** Math.ceil(Math.log2(size)),
    // Above that kmalloc takes pages.
    largest: 2 * PAGE,
  },
  // Behind a boot there are some 60,000.
  noted: 17,
  words: true,
  // Looks ahead of what it adds up, by lines of the cache.
  careless: ['csum_partial_copy_generic'],
};

/** struct kmem_cache. */
const CACHE = { flags: 4, size: 12, objectSize: 16 };
/** SLAB_TYPESAFE_BY_RCU: its objects may be looked at when they are free. */
const TYPESAFE = 0x80000;
/** struct slab, which is a struct page: an object of it that is free, and below bit 31 and above bit 15 how many there are. */
const SLAB = { freelist: 16, counters: 20 };

/** Reads a word at a linear address; 0 where there is none. */
export type ReadWord = (linear: number) => number;

export interface Cache {
  /** Bytes of an object, and up to the next. */
  readonly size: number;
  readonly extent: number;
  readonly typesafe: boolean;
}

/** What a cache's objects are; undefined where it makes no sense. */
export function cacheAt(read: ReadWord, cache: number): Cache | undefined {
  const [extent, size] = [read(cache + CACHE.size), read(cache + CACHE.objectSize)];
  if (size === 0 || size > extent || extent > 2 ** 20) return undefined;
  return { size, extent, typesafe: (read(cache + CACHE.flags) & TYPESAFE) !== 0 };
}

/** Where a slab's memory is, whose objects are all free: its linear address and bytes; undefined where it makes no sense. */
export function slabAt(read: ReadWord, slab: number, { extent }: Cache): { readonly from: number; readonly bytes: number } | undefined {
  const free = read(slab + SLAB.freelist);
  const objects = (read(slab + SLAB.counters) >>> 16) & 0x7fff;
  if (free === 0 || objects === 0) return undefined;
  // More than half of the pages, of which there is a power of two, is objects.
  const bytes = Math.max(PAGE, 2 ** Math.ceil(Math.log2(objects * extent)));
  return { from: (free - (free % bytes)) >>> 0, bytes };
}
