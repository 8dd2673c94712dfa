// Multiboot 1: what the loader leaves in guest RAM, and every way in which a file can be damaged.
import { describe, expect, it } from 'vitest';
import { type BootModule, loadMultiboot } from '../../../src/machine/boot/multiboot.ts';
import { elf, errorOf, expectError, MiB, multibootCode, multibootElf, noise, patched, untouched } from './images.ts';

const ram = () => new Uint8Array(4 * MiB);
const load = (kernel: Uint8Array, memory = ram(), modules: BootModule[] = [], commandLine = '') =>
  loadMultiboot(memory, { kernel, modules, commandLine, ramBytes: memory.length });
const text = (memory: Uint8Array, at: number) => Buffer.from(memory.subarray(at, memory.indexOf(0, at))).toString();

/** As ld makes it of a kernel at 1 MiB: the first segment begins with the file's headers. `more`: at an offset of it. */
function withHeaders(more: Readonly<Record<number, number>> = {}): Uint8Array {
  const data = new Uint8Array(0x1100);
  data.set(multibootCode(), 0x1000);
  for (const [at, byte] of Object.entries(more)) data[Number(at)] = byte;
  const file = elf([{ physical: 0xff000, data }], 0x100020);
  const merged = new Uint8Array(data.length);
  merged.set(data);
  merged.set(file.subarray(0, 84));
  // The segment begins where the file does.
  new DataView(merged.buffer).setUint32(52 + 4, 0, true);
  return merged;
}

describe('a well-formed kernel', () => {
  it('gets the information structure', () => {
    const memory = ram().fill(0xcc);
    const modules = [
      { data: Uint8Array.of(1, 2, 3), string: 'one' },
      { data: new Uint8Array(5000).fill(7), string: 'two with arguments' },
    ];
    const entry = load(multibootElf(), memory, modules, 'kernel a=b');
    expect(entry).toMatchObject({ kind: 'multiboot', segments: 'flat32', eip: 0x100020, cr0: 0x11, eflags: 2 });
    expect(entry.gpr.eax).toBe(0x2badb002);
    const view = new DataView(memory.buffer);
    const info = (offset: number) => view.getUint32(entry.gpr.ebx + offset, true);
    expect(info(0)).toBe(0x24d);
    expect([info(4), info(8)]).toEqual([639, 3072]);
    expect(text(memory, info(16))).toBe('kernel a=b');
    expect(text(memory, info(64))).toBe('Dragoman');
    expect(info(20)).toBe(2);
    const module = (k: number, n: number) => view.getUint32(info(24) + k * 16 + n * 4, true);
    expect([module(0, 0) % 4096, module(1, 0) % 4096]).toEqual([0, 0]);
    expect(module(0, 1) - module(0, 0)).toBe(3);
    expect(module(1, 1) - module(1, 0)).toBe(5000);
    expect(module(0, 0)).toBeGreaterThanOrEqual(0x101000);
    expect([memory[module(0, 0) + 2], memory[module(1, 0)]]).toEqual([3, 7]);
    expect([text(memory, module(0, 2)), text(memory, module(1, 2))]).toEqual(['one', 'two with arguments']);
    expect(info(44)).toBe(72);
    expect([view.getUint32(info(48), true), view.getUint32(info(48) + 20, true)]).toEqual([20, 1]);
    expect(
      memory.subarray(0x100100, 0x101000).every((byte) => byte === 0),
      'bss is cleared',
    ).toBe(true);
  });

  it('gets flat segments with the selectors of QEMU, from a table in reserved memory', () => {
    const memory = ram();
    const { gdt, codeSelector, dataSelector } = load(multibootElf(), memory);
    expect([codeSelector, dataSelector]).toEqual([0x08, 0x10]);
    const view = new DataView(memory.buffer);
    const descriptors = Array.from({ length: (gdt!.limit + 1) / 8 }, (_, k) => view.getBigUint64(gdt!.base + k * 8, true));
    expect(descriptors).toEqual([0n, 0x00cf9b000000ffffn, 0x00cf93000000ffffn]);
    expect(gdt!.base).toBeGreaterThanOrEqual(0x9fc00);
    expect(gdt!.base + gdt!.limit).toBeLessThan(0xa0000);
  });

  it('gets a stack that nobody else uses', () => {
    expect(load(multibootElf()).gpr.esp).toBe(0x7ff00);
    const entry = load(elf([{ physical: 0x70000, data: multibootCode(), memoryBytes: 0x10000 }], 0x70000));
    expect(entry.gpr.esp).toBeGreaterThan(0x100000);
    expect(entry.gpr.ebx).toBeLessThan(0x70000);
  });

  it('has each module on pages of its own, an empty one too', () => {
    const memory = ram();
    const modules = ['a', '', 'c'].map((text) => ({ data: Buffer.from(text), string: text }));
    const { gpr } = load(multibootElf(), memory, modules);
    const view = new DataView(memory.buffer);
    const list = view.getUint32(gpr.ebx + 24, true);
    expect([0, 1, 2].map((k) => [view.getUint32(list + k * 16, true), view.getUint32(list + k * 16 + 4, true)])).toEqual([
      [0x101000, 0x101001],
      [0x102000, 0x102000],
      [0x103000, 0x103001],
    ]);
  });

  it('leaves modules the memory in front of it, where it is at the end', () => {
    const kernel = elf([{ physical: 4 * MiB - 0x2000, data: multibootCode(), memoryBytes: 0x2000 }], 4 * MiB - 0x2000);
    const memory = ram();
    const { gpr } = load(kernel, memory, [{ data: new Uint8Array(2 * MiB).fill(5), string: 'm' }]);
    const view = new DataView(memory.buffer);
    expect(view.getUint32(view.getUint32(gpr.ebx + 24, true), true)).toBe(0x100000);
    expect([memory[0x100000], memory[0x2fffff], memory[0x300000], memory[4 * MiB - 0x2000 + 0x20]]).toEqual([5, 5, 0, 0x90]);
  });

  it('may begin with the headers of its file below 1 MiB: they are left out', () => {
    const memory = ram();
    expect(load(withHeaders(), memory).eip).toBe(0x100020);
    expect(memory[0x100020]).toBe(0x90);
    expect(untouched(memory.subarray(0xa0000, 0x100000))).toBe(true);
  });

  it('may be position-independent', () => {
    expect(load(patched(multibootElf(), 16, 3)).eip).toBe(0x100020);
  });

  it('may start at a virtual address', () => {
    const kernel = elf([{ physical: 0x100000, virtual: 0xc0100000, data: multibootCode() }], 0xc0100010);
    expect(load(kernel).eip).toBe(0x100010);
  });

  it('may be any file with the address fields', () => {
    const memory = ram();
    const kernel = multibootCode(512, 0, [0x200000, 0x200000, 0, 0x201000, 0x200020]);
    expect(load(kernel, memory).eip).toBe(0x200020);
    expect(memory.subarray(0x200000, 0x200200)).toEqual(kernel);
  });

  it('may use low memory: our tables keep out of its way', () => {
    const memory = ram();
    const kernel = elf([{ physical: 0x1000, data: multibootCode(), memoryBytes: 0x90000 }], 0x1000);
    const entry = load(kernel, memory);
    expect(entry.gpr.ebx).toBeGreaterThanOrEqual(0x100000);
    expect(memory[0x1020]).toBe(0x90);
  });
});

describe('a damaged kernel', () => {
  const data = multibootCode();
  const damages: [string, Uint8Array, RegExp][] = [
    ['no header', new Uint8Array(9000), /no multiboot header/],
    ['a wrong checksum', patched(multibootElf(), 0x108, 1), /no multiboot header/],
    [
      'a header too far in',
      elf([{ physical: 0x100000, data: new Uint8Array([...new Uint8Array(8192), ...data]) }], 0x100000),
      /no multiboot header/,
    ],
    ['unknown requirements', elf([{ physical: 0x100000, data: multibootCode(256, 9) }], 0x100000), /requires features 0x8/],
    ['neither ELF nor addresses', multibootCode(), /neither an ELF file/],
    ['64-bit ELF', patched(multibootElf(), 4, 2), /64-bit ELF/],
    ['unknown class', patched(multibootElf(), 4, 9), /class 9/],
    ['big-endian', patched(multibootElf(), 5, 2), /byte order/],
    ['another machine', patched(multibootElf(), 18, 40), /machine 40/],
    ['an object file', patched(multibootElf(), 16, 1), /not an executable but an object file/],
    ['a core dump', patched(multibootElf(), 16, 4), /not an executable$/],
    ['no program headers', patched(multibootElf(), 44, 0), /no program headers/],
    ['program headers too small', patched(multibootElf(), 42, 8), /of 8 bytes/],
    ['program headers outside', patched(multibootElf(), 28, 0, 0, 1), /program headers end at/],
    ['nothing to load', patched(multibootElf(), 52, 4), /no segment/],
    ['segment outside the file', patched(multibootElf(), 56, 0, 0, 1), /truncated: segment 0/],
    ['more in the file than in memory', patched(multibootElf(), 72, 8, 0), /only 8 in memory/],
    ['segment past 4 GiB', patched(multibootElf(), 64, 0, 0xff, 0xff, 0xff), /past 4 GiB/],
    [
      'overlapping segments',
      elf(
        [
          { physical: 0x100000, data },
          { physical: 0x100080, data },
        ],
        0x100000,
      ),
      /overlapping segments: \[0x100000/,
    ],
    ['entry outside', multibootElf(0x300000), /entry 0x300000 lies outside/],
    ['in the reserved hole', elf([{ physical: 0xa0000, data }], 0xa0000), /reserved area \[0x9fc00, 0x100000\)$/],
    [
      'with its headers and more below 1 MiB',
      withHeaders({ 2048: 1 }),
      /\[0xff000, 0x100100\) reaches into the reserved area .*: it begins with the headers.*ld -n or -N/,
    ],
    ['address fields cut off', multibootCode(256, 0, [1, 1, 1, 1, 1]).subarray(0, 24), /address fields/],
    ['load behind header', multibootCode(256, 0, [0x200000, 0x200004, 0, 0, 0x200000]), /behind the header/],
    ['load before the file', multibootCode(256, 0, [0x200010, 0x200000, 0, 0, 0x200000]), /in front of the file/],
    ['load end before load', multibootCode(256, 0, [0x200000, 0x200000, 0x100000, 0, 0x200000]), /not behind/],
    ['load end behind the file', multibootCode(256, 0, [0x200000, 0x200000, 0x200200, 0, 0x200000]), /the file has 256/],
    ['bss end before load end', multibootCode(256, 0, [0x200000, 0x200000, 0, 0x200010, 0x200000]), /in front of the load end/],
    ['entry outside the load', multibootCode(256, 0, [0x200000, 0x200000, 0, 0, 0x100000]), /outside all segments/],
  ];
  it.each(damages)('%s', (_, kernel, message) => {
    const memory = ram();
    expectError(() => load(kernel, memory), 'BAD_KERNEL', message);
    expect(untouched(memory)).toBe(true);
  });

  it('truncated at each multiple of 64 bytes', () => {
    const kernel = multibootElf();
    for (let length = 0; length < kernel.length; length += 64)
      expect(errorOf(() => load(kernel.subarray(0, length))).code).toBe('BAD_KERNEL');
  });

  it('noise in the ELF headers never does worse than an error', () => {
    const memory = ram();
    let errors = 0;
    for (let seed = 1; seed <= 300; seed++) {
      const kernel = patched(multibootElf(), 16, ...noise(0x44, seed));
      expect(['BAD_KERNEL', 'OUT_OF_MEMORY']).toContain(errorOf(() => load(kernel, memory)).code);
      errors++;
    }
    expect(errors).toBe(300);
  });

  it('too large for the memory', () => {
    const kernel = elf([{ physical: 0x100000, data, memoryBytes: 8 * MiB }], 0x100000);
    expectError(() => load(kernel), 'OUT_OF_MEMORY', /ends at 0x900000, the guest has memory up to 0x400000/);
    const modules = [{ data: new Uint8Array(4 * MiB), string: 'big' }];
    const memory = ram();
    expectError(() => load(multibootElf(), memory, modules), 'OUT_OF_MEMORY', /module 0 \(big\)/);
    expect(untouched(memory)).toBe(true);
  });

  it('texts with a NUL', () => {
    expectError(() => load(multibootElf(), ram(), [], 'a\0'), 'BAD_OPTION', /NUL/);
    expectError(() => load(multibootElf(), ram(), [{ data, string: '\0' }]), 'BAD_OPTION', /NUL/);
  });
});
