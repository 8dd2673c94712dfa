// Interrupts that a CPU cannot take yet (SDM vol. 3, 6.7.1, 6.8.1) are held in the upper half of Cpu.pending: polls look at the lower half alone, so
// what waits for STI costs one poll and not all of them. Both halves are one word: a device that withdraws its interrupt clears it in both at once.
import { CPU_EFLAGS, CPU_PENDING, EFLAGS_IF, PENDING_HELD_SHIFT, PENDING_INTR } from '../gen/layout';

/** The half that polls look at. */
export const POLLED: u32 = (1 << PENDING_HELD_SHIFT) - 1;

/** What a safe point has to look at: bits of Pending. */
@inline
export function polled(cpu: usize): u32 {
  return atomic.load<u32>(cpu, CPU_PENDING) & POLLED;
}

/** Moves those of `bits` that are pending out of the polls' sight. */
export function hold(cpu: usize, bits: u32): void {
  while (true) {
    const word = atomic.load<u32>(cpu, CPU_PENDING);
    const moved = word & bits;
    if (atomic.cmpxchg<u32>(cpu, word, (word ^ moved) | (moved << PENDING_HELD_SHIFT), CPU_PENDING) == word) return;
  }
}

/** And back. */
export function letGo(cpu: usize, bits: u32): void {
  while (true) {
    const word = atomic.load<u32>(cpu, CPU_PENDING);
    const moved = (word >>> PENDING_HELD_SHIFT) & bits;
    if (!moved || atomic.cmpxchg<u32>(cpu, word, (word ^ (moved << PENDING_HELD_SHIFT)) | moved, CPU_PENDING) == word) return;
  }
}

/** Sets EFLAGS (without the arithmetic flags): the only way to set IF. */
export function setSystemFlags(cpu: usize, flags: u32): void {
  store<u32>(cpu, flags, CPU_EFLAGS);
  if (flags & EFLAGS_IF) letGo(cpu, PENDING_INTR);
}
