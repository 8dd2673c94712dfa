// What code of kernels calls where an access is not in the direct map (direct-map.ts), or not yet known to be: `at` is the linear address less Control.directOrigin. The TLB
// is asked first, then the slow paths of all translated code (memory.ts). Code of kernels runs at CPL 0: the rights are the supervisor's.
import { loadGuest, storeGuest } from '../base/order';
import { Access, Cpu, CpuArea, control, DIRECT_START, RAM, Tlb } from '../gen/layout';
import { hasCode } from './codepage';
import {
  regionRmw8,
  regionRmw16,
  regionRmw32,
  regionRmw64,
  regionStore8,
  regionStore16,
  regionStore32,
  regionStore64,
  regionStore128,
  slowLoad8,
  slowLoad16,
  slowLoad32,
  slowLoad64,
  slowLoad128,
} from './memory';
import { frameOf, isMapped, walk } from './walk';

/** Host address of an access of `bytes` bytes where the TLB has its page with the right `right`; else 0. */
@inline
function probe(cpu: Cpu, linear: u32, bytes: u32, right: u32): usize {
  const word = load<u32>(cpu.tlb + ((linear >>> 12) << 2));
  return word & right && (linear & 0xfff) <= 4096 - bytes ? linear + (word & 0xfffff000) : 0;
}

/** A store was made at `host`: whether others to its page need no look. */
@inline
function learn(cpu: Cpu, at: u32, host: usize): void {
  if (at < cpu.directBytes && at >>> 12 != cpu.directRefused) learnPage(cpu, at, host);
}

/** The same of an access to a linear address, where the TLB gave the supervisor the right to write to `host`. */
export function learnLinear(cpu: Cpu, linear: u32, host: usize): void {
  learn(cpu, linear - control.directOrigin, host);
}

function learnPage(cpu: Cpu, at: u32, host: usize): void {
  const next = (at & 0xfffff000) + 0x1000;
  if (host == RAM + DIRECT_START + at && next < cpu.directBytes && isStorable(cpu, next)) {
    store<u8>(changetype<CpuArea>(cpu).directStores + (at >>> 12), 1);
  } else {
    cpu.directRefused = at >>> 12;
  }
}

/** Whether this CPU may store to the page at `at`, and its dirty bit is set already. */
function isStorable(cpu: Cpu, at: u32): bool {
  if (hasCode(DIRECT_START + at)) return false;
  const linear = control.directOrigin + at;
  const word = load<u32>(cpu.tlb + ((linear >>> 12) << 2));
  if (word & Tlb.KERNEL_WRITE) return linear + (word & 0xfffff000) == RAM + DIRECT_START + at;
  const found = walk(cpu, linear, Access.PEEK);
  return isMapped(found) && frameOf(found) == DIRECT_START + at && (found & Tlb.KERNEL_WRITE) != 0;
}

export function directLoad8(cpu: Cpu, at: u32, eip: u32): u32 {
  const linear = at + control.directOrigin;
  const host = probe(cpu, linear, 1, Tlb.KERNEL_READ);
  return host ? loadGuest<u8>(cpu, host) : slowLoad8(cpu, linear, eip);
}

export function directStore8(cpu: Cpu, at: u32, value: u32, eip: u32): void {
  const linear = at + control.directOrigin;
  const host = probe(cpu, linear, 1, Tlb.KERNEL_WRITE);
  if (!host) {
    regionStore8(cpu, linear, value, eip);
    return;
  }
  storeGuest<u8>(cpu, host, <u8>value);
  learn(cpu, at, host);
}

/** A load for a read-modify-write: see regionRmw8. */
export function directRmw8(cpu: Cpu, at: u32, eip: u32): u32 {
  const linear = at + control.directOrigin;
  const host = probe(cpu, linear, 1, Tlb.KERNEL_WRITE);
  if (!host) return regionRmw8(cpu, linear, eip);
  cpu.rmwHost = <u32>host;
  learn(cpu, at, host);
  return loadGuest<u8>(cpu, host);
}

export function directLoad16(cpu: Cpu, at: u32, eip: u32): u32 {
  const linear = at + control.directOrigin;
  const host = probe(cpu, linear, 2, Tlb.KERNEL_READ);
  return host ? loadGuest<u16>(cpu, host) : slowLoad16(cpu, linear, eip);
}

export function directStore16(cpu: Cpu, at: u32, value: u32, eip: u32): void {
  const linear = at + control.directOrigin;
  const host = probe(cpu, linear, 2, Tlb.KERNEL_WRITE);
  if (!host) {
    regionStore16(cpu, linear, value, eip);
    return;
  }
  storeGuest<u16>(cpu, host, <u16>value);
  learn(cpu, at, host);
}

/** A load for a read-modify-write: see regionRmw16. */
export function directRmw16(cpu: Cpu, at: u32, eip: u32): u32 {
  const linear = at + control.directOrigin;
  const host = probe(cpu, linear, 2, Tlb.KERNEL_WRITE);
  if (!host) return regionRmw16(cpu, linear, eip);
  cpu.rmwHost = <u32>host;
  learn(cpu, at, host);
  return loadGuest<u16>(cpu, host);
}

export function directLoad32(cpu: Cpu, at: u32, eip: u32): u32 {
  const linear = at + control.directOrigin;
  const host = probe(cpu, linear, 4, Tlb.KERNEL_READ);
  return host ? loadGuest<u32>(cpu, host) : slowLoad32(cpu, linear, eip);
}

export function directStore32(cpu: Cpu, at: u32, value: u32, eip: u32): void {
  const linear = at + control.directOrigin;
  const host = probe(cpu, linear, 4, Tlb.KERNEL_WRITE);
  if (!host) {
    regionStore32(cpu, linear, value, eip);
    return;
  }
  storeGuest<u32>(cpu, host, value);
  learn(cpu, at, host);
}

/** A load for a read-modify-write: see regionRmw32. */
export function directRmw32(cpu: Cpu, at: u32, eip: u32): u32 {
  const linear = at + control.directOrigin;
  const host = probe(cpu, linear, 4, Tlb.KERNEL_WRITE);
  if (!host) return regionRmw32(cpu, linear, eip);
  cpu.rmwHost = <u32>host;
  learn(cpu, at, host);
  return loadGuest<u32>(cpu, host);
}

export function directLoad64(cpu: Cpu, at: u32, eip: u32): u64 {
  const linear = at + control.directOrigin;
  const host = probe(cpu, linear, 8, Tlb.KERNEL_READ);
  return host ? loadGuest<u64>(cpu, host) : slowLoad64(cpu, linear, eip);
}

export function directStore64(cpu: Cpu, at: u32, value: u64, eip: u32): void {
  const linear = at + control.directOrigin;
  const host = probe(cpu, linear, 8, Tlb.KERNEL_WRITE);
  if (!host) {
    regionStore64(cpu, linear, value, eip);
    return;
  }
  storeGuest<u64>(cpu, host, value);
  learn(cpu, at, host);
}

/** A load for a read-modify-write: see regionRmw64. */
export function directRmw64(cpu: Cpu, at: u32, eip: u32): u64 {
  const linear = at + control.directOrigin;
  const host = probe(cpu, linear, 8, Tlb.KERNEL_WRITE);
  if (!host) return regionRmw64(cpu, linear, eip);
  cpu.rmwHost = <u32>host;
  learn(cpu, at, host);
  return loadGuest<u64>(cpu, host);
}

export function directLoad128(cpu: Cpu, at: u32, eip: u32): v128 {
  return slowLoad128(cpu, at + control.directOrigin, eip);
}

export function directStore128(cpu: Cpu, at: u32, value: v128, eip: u32): void {
  regionStore128(cpu, at + control.directOrigin, value, eip);
}
