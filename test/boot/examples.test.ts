// The examples do what their comments say. What examples/frames.ts answers is held against a guest in boot.test.ts.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { answer, describe as inWords } from '../../examples/frames.ts';
import { guestOrSkip } from '../../guests/linux.ts';

const { guest, reason } = await guestOrSkip();
if (guest === undefined) console.warn(`examples are not run: ${reason}`);

/** For a machine with other things to do. */
const BOOT_MS = 180_000;
const path = (name: string) => fileURLToPath(new URL(`../../examples/${name}.ts`, import.meta.url));
const start = (name: string, ...args: string[]) =>
  new Promise<{ status: unknown; stdout: string; stderr: string }>((resolve) =>
    execFile(process.execPath, [path(name), ...args], { timeout: BOOT_MS, killSignal: 'SIGKILL' }, (error, stdout, stderr) =>
      resolve({ status: error === null ? 0 : error.code, stdout, stderr }),
    ),
  );

it.skipIf(guest === undefined || process.env.DRAGOMAN_LONG_TESTS !== '1')(
  'boot-and-type (with DRAGOMAN_LONG_TESTS=1)',
  async () => {
    const { status, stdout, stderr } = await start('boot-and-type', guest!.kernel, guest!.initrd);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^Linux .* i686 GNU\/Linux\n$/);
    expect(stdout).toContain(` ${guest!.version} `);
  },
  BOOT_MS + 10_000,
);

it.skipIf(guest === undefined || process.env.DRAGOMAN_LONG_TESTS !== '1')(
  'stop-and-look (with DRAGOMAN_LONG_TESTS=1)',
  async () => {
    const { status, stdout, stderr } = await start('stop-and-look', guest!.kernel, guest!.initrd);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const lines = stdout.trim().split('\n');
    expect(lines.length).toBeGreaterThanOrEqual(2);
    for (const [n, line] of lines.entries())
      expect(line).toMatch(new RegExp(`^${n + 1}: CPU [01], stack [c-f][0-9a-f]{7}: do_exit < do_group_exit\\+0x`));
  },
  BOOT_MS + 10_000,
);

it.skipIf(guest === undefined)(
  'api/boot-and-grep',
  async () => {
    const { status, stdout, stderr } = await start('api/boot-and-grep', 'command line|no such line', guest!.kernel, guest!.initrd);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^\[ +\d+\.\d+\] Kernel command line: console=ttyS0 loglevel=7\n$/);
  },
  BOOT_MS + 10_000,
);

describe('api, with serai', { timeout: BOOT_MS + 10_000 }, () => {
  const printed = async (name: string, ...args: string[]) => {
    const { status, stdout, stderr } = await start(`api/${name}`, ...args);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return stdout;
  };

  it('race-by-seed', async () => {
    const [, seed, lost, again, locked] =
      /^seed (\d+): (\d+) of 10000 updates lost\nagain: (\d+)\nwith a lock: (\d+)\n$/.exec(await printed('race-by-seed')) ?? [];
    expect(Number(seed)).toBeLessThan(100);
    expect(Number(lost)).toBeGreaterThan(0);
    expect([again, locked]).toEqual([lost, '0']);
  });

  it('bisect-a-boot', async () => {
    expect(await printed('bisect-a-boot')).toMatch(/^paging: behind instruction \d+, at 1000[0-9a-f]{2}: mov cr0, eax\n$/);
    const { status, stderr } = await start('api/bisect-a-boot', 'magic');
    expect([status, stderr]).toEqual([2, "'magic' is none of paging, interrupts, page-faults\n"]);
  });

  it('count-a-system-call', async () => {
    const lines = (await printed('count-a-system-call')).trim().split('\n');
    expect(lines.length).toBe(3);
    expect(lines[0]).toMatch(/^from SYSENTER to SYSEXIT: \d{2,3} instructions of the kernel$/);
    expect(new Set(lines).size).toBe(1);
  });

  it('fuzz-a-system-call', async () => {
    const found = await printed('fuzz-a-system-call');
    const lines = found.trim().split('\n');
    expect(lines.slice(0, -2).every((line) => /^run \d+: \[[\d,]+\] goes a new way, \d+ in all$/.test(line))).toBe(true);
    const [, a, b, c] = /^run \d+: \[(\d+),(\d+),(\d+),\d+\] kills the kernel$/.exec(lines.at(-2)!) ?? [];
    expect([a, b, c].map((byte) => Number(byte) & 15)).toEqual([3, 9, 14]);
    expect(lines.at(-1)).toBe('again from the snapshot: killed');
    expect(await printed('fuzz-a-system-call')).toBe(found);
  });

  it('trace-a-page-fault', async () => {
    const lines = (await printed('trace-a-page-fault')).trim().split('\n');
    expect(lines[0]).toMatch(/^page fault at bffff[0-9a-f]{3} by the instruction at 0040[0-9a-f]{4}: user write, page not present$/);
    expect(lines[1]).toBe('before: not mapped');
    expect(lines.slice(2, -1).length).toBeGreaterThan(3);
    for (const line of lines.slice(2, -1)) expect(line).toMatch(/^c01[0-9a-f]{5} +call c01[0-9a-f]{5}$/);
    expect(lines.at(-1)).toMatch(/^behind \d{3,} instructions: page 00[0-9a-f]{3}000, writable$/);
  });
});

it.each(['boot-and-type', 'api/boot-and-grep', 'frames', 'stop-and-look'])('%s says which file is missing', async (name) => {
  const { status, stderr } = await start(name, ...(name === 'api/boot-and-grep' ? ['.'] : []), '/no/such/kernel');
  expect(stderr).toMatch(/^\/no\/such\/kernel: no such file/);
  expect(status).toBe(2);
});

describe('frames', () => {
  const hex = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));
  const request = hex('ffffffffffff 5254000000aa 0806 0001 0800 06 04 0001 5254000000aa 0a00020f 000000000000 0a000202');
  const icmp = '4500 001d 0001 0000 40 01 62cf 0a00020f 0a000202 08 00 96fd 0001 0001 61';
  const ping = hex(`52550a000202 5254000000aa 0800 ${icmp}`);

  it('are told in words', () => {
    expect(inWords(request)).toBe('52:54:00:00:00:aa > ff:ff:ff:ff:ff:ff, 42 bytes: ARP, who has 10.0.2.2? tell 10.0.2.15');
    expect(inWords(answer(request)!)).toMatch(/ARP, 10.0.2.2 is at 52:55:0a:00:02:02$/);
    expect(inWords(ping)).toMatch(/43 bytes: ICMP type 8, 10.0.2.15 > 10.0.2.2$/);
    expect(inWords(hex('333300000002 5254000000aa 86dd 60'))).toMatch(/15 bytes: type 0x86dd$/);
    expect(inWords(request.subarray(0, 20))).toMatch(/20 bytes: type 0x0806$/);
  });

  it('are answered where they ask', () => {
    expect(answer(request)).toEqual(hex('5254000000aa 52550a000202 0806 0001 0800 06 04 0002 52550a000202 0a000202 5254000000aa 0a00020f'));
    expect(answer(ping)).toEqual(
      hex('5254000000aa 52550a000202 0800 4500 001d 0001 0000 40 01 62cf 0a000202 0a00020f 00 00 9efd 0001 0001 61'),
    );
    // Somebody else is asked; answers; a header that says more than there is.
    expect(answer(hex(Buffer.from(request).toString('hex').replace(/02$/, '03')))).toBe(undefined);
    expect(answer(answer(request)!)).toBe(undefined);
    expect(answer(answer(ping)!)).toBe(undefined);
    for (let length = 14; length < ping.length; length++) expect(answer(ping.subarray(0, length))).toBe(undefined);
    for (let length = 14; length < request.length; length++) expect(answer(request.subarray(0, length))).toBe(undefined);
  });
});
