// serai under stress on two CPUs goes back and on again, from anywhere to anywhere: memory, registers and what was printed are the same, and so is all that comes then.
import { expect, it } from 'vitest';
import { SERAI } from '../../../guests/serai.ts';
import { Machine, MiB } from '../../../src/api/index.ts';
import { SeededRandom } from '../../../src/machine/lockstep/random.ts';

const WAIT = { timeoutMs: 120_000 };
const PLACES = process.env.DRAGOMAN_LONG_TESTS === '1' ? 200 : 8;

it(`${PLACES} places, and up to 50,000 instructions back from each`, { timeout: 600_000 }, async () => {
  let text = '';
  await using machine = await Machine.create({
    kernel: SERAI,
    memoryBytes: 16 * MiB,
    cpus: 2,
    append: 'run="cpus; stress 30"',
    lockstep: { paced: false, seed: 7, reverse: { every: 150_000 } },
    onConsole: (bytes) => void (text += Buffer.from(bytes).toString('latin1')),
  });
  void machine.run();
  await machine.console.until('CPUs online', WAIT);
  const random = new SeededRandom(11);
  const turns = () => machine.stats().lockstep!.turns;
  const state = () => ({
    text: text.length,
    hash: machine.memoryHash(),
    time: machine.stats().lockstep,
    cpus: machine.cpus.map(({ registers }) => ({ ...registers, tsc: registers.tsc })),
  });
  for (let place = 0; place < PLACES; place++) {
    const before = turns();
    while (turns() < before + 20) await new Promise((resolve) => setTimeout(resolve, 1));
    await machine.pause();
    const cpu = random.below(2);
    await machine.step(cpu, 1 + random.below(3));
    const there = state();
    for (let way = 0; way < 2; way++) {
      const count = [1, 1, 2, 7, 300, 5000, 50_000][random.below(7)]!;
      expect(await machine.stepBack(cpu, count)).toBe(count);
      // One that waits in HLT is asked again, until it is woken.
      for (let left = count; left > 0; ) left -= await machine.step(cpu, left);
      const { history: _one, ...now } = state().time!;
      const { history: _two, ...then } = there.time!;
      expect([now, { ...state(), time: 0 }]).toEqual([then, { ...there, time: 0 }]);
    }
    await machine.resume();
  }
});
