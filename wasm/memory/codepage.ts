// Stores to pages with code: which of them hit code, and who is told. The other half, and why it is right, is in src/cache/code-pages.ts.

import { serialize } from '../base/state';
import { enterSlow, leaveSlow } from '../engine/costs';
import { hostInvalidateCode } from '../gen/host';
import {
  CODE_MAP_BYTES,
  CODE_MAP_COUNT,
  CODE_MAP_PAGES,
  CODE_MAPS,
  Cpu,
  control,
  PAGE_GROWS,
  PAGE_HAS_CODE,
  PageMeta,
  SlowPath,
} from '../gen/layout';

/** Address of a page's metadata. */
@inline
export function pageMeta(phys: u32): PageMeta {
  return changetype<PageMeta>(control.pageMeta + (phys >>> 12) * PageMeta.SIZE);
}

/** Whether no other CPU runs at the same time. */
@inline
export function onlyCpu(): bool {
  return control.cpuCount == 1 || control.lockstep != 0;
}

@inline
export function hasCode(phys: u32): bool {
  return (pageMeta(phys).flags.load() & PAGE_HAS_CODE) != 0;
}

/** Whether somebody stored beside the code of the page of RAM at `phys`: a program may be writing code there. */
export function growsCode(phys: u32): bool {
  return phys < control.ramBytes && (pageMeta(phys).flags.load() & PAGE_GROWS) != 0;
}

/** Bits of a code map's word that stand for offsets `first` to `last` of the page; `word` is that of some of them. */
@inline
function maskOf(word: u32, first: u32, last: u32): u32 {
  let mask: u32 = 0xffffffff;
  if (word == first >>> 5) mask <<= first & 31;
  if (word == last >>> 5) mask &= 0xffffffff >>> (31 - (last & 31));
  return mask;
}

/** Whether `bytes` bytes at `phys`, all in one page that has code, touch what some CPU may hold code of. */
export function hitsCode(phys: u32, bytes: u32): bool {
  const map: usize = pageMeta(phys).codeMap;
  if (!map) return true;
  const first = phys & 0xfff;
  const last = first + bytes - 1;
  for (let word = first >>> 5; word <= last >>> 5; word++) if (atomic.load<u32>(map + (word << 2)) & maskOf(word, first, last)) return true;
  return false;
}

/** Whether a page has code, but surely none in `bytes` bytes at `phys`, all in that page. */
@inline
export function isBesideCode(phys: u32, bytes: u32): bool {
  const meta = pageMeta(phys);
  if (!(meta.flags.load() & PAGE_HAS_CODE)) return false;
  const map: usize = meta.codeMap;
  const bit = phys & 31;
  // Those that reach into a second word are seldom.
  if (!map || bit + bytes > 32) return false;
  return !(atomic.load<u32>(map + ((phys & 0xfe0) >>> 3)) & (((1 << bytes) - 1) << bit));
}

/** Enters `bytes` bytes at `phys`, all in one page that has code, in its code map. */
export function enterCode(phys: u32, bytes: u32): void {
  const map: usize = pageMeta(phys).codeMap;
  if (!map) return;
  const first = phys & 0xfff;
  const last = first + bytes - 1;
  for (let word = first >>> 5; word <= last >>> 5; word++) atomic.or<u32>(map + (word << 2), maskOf(word, first, last));
}

@inline
function mapPage(n: u32): usize {
  return CODE_MAP_PAGES + (n << 2);
}

/** Bit of a map's word: some CPU stores beside the code of its page without looking again before its next poll. */
const STORES_BESIDE: u32 = 0x80000000;

/** Address of the word that says which page has the map at `map`. */
@inline
function ownerOf(map: usize): usize {
  return mapPage(<u32>(map - CODE_MAPS) / CODE_MAP_BYTES);
}

/**
 * Whether a page has code, but none in `bytes` bytes at `phys`, all in that page, until the caller's next poll. Who enters code in the map meanwhile parks the caller before it
 * looks at the bytes (awaitStores in exclusive.ts): here the bit is set before the look at the map, there it is looked at behind the entry in the map.
 */
export function staysBesideCode(phys: u32, bytes: u32): bool {
  if (!hasCode(phys)) return false;
  const map: usize = pageMeta(phys).codeMap;
  if (!map) return false;
  if (!onlyCpu() && !(atomic.load<u32>(ownerOf(map)) & STORES_BESIDE)) atomic.or<u32>(ownerOf(map), STORES_BESIDE);
  return !hitsCode(phys, bytes);
}

/** Whether a CPU may store beside the code of a page without looking. */
export function hasStoresBeside(phys: u32): bool {
  const map: usize = pageMeta(phys).codeMap;
  return map != 0 && (atomic.load<u32>(ownerOf(map)) & STORES_BESIDE) != 0;
}

/** Nobody does from now on, as all other CPUs are parked. */
export function forgetStoresBeside(phys: u32): void {
  const map: usize = pageMeta(phys).codeMap;
  if (map) atomic.and<u32>(ownerOf(map), ~STORES_BESIDE);
}

/** Number of a code map that no page with code has: one never used, or that of a page that is data by now; CODE_MAP_COUNT: none. */
function freeMap(): u32 {
  const next = control.codeMapNext;
  if (next < CODE_MAP_COUNT) return next;
  for (let k: u32 = 0; k < CODE_MAP_COUNT; k++) {
    const n = (next + k) & (CODE_MAP_COUNT - 1);
    const owner = pageMeta(load<u32>(mapPage(n)) << 12);
    if (owner.flags.load() & PAGE_HAS_CODE) continue;
    owner.codeMap = 0;
    return n;
  }
  return CODE_MAP_COUNT;
}

/** Gives a page that is about to get code an empty code map, and takes it as one that does not grow. Only while all other CPUs are parked. */
export function giveMap(phys: u32): void {
  const meta = pageMeta(phys);
  meta.flags.and(~PAGE_GROWS);
  let map: usize = meta.codeMap;
  if (!map) {
    const n = freeMap();
    if (n == CODE_MAP_COUNT) return;
    // Above the count, it is where the next search begins.
    control.codeMapNext = n + 1 < CODE_MAP_COUNT && control.codeMapNext < CODE_MAP_COUNT ? n + 1 : CODE_MAP_COUNT + n + 1;
    map = CODE_MAPS + n * CODE_MAP_BYTES;
    meta.codeMap = u32(map);
  }
  store<u32>(ownerOf(map), phys >>> 12);
  memory.fill(map, 0, CODE_MAP_BYTES);
}

/** `bytes` bytes were stored at `phys`, all in one page of RAM: code there is forgotten, so that whoever decodes it meanwhile either sees the new
 * bytes or is told. */
export function noticeStore(cpu: Cpu, phys: u32, bytes: u32): void {
  if (!hasCode(phys)) return;
  const since = enterSlow(cpu, SlowPath.CODE_STORE);
  noticeHit(cpu, phys, bytes);
  leaveSlow(cpu, SlowPath.CODE_STORE, since);
}

function noticeHit(cpu: Cpu, phys: u32, bytes: u32): void {
  // The bytes are there before the look at the map: who decodes enters his bytes there first and looks at them afterwards.
  if (!onlyCpu()) serialize(cpu);
  if (!hitsCode(phys, bytes)) {
    const flags = pageMeta(phys).flags;
    if (!(flags.load() & PAGE_GROWS)) flags.or(PAGE_GROWS);
    return;
  }
  cpu.codeChanged = 1;
  hostInvalidateCode(cpu, phys, bytes);
}
