// The TLB: one word for each page of linear space, filled by the page walk, flushed through lists of what was filled.

import { raisePage } from '../base/fault';
import { enterSlow, leaveSlow } from '../engine/costs';
import { Access, Cpu, Cr0, RAM, SlowPath, TLB_CODE_SHIFT, TLB_LIST_ENTRIES, TLB_WATCHED_SHIFT, Tlb } from '../gen/layout';
import { forgetLocalTable, forgetTable, forgetTableAt } from '../segments/table';
import { hasCode } from './codepage';
import { forgetDirect, guardDirect, proveDirect } from './direct-map';
import { errorOf, frameOf, isGuarded, isMapped, physHost, RIGHTS, walk } from './walk';
import { watchedRights } from './watch';

const WRITE_BITS: u32 = Tlb.KERNEL_WRITE | Tlb.USER_WRITE;
/** The rights to write, wherever they stand. */
const ANY_WRITE: u32 = WRITE_BITS | (WRITE_BITS << TLB_WATCHED_SHIFT);

/** What the last fill or resolve found: physical address, host address (0: a device, or a write to ROM), and whether code is there. */
export let foundPhys: u32 = 0;
export let foundHost: usize = 0;
export let foundCode: bool = false;

/** Rights to a page with code: those to write are kept apart, so that every store takes the slow path. */
@inline
function besideCode(rights: u32): u32 {
  return (rights & ~WRITE_BITS) | ((rights & WRITE_BITS) << TLB_CODE_SHIFT);
}

function flushList(cpu: Cpu, list: usize, count: u32): void {
  const tlb: usize = cpu.tlb;
  const end = list + (count << 2);
  while (list < end) {
    store<u32>(tlb + (load<u32>(list) << 2), 0);
    list += 4;
  }
}

/** Forgets all translations that are not global (MOV CR3). */
export function flushNonGlobal(cpu: Cpu): void {
  forgetLocalTable(cpu);
  flushList(cpu, cpu.tlbList, cpu.tlbListCount.plain);
  cpu.tlbListCount.plain = 0;
}

/** Forgets all translations. */
export function flush(cpu: Cpu): void {
  flushTlb(cpu);
  forgetDirect(cpu);
}

/** The same for whoever goes on with paging: what may be relied on is read anew. */
export function flushAndProve(cpu: Cpu): void {
  flush(cpu);
  proveDirect(cpu);
}

function flushTlb(cpu: Cpu): void {
  forgetTable(cpu);
  flushNonGlobal(cpu);
  flushList(cpu, cpu.tlbGlobalList, cpu.tlbGlobalCount.plain);
  cpu.tlbGlobalCount.plain = 0;
  memory.fill(cpu.tlbLarge.address, 0, 128);
}

/** Forgets the translation of one page, and all of a large page that it is in. */
export function tlbInvalidate(cpu: Cpu, linear: u32): void {
  forgetTableAt(cpu, linear);
  const tlb: usize = cpu.tlb;
  const large = linear >>> 27;
  const bit: u32 = 1 << ((linear >>> 22) & 31);
  if (cpu.tlbLarge[large] & bit) {
    memory.fill(tlb + ((linear >>> 22) << 12), 0, 4096);
    cpu.tlbLarge[large] &= ~bit;
  } else {
    store<u32>(tlb + ((linear >>> 12) << 2), 0);
  }
}

/** Takes the rights to write a physical page out of one CPU's TLB. Any thread may call it for any CPU, after it has set the
 * page's PAGE_HAS_CODE: whoever fills the TLB meanwhile sees the flag. */
export function protectPage(cpu: Cpu, physPage: u32): void {
  const host = RAM + (physPage << 12);
  guardDirect(cpu, physPage);
  protectList(cpu, cpu.tlbList, cpu.tlbListCount.load(), host);
  protectList(cpu, cpu.tlbGlobalList, cpu.tlbGlobalCount.load(), host);
}

function protectList(cpu: Cpu, list: usize, count: u32, host: u32): void {
  const tlb: usize = cpu.tlb;
  const end = list + (count << 2);
  for (; list < end; list += 4) {
    const page = load<u32>(list);
    const at = tlb + (page << 2);
    const word = load<u32>(at);
    if (word & ANY_WRITE && (page << 12) + (word & 0xfffff000) == host) {
      if (word & WRITE_BITS) atomic.or<u32>(at, (word & WRITE_BITS) << TLB_CODE_SHIFT);
      atomic.and<u32>(at, ~ANY_WRITE);
    }
  }
}

function remember(cpu: Cpu, page: u32, word: u32): void {
  if (word & Tlb.GLOBAL) {
    let count = cpu.tlbGlobalCount.plain;
    if (count >= TLB_LIST_ENTRIES) {
      flushTlb(cpu);
      count = 0;
    }
    store<u32>(cpu.tlbGlobalList + (count << 2), page);
    cpu.tlbGlobalCount.plain = count + 1;
  } else {
    let count = cpu.tlbListCount.plain;
    if (count >= TLB_LIST_ENTRIES) {
      flushNonGlobal(cpu);
      count = 0;
    }
    store<u32>(cpu.tlbList + (count << 2), page);
    cpu.tlbListCount.plain = count + 1;
  }
}

function insert(cpu: Cpu, linear: u32, host: usize, rights: u32): void {
  if (cpu.watch) rights = watchedRights(cpu, linear, rights);
  const page = linear >>> 12;
  const at: usize = cpu.tlb + (page << 2);
  const old = load<u32>(at);
  // A page that is in the list already need not be listed again; one that became global or local must be in the right list.
  if (old == 0 || (old ^ rights) & Tlb.GLOBAL) remember(cpu, page, rights);
  if (rights & Tlb.LARGE) {
    cpu.tlbLarge[linear >>> 27] |= 1 << ((linear >>> 22) & 31);
  }
  atomic.store<u32>(at, ((<u32>host & 0xfffff000) - (linear & 0xfffff000)) | rights);
}

/** Translates `linear` for `access`, fills the TLB, sets found*. True: #PF was raised. */
export function fill(cpu: Cpu, linear: u32, access: u32): bool {
  cpu.countTlbMisses += 1;
  const since = enterSlow(cpu, SlowPath.TLB_MISS);
  const raised = translated(cpu, linear, access);
  leaveSlow(cpu, SlowPath.TLB_MISS, since);
  return raised;
}

function translated(cpu: Cpu, linear: u32, access: u32): bool {
  let phys = linear;
  let rights = RIGHTS;
  if (cpu.cr0 & Cr0.PG) {
    const found = walk(cpu, linear, access);
    if (!isMapped(found)) {
      raisePage(cpu, linear, errorOf(found));
      return true;
    }
    phys = frameOf(found) | (linear & 0xfff);
    rights = found & 0xfff;
  }
  foundPhys = phys;
  foundCode = false;
  const host = physHost(phys, false);
  foundHost = host;
  if (host == 0) return false;
  if (isGuarded(phys, host)) {
    if (access & Access.WRITE) {
      foundHost = physHost(phys, true);
      foundCode = foundHost != 0 && hasCode(phys);
    }
    insert(cpu, linear, host, rights & ~WRITE_BITS);
    return false;
  }
  if (hasCode(phys)) {
    foundCode = true;
    insert(cpu, linear, host, besideCode(rights));
    return false;
  }
  insert(cpu, linear, host, rights);
  // Somebody may have found code here meanwhile: they set the flag first and look at the TLBs afterwards, we the other way round.
  if (rights & WRITE_BITS && hasCode(phys)) {
    foundCode = true;
    insert(cpu, linear, host, besideCode(rights));
  }
  return false;
}

/** As fill, but asks the TLB first. */
export function resolve(cpu: Cpu, linear: u32, access: u32): bool {
  const word = load<u32>(cpu.tlb + ((linear >>> 12) << 2));
  const bit = (access & Access.WRITE ? Tlb.KERNEL_WRITE : Tlb.KERNEL_READ) << ((access & Access.USER) >>> 1);
  if (!(word & (bit | (bit << TLB_WATCHED_SHIFT)))) {
    if (!(access & Access.WRITE && word & (Tlb.CODE_KERNEL_WRITE << ((access & Access.USER) >>> 1)))) return fill(cpu, linear, access);
    foundHost = linear + (word & 0xfffff000);
    foundPhys = <u32>foundHost - RAM;
    foundCode = hasCode(foundPhys);
    // Its code is gone: it can be written to as any page.
    return foundCode ? false : fill(cpu, linear, access);
  }
  foundHost = linear + (word & 0xfffff000);
  foundPhys = <u32>foundHost - RAM;
  foundCode = false;
  return false;
}
