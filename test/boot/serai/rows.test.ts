// serai's rows, which npm run bench -- paper reads: each does its work by one and by several, says so as kbench does, or why not, and leaves nothing behind. What it took is the bench's business.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { KbenchReader } from '../../../bench/kernel/output.ts';
import { SERAI as IMAGE } from '../../../guests/serai.ts';
import { SERAI } from '../../../guests/workloads/serai.ts';
import { rowsOn } from '../../../guests/workloads/workload.ts';
import { Machine, MiB } from '../../../src/api/index.ts';

const SLOW_MS = 120_000;
const SLICE_MS = 2;

interface Guest {
  readonly cpus: number;
  readonly memoryMiB?: number;
}

/** The bench's own command, as the shell takes it. */
function rowsCommand(rows: readonly string[]): string {
  const [, command] = /^run="(rows .*); halt"$/.exec(SERAI.append({ seconds: (2 * SLICE_MS) / 1000, slices: 2, limitSeconds: 60, rows }))!;
  return command!;
}

/** Lockstep: the clock goes by instructions, so a busy host changes nothing. Gives what was printed, as the bench reads it, and what `memory` said, in KiB. */
async function shell(commands: readonly string[], { cpus, memoryMiB = 64 }: Guest) {
  const reader = new KbenchReader();
  let text = '';
  const machine = await Machine.create({
    kernel: readFileSync(IMAGE),
    append: `run="${[...commands, 'halt'].join('; ')}"`,
    memoryBytes: memoryMiB * MiB,
    cpus,
    lockstep: { seed: 1 },
    onConsole: (bytes) => {
      text += Buffer.from(bytes).toString('latin1');
      reader.take(Buffer.from(bytes).toString('latin1'), 0);
    },
  });
  expect(await machine.run()).toEqual({ kind: 'power-off' });
  expect(reader.done).toBe(true);
  const memory = [...text.matchAll(/(\d+) of \d+ KiB free; (\d+) KiB are the heap's/g)].map(([, free, heap]) => ({
    free: Number(free),
    heap: Number(heap),
  }));
  return { output: reader.output, memory };
}

/** All pages are back in the end. Processes that were told to end may take a moment. */
async function run(rows: readonly string[], guest: Guest) {
  const { output, memory } = await shell(['memory', rowsCommand(rows), 'sleep 1', 'memory'], guest);
  const [before, after] = memory.map(({ free, heap }) => free + heap);
  expect(after).toBe(before);
  return output;
}

describe("serai's rows", () => {
  it('each do some work in each slice, by one and by two', { timeout: SLOW_MS }, async () => {
    const names = rowsOn(SERAI, 2);
    expect(names).toContain('ipi-round-trip');
    const rows = [...names, ...names.filter((name) => name !== 'ipi-self').map((name) => `${name}*2`)];
    const output = await run(rows, { cpus: 2 });
    expect([...output.failed]).toEqual([]);
    expect(output.rows.map(({ name, slices }) => [name, slices.length])).toEqual(rows.map((name) => [name, 2]));
    for (const { slices } of output.rows)
      for (const { nanoseconds, operations } of slices) {
        expect(nanoseconds).toBeGreaterThanOrEqual(SLICE_MS * 1e6);
        expect(operations).toBeGreaterThan(0);
      }
    // Each begins when the one before is over.
    for (const [k, { guestFromMs }] of output.rows.entries()) {
      const before = output.rows[k - 1];
      if (before !== undefined) expect(guestFromMs).toBeGreaterThanOrEqual(before.guestFromMs + before.guestMs);
    }
  });

  it('do as much by two on two CPUs as two alone would', { timeout: SLOW_MS }, async () => {
    const speed = ({ slices }: (typeof output.rows)[number]) => slices[1]!.operations / slices[1]!.nanoseconds;
    const output = await run(['call-sysenter', 'call-sysenter*2'], { cpus: 2 });
    const [alone, both] = output.rows.map(speed);
    expect(both! / alone!).toBeGreaterThan(1.5);
    expect(both! / alone!).toBeLessThan(2.5);
  });

  it('leave nothing in the heap', { timeout: SLOW_MS }, async () => {
    const rows = rowsCommand(Array.from({ length: 12 }, (_, k) => (k % 2 === 0 ? 'page-allocate' : 'call-int80*2')));
    const { memory } = await shell([rows, 'sleep 1', 'memory', rows, 'sleep 1', 'memory'], { cpus: 1 });
    expect(memory).toHaveLength(2);
    expect(memory[1]).toEqual(memory[0]);
  });

  it('say why they fail', { timeout: SLOW_MS }, async () => {
    const wrong = [
      'nonsense',
      'page-fault*0',
      'page-fault*65',
      'page-fault*x',
      'page-fault*',
      '*2',
      'a-name-that-is-longer-than-any-other',
    ];
    const output = await run(['ipi-round-trip', 'ipi-self*2', ...wrong, 'call-int80'], { cpus: 1 });
    expect([...output.failed]).toEqual([
      ['ipi-round-trip', 'it wants more CPUs'],
      ['ipi-self*2', "several would count each other's"],
      ...wrong.map((name) => [name, 'no such row']),
    ]);
    expect(output.rows.map(({ name }) => name)).toEqual(['call-int80']);
  });

  it.each([
    ['all workers that cannot be started', 2, 'no memory for the workers'],
    ['workers that fail', 3, 'a process failed'],
  ])('tell of %s', { timeout: SLOW_MS }, async (_what, memoryMiB, why) => {
    const output = await run(['page-fault*64', 'call-int80'], { cpus: 1, memoryMiB });
    expect([...output.failed]).toEqual([['page-fault*64', why]]);
    expect(output.rows.map(({ name }) => name)).toEqual(['call-int80']);
  });
});
