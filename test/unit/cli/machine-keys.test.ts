// Keys of the terminal that look at the machine, pause it, or reset it: on a real one.
import { expect, it } from 'vitest';
import { Machine, MiB } from '../../../src/api/index.ts';
import { machineKeys } from '../../../src/cli/machine-keys.ts';
import { States } from '../../../src/cli/states.ts';
import { kernel, SPIN } from '../machine/programs.ts';

it('show what the CPUs do, pause, let go on and reset, one after the other', async () => {
  const machine = await Machine.create({ kernel: kernel(SPIN), memoryBytes: 4 * MiB, lockstep: { paced: false } });
  const said: string[] = [];
  const resets: string[] = [];
  machine.addEventListener('reset', () => resets.push(machine.state));
  const say = (message: string) => said.push(message.split('\n')[0]!);
  const keys = machineKeys(machine, new States(machine, say), say);
  const run = machine.run();
  const states: string[] = [];
  machine.addEventListener('paused', () => states.push('paused'));
  machine.addEventListener('resumed', () => states.push('resumed'));
  for (const key of [keys.state, keys.pause, keys.state, keys.reset, keys.pause]) key();
  while (said.length < 5) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(said).toEqual([
    expect.stringMatching(/^CPU 0: exit /),
    'the machine is paused: Ctrl-A p lets it go on',
    expect.stringMatching(/^CPU 0: exit /),
    'the machine was reset',
    'the machine goes on',
  ]);
  expect(states).toEqual(['paused', 'resumed', 'paused', 'resumed']);
  expect(resets).toEqual(['paused']);
  keys.save();
  machineKeys(
    machine,
    new States(machine, say),
    (message) => said.push(message),
    async () => `saved ${(await machine.snapshot()).length > 1000}`,
  ).save();
  while (said.length < 7) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(said.splice(5)).toEqual([expect.stringMatching(/nowhere to save/), 'saved true']);
  machine.stop('enough');
  await run;
  // There is nothing to say of a machine that has ended, but what its state was.
  for (const key of [keys.pause, keys.reset, keys.state]) key();
  while (said.length < 6) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(said.slice(5)).toEqual([expect.stringMatching(/^CPU 0: exit /)]);
});
