// The client inscount: a program whose instructions are known, in both engines and both executors.
// Cannot prove: what it costs; bench/ shows that.
import { expect, it } from 'vitest';
import { Machine, type MachineOptions, MiB } from '../../../src/api/index.ts';
import type { InscountReport } from '../../../src/clients/inscount.ts';
import { CLI_HLT, ENTRY, kernel, le32 } from '../machine/programs.ts';

const MANY = 300_000;
/** MOV ECX, MANY; DEC ECX; JNZ back; CLI; HLT */
const PROGRAM = `b9${le32(MANY)} 49 75fd ${CLI_HLT}`;
const ALL = 1 + 2 * MANY + 2;

async function counted(client: string, more: Partial<MachineOptions>): Promise<InscountReport> {
  const machine = await Machine.create({ memoryBytes: 16 * MiB, kernel: kernel(PROGRAM), clients: [client], ...more });
  expect(await machine.run()).toEqual({ kind: 'halted' });
  return machine.stats().clients!.inscount as InscountReport;
}
const of = (kernel: number, user = 0): InscountReport => ({ kernel, user, cpus: [{ kernel, user }] });

it.each<Partial<MachineOptions>>([
  { lockstep: { paced: false } },
  { lockstep: { paced: false }, engine: 'interpreter' },
  {},
  { engine: 'interpreter' },
])('with %j counts each instruction', async (more) => {
  expect(await counted('inscount', more)).toEqual(of(ALL));
  // Machines with threads take their time to begin.
  if (more.lockstep === undefined) return;
  expect(await counted('inscount:exact=yes', more)).toEqual(of(ALL));
  const jnz = ENTRY + 6;
  expect(await counted(`inscount:ranges=0x${jnz.toString(16)}-0x${(jnz + 1).toString(16)}`, more)).toEqual(of(MANY));
  expect(await counted('inscount:level=user', more)).toEqual(of(0));
});

it('refuses what it cannot do', async () => {
  const refused = (client: string) => expect(counted(client, {})).rejects;
  await refused('inscount:level=all').toThrow("clients[0]: 'all' is no level: kernel or user");
  await refused('inscount:ranges=5').toThrow("clients[0]: '5' is no range of addresses");
  await refused('inscout').toThrow("there is no client 'inscout'");
  await refused('./nowhere.js').toThrow('nowhere.js cannot be loaded');
});
