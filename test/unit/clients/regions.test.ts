// Hooks at regions: a program that comes back to its start by an indirect jump, so each turn enters a region, or is interpreted.
import { expect, it } from 'vitest';
import { Machine, type MachineOptions, MiB } from '../../../src/api/index.ts';
import { CLI_HLT, ENTRY, kernel, le32 } from '../machine/programs.ts';
import type { EntriesReport } from './entries.ts';

const MANY = 20_000;
/** The first one begins in the middle of a block. */
const TURNS = MANY - 1;
const TURN = ENTRY + 15;
/** MOV ESP, ...; MOV ECX, MANY; MOV ESI, TURN; TURN: MOV EAX, 3; inner: DEC EAX; JNZ inner; DEC ECX; JZ END; JMP ESI; END: CLI; HLT */
const PROGRAM = `bc${le32(0x200000)} b9${le32(MANY)} be${le32(TURN)} b8${le32(3)} 48 75fd 49 7402 ffe6 ${CLI_HLT}`;
/** A turn, with CLI and HLT. */
const BYTES = 5 + 3 + 3 + 2 + 2;
const INSTRUCTIONS = 1 + 2 + 2 + 1 + 2;

async function run(more: Partial<MachineOptions>, options: Record<string, string> = {}): Promise<EntriesReport> {
  const clients = [{ module: new URL('./entries.ts', import.meta.url), options: { at: String(TURN), ...options } }];
  const machine = await Machine.create({ memoryBytes: 16 * MiB, kernel: kernel(PROGRAM), clients, ...more });
  expect(await machine.run()).toEqual({ kind: 'halted' });
  return machine.stats().clients!.entries as EntriesReport;
}

it.each<Partial<MachineOptions>>([{ lockstep: { paced: false } }, {}, { mode: 'classic' }])(
  'with %j each entry is seen once',
  async (more) => {
    const { regions, inRegions, interpreted, instructions, bytes, blocks, exact } = await run(more);
    // On threads as many as there are when it is translated.
    if (more.lockstep !== undefined) expect(regions).toBeGreaterThan(MANY / 2);
    expect(inRegions).toBe(regions);
    expect(regions + interpreted).toBe(TURNS);
    expect(exact).toBe(regions);
    if (regions === 0) return;
    expect([instructions / regions, bytes / regions]).toEqual([INSTRUCTIONS, BYTES]);
    expect(blocks / regions).toBeGreaterThanOrEqual(4);
  },
);

it('of code that a client is not for there is none, nor in the interpreter', async () => {
  const lockstep = { paced: false };
  expect((await run({ lockstep }, { ranges: `0x1000-0x${TURN.toString(16)}` })).regions).toBe(0);
  expect((await run({ lockstep }, { level: 'user' })).regions).toBe(0);
  const { regions, interpreted } = await run({ lockstep, engine: 'interpreter' });
  expect([regions, interpreted]).toEqual([0, TURNS]);
});

it('behind clients that are gone code is that of a machine which had none', async () => {
  const made = async (clients: readonly string[]) => {
    await using machine = await Machine.create({
      memoryBytes: 16 * MiB,
      kernel: kernel(PROGRAM),
      lockstep: { paced: false },
      paused: true,
    });
    const run = machine.run();
    await machine.pause();
    const own = { module: new URL('./entries.ts', import.meta.url), options: { at: String(TURN) } };
    for (const client of clients.length > 0 ? [...clients, own] : []) await (await machine.attach(client)).detach();
    await machine.resume();
    expect(await run).toEqual({ kind: 'halted' });
    const { regions, bytes } = machine.stats().translator;
    return { regions, bytes };
  };
  const without = await made([]);
  expect(without.regions).toBeGreaterThan(0);
  expect(await made(['inscount:exact=yes', 'coverage', 'trace:what=access', 'crossings'])).toEqual(without);
});
