// Image files: what can be attached, and clear words for what cannot.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DiskFile } from '../../../src/host/disk-file.ts';
import { expectError } from '../loaders/images.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dragoman-disk-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

it('reads and writes at offsets, into shared memory too', () => {
  const path = join(folder, 'good.img');
  writeFileSync(path, new Uint8Array(1536).fill(5));
  const disk = new DiskFile(path);
  expect(disk.sectors).toBe(3);
  const shared = new Uint8Array(new SharedArrayBuffer(2048)).subarray(512, 1536);
  disk.write(512, shared.fill(9).subarray(0, 512));
  disk.flush();
  disk.read(256, shared);
  expect([shared[0], shared[255], shared[256], shared[767], shared[768]]).toEqual([5, 5, 9, 9, 5]);
  disk.close();
  disk.close();
  expect(readFileSync(path)[600]).toBe(9);
  expect(() => disk.read(0, shared)).toThrow('closed');
});

it('fails where the file became shorter', () => {
  const path = join(folder, 'short.img');
  writeFileSync(path, new Uint8Array(1024));
  const disk = new DiskFile(path, true);
  truncateSync(path, 512);
  expect(() => disk.read(256, new Uint8Array(512))).toThrow('shorter');
  disk.close();
});

it('refuses what is no disk image', () => {
  const refused = (path: string): unknown => {
    try {
      new DiskFile(path).close();
    } catch (error) {
      return (error as { code: string }).code;
    }
    return undefined;
  };
  writeFileSync(join(folder, 'odd.img'), new Uint8Array(513));
  writeFileSync(join(folder, 'empty.img'), '');
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  expect(refused(join(folder, 'none.img'))).toBe('NO_FILE');
  expect(refused(join(folder, 'odd.img', 'below'))).toBe('BAD_DISK');
  expect(refused(join(folder, 'odd.img'))).toBe('BAD_DISK');
  expect(refused(join(folder, 'empty.img'))).toBe('BAD_DISK');
  expect(refused(join(folder, 'pipe'))).toBe('BAD_DISK');
  expect(refused(folder)).toBe('BAD_DISK');
});

describe('an image in use', () => {
  const image = (name: string) => {
    writeFileSync(join(folder, name), new Uint8Array(1024));
    return join(folder, name);
  };
  const refused = (path: string, readOnly: boolean) => expectError(() => new DiskFile(path, readOnly), 'BAD_DISK', /the image is in use/);

  it('has one writer, or any number of readers, under whatever name', () => {
    const path = image('shared.img');
    symlinkSync(path, join(folder, 'link.img'));
    const writer = new DiskFile(path);
    for (const readOnly of [true, false]) refused(join(folder, 'link.img'), readOnly);
    // A refused one must leave the other's lock alone.
    refused(path, false);
    writer.close();
    const readers = [new DiskFile(path, true), new DiskFile(path, true)];
    refused(path, false);
    readers[0].close();
    refused(path, false);
    readers[1].close();
    new DiskFile(path).close();
  });

  it('is free again when the process that had it was killed', async () => {
    const path = image('other.img');
    const script = `const { DiskFile } = await import(${JSON.stringify(new URL('../../../src/host/disk-file.ts', import.meta.url).href)});
      new DiskFile(${JSON.stringify(path)}); console.log('held'); setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'], timeout: 20_000 });
    await once(child.stdout, 'data');
    for (const readOnly of [true, false]) refused(path, readOnly);
    child.kill('SIGKILL');
    await once(child, 'exit');
    new DiskFile(path).close();
  });
});
