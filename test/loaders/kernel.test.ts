// Which loader takes a file, what is said of files that none takes, and ROM images.
import { describe, expect, it } from 'vitest';
import { loadKernel } from '../../src/machine/loaders/kernel.ts';
import { loadRom } from '../../src/machine/loaders/rom.ts';
import { archive, bzImage, elf, errorOf, expectError, MiB, multibootElf, noise, patched, same, untouched } from './images.ts';

const RAM = 32 * MiB;
const load = (kernel: Uint8Array, more = {}) => loadKernel(new Uint8Array(RAM), { kernel, commandLine: '', ramBytes: RAM, ...more });

describe('loadKernel', () => {
  it('knows its formats', () => {
    expect(load(bzImage()).kind).toBe('linux');
    expect(load(multibootElf()).kind).toBe('multiboot');
  });

  const others: [string, Uint8Array, RegExp][] = [
    ['empty', new Uint8Array(0), /is empty/],
    ['a few bytes', new Uint8Array(10), /truncated: 10 bytes/],
    ['ELF without a header', elf([{ physical: 0x100000, data: new Uint8Array(16) }], 0x100000), /without a multiboot header/],
    ['64-bit ELF', patched(elf([], 0), 4, 2), /64-bit ELF/],
    ['gzip', patched(new Uint8Array(600), 0, 0x1f, 0x8b), /gzip/],
    ['a boot sector', patched(new Uint8Array(512), 510, 0x55, 0xaa), /boot sector/],
    ['zeros', new Uint8Array(10000), /neither a Linux bzImage/],
  ];
  it.each(others)('names what it cannot load: %s', (_, kernel, text) => expectError(() => load(kernel), 'BAD_KERNEL', text));

  it('refuses noise of every length', () => {
    for (let seed = 1; seed < 200; seed++) expect(errorOf(() => load(noise(seed * 64, seed))).code).toBe('BAD_KERNEL');
  });

  it('refuses an initrd or modules where they have no meaning', () => {
    expectError(() => load(multibootElf(), { initrd: archive() }), 'BAD_OPTION', /an initrd is for Linux/);
    expectError(() => load(bzImage(), { modules: [{ data: new Uint8Array(1), string: 'm' }] }), 'BAD_OPTION', /modules are for multiboot/);
  });
});

describe('loadRom', () => {
  const rom = (bytes: number) => Uint8Array.from({ length: bytes }, (_, k) => (k * 7) & 0xff);

  it.each([0x10000, 0x20000, 0x30000, 0x40000, 0x100000])('maps %i bytes below 4 GiB and below 1 MiB', (bytes) => {
    const [ram, top] = [new Uint8Array(2 * MiB), new Uint8Array(MiB)];
    const image = rom(bytes);
    expect(loadRom(ram, top, image)).toMatchObject({ kind: 'rom', segments: 'reset', eip: 0xfff0, codeSelector: 0xf000, gdt: undefined });
    expect(same(top.subarray(MiB - bytes), image)).toBe(true);
    const low = Math.min(bytes, 0x20000);
    expect(same(ram.subarray(MiB - low, MiB), image.subarray(bytes - low))).toBe(true);
    expect(untouched(ram.subarray(0, MiB - low))).toBe(true);
  });

  const damages: [string, Uint8Array, RegExp][] = [
    ['empty', new Uint8Array(0), /is empty/],
    ['too large', rom(0x110000), /at most 1048576/],
    ['blank', new Uint8Array(0x10000), /reset vector.*0x0/],
    ['erased', new Uint8Array(0x10000).fill(0xff), /reset vector.*0xff/],
  ];
  it.each(damages)('refuses a damaged image: %s', (_, image, text) => {
    expectError(() => loadRom(new Uint8Array(MiB), new Uint8Array(MiB), image), 'BAD_ROM', text);
  });

  it('refuses an image truncated at a multiple of 64 bytes', () => {
    const image = rom(0x20000);
    for (let length = 64; length < image.length; length += 64) {
      if (length === 0x10000) continue;
      expectError(() => loadRom(new Uint8Array(0), new Uint8Array(0), image.subarray(0, length)), 'BAD_ROM', /multiple of 65536/);
    }
  });
});
