// How --stats shares a run's time between the engines.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { type EngineName, Machine, MiB } from '../../../src/api/index.ts';
import { engineTimes } from '../../../src/machine/report/engine-times.ts';
import { CLI_HLT, kernel, SPIN } from './programs.ts';

const machine = (engine: EngineName, ...code: string[]) => Machine.create({ engine, memoryBytes: 16 * MiB, kernel: kernel(...code) });

it('shares the time in proportion to the samples', () => {
  expect(engineTimes(true, 200, 1, 3)).toEqual({ timesAre: 'sampled', interpreter: 50, jit: 150 });
  expect(engineTimes(true, 200, 0, 0)).toEqual({ timesAre: 'unknown', interpreter: null, jit: null });
  expect(engineTimes(false, 200, 0, 0)).toEqual({ timesAre: 'measured', interpreter: 200, jit: 0 });
});

it('gives the interpreter all of the time where it is alone', async () => {
  const m = await machine('interpreter', 'b9 00 00 10 00 49 75 fd', CLI_HLT); // mov ecx, 0x100000; again: dec ecx; jnz again
  expect(m.stats()).toMatchObject({ timesAre: 'measured', engines: { interpreter: { ms: 0 } } });
  await m.run();
  const { wallMs, timesAre, engines } = m.stats();
  expect(timesAre).toBe('measured');
  expect(engines.jit).toMatchObject({ ms: 0, samples: 0 });
  expect(engines.interpreter.ms).toBeGreaterThan(0);
  expect(engines.interpreter.ms).toBeLessThan(wallMs);
});

it('finds a hot loop in the JIT', async () => {
  const m = await machine('jit', SPIN);
  const run = m.run();
  // However slow this host is: in the end nearly every sample is one of the loop's region.
  for (let samples = { interpreter: 0, jit: 0 }; samples.jit < 20 || samples.jit < 2 * samples.interpreter; ) {
    await sleep(20);
    const { interpreter, jit } = m.stats().engines;
    samples = { interpreter: interpreter.samples, jit: jit.samples };
  }
  m.stop('enough');
  await run;
  const { wallMs, timesAre, engines, translator, installs } = m.stats();
  expect(timesAre).toBe('sampled');
  expect(installs.modules).toBe(translator.modules);
  for (const ms of [translator.ms, translator.publishMs, installs.ms]) {
    expect(ms).toBeGreaterThan(0);
    expect(ms).toBeLessThan(wallMs);
  }
  expect(engines.jit.ms!).toBeGreaterThan(engines.interpreter.ms!);
  expect(engines.jit.ms! + engines.interpreter.ms!).toBeLessThan(wallMs);
});
