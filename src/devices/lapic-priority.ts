// Which interrupt of a local APIC comes next (SDM vol. 3, 11.8): its requests (IRR), those in service (ISR), and the task and
// processor priorities. Functions on the shared words of one CPU, which start at `at`; they tell nobody of a change.
import { AT } from './lapic-state.ts';

/** Notes a request, and whether it is level-triggered: the TMR changes here alone (SDM vol. 3, 11.8.4). */
export function request(words: Int32Array, at: number, vector: number, level: boolean): void {
  const bit = 1 << (vector & 31);
  const word = vector >> 5;
  // Before ISR is read: a CPU that ends an interrupt without the lock (wasm/system/lapic.ts) does it the other way round.
  Atomics.or(words, at + AT.irr + word, bit);
  if (level) words[at + AT.tmr + word] |= bit;
  else words[at + AT.tmr + word] &= ~bit;
}

/** The request is in service from now on. */
export function accept(words: Int32Array, at: number, vector: number): void {
  const bit = 1 << (vector & 31);
  words[at + AT.irr + (vector >> 5)] &= ~bit;
  words[at + AT.isr + (vector >> 5)] |= bit;
}

/** Ends the service of the highest interrupt and tells of a level-triggered one; false where none is in service. */
export function endService(words: Int32Array, at: number, onLevel: (vector: number) => void): boolean {
  const vector = highest(words, at + AT.isr);
  if (vector < 0) return false;
  const bit = 1 << (vector & 31);
  const word = vector >> 5;
  words[at + AT.isr + word] &= ~bit;
  if ((words[at + AT.tmr + word] & bit) !== 0) onLevel(vector);
  return true;
}

/** The vector that may interrupt now; -1 for none. Software that disables the APIC keeps what was accepted (SDM vol. 3, 11.4.7.2). */
export function deliverable(words: Int32Array, at: number): number {
  const vector = highest(words, at + AT.irr);
  if (vector < 0) return -1;
  return vector >> 4 > processorPriority(words, at) >> 4 ? vector : -1;
}

/** PPR (SDM vol. 3, 11.8.3.1). */
export function processorPriority(words: Int32Array, at: number): number {
  const tpr = words[at + AT.tpr];
  const service = highest(words, at + AT.isr);
  if (service < 0) return tpr;
  return tpr >> 4 >= service >> 4 ? tpr : service & 0xf0;
}

/** Highest bit set in the 256 bits at `at`; -1 for none. */
function highest(words: Int32Array, at: number): number {
  for (let i = 7; i >= 0; i--) {
    const word = words[at + i];
    if (word !== 0) return i * 32 + 31 - Math.clz32(word);
  }
  return -1;
}
