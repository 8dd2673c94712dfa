// Stores to pages with code: which of them hit code, and who is told. The other half, and why it is right, is in src/cache/code-map.ts.
import {
  CODE_GRANULE, CONTROL, CONTROL_CPUCOUNT, CONTROL_LOCKSTEP, CONTROL_PAGEMETA, CPU_CODECHANGED, PAGEMETA_CODEMAP, PAGEMETA_FLAGS, PAGEMETA_SIZE, PAGE_HAS_CODE,
} from './gen/layout';
import { hostInvalidateCode } from './host';
import { serialize } from './state';

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

/** The code map's word for a granule, and its bit. */
@inline
function mapWord(map: usize, granule: u32): usize {
  return map + ((granule >>> 5) << 2);
}

/** Whether `bytes` bytes at `phys`, all in one page that has code, touch what some CPU may hold code of. */
export function hitsCode(phys: u32, bytes: u32): bool {
  const map = pageMeta(phys) + PAGEMETA_CODEMAP;
  const last = ((phys & 0xfff) + bytes - 1) / CODE_GRANULE;
  for (let granule = (phys & 0xfff) / CODE_GRANULE; granule <= last; granule++) {
    const word = atomic.load<u32>(mapWord(map, granule));
    if (word >>> (granule & 31) & 1) return true;
    if (word == 0) granule |= 31;
  }
  return false;
}

/** Enters `bytes` bytes at `phys`, all in one page that has code, in its code map. */
export function enterCode(phys: u32, bytes: u32): void {
  const map = pageMeta(phys) + PAGEMETA_CODEMAP;
  const last = ((phys & 0xfff) + bytes - 1) / CODE_GRANULE;
  for (let granule = (phys & 0xfff) / CODE_GRANULE; granule <= last; granule++) atomic.or<u32>(mapWord(map, granule), 1 << (granule & 31));
}

/** `bytes` bytes were stored at `phys`, all in one page of RAM: code there is forgotten, so that whoever decodes it meanwhile either sees the new
 * bytes or is told. */
export function noticeStore(cpu: usize, phys: u32, bytes: u32): void {
  if (!hasCode(phys)) return;
  // The bytes are there before the look at the map: who decodes enters his bytes there first and looks at them afterwards.
  if (!alone()) serialize(cpu);
  if (!hitsCode(phys, bytes)) return;
  store<u32>(cpu, 1, CPU_CODECHANGED);
  hostInvalidateCode(cpu, phys, bytes);
}
