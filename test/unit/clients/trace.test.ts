// The client trace: a program whose way is known; what is lost is counted, and with whole=yes nothing is.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Machine, type MachineOptions, MiB } from '../../../src/api/index.ts';
import { CLI_HLT, ENTRY, kernel, le32 } from '../machine/programs.ts';

const place = mkdtempSync(join(tmpdir(), 'trace-'));
afterAll(() => rmSync(place, { recursive: true, force: true }));

const MANY = 5000;
const LOOP = ENTRY + 5;
const JNZ = LOOP + 7;
/** MOV ECX, MANY; loop: INC [300000H]; DEC ECX; JNZ loop; CLI; HLT */
const PROGRAM = `b9${le32(MANY)} ff05${le32(0x300000)} 49 75f7 ${CLI_HLT}`;
const hex = (n: number) => n.toString(16).padStart(8, '0');
const ACCESS = `0 access ${hex(LOOP)}: rw 4 at 00300000`;
const turn = (n: number) => [ACCESS, `0 branch ${hex(JNZ)} > ${hex(n === MANY ? JNZ + 2 : LOOP)}`];
const WHOLE = Array.from({ length: MANY }, (_, n) => turn(n + 1)).flat();

async function traced(options: string, more: Partial<MachineOptions> = { lockstep: { paced: false } }) {
  const file = join(place, 'trace.txt');
  await using machine = await Machine.create({
    memoryBytes: 16 * MiB,
    kernel: kernel(PROGRAM),
    clients: [`trace:file=${file},${options}`],
    ...more,
  });
  expect(await machine.run()).toEqual({ kind: 'halted' });
  return { report: machine.stats().clients!.trace, lines: readFileSync(file, 'utf8').trim().split('\n') };
}

it.each<Partial<MachineOptions>>([{ lockstep: { paced: false } }, { engine: 'interpreter' }])('with %j the whole way', async (more) => {
  const { report, lines } = await traced('what=access+branch,whole=yes,records=256', more);
  expect(report).toEqual({ cpus: [{ records: 2 * MANY, lost: 0 }] });
  expect(lines).toEqual(WHOLE);
});

it('the last records, and how many are lost', async () => {
  const { report, lines } = await traced('what=access+branch,records=64');
  expect(report).toEqual({ cpus: [{ records: 2 * MANY, lost: 2 * MANY - 64 }] });
  expect(lines).toEqual([`# CPU 0: ${2 * MANY - 64} records are lost here`, ...WHOLE.slice(-64)]);
});

it('filters by address, level and CPU; blocks', async () => {
  const { lines } = await traced(`what=block+access,whole=yes,ranges=0x${hex(LOOP)}-0x${hex(LOOP + 1)}`);
  expect(lines.filter((line) => line !== ACCESS).every((line) => line === `0 block ${hex(LOOP)}`)).toBe(true);
  expect(lines.filter((line) => line === ACCESS).length).toBe(MANY);
  expect((await traced('what=access,level=user')).report).toEqual({ cpus: [{ records: 0, lost: 0 }] });
  expect((await traced('what=access,cpu=1')).report).toEqual({ cpus: [{ records: 0, lost: 0 }] });
});

it('is taken while the machine stands', async () => {
  await using machine = await Machine.create({ memoryBytes: 16 * MiB, kernel: kernel(PROGRAM), lockstep: { paced: false }, paused: true });
  const client = await machine.attach('trace:what=access');
  const run = machine.run();
  await machine.pause();
  await machine.step(0, 5);
  expect(client.ask('take')).toBe(`${ACCESS}\n${ACCESS}\n`);
  expect(client.ask('take')).toBe('');
  machine.stop('enough');
  await run;
});

it('refuses what it cannot do', async () => {
  const refused = (options: string) => expect(traced(options)).rejects;
  await refused('what=blok').toThrow("'blok' is none of what can be traced: block, branch, access, crossing");
  await refused('records=100').toThrow('records=100 is no power of two');
});
