// Pages of RAM whose code somebody wrote to: the writer enters the page in a ring, and every other CPU looks at its code of that page at
// its next safe point, and drops what was made from other bytes. (Which stores come here says code-map.ts.)
//
// While nobody has looked, further stores of the same CPU to the page need not be entered: what they stored is seen by those looks. Where stores go on to hit code, and nobody
// decoded anything of the page in between, the page is being written over: its entry says that all of its code is to go (DROP_ALL), and the first store behind
// that clears the page's flag, so that a page which is no longer code costs nothing. But only where no CPU marked the page meanwhile: what was decoded (or, as
// a region, installed) between the reading of the word and its exchange keeps the flag. The flag must not go sooner: what a CPU stores into code that it runs itself must stop
// that code at once, even if another CPU stored there just before.
import type { SharedMemory } from '../cpu/state.ts';
import { Cpu, Pending } from '../layout/cpu.ts';
import { CONTROL, Control, cpuBase, DROP_QUEUE, DROP_QUEUE_ENTRIES, PAGE, PAGE_HAS_CODE, PAGE_SHIFT, PageMeta } from '../layout/memory.ts';
import { hitsCode } from './code-map.ts';

const DROPPED = (CONTROL + Control.at.dropped) >> 2;
/** An entry: the page's number and DROP_ALL, and above them in which round through the ring it was written. Rounds count from 1: an entry that nobody has
 * written yet is of none. */
const PAGE_BITS = 19;
const DROP_ALL = 1 << PAGE_BITS;
const ROUND_SHIFT = PAGE_BITS + 1;
const ROUND_MASK = 0xfff;
const roundOf = (n: number) => (((n >>> 0) / DROP_QUEUE_ENTRIES + 1) & ROUND_MASK) << ROUND_SHIFT;
/** Stores that hit code of a page and make it data, where nobody decodes in between. */
const MOST_HITS = 4;

/** What a CPU has to look at: a page, and whether all of its code is to go. */
export interface Drop {
  readonly page: number;
  readonly all: boolean;
}

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

/** True where no CPU but `writer` has looked yet at what was entered before `told`. */
function noneLooked({ i32, plan }: SharedMemory, told: number, writer: number): boolean {
  for (let cpu = 0; cpu < plan.cpuCount; cpu++)
    if (cpu !== writer && ((Atomics.load(i32, (cpuBase(plan, cpu) + Cpu.at.droppedSeen) >> 2) - told) | 0) >= 0) return false;
  return true;
}

/** Enters a page in the ring for every CPU but `writer`; gives the ring's end. */
function tell({ i32, plan }: SharedMemory, page: number, all: boolean, writer: number): number {
  const n = Atomics.add(i32, DROPPED, 1);
  Atomics.store(i32, (DROP_QUEUE >> 2) + ((n >>> 0) % DROP_QUEUE_ENTRIES), page | (all ? DROP_ALL : 0) | roundOf(n));
  for (let cpu = 0; cpu < plan.cpuCount; cpu++) {
    // No need to wake one that sleeps in HLT: it looks before it goes on.
    if (cpu !== writer) Atomics.or(i32, (cpuBase(plan, cpu) + Cpu.at.pending) >> 2, Pending.DROP);
  }
  return (n + 1) | 0;
}

/**
 * Code of a page was written to, and the bytes are there: tells every CPU but `writer` (-1: every CPU), which has dropped its own that they hit. True: the writer has to drop all
 * that it has of the page. `all`: most of the page was written. Any thread may call it.
 */
export function codeWritten(shared: SharedMemory, page: number, writer: number, all = false): boolean {
  const { i32, plan } = shared;
  const at = (field: keyof typeof PageMeta.at) => metaOf(shared, page, PageMeta.at[field]);
  Atomics.add(i32, at('version'), 1);
  const only = plan.cpuCount === 1 && writer === 0;
  while (Atomics.compareExchange(i32, at('toldLock'), 0, 1) !== 0);
  const seen = Atomics.load(i32, at('flags'));
  const told = i32[at('told')]!;
  const by = i32[at('toldBy')]!;
  const fresh = i32[at('toldFlags')] !== seen;
  let drops = false;
  // Whoever told dropped only what that store of his hit, so he has to be told of this one.
  if (fresh || only || by !== writer || !noneLooked(shared, told, writer)) {
    const before = fresh ? 0 : i32[at('toldHits')]!;
    const over = !fresh && (only || allDropped(shared, told, by, writer));
    const hits = all ? MOST_HITS : before + (fresh || over ? 1 : 0);
    drops = hits >= MOST_HITS;
    if (only ? drops : over && before >= MOST_HITS) Atomics.compareExchange(i32, at('flags'), seen, seen & ~PAGE_HAS_CODE);
    else if (!only) {
      i32[at('told')] = tell(shared, page, drops, writer);
      i32[at('toldBy')] = writer;
    }
    i32[at('toldFlags')] = seen;
    i32[at('toldHits')] = hits;
  }
  Atomics.store(i32, at('toldLock'), 0);
  return drops;
}

/** The host thread wrote `bytes` bytes at guest physical `address`. Call before the guest can know of it. */
export function ramWritten(shared: SharedMemory, address: number, bytes: number): void {
  const { i32 } = shared;
  const end = address + bytes;
  for (let at = address; at < end; ) {
    const page = at >>> PAGE_SHIFT;
    const count = Math.min(end, (page + 1) * PAGE) - at;
    // An exchange, so that the bytes are there for whoever sets the flag or the map behind it.
    if ((Atomics.or(i32, metaOf(shared, page, PageMeta.at.flags), 0) & PAGE_HAS_CODE) !== 0 && hitsCode(shared, at, count))
      codeWritten(shared, page, -1, count >= PAGE / 2);
    at += count;
  }
}

/** What the CPU at `base` must look at now; undefined where it missed some, or one is not yet in the ring: all pages. */
export function pagesToDrop(shared: SharedMemory, base: number): Drop[] | undefined {
  const { i32 } = shared;
  const seenAt = (base + Cpu.at.droppedSeen) >> 2;
  const seen = i32[seenAt]!;
  const now = Atomics.load(i32, DROPPED);
  // Seen before the looks at the bytes: who still found this CPU behind has stored before them.
  Atomics.store(i32, seenAt, now);
  const count = (now - seen) >>> 0;
  if (count > DROP_QUEUE_ENTRIES / 2) return undefined;
  const drops: Drop[] = [];
  for (let k = 0; k < count; k++) {
    const n = (seen + k) >>> 0;
    const entry = Atomics.load(i32, (DROP_QUEUE >> 2) + (n % DROP_QUEUE_ENTRIES));
    if (entry >>> ROUND_SHIFT !== roundOf(n) >>> ROUND_SHIFT) return undefined;
    drops.push({ page: entry & (DROP_ALL - 1), all: (entry & DROP_ALL) !== 0 });
  }
  return drops;
}
