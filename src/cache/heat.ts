// Requests of hot code, from the CPUs (wasm/engine/engine.ts, `hot`) to whoever translates: a ring in shared memory.
import type { SharedMemory } from '../cpu/state.ts';
import { Control, controlWord, HEAT_QUEUE, HEAT_QUEUE_ENTRIES, HeatRequest } from '../layout/memory.ts';
import type { Request } from './request.ts';

/** Regions in a module at the most: large enough that V8's cost a module is spread, small enough that hot code does not wait. */
export const BATCH = 32;
const HEAD = controlWord(Control.at.heatHead);
const TAIL = controlWord(Control.at.heatTail);

/** Whether anybody has asked. */
export const hasRequests = ({ i32 }: SharedMemory): boolean => Atomics.load(i32, HEAD) !== Atomics.load(i32, TAIL);

/** What is in the queue: code that is hot, or (`whole`) the first of a page that was decoded, of which all that is kept is wanted, and whether (`plain`) code cannot rely on its stack. */
export interface Asked extends Request {
  readonly whole: boolean;
  readonly plain: boolean;
  /** Index of the CPU that asks. */
  readonly cpu: number;
}

/** Turns of a wait for a lock that is held for some instructions. */
const SPINS = 1000;

/** A CPU has decoded the first code of a page. Where the queue is full, or another CPU writes to it, the page is not asked for. */
export function askForPage({ i32 }: SharedMemory, { phys, eip, mode }: Request, cpu: number): void {
  const lock = controlWord(Control.at.heatLock);
  for (let spins = 0; Atomics.compareExchange(i32, lock, 0, 1) !== 0; spins++) if (spins === SPINS) return;
  const tail = Atomics.load(i32, TAIL);
  const next = (tail + 1) % HEAT_QUEUE_ENTRIES;
  if (next !== Atomics.load(i32, HEAD)) {
    const entry = (HEAT_QUEUE + tail * HeatRequest.size) >> 2;
    i32[entry + HeatRequest.at.phys / 4] = phys;
    i32[entry + HeatRequest.at.eip / 4] = eip;
    i32[entry + HeatRequest.at.mode / 4] = mode;
    i32[entry + HeatRequest.at.hot / 4] = 0;
    i32[entry + HeatRequest.at.plain / 4] = 0;
    i32[entry + HeatRequest.at.cpu / 4] = cpu;
    Atomics.store(i32, TAIL, next);
    Atomics.add(i32, controlWord(Control.at.heatSignal), 1);
    Atomics.notify(i32, controlWord(Control.at.heatSignal), 1);
  }
  Atomics.store(i32, lock, 0);
}

/** The next requests, a module's worth, in the order in which they were made. */
export function takeRequests({ i32 }: SharedMemory): Asked[] {
  const requests: Asked[] = [];
  let head = Atomics.load(i32, HEAD);
  while (requests.length < BATCH && head !== Atomics.load(i32, TAIL)) {
    const word = (field: keyof typeof HeatRequest.at) => i32[(HEAT_QUEUE + head * HeatRequest.size + HeatRequest.at[field]) >> 2]!;
    const place = { phys: word('phys') >>> 0, eip: word('eip') >>> 0, mode: word('mode') };
    requests.push({ ...place, whole: word('hot') === 0, plain: word('plain') !== 0, cpu: word('cpu') });
    head = (head + 1) % HEAT_QUEUE_ENTRIES;
  }
  Atomics.store(i32, HEAD, head);
  return requests;
}
