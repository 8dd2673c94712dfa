// Code without a place (src/layout/cpu.ts, `floats`): where its page is says Cpu.codePage, which whoever goes to code on another page sets. The dispatcher and regions do so inline
// (src/emit/lower/places.ts).
import { BlockHead, Cpu, MANY_PLACES, Mode } from '../gen/layout';

/** Of an EIP the part that code is known by: its offset in the page where code of the mode floats, else all of it. */
@inline
export function ownMask(mode: u32): u32 {
  // Mode.USER is the bit above Mode.FLAT, Mode.PLACED four above that.
  return ((mode & (mode >>> 1) & ~(mode >>> 5) & Mode.FLAT) << 11) - 1;
}

/** The CPU goes on at Cpu.eip. */
@inline
export function enterPage(cpu: Cpu): void {
  cpu.codePage = cpu.eip & ~ownMask(cpu.mode);
}

/** A jump cache is about to know a block by Cpu.eip. */
@inline
export function notePlace(cpu: Cpu, head: BlockHead): void {
  const eip = cpu.eip;
  if (head.place != eip || !eip) head.place = head.place || !eip ? MANY_PLACES : eip;
}
