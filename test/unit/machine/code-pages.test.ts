// The ring by which CPUs hear of pages with code that somebody wrote to.
import { expect, it } from 'vitest';
import { codeWritten, type Drop, pagesToDrop } from '../../../src/cache/code-pages.ts';
import { createMemory, type SharedMemory } from '../../../src/cpu/state.ts';
import { CONTROL, Control, cpuBase, DROP_QUEUE_ENTRIES, PageMeta, planMemory } from '../../../src/layout/memory.ts';

const PAGES = 32;

/** A memory for two CPUs, and what CPU 1 is told. */
function machine(): { shared: SharedMemory; told: () => Drop[] | undefined } {
  const shared = createMemory(planMemory(2, PAGES * 65536));
  const base = cpuBase(shared.plan, 1);
  return { shared, told: () => pagesToDrop(shared, base) };
}
const write = (shared: SharedMemory, page: number) => {
  // As if the page had been decoded since.
  shared.i32[(shared.plan.pageMeta + page * PageMeta.size + PageMeta.at.flags) >> 2]! += 3;
  codeWritten(shared, page, 0);
};

it('tells each page once, in order', () => {
  const { shared, told } = machine();
  for (const page of [5, 7, 9]) write(shared, page);
  expect(told()).toEqual([5, 7, 9].map((page) => ({ page, all: false })));
  expect(told()).toEqual([]);
});

it.each([0, 1, 2])('takes an entry that is not written yet for any page, in round %s through the ring', (round) => {
  const { shared, told } = machine();
  for (let n = 0; n < round * DROP_QUEUE_ENTRIES + 3; n++) {
    write(shared, 1 + (n % PAGES));
    expect(told()).toEqual([{ page: 1 + (n % PAGES), all: false }]);
  }
  // Another CPU has taken its place in the ring, and goes no further for now.
  Atomics.add(shared.i32, (CONTROL + Control.at.dropped) >> 2, 1);
  expect(told()).toBeUndefined();
});

it('takes what it missed for all pages', () => {
  const { shared, told } = machine();
  for (let n = 0; n <= DROP_QUEUE_ENTRIES; n++) write(shared, 1 + (n % PAGES));
  expect(told()).toBeUndefined();
});
