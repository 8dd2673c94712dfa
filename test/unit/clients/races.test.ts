// The client races: two CPUs that add to one word, by plain and by locked instructions, or hand it over by a flag; and serai's race.
// Cannot prove: that it finds what there is. It looks at samples.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { SERAI, SERAI_MAP } from '../../../guests/serai.ts';
import { Machine, type MachineOptions, MiB } from '../../../src/api/index.ts';
import type { RacesReport } from '../../../src/clients/races.ts';
import { CLI_HLT, ENTRY, kernel, le32 } from '../machine/programs.ts';

const AP = 0x8000;
const ICR = 0xfee00300;
const DATA = 0x9000;
const FLAG = 0x9010;
const le16 = (value: number) => le32(value).slice(0, 4);
const put = (address: number, value: number) => `c705 ${le32(address)} ${le32(value)}`;

/** Turns of the first CPU, and of the other, in real mode: ECX counts. */
interface Turn {
  readonly turns: number;
  readonly first: string;
  readonly other: string;
}
const adding = (prefix: string): Turn => ({ turns: 3000, first: `${prefix}ff05${le32(DATA)}`, other: `${prefix}66ff06${le16(DATA)}` });
/** FLAG says whose turn it is: INC [DATA]; MOV [FLAG], 1; PAUSE; CMP [FLAG], 0; JNZ back. The other: PAUSE; CMP [FLAG], 1; JNZ back; INC [DATA]; MOV [FLAG], 0. */
const HANDING: Turn = {
  turns: 300,
  first: `ff05${le32(DATA)} c705${le32(FLAG)}${le32(1)} f390 833d${le32(FLAG)}00 75f5`,
  other: `f390 66833e${le16(FLAG)}01 75f6 66ff06${le16(DATA)} 66c706${le16(FLAG)}${le32(0)}`,
};

const bytesOf = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
/** A turn so many times: MOV ECX, count; ...; DEC ECX; JNZ back. */
function repeated(count: number, of: string, size: '' | '66'): string {
  const back = -(bytesOf(of).length + bytesOf(`${size}49`).length + 2);
  return `${size}b9${le32(count)} ${of} ${size}49 75${(256 + back).toString(16)}`;
}
function program({ turns, first, other }: Turn): string {
  const code = bytesOf(`${repeated(turns, other, '66')} ${CLI_HLT} 909090`);
  const words = Array.from({ length: code.length >> 2 }, (_, n) => put(AP + n * 4, code.readInt32LE(n * 4)));
  const start = [put(ICR, 0xc4500), `b9 ${le32(100_000)} 49 75fd`, put(ICR, 0xc4600 | (AP >> 12))];
  return [...words, ...start, repeated(turns, first, ''), CLI_HLT].join(' ');
}

const LOCKSTEP: Partial<MachineOptions> = { lockstep: { paced: false, seed: 3 } };
async function report(client: string, more: Partial<MachineOptions>, end = 'halted'): Promise<RacesReport> {
  await using machine = await Machine.create({ memoryBytes: 16 * MiB, cpus: 2, clients: [client], ...more });
  expect(await machine.run()).toEqual({ kind: end });
  return machine.stats().clients!.races as RacesReport;
}
const ofTurns = (turn: Turn, more: Partial<MachineOptions>) => report('races:every=20', { kernel: kernel(program(turn)), ...more });

it.each<Partial<MachineOptions>>([LOCKSTEP, { ...LOCKSTEP, engine: 'interpreter' }])('with %j finds plain additions', async (more) => {
  const turn = adding('');
  const found = await ofTurns(turn, more);
  const of = { symbol: undefined, kind: 'update', locked: false, bytes: 4, level: 'kernel' };
  const inFirst = ENTRY + bytesOf(program(turn)).length - bytesOf(`${turn.first} 49 75f7 ${CLI_HLT}`).length;
  expect(found.races).toEqual([
    {
      sides: [
        { ...of, eip: 6, cpu: 1 },
        { ...of, eip: inFirst, cpu: 0 },
      ],
      address: DATA,
      count: expect.any(Number),
    },
  ]);
  expect(found.lines).toEqual([
    expect.stringMatching(/^\d+ times: update of 4 at 0x6 \(CPU 1\) and update of 4 at 0x[0-9a-f]+ \(CPU 0\), RAM 0x9000$/),
  ]);
  expect(await ofTurns(turn, more)).toEqual(found);
});

it.each<Partial<MachineOptions>>([LOCKSTEP, { ...LOCKSTEP, engine: 'interpreter' }, {}])(
  'with %j is silent about locked additions, and about what a flag hands over',
  async (more) => {
    for (const turn of [adding('f0'), HANDING]) {
      const { races, windows } = await ofTurns(turn, more);
      expect(races).toEqual([]);
      // A word that is locked is never a sample.
      if (turn === HANDING) expect(windows).toBeGreaterThan(0);
      else expect(windows).toBe(0);
    }
  },
);

it('leaves out what it is told to ignore', async () => {
  const kernelOf = { kernel: kernel(program(adding(''))), ...LOCKSTEP };
  expect((await report('races:every=20,ignore=0x6-0x7', kernelOf)).races).toEqual([]);
  expect((await report('races:every=20,level=user', kernelOf)).windows).toBe(0);
  // The other side is seen all the same.
  expect((await report('races:every=20,watch=0x100000-0x101000', kernelOf)).races.map(({ sides }) => sides.map(({ cpu }) => cpu))).toEqual([
    [1, 0],
  ]);
  expect((await report('races:every=20,watch=0x7000-0x8000', kernelOf)).windows).toBe(0);
  await expect(report('races:watch=6', kernelOf)).rejects.toThrow("watch: '6' is no range of addresses");
  await expect(report('races:every=0', kernelOf)).rejects.toThrow("every: '0' is no number from 1 to");
  await expect(report('races:ignore=5', kernelOf)).rejects.toThrow("ignore: '5' is no range of addresses");
});

const serai = (commands: string, more: Partial<MachineOptions>, options = '') =>
  report(`races:every=500${options}`, { kernel: SERAI, append: `run="${commands}; halt"`, memoryBytes: 64 * MiB, ...more }, 'power-off');

it('finds the race of serai, again by its seed', async () => {
  const found = await serai('race plain 3000', LOCKSTEP);
  expect(found.races.length).toBeGreaterThan(0);
  const [{ sides }] = found.races as [RacesReport['races'][number]];
  expect(sides.map(({ kind, bytes }) => [kind, bytes])).toEqual([
    ['read', 4],
    ['write', 4],
  ]);
  // Two instructions of one function, which does nothing else.
  for (const race of found.races) for (const { eip } of race.sides) expect(sides.map((side) => side.eip)).toContain(eip);
  expect(await serai('race plain 3000', LOCKSTEP)).toEqual(found);
}, 120_000);

const silent = async (more: Partial<MachineOptions>, options?: string) => {
  const { races, windows } = await serai('race locked 3000; race atomic 3000', more, options);
  expect(races).toEqual([]);
  expect(windows).toBeGreaterThan(10);
};
it('in lockstep is silent about counters of serai with a lock, and atomic ones', () => silent(LOCKSTEP), 120_000);
/** Where serai looks at the length of another CPU's run queue without its lock, which is meant: a relaxed atomic load that one run of some fifty meets. */
function ignored(): string {
  const lines = readFileSync(SERAI_MAP, 'utf8').split('\n');
  const ranges = ['schedule', 'sched_least_busy'].map((name) => {
    const at = lines.findIndex((line) => line.endsWith(` ${name}`));
    return [lines[at]!, lines[at + 1]!].map((line) => `0x${line.slice(0, 8)}`).join('-');
  });
  return `,ignore=${ranges.join('+')}`;
}
it.skipIf(process.env.DRAGOMAN_LONG_TESTS !== '1')(
  'on threads as well, but for looks that are meant (with DRAGOMAN_LONG_TESTS=1)',
  () => silent({}, ignored()),
  120_000,
);
