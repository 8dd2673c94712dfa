// Callbacks that ask to wait, and what is kept for them meanwhile.
import { expect, it } from 'vitest';
import { Backlog } from '../../../src/devices/backlog.ts';
import { Outlets } from '../../../src/devices/outlet.ts';

/** A receiver that asks to wait at each call, and is let go by hand. */
function slow() {
  const got: number[] = [];
  const waits: PromiseWithResolvers<void>[] = [];
  const receive = (value: number) => {
    got.push(value);
    const wait = Promise.withResolvers<void>();
    waits.push(wait);
    return wait.promise;
  };
  return { got, receive, waits };
}
const settle = () => new Promise((resolve) => setImmediate(resolve));

it('gives no more to a receiver that asks to wait, and tells when it is ready again', async () => {
  const outlets = new Outlets();
  const { got, receive, waits } = slow();
  let ready = 0;
  const outlet = outlets.add(receive, () => ready++);
  expect([outlet.ready, outlets.idle()]).toEqual([true, undefined]);
  outlet.give(1);
  outlet.give(2);
  expect([got, outlet.ready, outlet.open]).toEqual([[1], false, false]);
  const idle = outlets.idle();
  waits[0]!.resolve();
  await settle();
  expect([got, ready, outlet.ready]).toEqual([[1, 2], 0, false]);
  waits[1]!.resolve();
  await idle;
  expect([ready, outlet.ready, outlets.idle()]).toEqual([1, true, undefined]);
});

it('takes any other answer for none', () => {
  const outlets = new Outlets();
  const outlet = outlets.add<number>(
    (value) => [undefined, null, 5, 'then', {}][value],
    () => {},
  );
  for (let n = 0; n < 5; n++) outlet.give(n);
  expect(outlet.ready).toBe(true);
});

it('seems ready to those who cannot wait, and keeps what comes too early', async () => {
  const outlets = new Outlets(true);
  const { got, receive, waits } = slow();
  let ready = 0;
  const outlet = outlets.add(receive, () => ready++);
  for (const value of [1, 2, 3]) outlet.give(value);
  expect([got, outlet.ready, outlets.busy]).toEqual([[1], true, true]);
  const idle = outlets.idle()!;
  for (let n = 0; n < 3; n++) {
    waits[n]!.resolve();
    await settle();
  }
  await idle;
  expect([got, ready]).toEqual([[1, 2, 3], 0]);
});

it('waits for nobody in a hurry', () => {
  const outlets = new Outlets(true);
  const { got, receive } = slow();
  const outlet = outlets.add(receive, () => {});
  outlet.give(1);
  outlet.give(2);
  outlets.hurry();
  outlet.give(3);
  expect([got, outlet.open]).toEqual([[1, 2, 3], true]);
});

it('tells of a receiver that fails while nobody calls it', async () => {
  const failures: unknown[] = [];
  const outlets = new Outlets(true, (error) => failures.push(error));
  const outlet = outlets.add<number>(
    (value) => {
      if (value === 2) throw new Error('two');
      return Promise.reject(new Error('one'));
    },
    () => {},
  );
  outlet.give(1);
  outlet.give(2);
  await settle();
  expect(failures).toEqual([new Error('one'), new Error('two')]);
});

it('hands input on in its order, as much as is taken', () => {
  let taken = 0;
  const backlog = new Backlog(() => taken++);
  for (const text of ['abc', '', 'de', 'f']) backlog.push(Buffer.from(text));
  let got = '';
  const take = (most: number) => (bytes: Uint8Array) => {
    const part = bytes.subarray(0, most - got.length);
    got += Buffer.from(part).toString();
    return part.length;
  };
  backlog.drain(take(4));
  expect([got, backlog.length, taken]).toEqual(['abcd', 2, 1]);
  backlog.drain(take(4));
  expect([got, taken]).toEqual(['abcd', 1]);
  backlog.drain(take(9));
  expect([got, backlog.length, taken]).toEqual(['abcdef', 0, 2]);
});
