// What the page's live switches say as settings, what they made of the rate, and places in memory as somebody types them.
import { describe, expect, it } from 'vitest';
import { InstructionRate } from '../../../examples/browser/app/instruction-rate.ts';
import { askedFor, RELAXATION_NAMES, termsOf } from '../../../examples/browser/app/live-switches.ts';
import { placeOf } from '../../../examples/browser/app/place.ts';
import type { Machine, Mode, RelaxTerm } from '../../../src/api/index.ts';

describe('relaxations as terms', () => {
  it.each<[Mode, readonly string[], readonly RelaxTerm[] | undefined]>([
    ['relaxed', [], undefined],
    ['relaxed', ['precision'], ['-precision']],
    ['transparent', ['stack', 'cache'], ['-cache', '-stack']],
  ])('in mode %s without %j', (mode, without, terms) => {
    const wanted = askedFor({ mode, relax: undefined }).filter((name) => !without.includes(name));
    expect(termsOf(wanted, mode)).toEqual(terms);
    expect(askedFor({ mode, relax: terms })).toEqual(wanted);
  });

  it('say any of them, with any mode', () => {
    for (const mode of ['relaxed', 'transparent', 'classic'] as const)
      for (let bits = 0; bits < 2 ** RELAXATION_NAMES.length; bits++) {
        const wanted = RELAXATION_NAMES.filter((_, n) => (bits & (1 << n)) !== 0);
        expect(askedFor({ mode, relax: termsOf(wanted, mode) })).toEqual(wanted);
      }
  });
});

it('the rate before a switch and behind it, without what the machine needs to settle', () => {
  let count = 0;
  const machine = { stats: () => ({ instructions: count }) } as unknown as Machine;
  const rate = new InstructionRate();
  for (let at = 0; at <= 20_000; at += 250) {
    if (at === 10_000) rate.mark('stack off', at);
    // A thousand a millisecond, nothing while code is made anew, and then half.
    count += at <= 10_000 ? 250_000 : at <= 12_000 ? 0 : 125_000;
    rate.look(machine, at);
  }
  expect(rate.effects).toEqual([{ at: 10_000, text: 'stack off', before: 1_000_000, after: 500_000 }]);
  // Nobody looked for a while: that is no rate.
  const { length } = rate.looks;
  rate.pause();
  rate.look(machine, 60_000);
  expect(rate.looks.length).toBe(length);
});

describe('a place', () => {
  const names = {
    register: (name: string) => ({ esp: 0xc0001000, eip: 5 })[name] ?? 0,
    symbol: (name: string) => ({ kernel_main: 0xc0101000, add: 0xc0102000 })[name],
  };
  it.each<[string, number]>([
    ['c0101052', 0xc0101052],
    ['0xC0101052', 0xc0101052],
    ['kernel_main', 0xc0101000],
    [' kernel_main + 0x10 ', 0xc0101010],
    ['ESP-8', 0xc0000ff8],
    ['add', 0xc0102000],
    ['0', 0],
    ['eip-6', 0xffffffff],
  ])('%s', (text, address) => expect(placeOf(text, names)).toBe(address));
  it.each(['', 'nowhere', '123456789', 'kernel_main+', 'c0101000+x'])("'%s' is none", (text) =>
    expect(() => placeOf(text, names)).toThrow(/is no address/),
  );
});
