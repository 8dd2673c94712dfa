// What somebody drops onto the demo page is known by its first bytes.
import { readFileSync } from 'node:fs';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { isDisk, kindOf } from '../../../examples/browser/app/image-kind.ts';
import { withCtrl } from '../../../examples/browser/app/keys.ts';
import { SERAI } from '../../../guests/serai.ts';

const text = (letters: string) => new TextEncoder().encode(letters);
const linux = () => {
  const head = new Uint8Array(1024);
  head.set(text('HdrS'), 0x202);
  return head;
};
/** A multiboot header at an offset, with a checksum that is off by so much. */
const multiboot = (at: number, off = 0) => {
  const head = new Uint8Array(8192);
  [0x1badb002, 3, -(0x1badb002 + 3) + off].forEach((word, n) => new DataView(head.buffer).setUint32(at + 4 * n, word, true));
  return head;
};

it.each<[string, Uint8Array, ReturnType<typeof kindOf>]>([
  ['serai', new Uint8Array(readFileSync(SERAI)), 'multiboot'],
  ['a bzImage', linux(), 'linux'],
  ['a header at its last place', multiboot(8180), 'multiboot'],
  ['a wrong checksum', multiboot(0, 1), undefined],
  ['an initrd by gzip', new Uint8Array(gzipSync('cpio')), 'initrd'],
  ['an initrd by zstd', new Uint8Array(zstdCompressSync('cpio')), 'initrd'],
  ['a cpio archive', text('0707010000'), 'initrd'],
  ['a letter', text('Dear kernel'), undefined],
  ['nothing', new Uint8Array(), undefined],
])('%s', (_, head, kind) => {
  expect(kindOf(head)).toBe(kind);
});

it('keys with Ctrl are control characters, where there are such', () => {
  expect(['c', 'C', '[', '@', ' ', '?', '1', 'ä', 'cc'].map(withCtrl)).toEqual([
    '\x03',
    '\x03',
    '\x1b',
    '\0',
    '\0',
    '\x7f',
    '1',
    'ä',
    'cc',
  ]);
});

describe('an image of a disk is known', () => {
  const head = (at: number, ...bytes: readonly number[]) => {
    const all = new Uint8Array(4096);
    all.set(bytes, at);
    return all;
  };
  it.each<[string, Uint8Array, string]>([
    ['a boot sector', head(510, 0x55, 0xaa), 'disk'],
    ['ext4', head(0x438, 0x53, 0xef), 'root'],
    ['its name', head(0), 'Scratch.IMG'],
  ])('by %s', (_, bytes, name) => {
    expect(isDisk(bytes, 1 << 20, name)).toBe(true);
    // Not whole sectors, or nothing at all.
    expect(isDisk(bytes, (1 << 20) + 1, name)).toBe(false);
    expect(isDisk(bytes, 0, name)).toBe(false);
  });

  it('and nothing else is', () => {
    expect(isDisk(head(0), 4096, 'letter.txt')).toBe(false);
    expect(isDisk(new Uint8Array(100), 512, 'short')).toBe(false);
  });
});
