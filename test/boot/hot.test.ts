// Debian's kernel with code that is kept from run to run: it boots and works as without, at the place where it was and, where it moves (KASLR), at another one.
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { guestOrSkip, READY } from '../../guests/linux.ts';
import { Machine, type MachineStats } from '../../src/api/index.ts';
import { GuestConsole } from './console.ts';

const { guest } = await guestOrSkip();
const LONG = process.env.DRAGOMAN_LONG_TESTS === '1';
const BOOT_MS = 180_000;
const COMMAND_MS = 60_000;
/** Runs of a kernel that moves at the most, until it was at two places. */
const MOST_RUNS = 8;

const folder = mkdtempSync(join(tmpdir(), 'dragoman-hot-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Boot {
  /** Where the kernel is. */
  readonly place: string;
  readonly translator: MachineStats['translator'];
}

/** Boots to a shell, and looks whether what runs there is right. */
async function boot(codeCache: string, append: string, cpus: number): Promise<Boot> {
  const terminal = new GuestConsole();
  const machine = await Machine.create({
    kernel: readFileSync(guest!.kernel),
    initrd: readFileSync(guest!.initrd),
    append: `console=ttyS0 ${append}`,
    cpus,
    codeCache,
    onConsole: terminal.onConsole,
  });
  const run = machine.run();
  try {
    terminal.attach(machine, run);
    await terminal.waitFor('~ # ', BOOT_MS, await terminal.waitFor(READY, BOOT_MS));
    const { translator } = machine.stats();
    const command = (line: string) => terminal.command(line, COMMAND_MS);
    await command('dmesg -n 1');
    const busybox = createHash('sha256').update(readFileSync(guest!.busybox)).digest('hex');
    expect(await command('sha256sum /bin/busybox')).toContain(busybox);
    expect(await command("seq 1 20000 | awk '{ s += $1 } END { print s }'")).toBe('200010000');
    expect(await command('for i in 1 2 3 4 5 6 7 8; do cat /proc/version | gzip | zcat | wc -l; done | sort -u')).toBe('1');
    expect(await command("dmesg | grep -cE 'BUG|Oops|WARNING'")).toBe('0');
    return { place: await command("grep ' _text$' /proc/kallsyms"), translator };
  } finally {
    machine.stop('the test is over');
    await run;
  }
}

describe.skipIf(guest === undefined)('Debian with kept code', () => {
  it.skipIf(!LONG).each([1, 2])('starts hot where it was, with %i CPUs', { timeout: 3 * BOOT_MS }, async (cpus) => {
    const at = join(folder, `still ${cpus}`);
    const cold = await boot(at, 'nokaslr', cpus);
    const hot = await boot(at, 'nokaslr', cpus);
    expect(hot.place).toBe(cold.place);
    expect(hot.translator.cacheHits).toBeGreaterThan(hot.translator.cacheMisses);
    expect(hot.translator.regions).toBeLessThan(cold.translator.regions);
  });

  it.skipIf(!LONG)('starts hot where it never was, once it was at two places', { timeout: MOST_RUNS * BOOT_MS }, async () => {
    const places = new Set<string>();
    const at = join(folder, 'moves');
    for (let run = 0; run < MOST_RUNS; run++) {
      const known = places.size;
      const { place, translator } = await boot(at, '', 1);
      if (known >= 2 && !places.has(place)) {
        expect(translator.cacheHits).toBeGreaterThan(translator.cacheMisses);
        return;
      }
      places.add(place);
    }
    expect.fail(`the kernel was at ${[...places]} only`);
  });
});
