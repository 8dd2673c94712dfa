// Which encoder a machine's translator uses, and what its statistics say of it.
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { SERAI } from '../../../guests/serai.ts';
import { Machine, type MachineOptions, type MachineStats, MiB } from '../../../src/api/index.ts';

const serai = (options: Partial<MachineOptions>) =>
  Machine.create({ kernel: readFileSync(SERAI), memoryBytes: 64 * MiB, append: 'run="primes 200000; halt"', ...options });

it.each([
  ['direct alone', { encoder: 'direct' }, 'direct', 'direct'],
  ['direct in lockstep', { encoder: 'direct', lockstep: {} }, 'direct', 'direct'],
  ['binaryen in lockstep', { encoder: 'binaryen', lockstep: {} }, 'binaryen', 'binaryen'],
] as const)('%s makes all modules', { timeout: 60_000 }, async (_name, options, encoder, maker) => {
  const machine = await serai(options);
  expect(await machine.run()).toEqual({ kind: 'power-off' });
  const { translator } = machine.stats();
  expect(translator).toMatchObject({ encoder, encoderFailed: false, modulesBy: { binaryen: 0, direct: 0, [maker]: translator.modules } });
  expect(translator.modules).toBeGreaterThan(0);
  expect(translator.regions).toBeGreaterThanOrEqual(translator.modules);
});

it.skipIf(process.env.DRAGOMAN_LONG_TESTS !== '1')('binaryen takes over from direct in the first pause', { timeout: 120_000 }, async () => {
  const machine = await serai({ encoder: 'binaryen', append: '' });
  const run = machine.run();
  machine.sendInput(Buffer.from('primes 20000\r'));
  const until = async (is: (translator: MachineStats['translator']) => boolean, text = '') => {
    for (; !is(machine.stats().translator); await setTimeout(500)) machine.sendInput(Buffer.from(text));
  };
  await until(({ encoder }) => encoder === 'binaryen');
  // Code that was not hot yet, again and again.
  await until(({ modulesBy }) => modulesBy.binaryen > 0, 'primes 20000\rbench quick\rstress 1\r');
  const { modulesBy } = machine.stats().translator;
  expect(modulesBy.direct).toBeGreaterThan(0);
  machine.stop('the test is over');
  await run;
});

it('there is none with the interpreter alone', async () => {
  const machine = await serai({ engine: 'interpreter' });
  expect(machine.stats().translator).toMatchObject({
    encoder: null,
    encoderFailed: false,
    modules: 0,
    modulesBy: { binaryen: 0, direct: 0 },
  });
  machine.stop('the test is over');
  await machine.run();
});
