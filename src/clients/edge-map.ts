// A map of the edges that were run, as fuzzers have it (AFL): a byte for each of 65,536 places, which counts up to 255 and then stays. A CPU has its own in its room; together they are one. The place of an edge is a
// hash of where its branch is and where it leads, so it is the same in each run, in both engines; several edges may share one.
import type { ClientBuilder } from './builder.ts';
import type { BranchPlace } from './client.ts';
import type { ClientView } from './view.ts';

export const MAP_BYTES = 0x10000;
/** Odd numbers without a pattern, for the product's upper half (Knuth, TAOCP 3, 6.4). */
const FROM = 0x9e3779b1;
const TO = 0x85ebca6b;

/** Counts a branch in the map that begins the CPU's room; direct jumps and calls, which lead to one place, add nothing to what has led to them, and are not counted. One to other segments or another level leads nowhere that is known: it counts as a place of its own. */
export function countEdge(b: ClientBuilder, at: BranchPlace): void {
  if (at.direct && at.kind !== 'conditional') return;
  const from = b.mul(at.eip(), b.const(FROM | 0));
  const to = at.to();
  const mixed = to === undefined ? from : b.xor(from, b.mul(to, b.const(TO | 0)));
  const place = b.shr_u(mixed, b.const(16));
  const count = b.loadCpu(1, 0, place);
  b.storeCpu(1, 0, b.add(count, b.ne(count, b.const(255))), place);
}

/** The map of all CPUs: a copy. */
export function readMap(view: ClientView): Uint8Array {
  const map = view.cpuRoom(0).slice(0, MAP_BYTES);
  for (let cpu = 1; cpu < view.cpus; cpu++) {
    const more = view.cpuRoom(cpu);
    for (let n = 0; n < MAP_BYTES; n++) map[n] = Math.min(255, map[n]! + more[n]!);
  }
  return map;
}

export function clearMap(view: ClientView): void {
  for (let cpu = 0; cpu < view.cpus; cpu++) view.cpuRoom(cpu).fill(0, 0, MAP_BYTES);
}
