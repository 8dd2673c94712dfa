// Which loader takes a file, what is said of files that none takes, and ROM images.
import { describe, expect, it } from 'vitest';
import { commandLineOf, loadKernel } from '../../../src/machine/boot/kernel.ts';
import { loadRom } from '../../../src/machine/boot/rom.ts';
import {
  archive,
  bzImage,
  elf,
  errorOf,
  expectError,
  MiB,
  multibootCode,
  multibootElf,
  noise,
  patched,
  same,
  untouched,
} from './images.ts';

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
    ['gzip', patched(new Uint8Array(600), 0, 0x1f, 0x8b), /compressed by gzip/],
    ['bzip2', patched(new Uint8Array(600), 0, 0x42, 0x5a, 0x68), /compressed by bzip2/],
    ['xz', patched(new Uint8Array(600), 0, 0xfd, 0x37, 0x7a, 0x58, 0x5a), /compressed by xz/],
    ['zstd', patched(new Uint8Array(600), 0, 0x28, 0xb5, 0x2f, 0xfd), /compressed by zstd/],
    ['an EFI program', patched(new Uint8Array(600), 0, 0x4d, 0x5a), /a DOS or EFI program/],
    ['a boot sector', patched(new Uint8Array(512), 510, 0x55, 0xaa), /boot sector/],
    ['zeros', new Uint8Array(10000), /neither a Linux bzImage/],
  ];
  const header = multibootCode(64);
  /** A kernel's file with a header at an offset. */
  const at = (offset: number, bytes: Uint8Array, length = 12000) => patched(new Uint8Array(length), offset, ...bytes);
  const multiboot2 = new Uint8Array(Int32Array.of(0xe85250d6, 0, 16, -(0xe85250d6 + 16)).buffer);
  const misses: [string, Uint8Array, RegExp][] = [
    [
      'a wrong checksum',
      at(64, patched(header, 8, 1)),
      /header at 0x40 with the wrong checksum 0xe4524f01: for flags 0x3 it is 0xe4524ffb$/,
    ],
    ['flags that the checksum does not know', at(0, patched(header, 4, 7)), /checksum 0xe4524ffb: for flags 0x7 it is 0xe4524ff7$/],
    ['a header behind 8192 bytes', at(8192, header), /header at 0x2000: it must lie in the first 8192 bytes$/],
    ['a header half behind 8192 bytes', at(8188, header), /header at 0x1ffc that is cut off/],
    ['a header at the end of the file', at(88, header.subarray(0, 8), 96), /header at 0x58 that is cut off/],
    [
      'an ELF file with the header behind 8192 bytes',
      elf([{ physical: 0, data: at(8000, header) }], 0),
      /header at 0x2040: .*linker script/,
    ],
    ['a header at an odd place', at(66, header), /header at 0x42: its place must be a multiple of 4/],
    ['multiboot 2', at(0x1000, multiboot2), /a multiboot 2 kernel \(0xe85250d6\) without a header of multiboot 1/],
    [
      'multiboot 2 with a wrong checksum',
      at(0x1000, patched(multiboot2, 12, 1)),
      /a multiboot 2 header \(0xe85250d6\) at 0x1000 with the wrong checksum/,
    ],
    ['multiboot 2 in a 64-bit ELF file', patched(elf([{ physical: 0, data: multiboot2 }], 0), 4, 2), /64-bit ELF/],
  ];
  it.each([...others, ...misses])('names what it cannot load: %s', (_, kernel, text) =>
    expectError(() => load(kernel), 'BAD_KERNEL', text),
  );

  it('refuses noise of every length', () => {
    for (let seed = 1; seed < 200; seed++) expect(errorOf(() => load(noise(seed * 64, seed))).code).toBe('BAD_KERNEL');
  });

  it('puts the name of a multiboot kernel in front of its command line', () => {
    expect(commandLineOf(multibootElf(), 'a/kernel.elf', 'x=1')).toBe('a/kernel.elf x=1');
    expect(commandLineOf(multibootElf(), 'kernel.elf', '')).toBe('kernel.elf');
    expect(commandLineOf(multibootElf(), undefined, 'x=1')).toBe('x=1');
    expect(commandLineOf(bzImage(), 'vmlinuz', 'console=ttyS0')).toBe('console=ttyS0');
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
