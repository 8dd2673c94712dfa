// Modes and relaxations by name: what code may rely on, from the options on and while a machine is there.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { MiB } from '../../../src/api/index.ts';
import { ALL_RELAXATIONS, type Mode, type RelaxTerm, relaxBits } from '../../../src/api/relax.ts';
import { CONTROL, Control, Relax } from '../../../src/layout/memory.ts';
import { Machine } from '../../../src/machine/machine.ts';
import { CLI_HLT, kernel, SPIN } from './programs.ts';

const { CACHE, DIRECTMAP, ENTRIES, FRAMES, HOLES, PRECISION, RETURNS, SEGMENTS, SHARED, STACK } = Relax;
const EXACT_BITS = DIRECTMAP | SEGMENTS | CACHE | RETURNS | ENTRIES | SHARED | FRAMES | STACK;

describe('a list of names', () => {
  it.each([
    [['all'], 'relaxed', ALL_RELAXATIONS],
    [['all'], 'transparent', ALL_RELAXATIONS],
    [['off'], 'relaxed', 0],
    [['holes', 'precision'], 'transparent', HOLES | PRECISION],
    [['-segments'], 'relaxed', ALL_RELAXATIONS & ~SEGMENTS],
    [['-segments'], 'transparent', EXACT_BITS & ~SEGMENTS],
    [['-segments', 'holes'], 'transparent', (EXACT_BITS & ~SEGMENTS) | HOLES],
    [['all', '-precision'], 'transparent', ALL_RELAXATIONS & ~PRECISION],
  ] satisfies [RelaxTerm[], Mode, number][])('%j in mode %s', (terms, mode, bits) => {
    expect(relaxBits(terms, mode)).toBe(bits);
  });
});

describe('a machine', () => {
  let machine: Machine | undefined;
  afterEach(() => machine?.stop('tested'));
  const make = async (options: { mode?: Mode; relax?: RelaxTerm[]; lockstep?: object }) =>
    (machine = await Machine.create({ kernel: kernel(CLI_HLT), ...options }));
  const bits = () => (machine as unknown as { shared: { i32: Int32Array } }).shared.i32[(CONTROL + Control.at.relax) >> 2];

  it.each([
    [{}, ALL_RELAXATIONS],
    [{ mode: 'relaxed' }, ALL_RELAXATIONS],
    [{ mode: 'transparent' }, EXACT_BITS],
    [{ mode: 'transparent', relax: ['-directmap'] }, EXACT_BITS & ~DIRECTMAP],
    [{ mode: 'transparent', relax: ['all'] }, ALL_RELAXATIONS],
    [{ relax: ['off'] }, 0],
    [{ mode: 'classic' }, 0],
    [{ mode: 'classic', lockstep: {} }, 0],
    [{ mode: 'relaxed', lockstep: {} }, EXACT_BITS],
  ] satisfies [Parameters<typeof make>[0], number][])('with %j', async (options, expected) => {
    await make(options);
    expect(bits()).toBe(expected);
  });

  it('changes its mode, which later lists begin with', async () => {
    const made = await make({ relax: ['off'] });
    made.setMode('transparent');
    expect(bits()).toBe(EXACT_BITS);
    made.relax(['-directmap']);
    expect(bits()).toBe(EXACT_BITS & ~DIRECTMAP);
    expect([made.mode, made.relaxations]).toEqual([
      'transparent',
      ['segments', 'cache', 'returns', 'entries', 'shared', 'frames', 'stack'],
    ]);
    made.setMode('relaxed');
    expect(bits()).toBe(ALL_RELAXATIONS);
    made.setMode('classic');
    expect(bits()).toBe(0);
    made.relax(['-holes']);
    expect(bits()).toBe(0);
    expect(() => made.setMode('Relaxed' as Mode)).toThrow(expect.objectContaining({ code: 'BAD_OPTION', where: 'mode' }));
    expect(bits()).toBe(0);
  });
});

describe('a machine that runs', () => {
  // No pause of the translator for another encoder.
  const make = () => Machine.create({ kernel: kernel(SPIN), memoryBytes: 16 * MiB, encoder: 'direct' });
  type Made = ReturnType<Machine['stats']>['translator'] & { readonly samples: number };
  const made = (machine: Machine): Made => {
    const { translator, engines } = machine.stats();
    return { ...translator, samples: engines.jit.samples };
  };
  const until = async (machine: Machine, done: (now: Made) => boolean) => {
    while (!done(made(machine))) await sleep(10);
  };

  it('makes anew what is hot, each time that what code relies on changes', async () => {
    const machine = await make();
    const run = machine.run();
    await until(machine, ({ regions }) => regions > 0);
    for (const term of ['off', 'all', '-precision', 'all'] as const) {
      const before = made(machine);
      machine.relax([term]);
      await until(machine, ({ flushes }) => flushes > before.flushes);
      // A region may have been on its way when all were dropped: that code is translated now is seen by its running.
      const { samples } = made(machine);
      await until(machine, (now) => now.samples > samples && now.regions > before.regions);
    }
    machine.stop('tested');
    await run;
    expect(machine.stats().translator.flushes).toBe(4);
  }, 60_000);

  it('drops seldom what is switched all the time', async () => {
    const machine = await make();
    const run = machine.run();
    await until(machine, ({ regions }) => regions > 0);
    const start = performance.now();
    for (let turn = 0; turn < 50; turn++) {
      machine.relax([turn % 2 === 0 ? 'off' : 'all']);
      await sleep(5);
    }
    // By a set that nothing was made by, so whatever there is by now is made once more.
    const { regions: before } = machine.stats().translator;
    machine.relax(['-precision']);
    await until(machine, ({ flushes, regions }) => flushes > 0 && regions > before);
    machine.stop('tested');
    await run;
    expect(machine.stats().translator.flushes).toBeLessThanOrEqual(2 + (performance.now() - start) / 1000);
  }, 60_000);
});
