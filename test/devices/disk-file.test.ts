// Image files: what can be attached, and clear words for what cannot.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DiskFile } from '../../src/host/disk-file.ts';

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
