// Pages of RAM that the CPUs hold code of: which bytes, how stores to them are noticed, and how everybody hears of them. The other half, which runs in the
// CPUs, is wasm/memory/codepage.ts (and `markCode` and `awaitStores` in wasm/memory/exclusive.ts); this is the essay of both. What it promises to a guest is
// in docs/memory-model.md.
//
// A page's flag (PAGE_HAS_CODE) says that some CPU holds code of it: no TLB gives a right to write there then, so every store takes a slow path, which looks at
// the page's code map, a bit for each byte. A store beside all code is done and that was it. One that hits code is done as well (a region leaves it to the
// interpreter), and then the CPU drops the blocks and regions that were made from other bytes than are there now, enters the page in a ring (DROP_QUEUE), and
// sets Pending.DROP at every other CPU, which looks at its code of that page at its next safepoint.
//
// Who may change what ("all parked": while all other CPUs are parked, so that no store is on its way that was looked up before):
//
//   word                        is set by                                      is cleared by
//   PageMeta.flags HAS_CODE     markCode, all parked, with an empty map        codeWritten: stores hit code several times, nobody marked meanwhile
//   PageMeta.flags, the marks   whoever decodes or installs, before it         nobody: they count, so that who clears HAS_CODE sees that one
//                               looks at HAS_CODE (markCode, enterImage)       came in between
//   PageMeta.flags GROWS        noticeStore: a store beside code               giveMap, all parked
//   PageMeta.codeMap            giveMap, all parked                            freeMap, all parked: its page has no code any more
//   bits of a code map          enterCode, before the bytes that one has are   giveMap, all parked; leaveCode: a machine's only CPU, which knows
//                               compared with those in RAM                     what it holds
//   STORES_BESIDE of a map      staysBesideCode, before it looks at the map    forgetStoresBeside, all parked, before bytes are compared
//   PageMeta.version            codeWritten adds one                           nobody
//   PageMeta.notified ...       codeWritten, under PageMeta.notifyLock         the next one
//   DROP_QUEUE, Control.dropped notifyCpus (any thread)                        the ring comes round: who is so far behind drops everything
//   Pending.DROP                notifyCpus                                     the CPU itself, before it reads the ring
//   Cpu.droppedSeen             the CPU itself, before it looks at the bytes   nobody
//
// A bit of the map is set *before* the bytes are compared, a store is done *before* the look at the map. Both orders are of sequentially consistent accesses: so
// either the one sees the new bytes, or the other sees the bit and notifies. That is all that keeps code and bytes together; nobody has to park for a bit. Small
// loops and locked instructions look at the map first and store later, up to their next poll, with no look behind it: they say so in the map (STORES_BESIDE), and
// who enters bits in such a map parks all others before it compares. Where no map is free, every byte of the page counts as code.
//
// While no CPU has polled, further stores of the same CPU to the page need not be entered: what they stored is seen by those polls. Where stores go on to hit code,
// and nobody decoded anything of the page in between, the page is being written over: its entry says that all of its code is to go (DROP_ALL), and the first store
// behind that clears the page's flag, so that a page which is no longer code costs nothing. But only where no CPU marked the page meanwhile: what was decoded (or,
// as a region, installed) between the reading of the word and its exchange keeps the flag. The flag must not go sooner: what a CPU stores into code that it runs
// itself must stop that code at once, even if another CPU stored there just before.
import type { SharedMemory } from '../cpu/state.ts';
import { Cpu, Pending } from '../layout/cpu.ts';
import {
  CODE_MAP_BYTES,
  CODE_MAP_COUNT,
  CODE_MAP_PAGES,
  CODE_MAPS,
  Control,
  controlWord,
  cpuBase,
  DROP_QUEUE,
  DROP_QUEUE_ENTRIES,
  PAGE,
  PAGE_HAS_CODE,
  PAGE_SHIFT,
  PageMeta,
} from '../layout/memory.ts';

const DROPPED = controlWord(Control.at.dropped);
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

/** Calls `each` with every word of its page's code map that `bytes` bytes at `phys`, all in one page, have bits in, and those bits; false where it has no map. */
function eachWord(
  { i32, plan }: SharedMemory,
  phys: number,
  bytes: number,
  each: (index: number, mask: number, offset: number) => void,
): boolean {
  const map = i32[(plan.pageMeta + (phys >>> PAGE_SHIFT) * PageMeta.size + PageMeta.at.codeMap) >> 2]!;
  if (map === 0) return false;
  const first = phys & (PAGE - 1);
  const last = first + bytes - 1;
  for (let word = first >>> 5; word <= last >>> 5; word++) {
    let mask = -1;
    if (word === first >>> 5) mask <<= first & 31;
    if (word === last >>> 5) mask &= -1 >>> (31 - (last & 31));
    each((map >> 2) + word, mask, word << 5);
  }
  return true;
}

/** Enters `bytes` bytes at `phys`, all in one page. */
export function enterCode(shared: SharedMemory, phys: number, bytes: number): void {
  eachWord(shared, phys, bytes, (index, mask) => void Atomics.or(shared.i32, index, mask));
}

/** Whether `bytes` bytes at `phys`, all in one page that has code, touch what some CPU may hold code of. */
export function hitsCode(shared: SharedMemory, phys: number, bytes: number): boolean {
  let hits = false;
  const mapped = eachWord(shared, phys, bytes, (index, mask) => {
    if ((Atomics.load(shared.i32, index) & mask) !== 0) hits = true;
  });
  return hits || !mapped;
}

/** Takes out those of `bytes` bytes at `phys`, all in one page, that are held no more. Only for a machine's only CPU. */
export function leaveCode(shared: SharedMemory, phys: number, bytes: number, holds: (phys: number, bytes: number) => boolean): void {
  const page = phys & -PAGE;
  eachWord(shared, phys, bytes, (index, mask, offset) => {
    let gone = 0;
    for (let bit = 0; bit < 32; bit++) if ((mask >>> bit) & 1 && !holds(page + offset + bit, 1)) gone |= 1 << bit;
    if (gone !== 0) Atomics.and(shared.i32, index, ~gone);
  });
}

/** True where every CPU but `writer` and `by`, which dropped its code itself, has dropped what was entered before `notified`. */
function allDropped({ i32, plan }: SharedMemory, notified: number, by: number, writer: number): boolean {
  for (let cpu = 0; cpu < plan.cpuCount; cpu++) {
    if (cpu === writer || cpu === by) continue;
    const base = cpuBase(plan, cpu);
    // One that sleeps in HLT looks before its next instruction.
    if (((Atomics.load(i32, (base + Cpu.at.droppedSeen) >> 2) - notified) | 0) < 0 && Atomics.load(i32, (base + Cpu.at.halted) >> 2) === 0)
      return false;
  }
  return true;
}

/** True where no CPU but `writer` has polled yet what was entered before `notified`. */
function nonePolled({ i32, plan }: SharedMemory, notified: number, writer: number): boolean {
  for (let cpu = 0; cpu < plan.cpuCount; cpu++)
    if (cpu !== writer && ((Atomics.load(i32, (cpuBase(plan, cpu) + Cpu.at.droppedSeen) >> 2) - notified) | 0) >= 0) return false;
  return true;
}

/** Enters a page in the ring for every CPU but `writer`; gives the ring's end. */
function notifyCpus({ i32, plan }: SharedMemory, page: number, all: boolean, writer: number): number {
  const n = Atomics.add(i32, DROPPED, 1);
  Atomics.store(i32, (DROP_QUEUE >> 2) + ((n >>> 0) % DROP_QUEUE_ENTRIES), page | (all ? DROP_ALL : 0) | roundOf(n));
  for (let cpu = 0; cpu < plan.cpuCount; cpu++) {
    // No need to wake one that sleeps in HLT: it looks before it goes on.
    if (cpu !== writer) Atomics.or(i32, (cpuBase(plan, cpu) + Cpu.at.pending) >> 2, Pending.DROP);
  }
  return (n + 1) | 0;
}

/**
 * Code of a page was written to, and the bytes are there: notifies every CPU but `writer` (-1: every CPU), which has dropped its own that they hit. True: the writer has to drop all
 * that it has of the page. `all`: most of the page was written. Any thread may call it.
 */
export function codeWritten(shared: SharedMemory, page: number, writer: number, all = false): boolean {
  const { i32, plan } = shared;
  const at = (field: keyof typeof PageMeta.at) => metaOf(shared, page, PageMeta.at[field]);
  Atomics.add(i32, at('version'), 1);
  const only = plan.cpuCount === 1 && writer === 0;
  while (Atomics.compareExchange(i32, at('notifyLock'), 0, 1) !== 0);
  const seen = Atomics.load(i32, at('flags'));
  const notified = i32[at('notified')]!;
  const by = i32[at('notifiedBy')]!;
  const fresh = i32[at('notifiedFlags')] !== seen;
  let drops = false;
  // Who notified the others dropped only what that store of his hit, so he has to be notified of this one.
  if (fresh || only || by !== writer || !nonePolled(shared, notified, writer)) {
    const before = fresh ? 0 : i32[at('notifiedHits')]!;
    const over = !fresh && (only || allDropped(shared, notified, by, writer));
    const hits = all ? MOST_HITS : before + (fresh || over ? 1 : 0);
    drops = hits >= MOST_HITS;
    if (only ? drops : over && before >= MOST_HITS) Atomics.compareExchange(i32, at('flags'), seen, seen & ~PAGE_HAS_CODE);
    else if (!only) {
      i32[at('notified')] = notifyCpus(shared, page, drops, writer);
      i32[at('notifiedBy')] = writer;
    }
    i32[at('notifiedFlags')] = seen;
    i32[at('notifiedHits')] = hits;
  }
  Atomics.store(i32, at('notifyLock'), 0);
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

/** No CPU holds any code, and none of it is asked for: all is as it was before the first was decoded. No CPU runs. */
export function forgetCode({ i32, u8, plan }: SharedMemory): void {
  u8.fill(0, plan.pageMeta, plan.pageMeta + (plan.ramBytes / PAGE) * PageMeta.size);
  u8.fill(0, CODE_MAPS, CODE_MAPS + CODE_MAP_COUNT * CODE_MAP_BYTES);
  i32.fill(0, CODE_MAP_PAGES >> 2, (CODE_MAP_PAGES >> 2) + CODE_MAP_COUNT);
  i32[controlWord(Control.at.codeMapNext)] = 0;
  i32[controlWord(Control.at.heatHead)] = i32[controlWord(Control.at.heatTail)] = 0;
  for (let cpu = 0; cpu < plan.cpuCount; cpu++) i32[(cpuBase(plan, cpu) + Cpu.at.droppedSeen) >> 2] = i32[DROPPED]!;
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
