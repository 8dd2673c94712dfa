// Requests of hot code, from the CPUs (wasm/engine/engine.ts, `hot`) to whoever translates: a ring in shared memory.
import type { SharedMemory } from '../cpu/state.ts';
import { CONTROL, Control, HEAT_QUEUE, HEAT_QUEUE_ENTRIES } from '../layout/memory.ts';
import type { Request } from './translator.ts';

/** Regions in a module at the most: large enough that V8's cost a module is spread, small enough that hot code does not wait. */
export const BATCH = 32;
const HEAD = (CONTROL + Control.at.heatHead) >> 2;
const TAIL = (CONTROL + Control.at.heatTail) >> 2;
/** Words of an entry: physical address, EIP, mode, head of the block. */
const ENTRY_WORDS = 4;

/** Whether anybody has asked. */
export const hasRequests = ({ i32 }: SharedMemory): boolean => Atomics.load(i32, HEAD) !== Atomics.load(i32, TAIL);

/** The next requests, a module's worth, in the order in which they were made. */
export function takeRequests({ i32 }: SharedMemory): Request[] {
  const requests: Request[] = [];
  let head = Atomics.load(i32, HEAD);
  while (requests.length < BATCH && head !== Atomics.load(i32, TAIL)) {
    const at = (HEAT_QUEUE >> 2) + head * ENTRY_WORDS;
    requests.push({ phys: i32[at]! >>> 0, eip: i32[at + 1]! >>> 0, mode: i32[at + 2]! });
    head = (head + 1) % HEAT_QUEUE_ENTRIES;
  }
  Atomics.store(i32, HEAD, head);
  return requests;
}
