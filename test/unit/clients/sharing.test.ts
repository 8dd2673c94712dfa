// The client sharing: two CPUs whose accesses are known, in both engines and both executors.
// Cannot prove: what it costs; bench/ shows that.
import { expect, it } from 'vitest';
import { Machine, type MachineOptions, MiB } from '../../../src/api/index.ts';
import { GranuleUse } from '../../../src/clients/granule-use.ts';
import type { SharingReport } from '../../../src/clients/sharing.ts';
import { CLI_HLT, kernel, le32 } from '../machine/programs.ts';

const AP = 0x8000;
const ICR = 0xfee00300;
const put = (address: number, value: number) => `c705 ${le32(address)} ${le32(value)}`;
/** In real mode: reads 9000H and 9040H, increments the byte at 9080H. */
const OF_AP = Buffer.from(`a10090 a14090 fe068090 ${CLI_HLT}`.replaceAll(' ', ''), 'hex');
/** From in front of one page to behind the next. */
const RUN = 4096 + 32;

/** The first CPU, and what it does beside: which CPU it starts. */
const program = (other: number): string =>
  [
    ...[0, 4, 8].map((n) => put(AP + n, OF_AP.readInt32LE(n))),
    `a1 ${le32(0x300000)} a3 ${le32(0x30007e)}`, // reads a granule; writes to two, at their border
    `be ${le32(0x300ff0)} bf ${le32(0x310ff0)} b9 ${le32(RUN)} f3a4`,
    `be ${le32(0x320000)} bf ${le32(0x330000)} 31c9 f3a4`, // moves nothing
    `a1 ${le32(0x9000)} a3 ${le32(0x9040)}`,
    put(ICR + 0x10, other << 24),
    put(ICR, 0x4500),
    `b9 ${le32(100_000)} 49 75fd`,
    put(ICR, 0x4600 | (AP >> 12)),
    `803d ${le32(0x9080)} 00 74f7`, // waits for the other
    CLI_HLT,
  ].join(' ');

async function reported(other: number, client: string, more: Partial<MachineOptions>): Promise<SharingReport> {
  const cpus = other + 1;
  await using machine = await Machine.create({ memoryBytes: 16 * MiB, cpus, kernel: kernel(program(other)), clients: [client], ...more });
  expect(await machine.run()).toEqual({ kind: 'halted' });
  return machine.stats().clients!.sharing as SharingReport;
}

/** Kilobytes of so many granules. */
const table = (granule: number, [ro, rw]: readonly number[], [sharedRo, sharedRw]: readonly number[]) => ({
  private: { readOnly: (ro! * granule) / 1024, readWrite: (rw! * granule) / 1024 },
  shared: { readOnly: (sharedRo! * granule) / 1024, readWrite: (sharedRw! * granule) / 1024 },
});
const NOTHING = table(64, [0, 0], [0, 0]);

it.each<[string, number, Partial<MachineOptions>]>([
  ['lockstep', 1, { lockstep: { paced: false } }],
  ['lockstep and the interpreter', 1, { lockstep: { paced: false }, engine: 'interpreter' }],
  ['threads', 1, {}],
  ['nine CPUs, of whose indices a second byte has the upper bits', 8, { lockstep: { paced: false } }],
])('on %s', async (_name, other, more) => {
  const { all, kernel, user, granule } = await reported(other, 'sharing', more);
  const expected = table(64, [1 + 66, 1 + 2 + 66], [1, 2]);
  expect({ all, kernel, user, granule }).toEqual({ all: expected, kernel: expected, user: NOTHING, granule: 64 });
});

it.each(['sharing', 'sharing:granule=4096'])('%s has a map of what each granule is, which the table counts', async (word) => {
  const other = 1;
  await using machine = await Machine.create({
    memoryBytes: 16 * MiB,
    cpus: 2,
    kernel: kernel(program(other)),
    lockstep: { paced: false },
  });
  const client = await machine.attach(word);
  await machine.run();
  const { all, granule } = client.report() as SharingReport;
  const map = client.ask('map') as Uint8Array;
  expect(map.length).toBe((16 * MiB) / granule);
  const at = (address: number) => map[Math.floor(address / granule)];
  const kilobytes = (use: number) => (map.filter((one) => one === use).length * granule) / 1024;
  expect(all).toEqual({
    private: { readOnly: kilobytes(GranuleUse.PRIVATE_READ), readWrite: kilobytes(GranuleUse.PRIVATE_WRITTEN) },
    shared: { readOnly: kilobytes(GranuleUse.SHARED_READ), readWrite: kilobytes(GranuleUse.SHARED_WRITTEN) },
  });
  // A copy's ends, what one CPU writes and both read, and what nobody uses.
  expect([0x310ff0, 0x9080, 0x500000].map(at)).toEqual([GranuleUse.PRIVATE_WRITTEN, GranuleUse.SHARED_WRITTEN, GranuleUse.NONE]);
  expect(() => client.ask('mop')).toThrow("sharing knows of no 'mop': map");
});

it('by other granules', async () => {
  const more = { lockstep: { paced: false } };
  // Of what is only read the first page is written to as well.
  expect((await reported(1, 'sharing:granule=4096', more)).all).toEqual(table(4096, [2, 2 + 3], [0, 1]));
  await expect(reported(1, 'sharing:granule=48', more)).rejects.toThrow("'48' is no granule: a power of two from 4 to 4096 bytes");
});
