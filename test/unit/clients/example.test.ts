// The client of docs/clients.md: it stands there as it is in examples/, and does what it says, attached to a machine that runs and given to one that is made.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { Machine, MiB } from '../../../src/api/index.ts';
import { CLI_HLT, kernel, le32, SPIN } from '../machine/programs.ts';

const EXAMPLE = new URL('../../../examples/clients/stores.ts', import.meta.url);
const MANY = 1000;
/** MOV ECX, MANY; MOV [300000H], ECX; MOV [300002H], CX; MOV [302000H], CL; DEC ECX; JNZ back. */
const TURNS = `b9${le32(MANY)} 890d${le32(0x300000)} 66890d${le32(0x300002)} 880d${le32(0x302000)} 49 75ea`;
const EXPECTED = { bySize: [[MANY, MANY, MANY, 0, 0]], pages: 2 };

it('stands in the page as it is in the examples', () => {
  const page = readFileSync(new URL('../../../docs/clients.md', import.meta.url), 'utf8');
  const [, code] = /```ts\n(.*?)```/s.exec(page)!;
  const file = readFileSync(EXAMPLE, 'utf8').replace(/'\.\.\/\.\.\/src\/clients\/client\.ts';.*/, "'dragoman/clients';");
  expect(code).toBe(file);
});

it('counts for a machine that is made with it, by its path', async () => {
  const clients = [fileURLToPath(EXAMPLE)];
  const machine = await Machine.create({ memoryBytes: 16 * MiB, kernel: kernel(TURNS, CLI_HLT), lockstep: { paced: false }, clients });
  expect(await machine.run()).toEqual({ kind: 'halted' });
  expect(machine.stats().clients).toEqual({ stores: EXPECTED });
});

it('counts what is left where it is attached to one that runs', async () => {
  await using machine = await Machine.create({
    memoryBytes: 16 * MiB,
    kernel: kernel(TURNS, SPIN),
    lockstep: { paced: false },
    paused: true,
  });
  const run = machine.run();
  while (machine.state !== 'paused') await machine.pause();
  await machine.step(0, 1 + 5 * 10);
  const stores = await machine.attach({ module: EXAMPLE, name: 'mine' });
  await machine.resume();
  await expect.poll(() => (stores.report() as typeof EXPECTED).bySize[0]![0]).toBe(MANY - 10);
  expect(stores.report()).toEqual({ bySize: [[MANY - 10, MANY - 10, MANY - 10, 0, 0]], pages: 2 });
  expect(machine.stats().clients).toEqual({ mine: stores.report() });
  await stores.detach();
  expect(machine.stats().clients).toBeUndefined();
  machine.stop('enough');
  await run;
});
