// Files that the command line names: missing, unreadable, damaged. Each must end with status 2 and one line that names the file.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { checkDisk, readInitrd, readInput } from '../../../src/cli/inputs.ts';
import { DISASM, GENERAL, RUN, version } from '../../../src/cli/usage.ts';
import { archive, errorOf, expectError, noise } from '../loaders/images.ts';
import { finish, MAIN, path } from './process.ts';

// Many processes start at once, on machines that have other work.
vi.setConfig({ testTimeout: 30_000 });
const folder = mkdtempSync(join(tmpdir(), 'dragoman-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, data: string | Uint8Array) => {
  writeFileSync(join(folder, name), data);
  return join(folder, name);
};
mkdirSync(join(folder, 'dir'));
const missing = join(folder, 'missing');

describe('reading', () => {
  it('gives the bytes', () => {
    const data = noise(300_000, 5);
    expect(Buffer.compare(readInput(file('data', data), 'BAD_KERNEL'), data)).toBe(0);
  });

  it('names what cannot be read', () => {
    expectError(() => readInput(missing, 'BAD_KERNEL'), 'NO_FILE', /missing: no such file$/);
    expectError(() => readInput(join(folder, 'dir'), 'BAD_KERNEL'), 'BAD_KERNEL', /dir: is a directory/);
    expectError(() => readInput(join(file('plain', 'x'), 'below'), 'BAD_KERNEL'), 'BAD_KERNEL', /not a directory/);
  });

  it('checks an initrd', () => {
    const good = gzipSync(archive());
    expect(readInitrd(file('good.gz', good)).length).toBe(good.length);
    for (let length = 0; length < good.length; length += 16) {
      expect(errorOf(() => readInitrd(file('short.gz', good.subarray(0, length)))).code).toBe('BAD_INITRD');
    }
    const middle = Buffer.from(good);
    middle[good.length >> 1] ^= 0x55;
    expectError(() => readInitrd(file('broken.gz', middle)), 'BAD_INITRD', /broken.gz: damaged/);
    expectError(() => readInitrd(file('noise', noise(999, 3))), 'BAD_INITRD', /noise: neither/);
  });

  it.skipIf(process.platform !== 'linux')('opens a disk for reading alone where it is not to be written', () => {
    // A program that runs can be read, and not even root can write it.
    const said = (use: object) => {
      try {
        checkDisk({ path: process.execPath, ...use });
        return 'fine';
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(said({})).toContain("(add ',ro' to use it read-only, or ',snapshot')");
    for (const use of [{ readOnly: true }, { snapshot: true }]) expect(said(use)).toMatch(/^fine|not a multiple/);
  });

  it('checks a disk', () => {
    expect(() => checkDisk({ path: file('disk', new Uint8Array(1024)) })).not.toThrow();
    expectError(() => checkDisk({ path: file('odd', new Uint8Array(1000)) }), 'BAD_DISK', /1000 bytes: not a multiple of 512/);
    expectError(() => checkDisk({ path: file('none', '') }), 'BAD_DISK', /empty/);
    for (const readOnly of [true, false])
      expectError(() => checkDisk({ path: join(folder, 'dir'), readOnly }), 'BAD_DISK', /dir: is a directory$/);
    const qcow = file('qcow', Buffer.from(`QFI\xfb\0\0\0\x03${'\0'.repeat(504)}`, 'latin1'));
    for (const use of [{}, { readOnly: true }, { snapshot: true }])
      expectError(() => checkDisk({ path: qcow, ...use }), 'BAD_DISK', /qcow: this is a qcow2 image.*qemu-img convert .*,format=raw/);
    expect(() => checkDisk({ path: qcow, format: 'raw' })).not.toThrow();
    expectError(() => checkDisk({ path: missing }), 'NO_FILE', /no such file/);
    expectError(() => checkDisk({ path: '/dev/null', readOnly: true }), 'BAD_DISK', /neither a file nor a block device/);
  });
});

describe('dragoman run refuses, with status 2', () => {
  const kernel = file('kernel', '[]');
  const blank = file('rom', new Uint8Array(65536));
  const cases: [string, string[], RegExp][] = [
    ['a missing kernel', [missing], /missing: no such file/],
    ['a directory as kernel', [join(folder, 'dir')], /is a directory/],
    ['a missing initrd', [kernel, '--initrd', missing], /missing: no such file/],
    ['noise as initrd', [kernel, '--initrd', file('bad', noise(99, 1))], /bad: neither a cpio/],
    ['a missing module', [kernel, '--module', missing], /missing: no such file/],
    ['a missing ROM', ['--bios', missing], /missing: no such file/],
    ['a blank ROM', ['--bios', blank], /rom: .*no code at the reset vector/],
    ['a missing disk', [kernel, '--disk', missing], /missing: no such file/],
    ['an odd disk', [kernel, '--disk', kernel], /not a multiple of 512/],
    ['a virtio console into no folder', [kernel, '--virtio-console', join(missing, 'x')], /cannot write: no such folder/],
    ['a virtio console into a directory', [kernel, '--virtio-console', join(folder, 'dir')], /is a directory/],
    ['a network of another name', [kernel, '--net', 'tap'], /--net: 'tap' is not one of/],
    ['statistics into no folder', [kernel, '--stats', join(missing, 'x')], /cannot write: no such folder/],
    ['a trace into a directory', [kernel, '--trace', join(folder, 'dir')], /is a directory/],
    ['POST codes into a file as folder', [kernel, '--post', join(kernel, 'x')], /cannot write/],
  ];
  it.concurrent.each(cases)('%s', async (_, args, text) => {
    const { stderr, stdout, status } = await finish('test/unit/cli/refusal.ts', args);
    expect(stderr).toMatch(text);
    expect(stderr.trim().split('\n').length).toBe(1);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  });
});

describe('the command itself', () => {
  const cases: [string[], number, string][] = [
    [['--help'], 0, GENERAL],
    [['run', '--help'], 0, RUN],
    [['disasm', '-h'], 0, DISASM],
    [['--version'], 0, `${version()}\n`],
    [[], 2, ''],
    [['run'], 2, ''],
    [['run', 'k', '--cpus', '2'], 2, ''],
    [['run', '--frobnicate'], 2, ''],
  ];
  it.concurrent.each(cases)('dragoman %j', async (args, status, stdout) => {
    const ended = await finish(MAIN, args);
    expect(ended).toMatchObject({ status, stdout });
    if (status === 2) expect(ended.stderr).toMatch(/^dragoman: .+/);
  });

  it('is started by bin/dragoman.mjs', async () => {
    const ended = await finish('bin/dragoman.mjs', ['--version']);
    expect(ended).toMatchObject({ status: 0, stdout: `${version()}\n` });
    expect(path('bin/dragoman.mjs')).toMatch(/dragoman\.mjs$/);
  });
});
