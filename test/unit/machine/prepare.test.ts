// What a program may ask for before it makes a machine.
import { expect, it } from 'vitest';
import { prepareMachine } from '../../../src/api/index.ts';

it('has the engine ready', async () => {
  expect(await prepareMachine()).toBeUndefined();
  expect(await prepareMachine({ cpus: 2, engine: 'interpreter', strictOrder: true })).toBeUndefined();
});

it('says what it cannot be asked for', async () => {
  const wrong = (options: object) => prepareMachine(options).catch((error) => [error.code, error.message]);
  expect(await wrong({ cpus: 0 })).toEqual(['BAD_OPTION', expect.stringContaining('a number of CPUs (1 to 64)')]);
  expect(await wrong({ engine: 'fast' })).toEqual(['BAD_OPTION', expect.stringContaining("'jit'")]);
  expect(await wrong({ cpu: 1 })).toEqual(['BAD_OPTION', expect.stringContaining("is 'cpus' meant?")]);
});
