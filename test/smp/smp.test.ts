// The SMP programs on real Workers, in both engines. What they must print is in checks.ts; QEMU agrees (check-with-qemu.ts).
import { describe, expect, it } from 'vitest';
import { checkProgram, PROGRAMS } from './checks.ts';
import { EFFORT, type Options, programNames, readManifest, runProgram, sourceHash } from './programs.ts';

const TIMEOUT = 60_000 * Math.max(EFFORT, 1);

it('the assembled images are of the present sources (else run test/smp/assemble.ts)', () => {
  expect(Object.fromEntries(programNames().map((name) => [name, sourceHash(name)]))).toEqual(readManifest());
});

describe.each(['interpreter', 'jit'] as const)('%s', (engine) => {
  const run = async (program: string, options: Options) => {
    const { result, lines, hung } = await runProgram(program, engine, options);
    expect(hung ?? '', `hung after\n${lines.join('\n')}`).toBe('');
    const { problems, notes } = checkProgram(program, lines, options);
    if (notes.length > 0) console.log(`${program}, ${options.cpus} CPUs, ${engine}: ${notes.join('; ')}`);
    expect(problems).toEqual([]);
    expect(result).toEqual({ kind: 'debug-exit', value: 0 });
  };
  for (const [program, { about, runs }] of Object.entries(PROGRAMS))
    for (const { cpus, n } of runs)
      it(`${program}, ${cpus} CPUs: ${about}`, () => run(program, { cpus, n: n * EFFORT, priorities: 1 }), TIMEOUT);
});
