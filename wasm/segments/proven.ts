// Loads of DS, ES, FS and GS that need no look at all rules (docs/relaxations.md, `segments`): translated code of kernels compares the selector and the eight bytes of its descriptor with
// those of a load that was done in full, and copies what that made of the register. Here is that load, and what such a proof hangs on: where the host has the GDT, which is
// known for as long as a TLB may know it, in protected mode.
import { faulted } from '../base/fault';
import { loadGuest } from '../base/order';
import {
  Cpu,
  CpuArea,
  control,
  Descriptor,
  Mode,
  NO_SELECTOR,
  PROVEN_DESCRIPTORS,
  Relax,
  Seg,
  SegCache,
  SegmentProof,
} from '../gen/layout';
import { STRICT_ORDER } from '../gen/order';
import { baseOf, highOf, isNull, isProtected, limitOf, lowOf } from './descriptor';
import { loadSegment } from './segment';
import { findTable, forgetTable } from './table';

/** Bytes of the GDT that proofs are about. */
const BYTES: u32 = PROVEN_DESCRIPTORS * 8;

/** Whether proofs may be relied on, and where the GDT is is known. */
function mayProve(cpu: Cpu): bool {
  if (!STRICT_ORDER && control.relax & Relax.SEGMENTS) return findTable(cpu);
  forgetTable(cpu);
  return false;
}

/** Whether a register is just what a usual descriptor says: present data that was accessed before and grows upwards. */
function isUsual(s: SegCache, words: u64): bool {
  const high = highOf(words);
  const cares: u32 = Descriptor.PRESENT | Descriptor.NOT_SYSTEM | Descriptor.ACCESSED | Descriptor.CODE | Descriptor.EXPAND_DOWN;
  if ((high & cares) != (Descriptor.PRESENT | Descriptor.NOT_SYSTEM | Descriptor.ACCESSED) || s.access != (high & Descriptor.KEPT))
    return false;
  return s.base == baseOf(lowOf(words), high) && s.limit == limitOf(lowOf(words), high);
}

/** Whether a load that was just done will do the same again, as long as its descriptor is this. */
function isProven(cpu: Cpu, seg: u32, selector: u32, words: u64): bool {
  if (!isProtected(cpu)) return false;
  // No descriptor that a load could find has all bits set, and those of CpuArea.noTable are.
  if (isNull(selector)) return seg >= Seg.FS && words != -1;
  if ((selector | 7) > cpu.gdtLimit || !isUsual(cpu.seg[seg], words)) return false;
  // What left flat code flat is flat.
  return seg >= Seg.FS || (cpu.mode & Mode.FLAT) != 0;
}

/** loadSegment of DS, ES, FS or GS, which also leaves in the selector's SegmentProof what is in the register now. */
export function proveSegment(cpu: Cpu, seg: u32, selector: u32): u32 {
  const again = loadSegment(cpu, seg, selector);
  if (faulted(cpu)) return again;
  const area = changetype<CpuArea>(cpu);
  const n = (selector >>> 3) & (PROVEN_DESCRIPTORS - 1);
  const proof: SegmentProof = seg >= Seg.FS ? area.provenFree[n] : area.provenFlat[n];
  memory.copy(<usize>proof.segment, changetype<usize>(cpu.seg[seg]), SegCache.SIZE);
  proof.selector = NO_SELECTOR;
  if (again || selector & 4 || selector >= BYTES || !mayProve(cpu)) return again;
  const words = loadGuest<u64>(cpu, <usize>cpu.gdtHost + (selector & 0xfff8));
  if (!isProven(cpu, seg, selector, words)) return again;
  proof.selector = selector;
  proof.words = words;
  return again;
}
