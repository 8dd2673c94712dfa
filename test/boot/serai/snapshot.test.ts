// serai goes on from snapshots: in lockstep to the bit, under load on several CPUs, with what was typed and not yet read.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { SERAI } from '../../../guests/serai.ts';
import { type EngineName, Machine, type MachineOptions, MiB, type RestoreOptions } from '../../../src/api/index.ts';

const codeCache = mkdtempSync(join(tmpdir(), 'dragoman-snapshot-'));
afterAll(() => rmSync(codeCache, { recursive: true }));
const LONG = process.env.DRAGOMAN_LONG_TESTS === '1';
const WAIT = { timeoutMs: 120_000 };
const LOCKSTEP = { lockstep: { seed: 5, paced: false } };

/** A machine, and what its guest prints. */
interface Session {
  readonly machine: Machine;
  text: string;
}
async function session(make: (options: { onConsole: (bytes: Uint8Array) => void }) => Promise<Machine>): Promise<Session> {
  const session = { text: '' } as Session & { machine: Machine };
  session.machine = await make({ onConsole: (bytes) => (session.text += Buffer.from(bytes).toString('latin1')) });
  return session;
}
const boot = (options: MachineOptions) =>
  session((more) => Machine.create({ kernel: readFileSync(SERAI), memoryBytes: 32 * MiB, ...options, ...more }));
const restore = (snapshot: Uint8Array, options: RestoreOptions = {}) =>
  session((more) => Machine.restore(snapshot, { ...options, ...more }));

/** Runs to the end; all that must be the same in two machines that went on from one place, with what was printed behind `from`. */
async function facts(one: Session, run: Promise<unknown>, from = 0) {
  const result = await run;
  const { lockstep } = one.machine.stats();
  return { result, text: one.text.slice(from), lockstep, hash: one.machine.memoryHash() };
}
const turns = (machine: Machine) => machine.stats().lockstep!.turns;
const until = async (is: () => boolean) => {
  while (!is()) await new Promise((resolve) => setTimeout(resolve, 1));
};

describe.each<[EngineName, number]>([['jit', 2], ...(LONG ? ([['interpreter', 1]] as [EngineName, number][]) : [])])(
  'lockstep, %s, %i CPUs',
  (engine, cpus) => {
    it('goes on to the bit: what goes on from a snapshot as the original, what goes on from a snapshot of that as that', async () => {
      const original = await boot({ engine, cpus, append: 'run="cpus; primes 200000; run hello; cpus; halt"', ...LOCKSTEP });
      const run = original.machine.run();
      // While it computes, with timers that tick.
      await original.machine.console.until('CPUs online', WAIT);
      const first = await original.machine.snapshot();
      const [at, from] = [turns(original.machine), original.text.length];
      const one = await facts(original, run, from);
      expect(one.result).toEqual({ kind: 'power-off' });
      expect(one.text).toMatch(/primes up to 200000.*Hello from ring 3/s);

      const straight = await restore(first, { lockstep: { paced: false } });
      expect(await facts(straight, straight.machine.run())).toEqual(one);

      const second = await restore(first, { lockstep: { paced: false }, paused: true });
      const again = second.machine.run();
      expect(turns(second.machine)).toBeLessThanOrEqual(at);
      await second.machine.pause();
      await second.machine.resume();
      await until(() => turns(second.machine) > at + 100);
      await second.machine.pause();
      // In the middle of a turn.
      await second.machine.step(cpus - 1, 7);
      const later = await second.machine.snapshot();
      const behind = second.text.length;
      expect(turns(second.machine)).toBeLessThan(one.lockstep!.turns);
      await second.machine.resume();
      const two = await facts(second, again, behind);
      const third = await restore(later, { lockstep: { paced: false } });
      expect(await facts(third, third.machine.run())).toEqual(two);
      expect(two.text.slice(-20)).toBe(one.text.slice(-20));
    });
  },
);

it('threads: stress goes on in another machine, and in the one that was saved, whose translations it finds', async () => {
  const original = await boot({ cpus: 3, codeCache });
  const run = original.machine.run();
  await original.machine.console.until('serai> ', WAIT);
  await original.machine.console.type('stress 2\n');
  await new Promise((resolve) => setTimeout(resolve, 500));
  const snapshot = await original.machine.snapshot();
  const finish = async ({ machine }: Session, ended: Promise<unknown>) => {
    const { before } = await machine.console.until('serai> ', WAIT);
    expect(before).toMatch(/^stress: ok\r?$/m);
    await machine.console.type('halt\n');
    expect(await ended).toEqual({ kind: 'power-off' });
  };
  await finish(original, run);
  const other = await restore(snapshot, { codeCache });
  await finish(other, other.machine.run());
  expect(other.machine.stats().translator.cacheHits).toBeGreaterThan(0);
});
