// The page walk (SDM vol. 3, ch. 4): two-level 32-bit paging with 4 MiB pages, and PAE with 2 MiB pages.
// MAXPHYADDR is 32, so the upper words of PAE entries are reserved but for NX.
import { Access, Cpu, Cr0, Cr4, control, LOW_ROM_BYTES, RAM, ROM, ROM_BYTES, TEXT_MEMORY, Tlb, VIDEO_MEMORY } from '../gen/layout';

const P: u32 = 1;
const RW: u32 = 2;
const US: u32 = 4;
const A: u32 = 0x20;
const D: u32 = 0x40;
const PS: u32 = 0x80;
const G: u32 = 0x100;

const ERROR_P: u32 = 1;
const ERROR_RSVD: u32 = 8;
/** What a walk found is one word: the 4 KiB frame and the Tlb bits that may be cached for it, of which KERNEL_READ is always one. Without that bit it failed, and above it stands
 * the error code. */
@inline
export function isMapped(found: u32): bool {
  return (found & Tlb.KERNEL_READ) != 0;
}

/** The error code of a walk that failed. */
@inline
export function errorOf(found: u32): u32 {
  return found >>> 1;
}

@inline
function failed(error: u32): u32 {
  return error << 1;
}

@inline
export function frameOf(found: u32): u32 {
  return found & 0xfffff000;
}

/** Slot of IA32_EFER in Cpu.msr, and its NXE bit. */
export const MSR_SLOT_EFER: u32 = 0;
export const EFER_NXE: u32 = 0x800;

/** The bits of a TLB word that are rights. */
export const RIGHTS: u32 = Tlb.KERNEL_READ | Tlb.KERNEL_WRITE | Tlb.USER_READ | Tlb.USER_WRITE;

/** Host address of a guest physical address, or 0 where there is neither RAM nor, for reads, ROM. */
export function physHost(phys: u32, write: bool): usize {
  const rom = control.romBytes;
  if (phys < control.ramBytes) {
    if (phys - VIDEO_MEMORY < TEXT_MEMORY - VIDEO_MEMORY) return 0;
    if (rom != 0 && phys < 0x100000) {
      const window: u32 = min<u32>(rom, LOW_ROM_BYTES);
      const into = phys - (0x100000 - window);
      if (into < window) {
        const ram = control.shadowRam & ((write ? 0x100 : 1) << ((phys >>> 14) & 7));
        if (!ram) return write ? 0 : ROM + ROM_BYTES - window + into;
      }
    }
    return RAM + phys;
  }
  if (rom != 0 && phys >= 0 - rom) return write ? 0 : ROM + ROM_BYTES + phys;
  return 0;
}

/** Where reads and writes may go to different places: ROM, and the RAM that may stand in its place below 1 MiB. */
@inline
export function isGuarded(phys: u32, host: usize): bool {
  return host < RAM || (phys - 0xe0000 < 0x20000 && control.romBytes != 0);
}

/** Words of guest physical memory, for page tables; outside RAM and ROM they read as 0. */
export function physLoad32(phys: u32): u32 {
  const host = physHost(phys, false);
  return host == 0 ? 0 : atomic.load<u32>(host);
}

export function physLoad64(phys: u32): u64 {
  const host = physHost(phys, false);
  return host == 0 ? 0 : atomic.load<u64>(host);
}

/** Sets bits of an entry that was read as `old`; false if another CPU changed it meanwhile. */
function mark32(phys: u32, old: u32, bits: u32): bool {
  if ((old & bits) == bits) return true;
  const host = physHost(phys, true);
  return host == 0 || atomic.cmpxchg<u32>(host, old, old | bits) == old;
}

function mark64(phys: u32, old: u64, bits: u32): bool {
  if ((<u32>old & bits) == bits) return true;
  const host = physHost(phys, true);
  return host == 0 || atomic.cmpxchg<u64>(host, old, old | <u64>bits) == old;
}

/** Checks the combined rights of all levels; 0, or what the walk returns. */
@inline
function check(cpu: Cpu, rights: u32, noExec: bool, access: u32, code: u32): u32 {
  if (access & Access.USER && !(rights & US)) return failed(ERROR_P | code);
  if (access & Access.WRITE && !(rights & RW) && (access & Access.USER || cpu.cr0 & Cr0.WP)) {
    return failed(ERROR_P | code);
  }
  if (access & Access.EXEC && noExec) return failed(ERROR_P | code);
  return 0;
}

/** The result: `rights` combined, `leaf` the entry that maps the page, as it is now. */
@inline
function found(cpu: Cpu, frame: u32, rights: u32, leaf: u32, large: u32): u32 {
  let bits = Tlb.KERNEL_READ | large;
  if (rights & US) bits |= Tlb.USER_READ;
  if (leaf & D) {
    if (rights & RW || !(cpu.cr0 & Cr0.WP)) bits |= Tlb.KERNEL_WRITE;
    if ((rights & (US | RW)) == (US | RW)) bits |= Tlb.USER_WRITE;
  }
  if (leaf & G && cpu.cr4 & Cr4.PGE) bits |= Tlb.GLOBAL;
  return frame | bits;
}

function walk32(cpu: Cpu, linear: u32, access: u32): u32 {
  const code = access & (Access.WRITE | Access.USER);
  const set = access & Access.WRITE ? A | D : A;
  while (true) {
    const pdeAt = (cpu.cr3 & 0xfffff000) + ((linear >>> 22) << 2);
    const pde = physLoad32(pdeAt);
    if (!(pde & P)) return failed(code);
    if (pde & PS && cpu.cr4 & Cr4.PSE) {
      // Without PSE-36, bits 21..13 are reserved (SDM vol. 3, table 4-4).
      if (pde & 0x003fe000) return failed(ERROR_P | ERROR_RSVD | code);
      const failure = check(cpu, pde, false, access, code);
      if (failure) return failure;
      if (access & Access.PEEK && !(pde & A)) return failed(0);
      if (!mark32(pdeAt, pde, set)) continue;
      return found(cpu, (pde & 0xffc00000) | (linear & 0x003ff000), pde, pde | set, Tlb.LARGE);
    }
    const pteAt = (pde & 0xfffff000) + (((linear >>> 12) & 0x3ff) << 2);
    const pte = physLoad32(pteAt);
    if (!(pte & P)) return failed(code);
    const rights = pde & pte;
    const failure = check(cpu, rights, false, access, code);
    if (failure) return failure;
    if (access & Access.PEEK && !(rights & A)) return failed(0);
    if (!mark32(pdeAt, pde, A) || !mark32(pteAt, pte, set)) continue;
    return found(cpu, pte & 0xfffff000, rights, pte | set, 0);
  }
}

function walkPae(cpu: Cpu, linear: u32, access: u32): u32 {
  const nxe = (<u32>cpu.msr[MSR_SLOT_EFER] & EFER_NXE) != 0;
  const code = access & (nxe ? Access.WRITE | Access.USER | Access.EXEC : Access.WRITE | Access.USER);
  const reserved: u64 = nxe ? 0x7fffffff00000000 : 0xffffffff00000000;
  const set = access & Access.WRITE ? A | D : A;
  const pdpte = cpu.pdpte[linear >>> 30];
  if (!(<u32>pdpte & P)) return failed(code);
  while (true) {
    const pdeAt = (<u32>pdpte & 0xfffff000) + (((linear >>> 21) & 0x1ff) << 3);
    const pde = physLoad64(pdeAt);
    const pdeLow = <u32>pde;
    if (!(pdeLow & P)) return failed(code);
    if (pde & reserved) return failed(ERROR_P | ERROR_RSVD | code);
    if (pdeLow & PS) {
      if (pdeLow & 0x001fe000) return failed(ERROR_P | ERROR_RSVD | code);
      const failure = check(cpu, pdeLow, <i64>pde < 0, access, code);
      if (failure) return failure;
      if (access & Access.PEEK && !(pdeLow & A)) return failed(0);
      if (!mark64(pdeAt, pde, set)) continue;
      return found(cpu, (pdeLow & 0xffe00000) | (linear & 0x001ff000), pdeLow, pdeLow | set, Tlb.LARGE);
    }
    const pteAt = (pdeLow & 0xfffff000) + (((linear >>> 12) & 0x1ff) << 3);
    const pte = physLoad64(pteAt);
    const pteLow = <u32>pte;
    if (!(pteLow & P)) return failed(code);
    if (pte & reserved) return failed(ERROR_P | ERROR_RSVD | code);
    const rights = pdeLow & pteLow;
    const failure = check(cpu, rights, <i64>(pde | pte) < 0, access, code);
    if (failure) return failure;
    if (access & Access.PEEK && !(rights & A)) return failed(0);
    if (!mark64(pdeAt, pde, A) || !mark64(pteAt, pte, set)) continue;
    return found(cpu, pteLow & 0xfffff000, rights, pteLow | set, 0);
  }
}

/** Translates through the page tables for `access` (see isMapped). Raises nothing. */
export function walk(cpu: Cpu, linear: u32, access: u32): u32 {
  return cpu.cr4 & Cr4.PAE ? walkPae(cpu, linear, access) : walk32(cpu, linear, access);
}

/** What of a fetch is remembered beside its frame. */
export const FRAME_BITS: u32 = Tlb.GLOBAL | Tlb.LARGE;

/** Whether a fetch leads to `frame`, with FRAME_BITS, by what is in memory now. Changes nothing. */
export function fetchesFrom(cpu: Cpu, linear: u32, user: bool, frame: u32): bool {
  const found = walk(cpu, linear, Access.EXEC | Access.PEEK | (user ? Access.USER : 0));
  return isMapped(found) && (found & (0xfffff000 | FRAME_BITS)) == frame;
}

/** What findEntries found: host addresses of the entries that map a page, from the top (0: there is none), and what was in them. */
export let pointerAt: usize = 0;
export let directoryAt: usize = 0;
export let leafAt: usize = 0;
export let pointer: u64 = 0;
export let directory: u64 = 0;
export let leaf: u64 = 0;

/** Finds the entries by which a walk of `linear` goes, without a look at their rights. False: one is not present or not in memory, or a PDPTE register says what memory does not. */
export function findEntries(cpu: Cpu, linear: u32): bool {
  pointerAt = leafAt = 0;
  if (!(cpu.cr4 & Cr4.PAE)) {
    directoryAt = physHost((cpu.cr3 & 0xfffff000) + ((linear >>> 22) << 2), false);
    if (directoryAt == 0) return false;
    directory = atomic.load<u32>(directoryAt);
    if (!(directory & P)) return false;
    if (directory & PS && cpu.cr4 & Cr4.PSE) return true;
    leafAt = physHost((<u32>directory & 0xfffff000) + (((linear >>> 12) & 0x3ff) << 2), false);
    if (leafAt == 0) return false;
    leaf = atomic.load<u32>(leafAt);
    return true;
  }
  pointer = cpu.pdpte[linear >>> 30];
  pointerAt = physHost((cpu.cr3 & 0xffffffe0) + ((linear >>> 30) << 3), false);
  if (pointerAt == 0 || atomic.load<u64>(pointerAt) != pointer) return false;
  directoryAt = physHost((<u32>pointer & 0xfffff000) + (((linear >>> 21) & 0x1ff) << 3), false);
  if (directoryAt == 0) return false;
  directory = atomic.load<u64>(directoryAt);
  if (!(directory & P)) return false;
  if (directory & PS) return true;
  leafAt = physHost((<u32>directory & 0xfffff000) + (((linear >>> 12) & 0x1ff) << 3), false);
  if (leafAt == 0) return false;
  leaf = atomic.load<u64>(leafAt);
  return true;
}

/** What directLeaf gives for a small page that is not as it should be, but not mapped elsewhere either: not present, not used, or not global. */
export const HOLE: u32 = 1;
/** A bit of what it gives besides: code of the page may not be executed. */
export const NO_CODE: u32 = 1 << 31;

/**
 * Whether `linear` is mapped to the physical address `phys`, by a global page that has been used: how many bytes from there to the end of its page, with NO_CODE where it
 * is no code; HOLE; 0: it is not. Changes nothing.
 */
export function directLeaf(cpu: Cpu, linear: u32, phys: u32): u32 {
  if (cpu.cr4 & Cr4.PAE) {
    const reserved: u64 = <u32>cpu.msr[MSR_SLOT_EFER] & EFER_NXE ? 0x7fffffff00000000 : 0xffffffff00000000;
    const pdpte = <u32>cpu.pdpte[linear >>> 30];
    if (!(pdpte & P)) return 0;
    const pde = physLoad64((pdpte & 0xfffff000) + (((linear >>> 21) & 0x1ff) << 3));
    if ((<u32>pde & (P | A)) != (P | A) || (pde & reserved) != 0) return 0;
    const large = noCode(pde);
    if (<u32>pde & PS) return directPage(<u32>pde, linear, phys, 0x1fffff) | large;
    const pte = physLoad64((<u32>pde & 0xfffff000) + (((linear >>> 12) & 0x1ff) << 3));
    return <u32>pte & P && (pte & reserved) != 0 ? 0 : directPage(<u32>pte, linear, phys, 0xfff) | large | noCode(pte);
  }
  const pde = physLoad32((cpu.cr3 & 0xfffff000) + ((linear >>> 22) << 2));
  if ((pde & (P | A)) != (P | A)) return 0;
  if (pde & PS && cpu.cr4 & Cr4.PSE) return directPage(pde, linear, phys, 0x3fffff);
  return directPage(physLoad32((pde & 0xfffff000) + (((linear >>> 12) & 0x3ff) << 2)), linear, phys, 0xfff);
}

/** The NX bit of an entry as NO_CODE. */
@inline
function noCode(entry: u64): u32 {
  return <u32>(entry >>> 32) & NO_CODE;
}

@inline
function directPage(leaf: u32, linear: u32, phys: u32, mask: u32): u32 {
  if (!(leaf & P)) return HOLE;
  const frame = leaf & ~mask & 0xfffff000;
  // Of a large page: bits that are reserved.
  const reserved = leaf & mask & 0xffffe000;
  if (reserved || (frame | (linear & mask)) != phys) return 0;
  if ((leaf & (A | G)) != (A | G)) return mask == 0xfff ? HOLE : 0;
  return mask + 1 - (linear & mask);
}

/** Loads the four PDPTE registers from `cr3` (SDM vol. 3, 4.4.1). False, and nothing loaded, if one has a reserved bit set. */
export function loadPdptes(cpu: Cpu, cr3: u32): bool {
  const table = cr3 & 0xffffffe0;
  for (let i: u32 = 0; i < 4; i++) {
    const entry = physLoad64(table + (i << 3));
    if (<u32>entry & P && entry & 0xffffffff000001e6) return false;
  }
  for (let i: u32 = 0; i < 4; i++) cpu.pdpte[i] = physLoad64(table + (i << 3));
  return true;
}
