// Requests of hot code, from the CPUs (wasm/engine/engine.ts, `hot`) to whoever translates: a ring in shared memory.
import type { SharedMemory } from '../cpu/state.ts';
import { CONTROL, Control, HEAT_QUEUE, HEAT_QUEUE_ENTRIES, HeatRequest } from '../layout/memory.ts';
import type { Request } from './translator.ts';

/** Regions in a module at the most: large enough that V8's cost a module is spread, small enough that hot code does not wait. */
export const BATCH = 32;
const HEAD = (CONTROL + Control.at.heatHead) >> 2;
const TAIL = (CONTROL + Control.at.heatTail) >> 2;

/** Whether anybody has asked. */
export const hasRequests = ({ i32 }: SharedMemory): boolean => Atomics.load(i32, HEAD) !== Atomics.load(i32, TAIL);

/** The next requests, a module's worth, in the order in which they were made. */
export function takeRequests({ i32 }: SharedMemory): Request[] {
  const requests: Request[] = [];
  let head = Atomics.load(i32, HEAD);
  while (requests.length < BATCH && head !== Atomics.load(i32, TAIL)) {
    const word = (field: keyof typeof HeatRequest.at) => i32[(HEAT_QUEUE + head * HeatRequest.size + HeatRequest.at[field]) >> 2]!;
    requests.push({ phys: word('phys') >>> 0, eip: word('eip') >>> 0, mode: word('mode') });
    head = (head + 1) % HEAT_QUEUE_ENTRIES;
  }
  Atomics.store(i32, HEAD, head);
  return requests;
}
