// The kernel's direct map: a stretch of linear addresses that is RAM at a constant distance, from DIRECT_START on (docs/relaxations.md). Code of kernels
// loads and stores there without a look into the TLB. What is relied on is what a TLB of any size may hold: translations of global pages that have been read from the
// page tables, of entries with the accessed bit set. They are read when all translations were forgotten (`proveDirect`), and hold until INVLPG or the
// next time that all are: stores to page tables need no watching. The right to store is learned page by page, from the TLB (direct-access.ts), as the dirty bit is the
// walk's to set.
import { pagingOn } from '../base/state';
import { Access, Cpu, CpuArea, Cr4, control, DIRECT_MOST, DIRECT_START, PAGE, Relax, Watch } from '../gen/layout';
import { directLeaf, frameOf, HOLE, isMapped, NO_CODE, walk } from './walk';

/** The least that is worth it. */
const LEAST: u32 = 512 << 20;
/** A physical address by which a direct map is looked for. */
const PROBED: u32 = 4 << 20;
const LARGE: u32 = 4 << 20;
/** Single pages that a direct map may lack (Relax.HOLES). */
const MOST_HOLES: u32 = 4096;

@inline
function stores(cpu: Cpu): usize {
  return changetype<CpuArea>(cpu).directStores;
}

/** This CPU relies on nothing. */
export function forgetDirect(cpu: Cpu): void {
  if (!cpu.directBytes) return;
  cpu.directBytes = 0;
  cpu.codeBytes = 0;
  memory.fill(stores(cpu), 0, control.ramBytes >>> 12);
}

/** Stores to a physical page need a look from now on. Called for any CPU, which is parked or the caller. */
export function guardDirect(cpu: Cpu, physPage: u32): void {
  if (physPage < DIRECT_START >>> 12) return;
  const at = stores(cpu) + physPage - (DIRECT_START >>> 12);
  store<u8>(at, 0);
  if (physPage > DIRECT_START >>> 12) store<u8>(at - 1, 0);
}

/** Bytes from `origin` on that are mapped as a direct map must be, and end so. The longest stretch of them that is code is Cpu.codeFrom and Cpu.codeBytes then. */
function extent(cpu: Cpu, origin: u32): u32 {
  const most = control.ramBytes - DIRECT_START;
  let holes: u32 = control.relax & Relax.HOLES ? MOST_HOLES : 0;
  let bytes: u32 = 0;
  let good: u32 = 0;
  let code: u32 = 0;
  cpu.codeBytes = 0;
  while (bytes < most) {
    const linear = origin + bytes;
    if (linear < origin) break;
    const leaf = directLeaf(cpu, linear, DIRECT_START + bytes);
    const length = leaf & ~NO_CODE;
    if (length == HOLE && holes) {
      holes--;
      bytes += PAGE;
      code = bytes;
      continue;
    }
    if (length <= HOLE) break;
    bytes += length;
    good = bytes;
    if (leaf & NO_CODE) code = bytes;
    else if (bytes - code > cpu.codeBytes) {
      cpu.codeFrom = origin + code;
      cpu.codeBytes = bytes - code;
    }
  }
  return min<u32>(good, most);
}

/** The same without paging. */
function allOfRam(cpu: Cpu): u32 {
  const ram = control.ramBytes;
  const bytes: u32 = ram > DIRECT_START ? ram - DIRECT_START : 0;
  cpu.codeFrom = DIRECT_START;
  cpu.codeBytes = bytes;
  return bytes;
}

/** The highest origin of a direct map that has most of the RAM, as a kernel's half has; 0: there is none. */
function findOrigin(cpu: Cpu): u32 {
  const ram = control.ramBytes;
  if (ram < 2 * PROBED) return 0;
  const enough = min<u32>(ram, LEAST) >>> 1;
  for (let linear: u32 = -LARGE; linear >= PROBED; linear -= LARGE) {
    const found = walk(cpu, linear, Access.PEEK);
    if (!isMapped(found) || frameOf(found) != PROBED) continue;
    const origin = linear - PROBED + DIRECT_START;
    if (extent(cpu, origin) >= enough) return origin;
  }
  return 0;
}

/** Where this CPU's direct map begins, or would. Without paging all of the RAM is one. */
@inline
export function directOriginOf(cpu: Cpu): u32 {
  return pagingOn(cpu) ? control.directOrigin : DIRECT_START;
}

/** Whether a linear address is one of RAM in the kernel's direct map, or would be if that were all there. */
export function isDirect(cpu: Cpu, linear: u32): bool {
  const origin = directOriginOf(cpu);
  return origin != 0 && linear - origin < control.ramBytes - DIRECT_START;
}

/** Whether the state of the CPU is such that translations may be kept over MOV CR3 and used without a look. */
@inline
function mayRely(cpu: Cpu): bool {
  return (control.relax & Relax.DIRECTMAP) != 0 && (!pagingOn(cpu) || (cpu.cr4 & Cr4.PGE) != 0) && !(cpu.watch & Watch.DATA);
}

/** Whether code may be relied on where it was seen: not while a breakpoint may stand in it. */
@inline
function mayRelyOnCode(cpu: Cpu): bool {
  return (control.relax & Relax.CACHE) != 0 && !(cpu.watch & Watch.CODE);
}

/** Reads from the page tables what this CPU may rely on, after all translations were forgotten. */
export function proveDirect(cpu: Cpu): void {
  forgetDirect(cpu);
  cpu.relaxSeen = control.relax;
  if (!mayRely(cpu)) return;
  let origin = directOriginOf(cpu);
  if (!origin) {
    origin = findOrigin(cpu);
    if (!origin) return;
    control.directOrigin = origin;
  }
  const bytes = pagingOn(cpu) ? extent(cpu, origin) : allOfRam(cpu);
  cpu.directBytes = bytes < DIRECT_MOST ? 0 : bytes - (DIRECT_MOST - 1);
  if (!cpu.directBytes || !mayRelyOnCode(cpu)) cpu.codeBytes = 0;
  cpu.directRefused = -1;
}

/** At MOV CR3, where this CPU has none: looks again after one, two, four times and so on. */
export function proveDirectSeldom(cpu: Cpu): void {
  if (!mayRely(cpu)) return;
  const tries = cpu.directTries + 1;
  cpu.directTries = tries;
  if (!(tries & (tries - 1))) proveDirect(cpu);
}

/** INVLPG: what is in the direct map is read again. */
export function invalidateDirect(cpu: Cpu, linear: u32): void {
  if (cpu.directBytes && pagingOn(cpu) && linear - control.directOrigin < cpu.directBytes + PAGE) proveDirect(cpu);
}
