// Stores to pages with code: which of them hit code, and who is told. The other half, and why it is right, is in src/cache/code-map.ts.
import {
  CODE_MAPS, CODE_MAP_BYTES, CODE_MAP_COUNT, CODE_MAP_PAGES, CONTROL, CONTROL_CODEMAPNEXT, CONTROL_CPUCOUNT, CONTROL_LOCKSTEP, CONTROL_PAGEMETA, CONTROL_RAMBYTES, CPU_CODECHANGED,
  PAGEMETA_CODEMAP, PAGEMETA_FLAGS, PAGEMETA_SIZE, PAGE_GROWS, PAGE_HAS_CODE,
} from '../gen/layout';
import { hostInvalidateCode } from '../base/host';
import { serialize } from '../base/state';

/** Address of a page's metadata. */
@inline
export function pageMeta(phys: u32): usize {
  return load<u32>(CONTROL, CONTROL_PAGEMETA) + (phys >>> 12) * PAGEMETA_SIZE;
}

/** Whether no other CPU runs at the same time. */
@inline
export function alone(): bool {
  return load<u32>(CONTROL, CONTROL_CPUCOUNT) == 1 || load<u32>(CONTROL, CONTROL_LOCKSTEP) != 0;
}

@inline
export function hasCode(phys: u32): bool {
  return (atomic.load<u32>(pageMeta(phys), PAGEMETA_FLAGS) & PAGE_HAS_CODE) != 0;
}

/** Whether somebody stored beside the code of the page of RAM at `phys`: a program may be writing code there. */
export function growsCode(phys: u32): bool {
  return phys < load<u32>(CONTROL, CONTROL_RAMBYTES) && (atomic.load<u32>(pageMeta(phys), PAGEMETA_FLAGS) & PAGE_GROWS) != 0;
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
  const map: usize = load<u32>(pageMeta(phys), PAGEMETA_CODEMAP);
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
  if (!(atomic.load<u32>(meta, PAGEMETA_FLAGS) & PAGE_HAS_CODE)) return false;
  const map: usize = load<u32>(meta, PAGEMETA_CODEMAP);
  const bit = phys & 31;
  // Those that reach into a second word are seldom.
  if (!map || bit + bytes > 32) return false;
  return !(atomic.load<u32>(map + ((phys & 0xfe0) >>> 3)) & (((1 << bytes) - 1) << bit));
}

/** Enters `bytes` bytes at `phys`, all in one page that has code, in its code map. */
export function enterCode(phys: u32, bytes: u32): void {
  const map: usize = load<u32>(pageMeta(phys), PAGEMETA_CODEMAP);
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
 * looks at the bytes (settleStores in exclusive.ts): here the bit is set before the look at the map, there it is looked at behind the entry in the map.
 */
export function staysBesideCode(phys: u32, bytes: u32): bool {
  if (!hasCode(phys)) return false;
  const map: usize = load<u32>(pageMeta(phys), PAGEMETA_CODEMAP);
  if (!map) return false;
  if (!alone() && !(atomic.load<u32>(ownerOf(map)) & STORES_BESIDE)) atomic.or<u32>(ownerOf(map), STORES_BESIDE);
  return !hitsCode(phys, bytes);
}

/** Whether a CPU may store beside the code of a page without looking. */
export function hasStoresBeside(phys: u32): bool {
  const map: usize = load<u32>(pageMeta(phys), PAGEMETA_CODEMAP);
  return map != 0 && (atomic.load<u32>(ownerOf(map)) & STORES_BESIDE) != 0;
}

/** Nobody does from now on, as all other CPUs are parked. */
export function forgetStoresBeside(phys: u32): void {
  const map: usize = load<u32>(pageMeta(phys), PAGEMETA_CODEMAP);
  if (map) atomic.and<u32>(ownerOf(map), ~STORES_BESIDE);
}

/** Number of a code map that no page with code has: one never used, or that of a page that is data by now; CODE_MAP_COUNT: none. */
function freeMap(): u32 {
  const next = load<u32>(CONTROL, CONTROL_CODEMAPNEXT);
  if (next < CODE_MAP_COUNT) return next;
  for (let k: u32 = 0; k < CODE_MAP_COUNT; k++) {
    const n = (next + k) & (CODE_MAP_COUNT - 1);
    const owner = pageMeta(load<u32>(mapPage(n)) << 12);
    if (atomic.load<u32>(owner, PAGEMETA_FLAGS) & PAGE_HAS_CODE) continue;
    store<u32>(owner, 0, PAGEMETA_CODEMAP);
    return n;
  }
  return CODE_MAP_COUNT;
}

/** Gives a page that is about to get code an empty code map, and takes it as one that does not grow. Only while all other CPUs are parked. */
export function giveMap(phys: u32): void {
  const meta = pageMeta(phys);
  atomic.and<u32>(meta, ~PAGE_GROWS, PAGEMETA_FLAGS);
  let map: usize = load<u32>(meta, PAGEMETA_CODEMAP);
  if (!map) {
    const n = freeMap();
    if (n == CODE_MAP_COUNT) return;
    // Above the count, it is where the next search begins.
    store<u32>(CONTROL, n + 1 < CODE_MAP_COUNT && load<u32>(CONTROL, CONTROL_CODEMAPNEXT) < CODE_MAP_COUNT ? n + 1 : CODE_MAP_COUNT + n + 1, CONTROL_CODEMAPNEXT);
    map = CODE_MAPS + n * CODE_MAP_BYTES;
    store<u32>(meta, u32(map), PAGEMETA_CODEMAP);
  }
  store<u32>(ownerOf(map), phys >>> 12);
  memory.fill(map, 0, CODE_MAP_BYTES);
}

/** `bytes` bytes were stored at `phys`, all in one page of RAM: code there is forgotten, so that whoever decodes it meanwhile either sees the new
 * bytes or is told. */
export function noticeStore(cpu: usize, phys: u32, bytes: u32): void {
  if (!hasCode(phys)) return;
  // The bytes are there before the look at the map: who decodes enters his bytes there first and looks at them afterwards.
  if (!alone()) serialize(cpu);
  if (!hitsCode(phys, bytes)) {
    const flags = pageMeta(phys) + PAGEMETA_FLAGS;
    if (!(atomic.load<u32>(flags) & PAGE_GROWS)) atomic.or<u32>(flags, PAGE_GROWS);
    return;
  }
  store<u32>(cpu, 1, CPU_CODECHANGED);
  hostInvalidateCode(cpu, phys, bytes);
}
