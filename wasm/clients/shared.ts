// What code asks for clients that note which CPUs use which memory (src/clients/sharing.ts).
import { Cpu, control, DIRECT_START, RAM } from '../gen/layout';
import { directOriginOf } from '../memory/direct-map';

/** Where the page of a linear address is in guest RAM, as an access that was just made left it: in the TLB or the direct map. control.ramBytes: not in RAM, or not known. */
function ramOffsetOf(cpu: Cpu, linear: u32): u32 {
  const word = load<u32>(cpu.tlb + ((linear >>> 12) << 2));
  if (word) return min<u32>(linear + (word & 0xfffff000) - RAM, control.ramBytes);
  const at = linear - directOriginOf(cpu);
  return at < cpu.directBytes ? at + DIRECT_START : control.ramBytes;
}

@inline
function markByte(at: usize, bits: u32): void {
  if ((load<u8>(at) & bits) != bits) atomic.or<u8>(at, <u8>bits);
}

/**
 * Sets bits of the byte of each granule that an access of `bytes` bytes at `linear` touches: of the first, whose byte is at `first`, whatever it is of; of all others where they are in RAM.
 * `marks`: address of the byte of the first granule of RAM. `shift`: of a granule. `lines`: 0, or where a word for each granule takes the linear address. 0.
 */
export function clientMarkRange(cpu: Cpu, first: usize, marks: usize, shift: u32, bits: u32, linear: u32, bytes: u32, lines: usize): u32 {
  markByte(first, bits);
  if (lines) store<u32>(lines + ((first - marks) << 2), linear);
  if (!bytes) return 0;
  let page: u32 = 0;
  let known = false;
  for (let at = ((linear >>> shift) + 1) << shift; at - linear < bytes; at += (<u32>1) << shift) {
    if (!known || !(at & 0xfff)) {
      page = ramOffsetOf(cpu, at & 0xfffff000);
      known = true;
    }
    if (page >= control.ramBytes) continue;
    const index = (page + (at & 0xfff)) >>> shift;
    if (lines && (load<u8>(marks + index) & bits) != bits) store<u32>(lines + (index << 2), at);
    markByte(marks + index, bits);
  }
  return 0;
}
