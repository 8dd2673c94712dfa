// The log of regions: what is read is what was entered, and who is too slow is told to begin anew.
import { expect, it } from 'vitest';
import { DROPPED_ALL, type NewRegion, RegionLog, RegionLogReader, unpackFacts } from '../../../src/cache/region-log.ts';
import { createMemory } from '../../../src/cpu/state.ts';
import { CONTROL, Control, planMemory, REGION_LOG_BYTES } from '../../../src/layout/memory.ts';

const region = (slot: number, bytes = 5): NewRegion => ({
  phys: 0xfff01000 + slot,
  eip: 0xc0101000 + slot,
  mode: 3,
  owner: slot % 2 === 0 ? undefined : slot,
  slot,
  image: { ranges: [-0x1000, -0x1000 + bytes], bytes: new Uint8Array(bytes).fill(slot) },
  relax: 0x3ff,
  directOrigin: 0xc0000000,
  stack: slot % 3 === 0,
  recalled: slot % 5 === 0,
  encoder: slot % 2 === 0 ? 'binaryen' : 'direct',
  wasmBytes: 1000 + slot,
  instructions: 12,
  blocks: 3,
  links: [slot + 1, slot + 2],
  callees: [-0x2000, 0x20],
});

function parts() {
  const shared = createMemory(planMemory(1, 2 << 20));
  const reader = new RegionLogReader(shared);
  return { shared, log: new RegionLog(shared), read: () => [...reader.read()] };
}

it('gives what was entered, in order and once, and says that all were dropped', () => {
  const { shared, log, read } = parts();
  expect(read()).toEqual([]);
  log.add([region(1), region(6)]);
  log.drop();
  log.add([region(15)]);
  expect(read()).toEqual([{ ...region(1), id: 1 }, { ...region(6), id: 2 }, DROPPED_ALL, { ...region(15), id: 3 }]);
  expect(read()).toEqual([]);
  log.add([region(4)]);
  expect(read()).toEqual([{ ...region(4), id: 4 }]);
  // Another reader begins with the first.
  expect([...new RegionLogReader(shared).read()].length).toBe(5);
});

it('writes over the oldest; who has not read them is told so, and gets all that there still are', () => {
  const { log, read } = parts();
  const BYTES = 60_000;
  const many = Math.ceil((2.5 * REGION_LOG_BYTES) / BYTES);
  log.add([region(0)]);
  expect(read().length).toBe(1);
  // As long as it reads it misses nothing, however often the ring wraps.
  for (let n = 0; n < many; n += 20) {
    log.add(Array.from({ length: 20 }, (_, k) => region(n + k, BYTES)));
    expect(read().map((found) => (found === DROPPED_ALL ? found : found.slot))).toEqual(Array.from({ length: 20 }, (_, k) => n + k));
  }
  for (let n = 0; n < many; n++) log.add([region(n, BYTES)]);
  const [first, ...rest] = read();
  expect(first).toBe(DROPPED_ALL);
  const { bytes } = (rest.at(-1) as NewRegion).image;
  expect([bytes.length, bytes[0], bytes.at(-1)]).toEqual([BYTES, (many - 1) & 0xff, (many - 1) & 0xff]);
  expect(rest.length).toBeGreaterThan(0.9 * (REGION_LOG_BYTES / (BYTES + 200)));
  expect(rest.map((found) => (found as NewRegion).slot)).toEqual(Array.from({ length: rest.length }, (_, k) => many - rest.length + k));
  expect(read()).toEqual([]);
});

it('goes on where positions wrap at 2^32', () => {
  const { shared, log, read } = parts();
  for (const field of ['regionLogEnd', 'regionLogFirst'] as const) shared.i32[(CONTROL + Control.at[field]) >> 2] = -64;
  read();
  for (let n = 0; n < 10; n++) {
    log.add([region(n, 300)]);
    expect(read()).toEqual([{ ...region(n, 300), id: n + 1 }]);
  }
});

it('keeps facts as numbers', () => {
  expect(unpackFacts([1, 12, 3, -0x1000, 5])).toEqual({ encoder: 'direct', instructions: 12, blocks: 3, callees: [-0x1000, 5] });
});
