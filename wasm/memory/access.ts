// Guest memory behind the TLB: what every load and store of the runtime and every slow path of translated code ends in.
// Handles TLB misses, accesses that cross a page, devices, ROM, and pages that hold code.

import { loadGuest, storeGuest } from '../base/order';
import { userAccess } from '../base/state';
import { hostMmioRead, hostMmioWrite } from '../gen/host';
import { Access, Cpu, FAULT_BAIL, LAPIC_BASE, LAPIC_EOI, RAM, TLB_WATCHED_SHIFT, Tlb } from '../gen/layout';
import { endInterrupt, lapicWord } from '../system/lapic';
import { hitsCode, isBesideCode, noticeStore, onlyCpu, staysBesideCode } from './codepage';
import { foundCode, foundHost, foundPhys, resolve } from './tlb';
import { physHost } from './walk';
import { watchAccess, watchProbe } from './watch';

@inline
function readHost(cpu: Cpu, host: usize, bytes: u32): u64 {
  if (bytes == 4) return loadGuest<u32>(cpu, host);
  if (bytes == 1) return loadGuest<u8>(cpu, host);
  return bytes == 2 ? loadGuest<u16>(cpu, host) : loadGuest<u64>(cpu, host);
}

@inline
function writeHost(cpu: Cpu, host: usize, bytes: u32, value: u64): void {
  if (bytes == 4) storeGuest<u32>(cpu, host, <u32>value);
  else if (bytes == 1) storeGuest<u8>(cpu, host, <u8>value);
  else if (bytes == 2) storeGuest<u16>(cpu, host, <u16>value);
  else storeGuest<u64>(cpu, host, value);
}

/** Reads 1, 2, 4 or 8 bytes that do not cross a page. */
function readAt(cpu: Cpu, host: usize, phys: u32, bytes: u32): u64 {
  if (host) return readHost(cpu, host, bytes);
  if (bytes == 4 && (phys & 0xfffff00f) == LAPIC_BASE) {
    const word = lapicWord(cpu, phys);
    if (word) return atomic.load<u32>(word);
  }
  if (bytes <= 4) return hostMmioRead(cpu, phys, bytes) & (<u32>0xffffffff >>> (32 - (bytes << 3)));
  const low: u64 = hostMmioRead(cpu, phys, 4);
  return low | ((<u64>hostMmioRead(cpu, phys + 4, 4)) << 32);
}

/** Writes 1, 2, 4 or 8 bytes that do not cross a page. */
function writeAt(cpu: Cpu, host: usize, phys: u32, bytes: u32, value: u64): void {
  if (host) {
    writeHost(cpu, host, bytes, value);
    noticeStore(cpu, phys, bytes);
    return;
  }
  if (physHost(phys, false) != 0) return; // ROM
  if (bytes == 4 && phys == LAPIC_BASE + LAPIC_EOI && endInterrupt(cpu)) return;
  if (bytes <= 4) {
    hostMmioWrite(cpu, phys, bytes, <u32>value & (<u32>0xffffffff >>> (32 - (bytes << 3))));
    return;
  }
  hostMmioWrite(cpu, phys, 4, <u32>value);
  hostMmioWrite(cpu, phys + 4, 4, <u32>(value >> 32));
}

/** Host address of an access in a page that has data breakpoints, but not between them: all that matters of the slow paths, at little cost. 0: ask them. */
@inline
function besideBreakpoints(cpu: Cpu, linear: u32, bytes: u32, access: u32): usize {
  const word = load<u32>(cpu.tlb + ((linear >>> 12) << 2));
  const right = (access & Access.WRITE ? Tlb.KERNEL_WRITE : Tlb.KERNEL_READ) << (TLB_WATCHED_SHIFT + ((access & Access.USER) >>> 1));
  const past = bytes - 1;
  if (!(word & right) || (linear & 0xfff) + past > 0xfff) return 0;
  return <u64>(linear + past - cpu.watchFirst) < cpu.watchBytes + past ? 0 : linear + (word & 0xfffff000);
}

/** Host address of `bytes` bytes in a page with code, where this CPU may store but for that code; 0: ask the slow paths. A page with data breakpoints, or whose accesses must be
 * aligned, has neither of the two rights here. */
@inline
function hostInCodePage(cpu: Cpu, linear: u32, bytes: u32, access: u32): usize {
  const word = load<u32>(cpu.tlb + ((linear >>> 12) << 2));
  const rights: u32 = (Tlb.KERNEL_READ | Tlb.CODE_KERNEL_WRITE) << ((access & Access.USER) >>> 1);
  return (word & rights) != rights || (linear & 0xfff) + bytes > 4096 ? 0 : linear + (word & 0xfffff000);
}

/** The same where the bytes are beside all code: all that matters of the slow paths, at little cost. */
@inline
function besideCode(cpu: Cpu, linear: u32, bytes: u32, access: u32): usize {
  const host = hostInCodePage(cpu, linear, bytes, access);
  return host && isBesideCode(<u32>host - RAM, bytes) ? host : 0;
}

/** Host address of `bytes` bytes in a page with code, which this CPU may write to until its next poll, as none of them is code until then; else 0. */
export function hostBesideCode(cpu: Cpu, linear: u32, bytes: u32): usize {
  const host = hostInCodePage(cpu, linear, bytes, userAccess(cpu));
  return host && staysBesideCode(<u32>host - RAM, bytes) ? host : 0;
}

/** readSlow without the short way. */
export function readLong(cpu: Cpu, linear: u32, bytes: u32, access: u32): u64 {
  const rights = access & (Access.USER | Access.WRITE);
  const first: u32 = 4096 - (linear & 0xfff);
  if (first >= bytes) {
    if (resolve(cpu, linear, rights)) return 0;
    if (cpu.watch && watchAccess(cpu, linear, bytes, access)) return 0;
    return readAt(cpu, foundHost, foundPhys, bytes);
  }
  if (resolve(cpu, linear, rights)) return 0;
  const host1 = foundHost;
  const phys1 = foundPhys;
  if (resolve(cpu, linear + first, rights)) return 0;
  const host2 = foundHost;
  const phys2 = foundPhys;
  if (cpu.watch && watchAccess(cpu, linear, bytes, access)) return 0;
  let value: u64 = 0;
  for (let i: u32 = 0; i < bytes; i++) {
    const byte =
      i < first ? readAt(cpu, host1 ? host1 + i : 0, phys1 + i, 1) : readAt(cpu, host2 ? host2 + (i - first) : 0, phys2 + (i - first), 1);
    value |= byte << (i << 3);
  }
  return value;
}

/** writeSlow without the short way. */
export function writeLong(cpu: Cpu, linear: u32, value: u64, bytes: u32, access: u32): void {
  const rights = (access & Access.USER) | Access.WRITE;
  const first: u32 = 4096 - (linear & 0xfff);
  if (resolve(cpu, linear, rights)) return;
  let code = foundCode && hitsCode(foundPhys, min(first, bytes));
  const host1 = foundHost;
  const phys1 = foundPhys;
  let host2: usize = 0;
  let phys2: u32 = 0;
  if (first < bytes) {
    if (resolve(cpu, linear + first, rights)) return;
    code = code || (foundCode && hitsCode(foundPhys, bytes - first));
    host2 = foundHost;
    phys2 = foundPhys;
  }
  if (code && access & Access.REGION) {
    cpu.fault = FAULT_BAIL;
    return;
  }
  if (cpu.watch && watchAccess(cpu, linear, bytes, rights | (access & Access.TABLE))) return;
  if (first >= bytes) {
    writeAt(cpu, host1, phys1, bytes, value);
    return;
  }
  for (let i: u32 = 0; i < bytes; i++) {
    const byte = value >> (i << 3);
    if (i < first) writeAt(cpu, host1 ? host1 + i : 0, phys1 + i, 1, byte);
    else writeAt(cpu, host2 ? host2 + (i - first) : 0, phys2 + (i - first), 1, byte);
  }
}

/** A load of 1, 2, 4 or 8 bytes. 0 with Cpu.fault set on a fault. */
@inline
export function readSlow(cpu: Cpu, linear: u32, bytes: u32, access: u32): u64 {
  const beside = besideBreakpoints(cpu, linear, bytes, access);
  return beside ? readHost(cpu, beside, bytes) : readLong(cpu, linear, bytes, access);
}

/** A store of 1, 2, 4 or 8 bytes. With Access.REGION, code is left alone and Cpu.fault is FAULT_BAIL. */
@inline
export function writeSlow(cpu: Cpu, linear: u32, value: u64, bytes: u32, access: u32): void {
  const beside = besideBreakpoints(cpu, linear, bytes, access | Access.WRITE);
  if (beside) writeHost(cpu, beside, bytes, value);
  else writeLong(cpu, linear, value, bytes, access);
}

/** A store of translated code, which found that it is none for the fast path. */
@inline
export function writeBeside(cpu: Cpu, linear: u32, value: u64, bytes: u32, access: u32): void {
  const beside = besideCode(cpu, linear, bytes, access);
  if (!beside) {
    writeSlow(cpu, linear, value, bytes, access);
    return;
  }
  writeHost(cpu, beside, bytes, value);
  // What was seen of the map holds where nobody else can have entered anything.
  if (!onlyCpu()) noticeStore(cpu, <u32>beside - RAM, bytes);
}

/** Checks that all of [linear, linear + bytes), at most a page, may be accessed, and can be without a stop in the middle. True: a fault was raised. */
export function probe(cpu: Cpu, linear: u32, bytes: u32, access: u32): bool {
  if (resolve(cpu, linear, access & (Access.USER | Access.WRITE))) return true;
  const first: u32 = 4096 - (linear & 0xfff);
  let code = foundCode && hitsCode(foundPhys, min(first, bytes));
  if (first < bytes) {
    if (resolve(cpu, linear + first, access & (Access.USER | Access.WRITE))) return true;
    code = code || (foundCode && hitsCode(foundPhys, bytes - first));
  }
  if (code && access & Access.REGION) {
    cpu.fault = FAULT_BAIL;
    return true;
  }
  return cpu.watch != 0 && watchProbe(cpu, linear, bytes, access);
}

/** A load for a read-modify-write: the store that follows cannot fault. Where Cpu.rmwHost is not 0 it may be made there. */
@inline
export function rmwSlow(cpu: Cpu, linear: u32, bytes: u32, access: u32): u64 {
  let host = besideCode(cpu, linear, bytes, access);
  if (host) {
    // Another CPU may enter this code in the map before the store is made.
    cpu.rmwHost = onlyCpu() ? <u32>host : 0;
    return readHost(cpu, host, bytes);
  }
  host = besideBreakpoints(cpu, linear, bytes, access | Access.WRITE);
  cpu.rmwHost = <u32>host;
  if (host) return readHost(cpu, host, bytes);
  return probe(cpu, linear, bytes, access | Access.WRITE) ? 0 : readSlow(cpu, linear, bytes, access);
}

/** A load with the TLB probe inline. `user` is Access.USER or 0. */
@inline
export function readAs<T>(cpu: Cpu, linear: u32, user: u32): T {
  const word = load<u32>(cpu.tlb + ((linear >>> 12) << 2));
  if (word & (Tlb.KERNEL_READ << (user >>> 1)) && (linear & 0xfff) <= <u32>(4096 - sizeof<T>())) {
    return loadGuest<T>(cpu, linear + (word & 0xfffff000));
  }
  return <T>readLong(cpu, linear, <u32>sizeof<T>(), user);
}

/** The processor's own load from a table. */
@inline
export function readTable<T>(cpu: Cpu, linear: u32): T {
  const word = load<u32>(cpu.tlb + ((linear >>> 12) << 2));
  if (word & Tlb.KERNEL_READ && (linear & 0xfff) <= <u32>(4096 - sizeof<T>())) return loadGuest<T>(cpu, linear + (word & 0xfffff000));
  return <T>readLong(cpu, linear, <u32>sizeof<T>(), Access.TABLE);
}

/** The processor's own store to a table. */
@inline
export function writeTable<T>(cpu: Cpu, linear: u32, value: T): void {
  const word = load<u32>(cpu.tlb + ((linear >>> 12) << 2));
  if (word & Tlb.KERNEL_WRITE && (linear & 0xfff) <= <u32>(4096 - sizeof<T>())) storeGuest<T>(cpu, linear + (word & 0xfffff000), value);
  else writeLong(cpu, linear, <u64>value, <u32>sizeof<T>(), Access.TABLE);
}

/** A store with the TLB probe inline. */
@inline
export function writeAs<T>(cpu: Cpu, linear: u32, value: T, user: u32): void {
  const word = load<u32>(cpu.tlb + ((linear >>> 12) << 2));
  if (word & (Tlb.KERNEL_WRITE << (user >>> 1)) && (linear & 0xfff) <= <u32>(4096 - sizeof<T>())) {
    storeGuest<T>(cpu, linear + (word & 0xfffff000), value);
    return;
  }
  writeLong(cpu, linear, <u64>value, <u32>sizeof<T>(), user);
}
