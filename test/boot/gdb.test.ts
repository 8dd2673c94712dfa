// gdb itself, where it is installed, debugs serai by its names and lines, and Debian's kernel by an address; both go on to their prompts when it has left; in a serai that can go back it finds the store that made a word what it is.
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { guestOrSkip } from '../../guests/linux.ts';
import { buildDebug } from '../../guests/serai.ts';
import { Machine, type MachineOptions, MiB } from '../../src/api/index.ts';

/** For a machine with other things to do. */
const WAIT = { timeoutMs: 120_000 };
const TEST_MS = 300_000;
const folder = mkdtempSync(join(tmpdir(), 'dragoman-gdb-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function tried<T>(what: string, work: () => T): { value: T } | { whyNot: string } {
  try {
    return { value: work() };
  } catch (error) {
    return { whyNot: `${what} (${(error as Error).message.split('\n')[0]})` };
  }
}
/** Minutes, which the stub's own tests do not take (unit/gdb). */
const short = process.env.DRAGOMAN_LONG_TESTS === '1' ? undefined : 'DRAGOMAN_LONG_TESTS=1';
const gdb = tried('no gdb', () => execFileSync('gdb', ['--version'], { encoding: 'utf8' }));
const image = tried('serai cannot be built here', () => (short === undefined ? buildDebug(folder) : ''));
const whyNot = short ?? ('whyNot' in gdb ? gdb.whyNot : 'whyNot' in image ? image.whyNot : undefined);
if (short === undefined && process.env.CI === 'true' && 'whyNot' in gdb) throw new Error(gdb.whyNot);
if (whyNot !== undefined) console.warn(`gdb does not debug serai: ${whyNot}`);
const serai = 'value' in image ? image.value : '';
const { guest, reason } = await guestOrSkip();
const whyNotLinux = short ?? ('whyNot' in gdb ? gdb.whyNot : guest === undefined ? reason : undefined);

/** Runs commands in gdb; what it printed. */
const debug = (args: readonly string[], commands: readonly string[]) =>
  new Promise<string>((resolve) => {
    const batch = [
      '-nx',
      '-batch',
      '-ex',
      'set width 0',
      '-ex',
      'set architecture i386',
      ...commands.flatMap((command) => ['-ex', command]),
    ];
    execFile('gdb', [...batch, ...args], { timeout: WAIT.timeoutMs, killSignal: 'SIGKILL' }, (_error, stdout, stderr) =>
      resolve(stdout + stderr),
    );
  });

describe.skipIf(whyNot !== undefined).each<[string, MachineOptions]>([
  ['threads, JIT', {}],
  ['lockstep, JIT', { lockstep: { paced: false } }],
])(`gdb debugs serai (%s)${whyNot === undefined ? '' : ` (skipped: ${whyNot})`}`, (_way, options) => {
  it('from its first instruction to where it is left', { timeout: TEST_MS }, async () => {
    const append = 'run="primes 20000"';
    await using machine = await Machine.create({ kernel: serai, memoryBytes: 64 * MiB, cpus: 2, append, ...options });
    const { port } = await machine.gdb({ port: 0, wait: true });
    const run = machine.run();
    const said = await debug(
      [serai],
      [
        `target remote 127.0.0.1:${port}`,
        'info threads',
        'break kernel_main',
        'continue',
        'backtrace',
        'print/x magic',
        'watch cpu_count',
        'continue',
        'continue',
        'delete',
        'break primes.c:work',
        'continue',
        // One on each CPU, maybe at the same time: none is lost.
        'continue',
        'delete',
        'backtrace 3',
        'print ((struct search *)argument)->last',
        'info threads',
        'next',
        'stepi',
        'x/i $pc',
        'print $cr0 & 0x80000000',
        'set var ((struct search *)argument)->last = 10000',
        'monitor info registers',
        'monitor info tlb 0xc0100000',
        'detach',
      ],
    );
    // In the order of the commands.
    const expected = [
      /Thread 1 \(CPU 0 \[running\]\) +boot \(\) at kernel\/boot\/boot\.S/,
      /Thread 2 \(CPU 1 \[not started\]\)/,
      /Thread 1 hit Breakpoint 1, kernel_main \(magic=732803074, info_physical=/,
      /#0 +kernel_main .*\n#1 +0x[0-9a-f]+ in high \(\) at kernel\/boot\/boot\.S/,
      /\$1 = 0x2badb002/,
      /Hardware watchpoint 2: cpu_count/,
      /Thread 1 hit Hardware watchpoint 2: cpu_count\s+Old value = 0\s+New value = 1/,
      /Thread 1 hit Hardware watchpoint 2: cpu_count\s+Old value = 1\s+New value = 2/,
      ...Array(2).fill(/Thread [12] hit Breakpoint 3, work \(cpu=[01], argument=0x[0-9a-f]+\) at kernel\/shell\/primes\.c/),
      /#0 +work .*\n#1 +0x[0-9a-f]+ in member_main .*\n#2 +0x[0-9a-f]+ in thread_begin/,
      /\$2 = 20000/,
      /Thread 1 \(CPU 0 \[\w+\]\)[\s\S]*Thread 2 \(CPU 1 \[\w+\]\)/,
      /=> 0x[0-9a-f]+ <work\+\d+>:/,
      /\$3 = \[ PG \]|\$3 = (2147483648|-2147483648)/,
      /\[Inferior 1 \(.*\) detached\]/,
      // What `monitor` prints goes to standard error, which comes behind the rest here.
      /CPU [01]: exit .*\n.*EAX=/,
      /0xc0100000 to 0xc0100000 +0x00100000 +pages of 4096 KiB +w-xg/,
    ];
    let rest = said;
    for (const pattern of expected) {
      expect(rest, `in\n${said}`).toMatch(pattern);
      const found = pattern.exec(rest)!;
      rest = rest.slice(found.index + found[0].length);
    }
    // What gdb wrote counts: there are as many primes up to 10000.
    await machine.console.until('1229 primes up to 10000', WAIT);
    await machine.console.until('serai> ', WAIT);
    await machine.console.type('halt\n');
    expect(await run).toEqual({ kind: 'power-off' });
  });
});

describe.skipIf(whyNot !== undefined)(`gdb goes back in serai${whyNot === undefined ? '' : ` (skipped: ${whyNot})`}`, () => {
  it('by steps, to breakpoints, and to the store that made a word what it is', { timeout: TEST_MS }, async () => {
    const lockstep = { paced: false, seed: 3, reverse: { every: 2_000_000 } };
    await using machine = await Machine.create({ kernel: serai, memoryBytes: 16 * MiB, cpus: 2, append: 'run="primes 20000"', lockstep });
    const { port } = await machine.gdb({ port: 0, wait: true });
    const run = machine.run();
    const said = await debug(
      [serai],
      [
        `target remote 127.0.0.1:${port}`,
        'break primes.c:work',
        'continue',
        'stepi',
        'stepi',
        'reverse-stepi',
        'x/i $pc',
        'reverse-step',
        'delete',
        'watch cpu_count',
        'reverse-continue',
        'backtrace 1',
        'x/i $pc',
        'reverse-continue',
        'reverse-continue',
        // The same once more.
        'continue',
        'continue',
        'delete',
        'break primes.c:work',
        'continue',
        'reverse-finish',
        'detach',
      ],
    );
    const expected = [
      /Thread 1 hit Breakpoint 1, work \(cpu=0/,
      /=> 0x[0-9a-f]+ <work\+1>:/,
      /Thread 1 hit Breakpoint 1, work \(cpu=0/,
      /Thread 1 hit Hardware watchpoint 2: cpu_count\s+Old value = 2\s+New value = 1/,
      /#0 +0x[0-9a-f]+ in number_cpus \(\)/,
      /=> 0x[0-9a-f]+ <kernel_main\+\d+>:\tmov +%\w+,0x[0-9a-f]+/,
      /Thread 1 hit Hardware watchpoint 2: cpu_count\s+Old value = 1\s+New value = 0/,
      /No more reverse-execution history\.\s+boot \(\) at kernel\/boot\/boot\.S/,
      /Old value = 0\s+New value = 1/,
      /Old value = 1\s+New value = 2/,
      /Thread 1 hit Breakpoint 3, work \(cpu=0/,
      /0x[0-9a-f]+ in member_main/,
      /\[Inferior 1 \(.*\) detached\]/,
    ];
    let rest = said;
    for (const pattern of expected) {
      expect(rest, `in\n${said}`).toMatch(pattern);
      const found = pattern.exec(rest)!;
      rest = rest.slice(found.index + found[0].length);
    }
    await machine.console.until('2262 primes up to 20000', WAIT);
    await machine.console.type('halt\n');
    expect(await run).toEqual({ kind: 'power-off' });
  });
});

describe.skipIf(whyNotLinux !== undefined)(
  `gdb debugs Debian's kernel${whyNotLinux === undefined ? '' : ` (skipped: ${whyNotLinux})`}`,
  () => {
    it('where its file begins, and in a system call of the running system', { timeout: TEST_MS }, async () => {
      const { kernel, initrd } = guest!;
      await using machine = await Machine.create({ kernel, initrd, append: 'console=ttyS0 nokaslr', memoryBytes: 128 * MiB });
      const { port } = await machine.gdb({ port: 0, wait: true });
      const run = machine.run();
      const prompt = '~ # ';
      // Unpacked to 16 MiB, where it begins without paging.
      const first = await debug(
        [],
        [`target remote 127.0.0.1:${port}`, 'hbreak *0x1000000', 'continue', 'info registers eip cr0 esi', 'detach'],
      );
      expect(first).toMatch(/Breakpoint 1, 0x01000000 in/);
      expect(first).toMatch(/eip +0x1000000 +0x1000000\ncr0 +0x[0-9a-f]+ +\[(?!.*PG).*PE/);
      await machine.console.until(prompt, WAIT);
      await machine.console.type("grep ' ksys_sync$' /proc/kallsyms\n");
      const { match: address } = await machine.console.until(/[0-9a-f]{8}(?= . ksys_sync)/, WAIT);
      await machine.console.until(prompt, WAIT);
      // It comes there again and again, as gdb may be slow to arrive.
      await machine.console.type('while sleep 0.2; do sync; done & LOOP=$!\n');
      await machine.console.until(prompt, WAIT);
      const second = await debug(
        [],
        [`target remote 127.0.0.1:${port}`, `break *0x${address}`, 'continue', 'info registers eip cr0', 'stepi', 'detach'],
      );
      expect(second).toMatch(new RegExp(`Breakpoint 1, 0x${address} in`));
      expect(second).toMatch(new RegExp(`eip +0x${address} .*\\ncr0 +0x[0-9a-f]+ +\\[.*PG`));
      await machine.console.type("kill $LOOP; sync; echo do''ne\n");
      await machine.console.until('done', WAIT);
      await machine.console.type('poweroff -f\n');
      expect(await run).toEqual({ kind: 'power-off' });
    });
  },
);
