// The Linux boot protocol: what the loader leaves in guest RAM, and every way in which a file can be damaged.
import { describe, expect, it } from 'vitest';
import { loadLinux } from '../../../src/machine/boot/linux.ts';
import { archive, bzImage, errorOf, expectError, MiB, noise, patched, untouched } from './images.ts';

const RAM = 32 * MiB;
const ram = () => new Uint8Array(RAM);
const load = (kernel: Uint8Array, initrd?: Uint8Array, commandLine = 'console=ttyS0', memory = ram()) =>
  loadLinux(memory, { kernel, initrd, commandLine, ramBytes: memory.length });

describe('a well-formed bzImage', () => {
  const memory = ram();
  const initrd = archive();
  const entry = load(bzImage(), initrd, 'console=ttyS0 quiet', memory);
  const view = new DataView(memory.buffer);
  const params = entry.gpr.esi;

  it('starts at the 32-bit entry with flat segments and interrupts off', () => {
    expect(entry).toMatchObject({
      kind: 'linux',
      segments: 'flat32',
      eip: 0x100000,
      eflags: 2,
      cr0: 0x11,
      picMasks: [0xfb, 0xff],
      codeSelector: 0x10,
      dataSelector: 0x18,
    });
    expect(entry.gpr).toMatchObject({ ebx: 0, ebp: 0, edi: 0 });
    expect([...memory.subarray(0x100000, 0x100004)]).toEqual([1, 2, 3, 4]);
  });

  it('places a flat GDT', () => {
    const { base, limit } = entry.gdt!;
    expect(limit).toBe(31);
    expect(view.getBigUint64(base + 0x10, true)).toBe(0x00cf9b000000ffffn);
    expect(view.getBigUint64(base + 0x18, true)).toBe(0x00cf93000000ffffn);
  });

  it('fills in boot_params', () => {
    expect(view.getUint32(params + 0x202, true)).toBe(0x53726448);
    expect(view.getUint8(params + 0x210)).toBe(0xff);
    expect(view.getUint8(params + 0x211)).toBe(0x81);
    expect(view.getBigUint64(params + 0x70, true)).toBe(0xe0000n);
    expect([view.getUint8(params + 6), view.getUint8(params + 7), view.getUint8(params + 14)]).toEqual([3, 80, 25]);
    const at = view.getUint32(params + 0x228, true);
    expect(Buffer.from(memory.subarray(at, at + 20)).toString()).toBe('console=ttyS0 quiet\0');
    expect(view.getUint8(params + 0x1ef), 'the sentinel').toBe(0);
  });

  it('tells the memory map', () => {
    const entries = Array.from({ length: view.getUint8(params + 0x1e8) }, (_, k) => {
      const at = params + 0x2d0 + k * 20;
      return [Number(view.getBigUint64(at, true)), Number(view.getBigUint64(at + 8, true)), view.getUint32(at + 16, true)];
    });
    expect(entries).toEqual([
      [0, 0x9fc00, 1],
      [0x9fc00, 0x60400, 2],
      [0x100000, RAM - 0x100000, 1],
    ]);
  });

  it('places the initrd high, on a page', () => {
    const at = view.getUint32(params + 0x218, true);
    expect(at % 4096).toBe(0);
    expect(at).toBeGreaterThan(RAM - initrd.length - 4096);
    expect(view.getUint32(params + 0x21c, true)).toBe(initrd.length);
    expect(memory.subarray(at, at + initrd.length)).toEqual(initrd);
  });

  it('gives no RSDP address to a protocol that has none', () => {
    const old = ram();
    const { gpr } = load(patched(bzImage(), 0x206, 0x0d), undefined, '', old);
    expect(new DataView(old.buffer).getBigUint64(gpr.esi + 0x70, true)).toBe(0n);
  });

  it('may lack a part of its last 16 bytes, which is how its size is counted', () => {
    const [whole, cut] = [ram(), ram()];
    load(bzImage(), undefined, '', whole);
    const entry = load(bzImage().subarray(0, -15), undefined, '', cut);
    expect(entry.image).toEqual([{ start: 0x100000, end: 0x100000 + 4096 - 15 }]);
    expect(cut.subarray(0x100000, 0x100ff1)).toEqual(whole.subarray(0x100000, 0x100ff1));
    expect(untouched(cut.subarray(0x100ff1, 0x101000))).toBe(true);
    expectError(() => load(bzImage().subarray(0, -16)), 'BAD_KERNEL', /truncated: the header promises 6656 bytes, the file has 6640/);
  });

  it('keeps the initrd below initrd_addr_max', () => {
    const low = ram();
    const { gpr } = load(patched(bzImage(), 0x22c, 0xff, 0xff, 0x7f, 0x01), archive(), '', low);
    expect(new DataView(low.buffer).getUint32(gpr.esi + 0x218, true)).toBeLessThan(0x1800000);
  });
});

describe('a damaged bzImage', () => {
  const damages: [string, Uint8Array, RegExp][] = [
    ['no magic', patched(bzImage(), 0x202, 0), /no "HdrS" at 0x202/],
    ['no boot flag', patched(bzImage(), 0x1fe, 0), /0x1fe/],
    ['protocol 2.05', patched(bzImage(), 0x206, 5), /2\.05 is too old/],
    ['protocol 1.00', patched(bzImage(), 0x206, 0, 1), /1\.00 is too old/],
    ['a zImage', patched(bzImage(), 0x211, 0), /zImage/],
    ['64-bit only', patched(bzImage(), 0x236, 1), /64-bit kernel/],
    ['header end too low', patched(bzImage(), 0x201, 0), /claims to end at/],
    ['header end too high', patched(bzImage(), 0x201, 0xff), /claims to end at/],
    ['no payload', patched(bzImage(), 0x1f4, 0, 0, 0, 0), /no bytes/],
    ['payload larger than the file', patched(bzImage(), 0x1f4, 0xff, 0xff, 0xff, 0xff), /truncated/],
    ['entry elsewhere', patched(bzImage(), 0x214, 0, 0, 0x20), /entry at 0x200000/],
    ['no 32-bit entry', patched(bzImage(), 0x214, 0, 0, 0), /no 32-bit entry .* needs a BIOS/],
    ['runs above 4 GiB', patched(bzImage(), 0x25c, 1), /above 4 GiB/],
  ];
  it.each(damages)('%s', (_, kernel, text) => {
    const memory = ram();
    expectError(() => load(kernel, undefined, '', memory), 'BAD_KERNEL', text);
    expect(untouched(memory)).toBe(true);
  });

  it('truncated at each multiple of 64 bytes', () => {
    const kernel = bzImage();
    const memory = ram();
    for (let length = 0; length < kernel.length; length += 64) {
      expectError(() => load(kernel.subarray(0, length), undefined, '', memory), 'BAD_KERNEL', /truncated|HdrS/);
    }
    expect(untouched(memory)).toBe(true);
  });

  it('noise in the header never does worse than an error', () => {
    const memory = ram();
    for (let seed = 1; seed <= 300; seed++) {
      const kernel = patched(bzImage(), 0x206, ...noise(0x68, seed));
      const error = errorOf(() => load(kernel, undefined, '', memory));
      expect(['BAD_KERNEL', 'OUT_OF_MEMORY']).toContain(error.code);
    }
  });

  it('too large for the memory', () => {
    expectError(() => load(bzImage(), undefined, '', new Uint8Array(16 * MiB)), 'OUT_OF_MEMORY', /needs memory up to 0x1400000/);
  });

  it('a command line that is too long or holds a NUL', () => {
    expectError(() => load(bzImage(), undefined, 'x'.repeat(2048)), 'BAD_OPTION', /2048 bytes; this kernel takes at most 2047/);
    expectError(() => load(bzImage(), undefined, 'a\0b'), 'BAD_OPTION', /NUL/);
    expect(() => load(bzImage(), undefined, 'x'.repeat(2047))).not.toThrow();
  });
});

describe('a damaged initrd', () => {
  it('is empty, zero, or noise', () => {
    expectError(() => load(bzImage(), new Uint8Array(0)), 'BAD_INITRD', /empty/);
    expectError(() => load(bzImage(), new Uint8Array(5000)), 'BAD_INITRD', /only zeros/);
    for (let seed = 1; seed < 50; seed++) expectError(() => load(bzImage(), noise(5000, seed)), 'BAD_INITRD', /neither/);
  });

  it('is truncated at each multiple of 64 bytes', () => {
    const initrd = archive();
    for (let length = 64; length < initrd.length - 128; length += 64) {
      expectError(() => load(bzImage(), initrd.subarray(0, length)), 'BAD_INITRD', /truncated/);
    }
  });

  it('has a broken entry', () => {
    expectError(() => load(bzImage(), patched(archive(), 6 + 6 * 8, 0x7a)), 'BAD_INITRD', /hexadecimal/);
    expectError(() => load(bzImage(), patched(archive(), 6 + 6 * 8, 0x46)), 'BAD_INITRD', /truncated/);
    expectError(() => load(bzImage(), patched(archive(), 116, 0x78)), 'BAD_INITRD', /no cpio header at 0x74/);
  });

  it('does not fit', () => {
    const large = new Uint8Array(20 * MiB);
    large.set([0x1f, 0x8b]);
    expectError(() => load(bzImage(), large), 'OUT_OF_MEMORY', /initrd: 20971520 bytes do not fit/);
  });
});
