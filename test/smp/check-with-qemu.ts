// Checks from outside what the SMP programs print: runs them in QEMU (TCG, a thread for each CPU), by the same rules as the tests.
// Usage: node scripts/with-node.mjs test/smp/check-with-qemu.ts [names]
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { checkProgram, PROGRAMS } from './checks.ts';
import { commandLine, EXIT_PORT, type Options } from './programs.ts';

/** QEMU's arithmetic: a write of 0 to isa-debug-exit ends it with 1. */
const ENDED_WITH_0 = 1;

/**
 * Where QEMU is no judge: TCG has CPUID without a fence, though it serialises (SDM vol. 3, 9.3); and of two NMIs that it has not yet taken it
 * loses one, though a CPU takes the first at the next instruction. It reads code before it protects the page, so what is stored in between it never sees.
 */
const QEMUS_OWN =
  /^SB\+cpuid: forbidden 00,|^two: Nn at|^parts that ran: latched two: behind hlt|^beside: wrong|^parts that ran: cross.* int3 beside:;/;

function runInQemu(name: string, options: Options): Promise<{ code: number; lines: string[] }> {
  const image = fileURLToPath(new URL(`bin/${name}.bin`, import.meta.url));
  const args = [
    '-accel',
    'tcg,thread=multi',
    '-cpu',
    'max',
    '-smp',
    `${options.cpus}`,
    '-m',
    '32',
    '-display',
    'none',
    '-nodefaults',
    '-no-reboot',
  ];
  args.push(
    '-kernel',
    image,
    '-append',
    commandLine(options),
    '-debugcon',
    'stdio',
    '-device',
    `isa-debug-exit,iobase=${EXIT_PORT},iosize=4`,
  );
  return new Promise((resolve) => {
    execFile('qemu-system-i386', args, { timeout: 600_000 }, (error, stdout) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, lines: stdout.split('\n').slice(0, -1) }),
    );
  });
}

const named = process.argv.slice(2);
let wrong = 0;
for (const name of named.length > 0 ? named : Object.keys(PROGRAMS)) {
  for (const { cpus, n } of PROGRAMS[name]!.runs) {
    const options = { cpus, n };
    const { code, lines } = await runInQemu(name, options);
    const { problems, notes } = checkProgram(name, lines, options);
    const ours = problems.filter((problem) => !QEMUS_OWN.test(problem));
    const all = code === ENDED_WITH_0 ? ours : [...ours, `ended with ${code}`];
    if (all.length > 0) wrong++;
    console.log(
      `${name}, ${cpus} CPUs: ${all.length > 0 ? `DIFFERS\n${all.join('\n')}` : 'as expected'}${notes.length > 0 ? ` (${notes.join('; ')})` : ''}`,
    );
  }
}
process.exitCode = wrong > 0 ? 1 : 0;
