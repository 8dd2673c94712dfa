// Interrupts that a CPU cannot take yet (SDM vol. 3, 6.7.1, 6.8.1) are held in the upper half of Cpu.pending: polls look at the lower half alone, so
// what waits for STI costs one poll and not all of them. Both halves are one word: a device that withdraws its interrupt clears it in both at once.
import { Cpu, Eflags, PENDING_HELD_SHIFT, Pending } from '../gen/layout';

/** The half that polls look at. */
export const POLLED: u32 = (1 << PENDING_HELD_SHIFT) - 1;

/** What a safe point has to look at: bits of Pending. */
@inline
export function polled(cpu: Cpu): u32 {
  return cpu.pending.load() & POLLED;
}

/** Moves those of `bits` that are pending out of the polls' sight. */
export function hold(cpu: Cpu, bits: u32): void {
  while (true) {
    const word = cpu.pending.load();
    const moved = word & bits;
    if (cpu.pending.compareExchange(word, (word ^ moved) | (moved << PENDING_HELD_SHIFT)) == word) return;
  }
}

/** And back. */
export function letGo(cpu: Cpu, bits: u32): void {
  while (true) {
    const word = cpu.pending.load();
    const moved = (word >>> PENDING_HELD_SHIFT) & bits;
    if (!moved || cpu.pending.compareExchange(word, (word ^ (moved << PENDING_HELD_SHIFT)) | moved) == word) return;
  }
}

/** Sets EFLAGS (without the arithmetic flags): the only way to set IF. */
export function setSystemFlags(cpu: Cpu, flags: u32): void {
  cpu.eflags = flags;
  if (flags & Eflags.IF) letGo(cpu, Pending.INTR);
}
