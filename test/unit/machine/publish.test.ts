// The ring of modules: who finds which, in their order, over its end.
import { expect, it } from 'vitest';
import { DROP_REGIONS, Publisher, unseenModules } from '../../../src/cache/publish.ts';
import type { TranslatedModule } from '../../../src/cache/translator.ts';
import { createMemory } from '../../../src/cpu/state.ts';
import { Cpu } from '../../../src/layout/cpu.ts';
import { cpuBase, PUBLISH_BYTES, planMemory } from '../../../src/layout/memory.ts';

function parts() {
  const shared = createMemory(planMemory(2, 2 << 20));
  const bases = [0, 1].map((n) => cpuBase(shared.plan, n));
  bases.forEach((base, n) => void (shared.i32[(base + Cpu.at.index) >> 2] = n));
  const publisher = new Publisher(shared);
  const image = { ranges: [0x20, 0x22], bytes: Uint8Array.of(0x40, 0xc3) };
  const module = (slot: number, owner: number | undefined, bytes = 5): TranslatedModule => ({
    bytes: new Uint8Array(bytes).fill(slot),
    entries: [{ slot, phys: 0x1020, eip: 0xc0001020, mode: 3, image }],
    owner,
  });
  /** What a CPU finds: slots, each with the first byte of its module. */
  const seen = (n: number, clients?: number) =>
    [...unseenModules(shared, bases[n]!, clients)].map((found) =>
      found === DROP_REGIONS ? found : found.entries.map(({ slot, eip, image: { ranges } }) => [slot, eip, ranges.length, found.bytes[0]]),
    );
  return { publisher, module, seen };
}
const found = (slot: number) => [[slot, 0xc0001020, 2, slot & 0xff]];

it('a module of one CPU is found by that alone, in the order of all', () => {
  const { publisher, module, seen } = parts();
  for (const [slot, owner] of [
    [1, undefined],
    [2, 1],
    [3, 0],
    [4, 1],
    [5, undefined],
  ] as const)
    publisher.publish(module(slot, owner));
  expect(seen(0)).toEqual([1, 3, 5].map(found));
  expect(seen(1)).toEqual([1, 2, 4, 5].map(found));
  expect([seen(0), seen(1)]).toEqual([[], []]);
});

it('so it is over the end of the ring', () => {
  const { publisher, module, seen } = parts();
  for (let turn = 0; turn < 10; turn++) {
    publisher.publish(module(2 * turn + 1, turn & 1, PUBLISH_BYTES / 3));
    publisher.publish(module(2 * turn + 2, undefined));
    const own = found(2 * turn + 1);
    const all = found(2 * turn + 2);
    expect(seen(turn & 1)).toEqual([own, all]);
    expect(seen(1 - (turn & 1))).toEqual([all]);
  }
});

it('a module that was made by another list of clients than a CPU goes by is left out', () => {
  const { publisher, module, seen } = parts();
  publisher.publish(module(1, undefined));
  publisher.clients = 2;
  publisher.publish(module(2, undefined));
  publisher.publish(module(3, 1));
  publisher.clients = 4;
  publisher.publish(module(4, undefined));
  expect(seen(0, 2)).toEqual([found(2)]);
  expect(seen(1, 4)).toEqual([found(4)]);
});
