// The client flame on whole machines: a kernel whose calls and shares of the time are known.
// Cannot prove: what a Debian's kernel does; the boots show a stack of it.
import { describe, expect, it } from 'vitest';
import { type FlameStats, Machine, type MachineOptions, MiB } from '../../../src/api/index.ts';
import { type Shares, shares, sharesOf } from './guest.ts';

const TURNS = 1500;
const guest = shares(TURNS);
const STACKS = ['start', 'start;a', 'start;b', 'start;b;c'];

async function profiled({ kernel, symbols }: Shares, client: string, options: MachineOptions) {
  const machine = await Machine.create({ memoryBytes: 16 * MiB, kernel, symbols, clients: [client], ...options });
  expect(await machine.run()).toEqual({ kind: 'halted' });
  return { machine, folded: await machine.flame('folded'), stats: machine.stats().flame! };
}

const total = (folded: Uint8Array): number =>
  new TextDecoder()
    .decode(folded)
    .trimEnd()
    .split('\n')
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);

/** Each stack is one that there is, and the loops have what they have, and next to all: `loops` at the least. */
function expectShares(folded: Uint8Array, within: number, loops: number): void {
  const found = sharesOf(folded);
  expect(STACKS).toEqual(expect.arrayContaining([...found.keys()].filter((stack) => stack !== '[idle]')));
  const [inA, inC] = [found.get('start;a') ?? 0, found.get('start;b;c') ?? 0];
  expect(Math.abs(inA / (inA + inC) - 0.7)).toBeLessThan(within);
  expect(inA + inC + (found.get('[idle]') ?? 0)).toBeGreaterThan(loops);
}

describe('in lockstep', () => {
  it.each(['interpreter', 'jit'] as const)('%s: the shares are those of the instructions, and stacks are whole', async (engine) => {
    const { folded, stats } = await profiled(guest, 'flame:hz=10000', { engine, lockstep: { paced: false } });
    expectShares(folded, 0.05, 0.97);
    // Samples are for a period each.
    expect(stats).toMatchObject({ begun: true, ended: false, hz: 10_000, lost: 0 });
    expect(Math.abs(total(folded) / guest.ns - 1)).toBeLessThan(0.1);
    expect(Math.abs(stats.samples / (guest.ns / 1e5) - 1)).toBeLessThan(0.3);
  });

  it('a run has the same profile each time, and is the run that it is without', async () => {
    const options: MachineOptions = { lockstep: { seed: 7, paced: false }, cpus: 2 };
    const first = await profiled(guest, 'flame:hz=10000', options);
    const again = await profiled(guest, 'flame:hz=10000', options);
    expect(again.folded).toEqual(first.folded);
    const plain = await Machine.create({ memoryBytes: 16 * MiB, kernel: guest.kernel, ...options });
    await plain.run();
    expect(plain.stats().lockstep).toEqual(first.machine.stats().lockstep);
    expect(plain.memoryHash()).toBe(first.machine.memoryHash());
    expect(plain.stats().flame).toBeUndefined();
  });
});

describe('attached while the guest runs', () => {
  it.each<[string, MachineOptions]>([
    ['threads', {}],
    ['lockstep', { lockstep: { paced: false } }],
  ])('on %s samples from then until it is detached', async (_name, more) => {
    const { kernel, symbols } = shares(2 ** 31 - 1);
    await using machine = await Machine.create({ memoryBytes: 16 * MiB, kernel, symbols, ...more });
    await expect(machine.flame()).rejects.toMatchObject({ code: 'BAD_STATE' });
    const run = machine.run();
    const first = await machine.attach('flame:hz=4000');
    await expect(machine.attach('flame')).rejects.toMatchObject({ code: 'BAD_OPTION' });
    const samplesOf = () => machine.stats().flame!.samples;
    const until = async (samples: number) => {
      while (samplesOf() < samples) await new Promise((resolve) => setTimeout(resolve, 10));
    };
    await until(50);
    await first.detach();
    const found = first.report() as FlameStats;
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(machine.stats().flame).toEqual(found);
    expect(await first.ask('folded')).toEqual(await machine.flame('folded'));
    expect(total(await machine.flame('folded'))).toBeGreaterThan(0);
    const second = await machine.attach('flame:hz=4000,level=user');
    await second.detach();
    await first.detach();
    expect(second.report()).toMatchObject({ samples: 0 });
    expect(first.report()).toEqual(found);
    machine.stop('enough');
    await run;
    await expect(machine.attach('flame')).rejects.toMatchObject({ code: 'ENDED' });
  });
});

describe('on threads', () => {
  it('shares and stacks are about the same', async () => {
    const { kernel, symbols } = shares(2 ** 31 - 1);
    const machine = await Machine.create({ memoryBytes: 16 * MiB, kernel, symbols, cpus: 2, clients: ['flame:hz=4000'] });
    const run = machine.run();
    // However fast the host is.
    while (machine.stats().flame!.samples < 300) await new Promise((resolve) => setTimeout(resolve, 10));
    machine.stop('enough');
    await run;
    // While its code is translated a CPU stays where it was.
    expectShares(await machine.flame('folded'), 0.2, 0.75);
  });
});
