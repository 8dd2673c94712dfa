// Which interrupt of a local APIC comes next (SDM vol. 3, 11.8): its requests (IRR), those in service (ISR), and the task and
// processor priorities. Functions on one CPU's state; they tell nobody of a change.
import type { LapicView } from './lapic-state.ts';

/** Notes a request, and whether it is level-triggered: the TMR changes here alone (SDM vol. 3, 11.8.4). */
export function request(lapic: LapicView, vector: number, level: boolean): void {
  const bit = 1 << (vector & 31);
  const word = vector >> 5;
  // Before ISR is read: a CPU that ends an interrupt without the lock (wasm/system/lapic.ts) does it the other way round.
  Atomics.or(lapic.irr, word, bit);
  if (level) lapic.tmr[word] |= bit;
  else lapic.tmr[word] &= ~bit;
}

/** The request is in service from now on. */
export function accept(lapic: LapicView, vector: number): void {
  const bit = 1 << (vector & 31);
  lapic.irr[vector >> 5] &= ~bit;
  lapic.isr[vector >> 5] |= bit;
}

/** Ends the service of the highest interrupt and tells of a level-triggered one; false where none is in service. */
export function endService(lapic: LapicView, onLevel: (vector: number) => void): boolean {
  const vector = highest(lapic.isr);
  if (vector < 0) return false;
  const bit = 1 << (vector & 31);
  const word = vector >> 5;
  lapic.isr[word] &= ~bit;
  if ((lapic.tmr[word] & bit) !== 0) onLevel(vector);
  return true;
}

/** The vector that may interrupt now; -1 for none. Software that disables the APIC keeps what was accepted (SDM vol. 3, 11.4.7.2). */
export function deliverable(lapic: LapicView): number {
  const vector = highest(lapic.irr);
  if (vector < 0) return -1;
  return vector >> 4 > processorPriority(lapic) >> 4 ? vector : -1;
}

/** PPR (SDM vol. 3, 11.8.3.1). */
export function processorPriority(lapic: LapicView): number {
  const { tpr } = lapic;
  const service = highest(lapic.isr);
  if (service < 0) return tpr;
  return tpr >> 4 >= service >> 4 ? tpr : service & 0xf0;
}

/** Highest bit set of 256; -1 for none. */
function highest(words: Uint32Array): number {
  for (let i = 7; i >= 0; i--) {
    const word = words[i];
    if (word !== 0) return i * 32 + 31 - Math.clz32(word);
  }
  return -1;
}
