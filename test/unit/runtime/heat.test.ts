// When a block that reached the hot threshold asks for a region.
import { expect, it } from 'vitest';
import { BlockHead, CONTROL, Control, HEAT_PERIOD, PAGE_HAS_CODE, PageMeta } from '../../../src/layout/memory.ts';
import { machine } from './machine.ts';

const HOT = 1000;
const WITHIN = 500;
/** Nanoseconds in a unit of heatNow. */
const UNIT = 1n << 20n;

async function block() {
  const m = await machine();
  const head = m.get('arena');
  const field = (name: keyof typeof BlockHead.at) => head + BlockHead.at[name];
  m.control('hotThreshold', HOT);
  m.control('hotWithin', WITHIN);
  return {
    ...m,
    heat: () => m.view.getUint32(field('heat'), true),
    at: (units: number) => (m.host.tsc = BigInt(units) * UNIT),
    decoded: () => m.view.setUint32(field('heatSince'), m.call.heatNow(m.cpu), true),
    /** The block has been executed so often. Whether it asks. */
    asks: (heat: number) => {
      const requests = () => m.view.getUint32(CONTROL + Control.at.heatTail, true);
      const before = requests();
      m.view.setUint32(field('heat'), heat, true);
      m.call.hot(m.cpu, head);
      return requests() > before;
    },
  };
}

it('a block that gets hot at once asks', async () => {
  const b = await block();
  b.at(7000);
  b.decoded();
  b.at(7000 + WITHIN);
  expect(b.asks(HOT)).toBe(true);
  expect(b.heat()).toBe(HOT);
});

it('a block that gets hot slowly is counted anew, from then on', async () => {
  const b = await block();
  b.at(7000);
  b.decoded();
  b.at(7001 + WITHIN);
  expect(b.asks(HOT)).toBe(false);
  expect(b.heat()).toBe(HEAT_PERIOD);
  b.at(7001 + 2 * WITHIN);
  expect(b.asks(HEAT_PERIOD + HOT)).toBe(true);
});

it('a block that was counted anew three times asks the fourth time, however long that took', async () => {
  const b = await block();
  b.decoded();
  for (let round = 0; round < 3; round++) {
    b.at((round + 1) * 100 * WITHIN);
    expect([round, b.asks(round * HEAT_PERIOD + HOT), b.heat()]).toEqual([round, false, (round + 1) * HEAT_PERIOD]);
  }
  b.at(1000 * WITHIN);
  expect(b.asks(3 * HEAT_PERIOD + HOT)).toBe(true);
});

it('a block that asked in vain asks again, however long that took', async () => {
  const b = await block();
  b.decoded();
  b.at(100 * WITHIN);
  expect(b.asks(HOT + 4 * HEAT_PERIOD)).toBe(true);
});

it('without a limit a block asks however slowly it got hot', async () => {
  const b = await block();
  b.control('hotWithin', 0);
  b.decoded();
  b.at(100 * WITHIN);
  expect(b.asks(HOT)).toBe(true);
});

it('the clock may pass the range of a word', async () => {
  const b = await block();
  b.at(2 ** 32 - 10);
  b.decoded();
  b.at(2 ** 32 + 10);
  expect(b.asks(HOT)).toBe(true);
});

it('code in a page that is written to beside its code asks a period later', async () => {
  const b = await block();
  const flags = b.plan.pageMeta + PageMeta.at.flags;
  b.at(7000);
  b.decoded();
  b.call.markCode(b.cpu, 0x10, 4);
  expect(b.asks(HOT)).toBe(true);
  b.call.store32(b.cpu, 0x20, 4);
  expect(b.calls).toEqual([]);
  expect(b.asks(HOT)).toBe(false);
  expect(b.heat()).toBe(HOT);
  expect(b.asks(HOT + HEAT_PERIOD)).toBe(true);
  // Once all code is gone, what comes is taken as any.
  b.view.setUint32(flags, b.view.getUint32(flags, true) & ~PAGE_HAS_CODE, true);
  b.call.markCode(b.cpu, 0x10, 4);
  expect(b.asks(HOT)).toBe(true);
});
