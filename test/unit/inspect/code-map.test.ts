// Which regions are translated, where the CPUs are among them, and what one is made of: on threads and in lockstep.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type CodeRegion, type CodeRegions, Machine, type MachineOptions, MiB } from '../../../src/api/index.ts';
import { ENTRY, kernel, le32 } from '../machine/programs.ts';

/** mov esp, 1FFFC0H; start: call small; call large; inc ecx; jmp start; small: inc eax; ret; large: inc eax, twenty times; ret */
const SETUP = 'bcc0ff1f00';
const START = ENTRY + 5;
const SMALL = START + 13;
const LARGE = START + 15;
const CODE = kernel(SETUP, `e8 ${le32(8)} e8 ${le32(5)} 41 ebf3`, '40 c3', '40'.repeat(20), 'c3');
const line = (address: number, name: string) => `${address.toString(16).padStart(8, '0')} T ${name}\n`;
const SYMBOLS = line(ENTRY, 'entry') + line(START, 'start') + line(LARGE, 'large');

let machine: Machine | undefined;
afterEach(async () => {
  await machine?.close();
  machine = undefined;
});
async function run(options: Partial<MachineOptions>): Promise<Machine> {
  const made = await Machine.create({ kernel: CODE, memoryBytes: 16 * MiB, encoder: 'direct', ...options });
  void made.run();
  return made;
}
/** One that a test may do with what it likes. */
const start = async (options: Partial<MachineOptions> = {}): Promise<Machine> => (machine = await run(options));
const at = ({ regions }: CodeRegions, address: number): CodeRegion | undefined => regions.find((region) => region.address === address);
/** The first answer for which `is` holds. */
async function until(made: Machine, is: (now: CodeRegions) => boolean): Promise<CodeRegions> {
  for (;;) {
    const now = made.regions();
    if (is(now)) return now;
    await sleep(5);
  }
}
const both = (made: Machine) => until(made, (now) => at(now, START) !== undefined && at(now, LARGE) !== undefined);

it('there are none before the run, and none in the interpreter', async () => {
  const made = await Machine.create({ kernel: CODE, memoryBytes: 16 * MiB, engine: 'interpreter', cpus: 2 });
  machine = made;
  expect(made.regions()).toMatchObject({ generation: 0, whole: true, regions: [], gone: [], heat: [] });
  void made.run();
  await sleep(50);
  const { regions, cpus } = made.regions();
  expect([regions, cpus.map(({ cpu, region }) => [cpu, region])]).toEqual([
    [],
    [
      [0, undefined],
      [1, undefined],
    ],
  ]);
});

describe.each([
  ['threads', {}],
  ['lockstep', { lockstep: {} }],
] satisfies [string, Partial<MachineOptions>][])('on %s', (name, options) => {
  /** One that is only looked at. */
  let looked: Machine;
  beforeAll(async () => {
    looked = await run({ ...options, symbols: SYMBOLS, cpus: 2 });
  });
  afterAll(() => looked.close());

  it('tells of each region what it was made from, and what it leads to', async () => {
    const now = await both(looked);
    expect(now.whole).toBe(true);
    expect(at(now, START)).toMatchObject({
      physical: START,
      floats: false,
      level: 'kernel',
      bits: 32,
      symbol: 'start',
      ranges: [START, START + 15],
      codeBytes: 15,
      // CALL of the small one, its two, CALL of the large one, INC, JMP.
      instructions: 6,
      encoder: 'direct',
      fromCache: false,
      cpu: undefined,
      callees: [SMALL],
    });
    expect(at(now, START)!.links).toContain(LARGE);
    expect(at(now, START)!.relaxations).toEqual(expect.arrayContaining(['directmap', 'returns', 'stack']));
    expect(at(now, LARGE)).toMatchObject({ symbol: 'large', codeBytes: 21, instructions: 21, blocks: 1, callees: [] });
    for (const { wasmBytes } of now.regions) expect(wasmBytes).toBeGreaterThan(50);
  });

  it('tells what has changed since: an id goes when the code has changed, and comes back with the code', async () => {
    const made = await start(options);
    await both(made);
    await made.pause();
    // The translator may still have something to do: other regions do not matter.
    const since = (generation: number) => {
      const { whole, regions, gone, generation: now, heat } = made.regions({ since: generation });
      return { whole, ids: regions.filter(({ address }) => address === LARGE).map(({ id }) => id), isGone: gone.includes(id), heat, now };
    };
    const before = made.regions();
    const { id } = at(before, LARGE)!;
    const first = since(before.generation);
    expect(first).toMatchObject({ whole: false, ids: [], isGone: false, heat: [] });
    // DEC EAX in the place of the last INC EAX.
    const place = LARGE + 19;
    made.memory.physical.write(place, Uint8Array.of(0x48));
    const changed = since(first.now);
    expect(changed).toMatchObject({ whole: false, ids: [], isGone: true });
    expect(at(made.regions(), LARGE)).toBe(undefined);
    await expect(made.inspectRegion(id)).rejects.toMatchObject({ code: 'NO_REGION', where: `region ${id}` });
    made.memory.physical.write(place, Uint8Array.of(0x40));
    // With threads the translator may have made it anew meanwhile.
    const back = since(changed.now);
    expect([back.ids.length, back.isGone]).toEqual([1, false]);
    if (name === 'lockstep') expect((await made.inspectRegion(id)).region.id).toBe(id);
    // One that is too new was of another machine.
    expect(made.regions({ since: 1e6 }).whole).toBe(true);
    expect(() => made.regions({ since: -1 })).toThrow(expect.objectContaining({ code: 'BAD_OPTION', where: 'regions.since' }));
  });

  it('ids are other ones when all was dropped', async () => {
    const made = await start(options);
    const { regions, generation } = await both(made);
    const ids = new Set(regions.map(({ id }) => id));
    // What was translated is dropped for each of the two.
    await (await made.attach('inscount')).detach();
    await until(made, (now) => at(now, LARGE) !== undefined && !now.regions.some(({ id }) => ids.has(id)));
    const { gone } = made.regions({ since: generation });
    for (const id of ids) expect(gone).toContain(id);
    for (const id of ids) await expect(made.inspectRegion(id)).rejects.toMatchObject({ code: 'NO_REGION' });
  });

  it('says in which region a CPU is, and which are hot', async () => {
    await both(looked);
    const now = await until(looked, ({ heat, cpus }) => heat.length > 0 && cpus[0]!.region !== undefined);
    const ids = looked.regions().regions.map(({ id }) => id);
    expect(ids).toContain(now.cpus[0]!.region);
    expect(now.cpus[1]!.region).toBe(undefined);
    for (const { id, samples } of now.heat) expect([ids.includes(id), samples > 0]).toEqual([true, true]);
  });

  it('shows what a region is made of, with what belongs together', async () => {
    const { id, wasmBytes } = at(await both(looked), START)!;
    const shown = await looked.inspectRegion(id);
    expect(shown.instructions.map(({ address, text, inlined }) => [address - START, text.split(' ')[0], inlined])).toEqual([
      [0, 'call', false],
      [5, 'call', false],
      [10, 'inc', false],
      [11, 'jmp', false],
      [13, 'inc', true],
      [14, 'ret', true],
    ]);
    expect(Buffer.from(shown.instructions[2]!.bytes).toString('hex')).toBe('41');
    // The same code as the one that runs.
    expect(shown.counts.wasmBytes).toBe(wasmBytes);
    const linesOf = (lines: typeof shown.ir, n: number) => lines.filter(({ instruction }) => instruction === n).map(({ text }) => text);
    shown.instructions.forEach(({ text }, n) => expect(linesOf(shown.ir, n)[0]).toContain(text));
    // INC ECX: an addition, and a constant 1.
    expect(linesOf(shown.ir, 2).join()).toContain('add');
    expect(linesOf(shown.wasm, 2).join()).toContain('i32.add');
    expect(shown.wasm[0]).toEqual({ text: expect.stringContaining('func'), instruction: undefined });
    expect(linesOf(shown.wasm, 1).join()).toMatch(/call_indirect/);
    expect(shown.counts).toMatchObject({ instructions: 6 });
  });

  it('shows what each relaxation changes', async () => {
    const shown = await looked.inspectRegion(at(await both(looked), START)!.id);
    const effect = (name: string) => shown.relaxations.find(({ relaxation }) => relaxation === name)!;
    expect(shown.relaxations.map(({ relaxation }) => relaxation).length).toBe(10);
    // Without a direct map each access asks the TLB.
    expect(effect('directmap')).toMatchObject({ ofCode: true, inForce: true, changes: true });
    expect(effect('directmap').without!.counts.expressions).toBeGreaterThan(shown.counts.expressions);
    // Without returns a region ends at its first call.
    expect(effect('returns').without!.counts.instructions).toBe(1);
    // Lockstep counts each instruction, which what is relied on of the stack does not allow for.
    expect(effect('stack').changes).toBe(name === 'threads');
    expect(effect('shared')).toMatchObject({ ofCode: true, inForce: true, changes: false });
    expect(effect('entries')).toMatchObject({ ofCode: false, inForce: true, without: undefined, changes: false });
  });
});

it('knows what code relies on', async () => {
  const made = await start();
  const ids = new Set((await both(made)).regions.map(({ id }) => id));
  made.relax(['off']);
  const { regions } = await until(made, (now) => at(now, START) !== undefined && !now.regions.some(({ id }) => ids.has(id)));
  for (const { relaxations, cpu } of regions) expect([relaxations, cpu]).toEqual([[], 0]);
  const { id } = regions.find(({ address }) => address === START)!;
  const shown = await made.inspectRegion(id);
  expect(shown.relaxations.filter(({ inForce }) => inForce)).toEqual([]);
  expect(shown.counts.instructions).toBe(1);
});

it('has names of later on', async () => {
  const made = await start();
  await both(made);
  await made.pause();
  const before = made.regions();
  expect(at(before, LARGE)!.symbol).toBe(undefined);
  const { generation } = before;
  made.loadSymbols(SYMBOLS);
  expect(at(made.regions({ since: generation }), LARGE)).toMatchObject({ id: at(before, LARGE)!.id, symbol: 'large' });
});

it('does not show code that clients are part of', async () => {
  const made = await start();
  await both(made);
  await made.attach('inscount');
  const { id } = at(await both(made), LARGE)!;
  await expect(made.inspectRegion(id)).rejects.toMatchObject({ code: 'NOT_SUPPORTED' });
});

it('refuses what is no id', async () => {
  const made = await start();
  await expect(made.inspectRegion(1.5)).rejects.toMatchObject({ code: 'BAD_OPTION', where: 'inspectRegion' });
  await expect(made.inspectRegion(4711)).rejects.toMatchObject({ code: 'NO_REGION', where: 'region 4711' });
});

it('knows the code of binaryen', async () => {
  const made = await start({ encoder: 'binaryen', lockstep: {} });
  const { id, encoder, wasmBytes } = at(await both(made), LARGE)!;
  expect([encoder, wasmBytes > 50]).toEqual(['binaryen', true]);
  expect((await made.inspectRegion(id)).counts.instructions).toBe(21);
});
