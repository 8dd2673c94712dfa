// What code of kernels calls where an access is not in the direct map (direct-map.ts), or not yet known to be: `at` is the linear address less Control.directOrigin. The TLB
// is asked first, then the slow paths of all translated code (access.ts). Code of kernels runs at CPL 0: the rights are the supervisor's.
import { loadGuest, storeGuest } from '../base/order';
import { pagingOn } from '../base/state';
import { Access, Cpu, CpuArea, control, DIRECT_START, RAM, Tlb } from '../gen/layout';
import { readSlow, rmwSlow, writeBeside } from './access';
import { hasCode } from './codepage';
import { directOriginOf } from './direct-map';
import { regionStore128, slowLoad128 } from './memory';
import { resolve } from './tlb';
import { frameOf, isMapped, walk } from './walk';

/** Host address of an access of `bytes` bytes where the TLB has its page with the right `right`; else 0. */
@inline
function probe(cpu: Cpu, linear: u32, bytes: u32, right: u32): usize {
  const word = load<u32>(cpu.tlb + ((linear >>> 12) << 2));
  return word & right && (linear & 0xfff) <= 4096 - bytes ? <usize>(linear + (word & 0xfffff000)) : 0;
}

/** A store was made at `host`: whether others to its page need no look. */
@inline
function learn(cpu: Cpu, at: u32, host: usize): void {
  if (at < cpu.directBytes && at >>> 12 != cpu.directRefused) learnPage(cpu, at, host);
}

/** The same of an access to a linear address, where the TLB gave the supervisor the right to write to `host`. */
export function learnLinear(cpu: Cpu, linear: u32, host: usize): void {
  learn(cpu, linear - directOriginOf(cpu), host);
}

function learnPage(cpu: Cpu, at: u32, host: usize): void {
  const next = (at & 0xfffff000) + 0x1000;
  if (host == RAM + DIRECT_START + at && next < cpu.directBytes && isStorable(cpu, next) && lasts(cpu, at) && lasts(cpu, next)) {
    store<u8>(changetype<CpuArea>(cpu).directStores + (at >>> 12), 1);
  } else {
    cpu.directRefused = at >>> 12;
  }
}

/** Whether the translation of the page at `at` lasts as long as the direct map: MOV CR3 forgets those that are not global, of which the map may have some (the relaxation `holes`). */
function lasts(cpu: Cpu, at: u32): bool {
  if (!pagingOn(cpu)) return true;
  const linear = directOriginOf(cpu) + at;
  const word = load<u32>(cpu.tlb + ((linear >>> 12) << 2));
  return ((word & Tlb.KERNEL_READ ? word : walk(cpu, linear, Access.PEEK)) & Tlb.GLOBAL) != 0;
}

/** Whether this CPU may store to the page at `at`, and its dirty bit is set already. */
function isStorable(cpu: Cpu, at: u32): bool {
  if (hasCode(DIRECT_START + at)) return false;
  const linear = directOriginOf(cpu) + at;
  const word = load<u32>(cpu.tlb + ((linear >>> 12) << 2));
  if (word & Tlb.KERNEL_WRITE) return linear + (word & 0xfffff000) == RAM + DIRECT_START + at;
  if (!pagingOn(cpu)) return true;
  const found = walk(cpu, linear, Access.PEEK);
  return isMapped(found) && frameOf(found) == DIRECT_START + at && (found & Tlb.KERNEL_WRITE) != 0;
}

/** Gives Cpu.fault, as all of these do; what was found is in Cpu.loaded. */
@inline
function loadAt<T>(cpu: Cpu, at: u32, eip: u32): u32 {
  const linear = at + directOriginOf(cpu);
  const host = probe(cpu, linear, <u32>sizeof<T>(), Tlb.KERNEL_READ);
  if (host) {
    store<T>(cpu.loaded, loadGuest<T>(cpu, host));
    return 0;
  }
  cpu.eip = eip;
  store<u64>(cpu.loaded, readSlow(cpu, linear, <u32>sizeof<T>(), 0));
  return cpu.fault;
}

@inline
function storeAt<T>(cpu: Cpu, at: u32, value: T, eip: u32): u32 {
  const linear = at + directOriginOf(cpu);
  const host = probe(cpu, linear, <u32>sizeof<T>(), Tlb.KERNEL_WRITE);
  if (host) {
    storeGuest<T>(cpu, host, value);
    learn(cpu, at, host);
    return 0;
  }
  cpu.eip = eip;
  writeBeside(cpu, linear, <u64>value, <u32>sizeof<T>(), Access.REGION);
  return cpu.fault;
}

/** A load for a read-modify-write: see rmwSlow. */
@inline
function rmwAt<T>(cpu: Cpu, at: u32, eip: u32): u32 {
  const linear = at + directOriginOf(cpu);
  const host = probe(cpu, linear, <u32>sizeof<T>(), Tlb.KERNEL_WRITE);
  if (host) {
    cpu.rmwHost = <u32>host;
    learn(cpu, at, host);
    store<T>(cpu.loaded, loadGuest<T>(cpu, host));
    return 0;
  }
  cpu.eip = eip;
  store<u64>(cpu.loaded, rmwSlow(cpu, linear, <u32>sizeof<T>(), Access.REGION));
  return cpu.fault;
}

export function directLoad8(cpu: Cpu, at: u32, eip: u32): u32 {
  return loadAt<u8>(cpu, at, eip);
}
export function directStore8(cpu: Cpu, at: u32, value: u32, eip: u32): u32 {
  return storeAt<u8>(cpu, at, <u8>value, eip);
}
export function directRmw8(cpu: Cpu, at: u32, eip: u32): u32 {
  return rmwAt<u8>(cpu, at, eip);
}

export function directLoad16(cpu: Cpu, at: u32, eip: u32): u32 {
  return loadAt<u16>(cpu, at, eip);
}
export function directStore16(cpu: Cpu, at: u32, value: u32, eip: u32): u32 {
  return storeAt<u16>(cpu, at, <u16>value, eip);
}
export function directRmw16(cpu: Cpu, at: u32, eip: u32): u32 {
  return rmwAt<u16>(cpu, at, eip);
}

export function directLoad32(cpu: Cpu, at: u32, eip: u32): u32 {
  return loadAt<u32>(cpu, at, eip);
}
export function directStore32(cpu: Cpu, at: u32, value: u32, eip: u32): u32 {
  return storeAt<u32>(cpu, at, value, eip);
}
export function directRmw32(cpu: Cpu, at: u32, eip: u32): u32 {
  return rmwAt<u32>(cpu, at, eip);
}

export function directLoad64(cpu: Cpu, at: u32, eip: u32): u32 {
  return loadAt<u64>(cpu, at, eip);
}
export function directStore64(cpu: Cpu, at: u32, value: u64, eip: u32): u32 {
  return storeAt<u64>(cpu, at, value, eip);
}
export function directRmw64(cpu: Cpu, at: u32, eip: u32): u32 {
  return rmwAt<u64>(cpu, at, eip);
}

export function directLoad128(cpu: Cpu, at: u32, eip: u32): u32 {
  return slowLoad128(cpu, at + directOriginOf(cpu), eip);
}

export function directStore128(cpu: Cpu, at: u32, value: v128, eip: u32): u32 {
  return regionStore128(cpu, at + directOriginOf(cpu), value, eip);
}

/** Whether bytes of the page at `at` are where a direct map has them and may be stored to without a look, for as long as its entry in the TLB holds; where the dirty bit is set that entry is made. */
function isReached(cpu: Cpu, at: u32): bool {
  if (at >= control.ramBytes - DIRECT_START) return false;
  const linear = directOriginOf(cpu) + at;
  const entry: usize = cpu.tlb + ((linear >>> 12) << 2);
  if (!(load<u32>(entry) & Tlb.KERNEL_WRITE) && (!isStorable(cpu, at & 0xfffff000) || resolve(cpu, linear, Access.WRITE))) return false;
  const word = load<u32>(entry);
  return (word & Tlb.KERNEL_WRITE) != 0 && linear + (word & 0xfffff000) == RAM + DIRECT_START + at;
}

/** Whether the `bytes` bytes at `at`, no more than a page, may be loaded and stored without a look until the TLB loses something. */
export function isReach(cpu: Cpu, at: u32, bytes: u32): bool {
  if (!isReached(cpu, at) || !isReached(cpu, at + bytes - 1)) return false;
  learn(cpu, at, RAM + DIRECT_START + at);
  return true;
}
