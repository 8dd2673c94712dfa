// Pages of RAM with code that somebody wrote to: the writer enters the page in a ring, every other CPU drops its code of that page at
// its next safe point.
//
// A page's flag (PAGE_HAS_CODE) says that stores to it must be noticed. It stays set until all CPUs have dropped their code of the page: what a CPU
// stores into code that it runs itself must stop that code at once, even if another CPU stored there just before. The first store
// after that clears it, so that a page which is no longer code costs nothing, but only where no CPU marked the page again meanwhile:
// what was decoded (or, as a region, installed) between the reading of the word and its exchange keeps the flag. The page's version goes up before
// anything else: a region translated from what was there is installed nowhere, and one that is of the page's present version stays where it is
// installed: it was made behind the store that is heard of only now.
import type { SharedMemory } from '../cpu/state.ts';
import { Cpu, Pending } from '../layout/cpu.ts';
import { CONTROL, Control, cpuBase, DROP_QUEUE, DROP_QUEUE_ENTRIES, PAGE_HAS_CODE, PAGE_SHIFT, PageMeta } from '../layout/memory.ts';

const DROPPED = (CONTROL + Control.at.dropped) >> 2;
/** An entry: the page's number, and above it in which round through the ring it was written. Rounds count from 1: an entry that nobody has
 * written yet is of none. */
const PAGE_BITS = 20;
const ROUND_MASK = 0xfff;
const roundOf = (n: number) => (((n >>> 0) / DROP_QUEUE_ENTRIES + 1) & ROUND_MASK) << PAGE_BITS;

const metaOf = (shared: SharedMemory, page: number, field: number) => (shared.plan.pageMeta + page * PageMeta.size + field) >> 2;

/** True where every CPU but `writer` and `by`, which dropped its code itself, has dropped what was entered before `told`. */
function allDropped({ i32, plan }: SharedMemory, told: number, by: number, writer: number): boolean {
  for (let cpu = 0; cpu < plan.cpuCount; cpu++) {
    if (cpu === writer || cpu === by) continue;
    const base = cpuBase(plan, cpu);
    // One that sleeps in HLT looks before its next instruction.
    if (((Atomics.load(i32, (base + Cpu.at.droppedSeen) >> 2) - told) | 0) < 0 && Atomics.load(i32, (base + Cpu.at.halted) >> 2) === 0)
      return false;
  }
  return true;
}

/** Enters a page in the ring for every CPU but `writer`; gives the ring's end. */
function tell({ i32, plan }: SharedMemory, page: number, writer: number): number {
  const n = Atomics.add(i32, DROPPED, 1);
  Atomics.store(i32, (DROP_QUEUE >> 2) + ((n >>> 0) % DROP_QUEUE_ENTRIES), page | roundOf(n));
  for (let cpu = 0; cpu < plan.cpuCount; cpu++) {
    // No need to wake one that sleeps in HLT: it looks before it goes on.
    if (cpu !== writer) Atomics.or(i32, (cpuBase(plan, cpu) + Cpu.at.pending) >> 2, Pending.DROP);
  }
  return (n + 1) | 0;
}

/** A page with code was written to, and the bytes are there: tells every CPU but `writer` (-1: every CPU), which has dropped its own. Any thread may call it. */
export function codeWritten(shared: SharedMemory, page: number, writer: number): void {
  const { i32, plan } = shared;
  const at = (field: keyof typeof PageMeta.at) => metaOf(shared, page, PageMeta.at[field]);
  Atomics.add(i32, at('version'), 1);
  const clear = (seen: number) => void Atomics.compareExchange(i32, at('flags'), seen, seen & ~PAGE_HAS_CODE);
  if (plan.cpuCount === 1 && writer === 0) return clear(Atomics.load(i32, at('flags')));
  while (Atomics.compareExchange(i32, at('toldLock'), 0, 1) !== 0);
  const seen = Atomics.load(i32, at('flags'));
  if (i32[at('toldFlags')] !== seen) {
    i32[at('told')] = tell(shared, page, writer);
    i32[at('toldBy')] = writer;
    i32[at('toldFlags')] = seen;
  } else if (allDropped(shared, i32[at('told')]!, i32[at('toldBy')]!, writer)) {
    clear(seen);
  }
  // Else somebody has still to drop the page, and nobody has decoded it since: what was stored now is seen behind that.
  Atomics.store(i32, at('toldLock'), 0);
}

/** The host thread wrote `bytes` bytes at guest physical `address`. Call before the guest can know of it. */
export function ramWritten(shared: SharedMemory, address: number, bytes: number): void {
  const { i32 } = shared;
  for (let page = address >>> PAGE_SHIFT; page <= (address + bytes - 1) >>> PAGE_SHIFT; page++) {
    // An exchange, so that the bytes are there for whoever sets the flag behind it.
    if ((Atomics.or(i32, metaOf(shared, page, PageMeta.at.flags), 0) & PAGE_HAS_CODE) !== 0) codeWritten(shared, page, -1);
  }
}

/** Pages that CPU at `base` must drop now; undefined where it missed some, or one is not yet in the ring: all. */
export function pagesToDrop(shared: SharedMemory, base: number): number[] | undefined {
  const { i32 } = shared;
  const seenAt = (base + Cpu.at.droppedSeen) >> 2;
  const seen = i32[seenAt]!;
  const now = Atomics.load(i32, DROPPED);
  i32[seenAt] = now;
  const count = (now - seen) >>> 0;
  if (count > DROP_QUEUE_ENTRIES / 2) return undefined;
  const pages: number[] = [];
  for (let k = 0; k < count; k++) {
    const n = (seen + k) >>> 0;
    const entry = Atomics.load(i32, (DROP_QUEUE >> 2) + (n % DROP_QUEUE_ENTRIES));
    if (entry >>> PAGE_BITS !== roundOf(n) >>> PAGE_BITS) return undefined;
    pages.push(entry & ((1 << PAGE_BITS) - 1));
  }
  return pages;
}
