// serai, the demo kernel of examples/serai, boots and works: shell, processes, faults, system calls, timers.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SERAI } from '../../scripts/serai.ts';
import { type EngineName, Machine, MiB, type RunResult } from '../../src/api/index.ts';
import { GuestConsole } from '../boot/console.ts';

const PROMPT = 'serai> ';
/** For a machine with other things to do. */
const SLOW_MS = 30_000;
const UP = '\x1b[A';
const LEFT = '\x1b[D';

const machines: { engine: EngineName; cpus: number }[] = [
  { engine: 'jit', cpus: 1 },
  { engine: 'interpreter', cpus: 1 },
  { engine: 'jit', cpus: 2 },
  { engine: 'jit', cpus: 4 },
  { engine: 'interpreter', cpus: 2 },
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

describe.each(machines)('serai, $engine, CPUs: $cpus', ({ engine, cpus }) => {
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
    machine = await Machine.create({
      kernel: readFileSync(SERAI),
      append: 'run="cpus; run hello"',
      memoryBytes: 64 * MiB,
      engine,
      cpus,
      onConsole: terminal.onConsole,
    });
    run = machine.run();
    terminal.attach(machine, run);
  });

  afterAll(async () => {
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

  it('stands a second of stress', async () => {
    expect(await command('stress 1\r')).toContain('stress: ok\n');
  });

  it('tells where the time went', async () => {
    expect(await command('top\r')).toMatch(/busy: \d+%.*\n.*\n.* (idle \d\d|shell) /);
  });

  it('switches the machine off', async () => {
    type('halt\r');
    expect(await run).toEqual({ kind: 'power-off' });
  });
});
