// Debian's kernel on several CPUs: it finds them, a program that checks itself (stress/README.md) keeps all of them busy, the kernel has nothing to
// complain of, and what went to the disk is there. Runs on 8 and 16 CPUs are long: DRAGOMAN_LONG_TESTS=1.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { guestOrSkip, READY } from '../../guests/linux.ts';
import { diskBytes, diskErrors } from '../../guests/stress/disk.ts';
import { troubleIn } from '../../guests/stress/dmesg.ts';
import { type EngineName, Machine, MiB, type Mode, type RunResult } from '../../src/api/index.ts';
import type { CoverageReport } from '../../src/clients/coverage.ts';
import { GuestConsole } from './console.ts';

const { guest, reason } = await guestOrSkip();
if (guest === undefined) console.warn(`no SMP boots: ${reason}`);
const long = process.env.DRAGOMAN_LONG_TESTS === '1';

/** For a machine with other things to do. */
const BOOT_MS = 300_000;
const COMMAND_MS = 60_000;
const STRESS_MS = 300_000;
const SWITCH_MS = 150;
const MODES: readonly Mode[] = ['classic', 'relaxed', 'transparent'];
/** The kernel counts four ticks of the 8254 within 160 ms: on a host that lets the threads of four CPUs stand for so long there are not as many. */
const OF_THE_HOST = /8254 timer not connected/;
/** Of the random code. */
const SEED = 1;
const PARTS = ['processes', 'pipes', 'signals', 'memory', 'shootdown', 'locks', 'code', 'files', 'floats'];

/** `random`: seconds of random code. `maxRegions`: so few that all are dropped again and again. `mode`: what it boots in. */
const MACHINES: { cpus: number; engine: EngineName; seconds: number; random?: number; maxRegions?: number; mode?: Mode; skip?: boolean }[] =
  [
    { cpus: 2, engine: 'jit', seconds: 4, random: 30 },
    { cpus: 4, engine: 'jit', seconds: 4, maxRegions: 300, mode: 'classic' },
    { cpus: 2, engine: 'interpreter', seconds: 2, random: 30 },
    { cpus: 8, engine: 'jit', seconds: 20, random: 60, skip: !long },
    { cpus: 16, engine: 'jit', seconds: 20, skip: !long },
  ];

for (const { cpus, engine, seconds, random, maxRegions, mode, skip } of MACHINES) {
  const name = `Debian on ${cpus} CPUs, ${engine}`;
  describe.skipIf(guest === undefined || skip)(skip ? `${name} (DRAGOMAN_LONG_TESTS=1)` : name, () => {
    const terminal = new GuestConsole();
    const folder = mkdtempSync(join(tmpdir(), 'dragoman-smp-'));
    const disk = join(folder, 'disk');
    let machine: Machine;
    let run: Promise<RunResult>;
    const command = (line: string, ms = COMMAND_MS) => terminal.command(line, ms);

    beforeAll(async () => {
      writeFileSync(disk, Buffer.alloc(diskBytes(cpus)));
      machine = await Machine.create({
        kernel: readFileSync(guest!.kernel),
        initrd: readFileSync(guest!.initrd),
        append: 'console=ttyS0',
        memoryBytes: 256 * MiB,
        cpus,
        engine,
        maxRegions,
        mode,
        disks: [{ path: disk }],
        onConsole: terminal.onConsole,
      });
      run = machine.run();
      terminal.attach(machine, run);
      await terminal.waitFor('~ # ', BOOT_MS, await terminal.waitFor(READY, BOOT_MS));
      // No line of the kernel in the middle of one that a program prints.
      await command('dmesg -n 1');
    }, BOOT_MS + 10_000);

    afterAll(async () => {
      machine?.stop('the test is over');
      await run;
      rmSync(folder, { recursive: true, force: true });
    });

    it('finds them all', async () => {
      expect(await command("grep -c '^processor' /proc/cpuinfo; cat /sys/devices/system/cpu/online")).toBe(`${cpus}\n0-${cpus - 1}`);
      // Each runs what is bound to it.
      const where = 'for c in $(seq 0 LAST); do taskset -c $c sed "s/.*) //" /proc/self/stat | cut -d " " -f 37; done';
      const wanted = Array.from({ length: cpus }, (_, n) => n).join('\n');
      expect(await command(where.replace('LAST', `${cpus - 1}`))).toBe(wanted);
    });

    it.runIf(engine === 'jit')('relies on the direct map, which all of them found', async () => {
      const found = () => machine.stats().directMapBytes;
      expect(found()).toHaveLength(cpus);
      if (mode === 'classic') {
        expect(found()).toEqual(Array(cpus).fill(0));
        machine.setMode('relaxed');
        await vi.waitFor(() => expect(Math.min(...found())).toBeGreaterThan(0), COMMAND_MS);
      }
      for (const bytes of found()) expect(bytes).toBeGreaterThan(250 * MiB);
    });

    it(
      'works on all of them without an error',
      async () => {
        // What it relies on is switched off and on meanwhile.
        let turns = 0;
        const switching = setInterval(() => machine.setMode(MODES[turns++ % MODES.length]!), SWITCH_MS);
        const said = await command(`stress ${seconds} ${cpus}`, STRESS_MS);
        clearInterval(switching);
        machine.setMode('relaxed');
        expect(turns).toBeGreaterThan(2);
        if (engine === 'jit') expect(machine.stats().translator.flushes).toBeGreaterThan(0);
        expect(said.split('\n').at(-1), said).toBe('stress: ok');
        // A line for each part, and nobody was idle.
        for (const part of PARTS) expect(said).toMatch(new RegExp(`^stress: ${part}: .*\\b[1-9]`, 'm'));
        expect(diskErrors(readFileSync(disk), cpus)).toEqual([]);
      },
      STRESS_MS + 10_000,
    );

    it.runIf(random !== undefined)(
      'outlives random bytes that processes run as code',
      async () => {
        // Processes that a signal ends are none of the kernel's troubles.
        const said = await command(`echo 0 > /proc/sys/debug/exception-trace; stress random ${random} ${SEED} ${cpus}`, STRESS_MS);
        expect(said.split('\n').at(-1), said).toBe('stress: ok');
        for (const count of ['tries', 'processes', 'SIGILL', 'SIGSEGV']) expect(said).toMatch(new RegExp(`\\b[1-9]\\d* ${count}\\b`));
        expect(machine.stats().translator.failed).toBe(0);
      },
      STRESS_MS + 10_000,
    );

    it.runIf(maxRegions !== undefined)('does so with a few regions at once', () => {
      const { flushes, regions } = machine.stats().translator;
      expect(flushes).toBeGreaterThan(3);
      expect(regions).toBeLessThanOrEqual((flushes + 1) * maxRegions!);
    });

    it('takes a page fault for each page that is touched', async () => {
      const count = "n() { awk '/^pgfault /{print $2}' /proc/vmstat; }; a=$(n)";
      expect(await command(`${count}; stress faults 64 100; echo $? $(($(n) - a >= 6400)); stress faults 64; echo $?`)).toMatch(
        /^0 1\nusage: [\s\S]*\n2$/,
      );
    });

    it.runIf(cpus === 2 && engine === 'jit')('is seen by clients on each of them, which come and go', async () => {
      const coverage = await machine.attach('coverage:level=kernel');
      const trace = await machine.attach('trace:what=branch+crossing,level=user');
      expect(await command(`for c in $(seq 0 ${cpus - 1}); do taskset -c $c sed -n 1p /proc/version > /dev/null; echo $c; done`)).toBe(
        '0\n1',
      );
      const lines = (trace.ask('take') as string).split('\n');
      await trace.detach();
      await coverage.detach();
      for (let n = 0; n < cpus; n++)
        for (const what of ['branch', 'kernel by', 'user'])
          expect(
            lines.some((line) => line.startsWith(`${n} ${what}`)),
            `${n} ${what}`,
          ).toBe(true);
      const { blocks, branches, lostPages } = coverage.report() as CoverageReport;
      expect(blocks).toBeGreaterThan(2000);
      expect(branches.both).toBeGreaterThan(100);
      expect(lostPages).toBe(0);
      expect(await command('echo on')).toBe('on');
    });

    it('has nothing to complain of', async () => {
      const log = await command('dmesg');
      expect(log).toContain(`Brought up 1 node, ${cpus} CPUs`);
      expect(
        troubleIn(log).filter((line) => !OF_THE_HOST.test(line)),
        log.slice(-4000),
      ).toEqual([]);
    });

    it('is switched off by its last CPU', async () => {
      machine.sendInput(Buffer.from(`taskset -c ${cpus - 1} poweroff -f\n`));
      expect(await run).toEqual({ kind: 'power-off' });
      expect(diskErrors(readFileSync(disk), cpus)).toEqual([]);
    });
  });
}

it('trouble in a log is found', () => {
  const log =
    'rcu: INFO: rcu_sched self-detected stall on CPU\nPCI: if necessary, use "pci=nocrs" and report a bug\nInstalled\nBUG: unable to handle';
  expect(troubleIn(log).length).toBe(2);
});
