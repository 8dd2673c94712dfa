// npm run stress -- [--cpus N] [--seconds S] [--engine NAME] [--mode NAME] [--part NAME]: Debian's kernel runs the stress program (guests/stress/README.md) on N CPUs for S
// seconds; then its log and its disk are looked at. Exit status 0: nothing was wrong.
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureGuest, READY } from '../guests/linux.ts';
import { diskBytes, diskErrors } from '../guests/stress/disk.ts';
import { troubleIn } from '../guests/stress/dmesg.ts';
import { DEFAULT_MODE } from '../src/api/relax.ts';
import { MODE } from '../src/api/schema.ts';
import { GuestConsole } from '../test/boot/console.ts';
import { build } from './build.ts';

const USAGE =
  'usage: npm run stress -- [--cpus N] [--seconds S] [--engine jit|interpreter] [--mode relaxed|transparent|classic] [--part NAME] [--log FILE]\n';
/** How much later than asked the guest may be done before it counts as stuck. */
const LATE_MS = 600_000;

function options() {
  const { values } = parseArgs({
    options: {
      cpus: { type: 'string', default: '4' },
      seconds: { type: 'string', default: '600' },
      engine: { type: 'string', default: 'jit' },
      mode: { type: 'string', default: DEFAULT_MODE },
      part: { type: 'string', default: '' },
      log: { type: 'string', default: '' },
    },
  });
  const [cpus, seconds] = [Number(values.cpus), Number(values.seconds)];
  if (!Number.isInteger(cpus) || cpus < 1 || cpus > 64) throw new Error('--cpus takes 1 to 64');
  if (!Number.isInteger(seconds) || seconds < 1) throw new Error('--seconds takes a whole number above 0');
  if (values.engine !== 'jit' && values.engine !== 'interpreter') throw new Error('--engine takes jit or interpreter');
  if (!/^[a-z]*$/.test(values.part)) throw new Error('--part takes the name of a part');
  return {
    cpus,
    seconds,
    engine: values.engine as 'jit' | 'interpreter',
    mode: MODE.read(values.mode, '--mode'),
    part: values.part,
    log: values.log,
  };
}

async function stress({ cpus, seconds, engine, mode, part, log }: ReturnType<typeof options>): Promise<string[]> {
  const guest = await ensureGuest();
  await build({ wasmOnly: true });
  // What was built a moment ago.
  const { Machine, MiB } = await import('../src/api/index.ts');
  const folder = mkdtempSync(join(tmpdir(), 'dragoman-stress-'));
  const disk = join(folder, 'disk');
  const terminal = new GuestConsole();
  const out = log === '' ? undefined : openSync(log, 'w');
  const problems: string[] = [];
  const say = (text: string) => process.stdout.write(`${text}\n`);
  try {
    writeFileSync(disk, Buffer.alloc(diskBytes(cpus)));
    const machine = await Machine.create({
      kernel: readFileSync(guest.kernel),
      initrd: readFileSync(guest.initrd),
      append: 'console=ttyS0',
      memoryBytes: 256 * MiB,
      cpus,
      engine,
      mode,
      disks: [{ path: disk }],
      onConsole: (bytes) => {
        if (out !== undefined) writeFileSync(out, bytes);
        terminal.onConsole(bytes);
      },
    });
    const run = machine.run();
    terminal.attach(machine, run);
    try {
      await terminal.waitFor('~ # ', LATE_MS, await terminal.waitFor(READY, LATE_MS));
      // No line of the kernel in the middle of one that the program prints.
      await terminal.command('dmesg -n 1', LATE_MS);
      say(`${cpus} CPUs are up after ${(machine.stats().wallMs / 1000).toFixed(1)} s`);
      const said = await terminal.command(`stress ${seconds} ${cpus} ${part}`, seconds * 1000 + LATE_MS);
      say(said);
      if (said.split('\n').at(-1) !== 'stress: ok') problems.push('the program did not end with ok');
      const trouble = troubleIn(await terminal.command('dmesg', LATE_MS));
      problems.push(...trouble.map((line) => `the kernel says: ${line}`));
      machine.sendInput(Buffer.from(`taskset -c ${cpus - 1} poweroff -f\n`));
      const timer = setTimeout(() => machine.stop('poweroff does nothing'), LATE_MS);
      const result = await run;
      clearTimeout(timer);
      if (result.kind !== 'power-off') problems.push(`the run ended in another way: ${JSON.stringify(result)}`);
      if (part === '' || part === 'files') problems.push(...diskErrors(readFileSync(disk), cpus).map((error) => `the disk: ${error}`));
    } catch (error) {
      problems.push((error as Error).message);
    } finally {
      machine.stop('the stress is over');
      await run.catch((error: Error) => problems.push(error.message));
    }
    say(`${cpus} CPUs, ${engine}: ${(machine.stats().wallMs / 1000).toFixed(0)} s, ${problems.length === 0 ? 'no problem' : 'PROBLEMS'}`);
  } finally {
    if (out !== undefined) closeSync(out);
    rmSync(folder, { recursive: true, force: true });
  }
  return problems;
}

let wanted: ReturnType<typeof options>;
try {
  wanted = options();
} catch (error) {
  process.stderr.write(`stress: ${(error as Error).message}\n${USAGE}`);
  process.exit(2);
}
const problems = await stress(wanted);
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
