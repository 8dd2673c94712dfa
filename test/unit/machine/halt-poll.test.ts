// When a CPU in HLT looks for its interrupt instead of sleeping.
import { expect, it } from 'vitest';
import { HaltPoll, POLL_NS } from '../../../src/machine/threads/halt-poll.ts';

const TICK = 4e6;

it('looks once a sleep was short, and less and less when they are long', () => {
  const poll = new HaltPoll(true);
  expect(poll.ns).toBe(0);
  poll.woke(TICK);
  expect(poll.ns).toBe(0);
  poll.woke(POLL_NS / 2);
  expect(poll.ns).toBe(POLL_NS);
  const looks = Array.from({ length: 12 }, () => {
    poll.woke(TICK);
    return poll.ns;
  });
  expect(looks[0]).toBeLessThan(POLL_NS);
  expect(looks.at(-1)).toBe(0);
});

it('never looks where the host has no core for each CPU', () => {
  const poll = new HaltPoll(false);
  for (let n = 0; n < 4; n++) poll.woke(1000);
  expect(poll.ns).toBe(0);
});
