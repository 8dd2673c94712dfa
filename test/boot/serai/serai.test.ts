// serai, the demo kernel of examples/serai, boots and works: shell, processes, faults, system calls, timers.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { SERAI } from '../../../guests/serai.ts';
import { type EngineName, Machine, MiB, MOST_CPUS, type Mode, type RunResult } from '../../../src/api/index.ts';
import { GuestConsole } from '../console.ts';

const PROMPT = 'serai> ';
/** For a machine with other things to do. */
const SLOW_MS = 30_000;
const UP = '\x1b[A';
const LEFT = '\x1b[D';

/** `verify`: by the switch for who debugs the translator, the IR of each region is verified behind each pass. */
const machines: { engine: EngineName; cpus: number; mode: Mode; verify?: boolean }[] = [
  { engine: 'jit', cpus: 1, mode: 'relaxed', verify: true },
  { engine: 'interpreter', cpus: 1, mode: 'relaxed' },
  { engine: 'jit', cpus: 2, mode: 'relaxed' },
  { engine: 'jit', cpus: 4, mode: 'relaxed' },
  { engine: 'jit', cpus: 2, mode: 'classic', verify: true },
  { engine: 'interpreter', cpus: 2, mode: 'relaxed' },
];

const BENCHES = [
  'call-int80',
  'call-sysenter',
  'page-fault',
  'protection-fault',
  'context-switch',
  'pipe-round-trip',
  'spawn-exit',
  'ipi-self',
  'ipi-round-trip',
  'lock-contention',
  'page-allocate',
  'block-allocate',
];

/** Names of `parallel`, with how often the test does each, and the faults and system calls that one of them is. */
const PARALLEL = [
  { name: 'call-sysenter', times: 2001, faults: 0, calls: 1 },
  // Few enough for one pass over a process's pages, which it gives back by a call.
  { name: 'page-fault', times: 61, faults: 1, calls: 0 },
  { name: 'pipe-round-trip', times: 201, faults: 0, calls: 4 },
  { name: 'spawn-exit', times: 21, faults: 1, calls: 3 },
];

/** What `cpus` has counted on each. */
function counted(printed: string): { faults: number; calls: number }[] {
  const rows = printed.split('\n').filter((line) => /^ +\d+ +\d+ /.test(line));
  return rows.map((row) => {
    const [faults, calls] = row.trim().split(/ +/).map(Number).slice(6);
    return { faults: faults!, calls: calls! };
  });
}
const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

describe.each(machines)('serai, $engine, CPUs: $cpus, mode: $mode', ({ engine, cpus, mode, verify }) => {
  const terminal = new GuestConsole();
  let machine: Machine;
  let run: Promise<RunResult>;
  /** Behind the last prompt. */
  let at = 0;

  const type = (keys: string) => machine.sendInput(Buffer.from(keys));
  /** Types keys that end a command; what is printed from there to the next prompt, the echo included. */
  async function command(keys: string): Promise<string> {
    const from = at;
    type(keys);
    at = await terminal.waitFor(PROMPT, SLOW_MS, from);
    return terminal.text.slice(from, at - PROMPT.length).replaceAll('\r', '');
  }

  beforeAll(async () => {
    if (verify) vi.stubEnv('DRAGOMAN_VERIFY', '1');
    machine = await Machine.create({
      kernel: readFileSync(SERAI),
      append: 'run="cpus; run hello"',
      memoryBytes: 64 * MiB,
      engine,
      cpus,
      mode,
      onConsole: terminal.onConsole,
    });
    run = machine.run();
    terminal.attach(machine, run);
  });

  afterAll(async () => {
    vi.unstubAllEnvs();
    machine?.stop('the test is over');
    await run;
  });

  it('boots, and runs the commands of its command line', async () => {
    await terminal.waitFor(`serai: ${cpus} CPUs (ACPI), interrupts by I/O APIC`, SLOW_MS);
    const shown = await terminal.waitFor(`${PROMPT}cpus; run hello`, SLOW_MS);
    at = await terminal.waitFor(PROMPT, SLOW_MS, shown);
    const printed = terminal.text.slice(shown, at);
    expect(printed).toContain(`${cpus} CPUs online`);
    expect(printed).toContain('Hello from ring 3.');
    expect(printed).toContain('hello: status 0');
  });

  it('knows its CPUs', async () => {
    const lines = (await command('cpus\r')).split('\n');
    expect(lines.filter((line) => /^ +\d+ +\d+ /.test(line)).length).toBe(cpus);
  });

  it('counts primes, on all CPUs and on one', async () => {
    expect(await command('primes 20000\r')).toContain(`2262 primes up to 20000, on ${cpus} CPUs`);
    expect(await command('primes 20000 1\r')).toContain('2262 primes up to 20000, on 1 CPUs');
  });

  it('completes, edits and remembers lines', async () => {
    expect(await command('pri\t100\r')).toContain('25 primes up to 100,');
    expect(await command(`${UP}\r`)).toContain('25 primes up to 100,');
    expect(await command(`${UP}${LEFT}${LEFT}\b2\r`)).toContain('46 primes up to 200,');
    expect(await command('run n\t 42\r')).toContain('nothing: status 42');
    expect(await command(`${UP}${UP}${UP}\r`)).toContain('25 primes up to 100,');
    expect(await command('nonsense\r')).toContain('nonsense: no such command');
  });

  it('measures itself', async () => {
    const printed = await command('bench quick\r');
    const found = printed
      .split('\n')
      .map((line) => /^bench (\S+) +(\d+|-) ns/.exec(line)?.[1])
      .filter((name) => name !== undefined);
    expect(found).toEqual(BENCHES);
    expect(printed).toContain('bench: done');
  });

  it.each(PARALLEL)('shares $name among processes', async ({ name, times, faults, calls }) => {
    const total = async () => {
      const cpu = counted(await command('cpus\r'));
      return { faults: sum(cpu.map((one) => one.faults)), calls: sum(cpu.map((one) => one.calls)) };
    };
    /** The faults and system calls of a run. */
    async function share(count: number, processes: number) {
      const before = await total();
      const printed = await command(`parallel ${name} ${count}${processes === cpus ? '' : ` ${processes}`}\r`);
      const result = `${name}: ${count} on ${cpus} CPUs by ${processes} processes, in \\d+\\.\\d{3} ms`;
      expect(printed).toMatch(new RegExp(`\nparallel ${result}\n$`));
      const after = await total();
      return { faults: after.faults - before.faults, calls: after.calls - before.calls };
    }
    for (const processes of [cpus, 1, 5]) {
      // What they need beside it is the same, however often they do it.
      const once = await share(processes, processes);
      const often = await share(times, processes);
      expect(often.faults - once.faults).toBe((times - processes) * faults);
      expect(often.calls - once.calls).toBe((times - processes) * calls);
    }
  });

  it('gives each CPU its share of the processes', async () => {
    const calls = async () => counted(await command('cpus\r')).map((cpu) => cpu.calls);
    const before = await calls();
    await command(`parallel call-sysenter ${engine === 'jit' ? 400_000 : 40_000}\r`);
    for (const [cpu, count] of (await calls()).entries()) expect(count - before[cpu]!).toBeGreaterThan(100);
  });

  it('completes the words of parallel, and refuses others', async () => {
    expect(await command('para\tpi\t20 1\r')).toContain('parallel pipe-round-trip: 20 on ');
    const wrong = ['', ' page-fault', ' nonsense 10', ' bench 10', ' context-switch 10', ' page-fault ten', ' page-fault 0'];
    wrong.push(' page-fault 10 0', ' page-fault 10 65', ' page-fault 10 two', ' page-fault 10 1 1');
    for (const words of wrong)
      expect(await command(`parallel${words}\r`)).toBe(`parallel${words}\nusage: parallel NAME TIMES [PROCESSES]\n`);
  });

  it('counts right where it counts right, and goes on behind its own mistakes', async () => {
    for (const way of ['locked', 'atomic'])
      expect(await command(`race ${way} 500\r`)).toContain(`race ${way}: ${500 * cpus} of ${500 * cpus} counted, 0 lost\n`);
    const [, counted, all, lost] = /race plain: (\d+) of (\d+) counted, (\d+) lost\n/.exec(await command('race plain 500\r')) ?? [];
    expect([Number(all), Number(counted) + Number(lost)]).toEqual([500 * cpus, 500 * cpus]);
    for (const mistake of ['none', 'use-after-free', 'write-after-free', 'out-of-bounds'])
      expect(await command(`bug ${mistake}\r`)).toContain(`bug ${mistake}: status 1\n`);
    for (const words of ['race', 'race plain', 'race other 5', 'race plain 0', 'bug', 'bug other'])
      expect(await command(`${words}\r`)).toContain('usage: ');
  });

  it('stands a second of stress', async () => {
    expect(await command('stress 1\r')).toContain('stress: ok\n');
  });

  it('tells where the time went', async () => {
    expect(await command('top\r')).toMatch(/busy: \d+%.*\n.*\n.* (idle \d\d|shell) /);
  });

  it('switches the machine off, and its translator found nothing wrong', async () => {
    type('halt\r');
    expect(await run).toEqual({ kind: 'power-off' });
    expect(machine.stats().translator.failed).toBe(0);
  });
});

describe('serai with little memory', () => {
  // Lockstep: which of them is interrupted while it holds its pages is the same on any host.
  it.each([
    ['tells of processes that failed', 8, /\nparallel page-fault: \d+ of 64 processes failed\n/],
    ['tells that it cannot start them all', 2, /\nparallel page-fault: no memory for 64 processes\n/],
  ])('%s, and has all memory back', async (_what, memoryMiB, told) => {
    const terminal = new GuestConsole();
    // Programs with up to 64 pages each, which the scheduler interrupts before they have given them back.
    const append = 'run="memory; parallel page-fault 1280000 64; sleep 1; memory; halt"';
    const machine = await Machine.create({
      kernel: readFileSync(SERAI),
      append,
      memoryBytes: memoryMiB * MiB,
      cpus: 1,
      lockstep: { seed: 1 },
      onConsole: terminal.onConsole,
    });
    expect(await machine.run()).toEqual({ kind: 'power-off' });
    const printed = terminal.text.replaceAll('\r', '');
    expect(printed).toMatch(told);
    expect(printed).not.toMatch(/\nparallel page-fault: \d+ on /);
    const [before, after] = [...printed.matchAll(/(\d+) of \d+ KiB free; (\d+) KiB are the heap's/g)].map(
      ([, free, heap]) => Number(free) + Number(heap),
    );
    expect(after).toBe(before);
  });
});

describe('serai and what is typed before it runs', () => {
  it('has all of it at its prompt', { timeout: 2 * SLOW_MS }, async () => {
    const terminal = new GuestConsole();
    const machine = await Machine.create({ kernel: readFileSync(SERAI), memoryBytes: 64 * MiB, cpus: 1, onConsole: terminal.onConsole });
    machine.sendInput(Buffer.from('primes 100\rhalt\r'));
    expect(await machine.run()).toEqual({ kind: 'power-off' });
    expect(terminal.text.replaceAll('\r', '')).toMatch(/serai> primes 100\n25 primes up to 100, .*\nserai> halt\n/);
  });
});

/** As many as there can be where there is time for them. */
const MANY = process.env.DRAGOMAN_LONG_TESTS === '1' ? MOST_CPUS : 16;
describe('serai with many CPUs', () => {
  it(`starts all ${MANY}, and works on them`, { timeout: 6 * SLOW_MS }, async () => {
    const terminal = new GuestConsole();
    const machine = await Machine.create({
      kernel: readFileSync(SERAI),
      append: 'run="cpus; primes 100000; halt"',
      memoryBytes: 64 * MiB,
      cpus: MANY,
      onConsole: terminal.onConsole,
    });
    expect(await machine.run()).toEqual({ kind: 'power-off' });
    const printed = terminal.text.replaceAll('\r', '');
    expect(counted(printed)).toHaveLength(MANY);
    expect(printed).toContain(`\n9592 primes up to 100000, on ${MANY} CPUs`);
  });
});
