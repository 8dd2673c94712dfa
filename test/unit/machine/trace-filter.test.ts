// Filters of the execution trace: each gives those lines of the whole trace that fit it, in both engines; what they refuse.
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { SERAI } from '../../../guests/serai.ts';
import { type DragomanError, type EngineName, Machine, type MachineOptions, MiB, type TraceFilter } from '../../../src/api/index.ts';
import { ENTRY, kernel, le32, outDx, UD2 } from './programs.ts';

/** Turns of a loop; enough for translated code in the JIT. */
const TURNS = { interpreter: 700, jit: 12_000 };
/** mov ecx, TURNS; again: call leaf; dec ecx; jnz again */
const loop = (turns: number, leaf: number) => `b9${le32(turns)} e8${le32(leaf)} 49 75f8`;
/** Twice that, with 'go' on the console between; then UD2, and LEAF: nop; ret */
const guest = (turns: number) => kernel(loop(turns, 32), outDx(0x3f8, 0x67), outDx(0x3f8, 0x6f), loop(turns, 5), UD2, '90c3');
const [AGAIN, SECOND, CRASH, LEAF] = [ENTRY + 5, ENTRY + 32, ENTRY + 40, ENTRY + 42];
const SYMBOLS = [ENTRY, CRASH, LEAF].map((at, n) => `${at.toString(16).padStart(8, '0')} T ${['start', 'crash', 'leaf'][n]}\n`).join('');

async function trace(engine: EngineName, options: Partial<MachineOptions> = {}): Promise<string[]> {
  let text = '';
  const machine = await Machine.create({
    engine,
    kernel: guest(TURNS[engine]),
    memoryBytes: 4 * MiB,
    lockstep: { paced: false },
    symbols: SYMBOLS,
    onTrace: (lines) => {
      text += lines;
    },
    ...options,
  });
  expect((await machine.run()).kind).toBe('triple-fault');
  return text === '' ? [] : text.trimEnd().split('\n');
}
const eipOf = (line: string) => Number.parseInt(line.slice(4, 12), 16);
const isDelivery = (line: string) => line[2] === '!';

/** Filters, and the lines that fit them. */
const FILTERS: [TraceFilter, (line: string) => boolean][] = [
  [{}, () => true],
  [{ addresses: [LEAF] }, (line) => eipOf(line) === LEAF],
  [{ addresses: [LEAF, { from: SECOND, to: CRASH }] }, (line) => eipOf(line) === LEAF || (eipOf(line) >= SECOND && eipOf(line) <= CRASH)],
  [{ addresses: [{ from: 'start', to: 'start' }] }, (line) => eipOf(line) < CRASH],
  [{ addresses: ['crash', AGAIN] }, (line) => [CRASH, AGAIN].includes(eipOf(line))],
  [{ only: ['exceptions'] }, isDelivery],
  [{ only: ['interrupts'] }, () => false],
  [{ only: ['blocks', 'interrupts'] }, (line) => !isDelivery(line)],
  [{ cpus: [0] }, () => true],
  [{ cpus: [] }, () => false],
  [{ only: ['exceptions'], addresses: [LEAF] }, () => false],
];

describe('in the interpreter', () => {
  let whole: string[];
  beforeAll(async () => {
    whole = await trace('interpreter');
    expect(whole.length).toBeGreaterThan(4 * TURNS.interpreter);
  });
  const filtered = (traceFilter: TraceFilter) => trace('interpreter', { traceFilter });

  it.each(FILTERS)('%j', async (filter, fits) => {
    expect(await filtered(filter)).toEqual(whole.filter(fits));
  });

  it('that begins behind so many instructions', async () => {
    const lines = await filtered({ from: 3 * TURNS.interpreter });
    expect(lines.length).toBeGreaterThan(TURNS.interpreter);
    expect(lines.length).toBeLessThan(whole.length - TURNS.interpreter);
    expect(lines).toEqual(whole.slice(-lines.length));
    expect(await filtered({ from: 1 })).toEqual(whole);
    expect(await filtered({ from: 1e9 })).toEqual([]);
  });

  it('that begins at a text on the console', async () => {
    // A loop, 'go', and the same loop when a byte has come: mov dx, 0x3fd; wait: in al, dx; test al, 1; jz wait
    const turns = (n: number) => `b9${le32(n)} 49 75fd`;
    const code = kernel(turns(10), outDx(0x3f8, 0x67), outDx(0x3f8, 0x6f), '66bafd03 ec a801 74fb', turns(20), UD2);
    let text = '';
    const machine = await Machine.create({
      engine: 'interpreter',
      kernel: code,
      memoryBytes: 4 * MiB,
      lockstep: { paced: false },
      onConsole: (bytes) => {
        if (Buffer.from(bytes).includes('o')) machine.sendInput(Buffer.from('x'));
      },
      onTrace: (lines) => {
        text += lines;
      },
      traceFilter: { from: 'go' },
    });
    expect((await machine.run()).kind).toBe('triple-fault');
    const again = [ENTRY + 5, ENTRY + 8 + 14 + 9 + 5].map((eip) => text.split('\n').filter((line) => eipOf(line) === eip).length);
    // The first turn may be part of the block before it.
    expect(again).toEqual([0, 19]);
    expect(await filtered({ from: 'gone' })).toEqual([]);
  });

  it('that ends behind so many lines', async () => {
    for (const count of [1, 1023, 1025, whole.length + 1]) expect(await filtered({ count })).toEqual(whole.slice(0, count));
    expect(await filtered({ count: 2, addresses: ['leaf'] })).toEqual(whole.filter((line) => eipOf(line) === LEAF).slice(0, 2));
  });

  it('that has names', async () => {
    const named = await filtered({ names: true, count: 3 });
    expect(named).toEqual(whole.slice(0, 3).map((line, n) => `${line} ${['start', 'leaf', 'start+0xa'][n]}`));
  });

  it('on threads', async () => {
    const threads = { lockstep: undefined };
    expect(await trace('interpreter', { ...threads, traceFilter: { only: ['exceptions'] } })).toEqual(whole.filter(isDelivery));
    const counted = await trace('interpreter', { ...threads, traceFilter: { addresses: ['leaf'], count: 100 } });
    expect(counted.map(eipOf)).toEqual(Array(100).fill(LEAF));
  });
});

it('in translated code', async () => {
  const leafs = (await trace('jit')).filter((line) => eipOf(line) === LEAF).join('\n');
  const late = (await trace('jit', { traceFilter: { addresses: ['leaf'], from: 60_000 } })).join('\n');
  expect(late.includes('\n0 J ')).toBe(true);
  expect(late.length).toBeLessThan(0.9 * leafs.length);
  expect(leafs.endsWith(late)).toBe(true);
}, 120_000);

it('of one CPU of several', async () => {
  let text = '';
  const machine = await Machine.create({
    kernel: readFileSync(SERAI),
    cpus: 2,
    memoryBytes: 16 * MiB,
    lockstep: { paced: false },
    onTrace(lines) {
      text += lines;
      if (text.length > 0) machine.stop('seen');
    },
    traceFilter: { cpus: [1], count: 20 },
  });
  expect(await machine.run()).toEqual({ kind: 'stopped', reason: 'seen' });
  expect(
    text
      .trimEnd()
      .split('\n')
      .map((line) => line[0]),
  ).toEqual(Array(20).fill('1'));
});

it.each<[Partial<MachineOptions>, string]>([
  [{ traceFilter: { addresses: ['nowhere'] } }, "traceFilter.addresses[0]: there is no name 'nowhere'"],
  [
    { traceFilter: { addresses: [5, 'main'] }, symbols: undefined },
    "traceFilter.addresses[1]: there is no name 'main': the names of the kernel are not known (its System.map, or a file with a symbol table, has them)",
  ],
  [{ traceFilter: { addresses: [{ from: 'leaf', to: 'start' }] } }, "traceFilter.addresses[0]: 'start' lies before 'leaf'"],
  [
    { traceFilter: { addresses: [{ from: 1, till: 2 } as never] } },
    'traceFilter.addresses[0].till: there is no such option; there are from, to',
  ],
  [{ traceFilter: { cpus: [0, 2] }, cpus: 2 }, 'traceFilter.cpus: there is no CPU 2: they are 0 to 1'],
  [{ traceFilter: { cpus: [1] } }, 'traceFilter.cpus: there is no CPU 1: there is CPU 0 alone'],
  [
    { traceFilter: { only: ['faults' as never] } },
    "traceFilter.only[0]: 'faults' is not one of 'blocks' and 'exceptions' and 'interrupts'",
  ],
  [{ traceFilter: { cpu: [1] } as never }, "traceFilter.cpu: there is no such option; is 'cpus' meant?"],
  [{ traceFilter: {}, onTrace: undefined }, 'traceFilter: is of a trace, and nobody takes one (onTrace)'],
])('refuses %j', async (options, message) => {
  const made = Machine.create({ kernel: guest(1), memoryBytes: 4 * MiB, symbols: SYMBOLS, onTrace: () => {}, ...options });
  const error = await made.then(
    () => undefined,
    (thrown: unknown) => thrown as DragomanError,
  );
  expect([error?.code, error?.message]).toEqual(['BAD_OPTION', message]);
});
