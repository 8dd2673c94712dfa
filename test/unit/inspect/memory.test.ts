// Memory of a machine that stands still: what is read and written where, what is refused and how, and that code which is written over is executed no more.
import { describe, expect, it } from 'vitest';
import { CONTROL, Control, ROM, ROM_BYTES } from '../../../src/layout/memory.ts';
import { Cr0, Cr4 } from '../../../src/layout/system.ts';
import { errorOf } from '../loaders/images.ts';
import { ENGINES, MiB, RAM_BYTES, type Still, still } from './still.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** Page tables (two levels): the first 4 MiB are themselves, 0x400000 leads to 0x800000, 0x401000 to 0x900000 (read-only), 0x402000 is absent, 0x403000 is a device. */
function withPaging(): Still {
  const s = still();
  s.view.setUint32(0x10000, 0x83, true);
  s.view.setUint32(0x10004, 0x11007, true);
  [0x800007, 0x900001, 0x900006, 0xfee00003].forEach((entry, n) => void s.view.setUint32(0x11000 + n * 4, entry, true));
  const { registers } = s.cpu;
  registers.cr4 = Cr4.PSE;
  registers.cr3 = 0x10000;
  registers.cr0 = (Cr0.PE | Cr0.PG | Cr0.WP) >>> 0;
  return s;
}

describe('physical memory', () => {
  it('is read as a copy, and written', () => {
    const { memory, ram } = still();
    ram.set([1, 2, 3, 4], 0x2ffe);
    const bytes = memory.physical.read(0x2ffe, 4);
    expect([...bytes]).toEqual([1, 2, 3, 4]);
    bytes.fill(9);
    expect([...ram.subarray(0x2ffe, 0x3002)]).toEqual([1, 2, 3, 4]);
    memory.physical.write(0x3ffe, Uint8Array.of(5, 6, 7).buffer);
    expect([...ram.subarray(0x3ffd, 0x4002)]).toEqual([0, 5, 6, 7, 0]);
    expect(memory.physical.read(0x3ffe, 0).length).toBe(0);
    expect(memory.physical.read(RAM_BYTES - 1, 1).length).toBe(1);
  });

  it('is the text of a video card, but no more of one, and not behind RAM', () => {
    const { memory } = still();
    memory.physical.write(0xb8000, Uint8Array.of(0x41));
    expect([...memory.physical.read(0xb8000, 1)]).toEqual([0x41]);
    for (const [address, length, where] of [
      [0xa0000, 1, '0xa0000'],
      [0x9fffe, 4, '0xa0000'],
      [0xb7fff, 2, '0xb7fff'],
      [RAM_BYTES - 1, 2, '0x1000000'],
      [0xfee00000, 4, '0xfee00000'],
      [0xffffffff, 1, '0xffffffff'],
      [0xffffffff, 2, '0x100000000'],
      [0, 2 ** 50, '0x100000000'],
    ] as const)
      expect(errorOf(() => memory.physical.read(address, length))).toMatchObject({ code: 'BAD_ADDRESS', where });
    expect(errorOf(() => memory.physical.read(0xfee00000, 4)).message).toBe(
      '0xfee00000: there is neither RAM nor ROM at this physical address',
    );
  });

  it('is ROM, which is read alone, unless RAM stands in its place', () => {
    const { memory, vcpu, ram } = still();
    const { i32, u8 } = vcpu.shared;
    i32[(CONTROL + Control.at.romBytes) >> 2] = 64 * 1024;
    u8.set([0xea, 0x5b], ROM + ROM_BYTES - 16);
    expect([...memory.physical.read(0xfffffff0, 2)]).toEqual([0xea, 0x5b]);
    expect([...memory.physical.read(0xffff0, 2)]).toEqual([0xea, 0x5b]);
    for (const [address, where] of [
      [0xfffffff0, '0xfffffff0'],
      [0xffff0, '0xffff0'],
      [0xeffff, '0xf0000'],
    ] as const) {
      const error = errorOf(() => memory.physical.write(address, Uint8Array.of(1, 2)));
      expect([error.code, error.message]).toEqual(['BAD_ADDRESS', `${where}: there is ROM at this physical address`]);
    }
    // Nothing was written of what could not be written as a whole.
    expect(ram[0xeffff]).toBe(0);
    i32[(CONTROL + Control.at.shadowRam) >> 2] = 0xff;
    memory.physical.write(0xffff0, Uint8Array.of(7));
    expect([memory.physical.read(0xffff0, 1)[0], ram[0xffff0], memory.physical.read(0xfffffff0, 1)[0]]).toEqual([7, 7, 0xea]);
  });

  it('takes addresses, lengths and bytes alone', () => {
    const { memory, cpu } = still();
    for (const space of [memory.physical, cpu.memory]) {
      for (const bad of [-1, 2 ** 32, 0.5, Number.NaN, '1', undefined, 1n] as number[]) {
        expect(errorOf(() => space.read(bad, 1))).toMatchObject({ code: 'BAD_OPTION', where: 'address' });
        expect(errorOf(() => space.write(bad, new Uint8Array(1)))).toMatchObject({ code: 'BAD_OPTION', where: 'address' });
      }
      for (const bad of [-1, 0.5, '1', undefined] as number[])
        expect(errorOf(() => space.read(0, bad))).toMatchObject({ code: 'BAD_OPTION', where: 'length' });
      for (const bad of ['x', [1], 1, undefined] as unknown as Uint8Array[])
        expect(errorOf(() => space.write(0, bad))).toMatchObject({ code: 'BAD_OPTION', where: 'bytes' });
    }
  });
});

describe('linear memory', () => {
  it('is read and written across pages that lie apart, whatever their rights', () => {
    const s = withPaging();
    s.ram.set([1, 2], 0x800ffe);
    s.ram.set([3, 4], 0x900000);
    const tables = hex(s.ram.subarray(0x10000, 0x12000));
    const tlb = hex(s.vcpu.shared.u8.slice(s.vcpu.base, s.vcpu.base + 4096));
    expect([...s.cpu.memory.read(0x400ffe, 4)]).toEqual([1, 2, 3, 4]);
    s.cpu.memory.write(0x400fff, Uint8Array.of(8, 9));
    expect([s.ram[0x800fff], s.ram[0x900000]]).toEqual([8, 9]);
    expect(hex(s.ram.subarray(0x10000, 0x12000))).toBe(tables);
    expect(hex(s.vcpu.shared.u8.slice(s.vcpu.base, s.vcpu.base + 4096))).toBe(tlb);
    expect(s.cpu.translate(0x400fff)).toMatchObject({ physical: 0x800fff, pageSize: 4096, writable: true, user: true });
    expect(s.cpu.translate(0x401000)).toMatchObject({ physical: 0x900000, writable: false, user: false });
    expect(s.cpu.translate(0x402000)).toBeUndefined();
  });

  it('says where it ends, and why', () => {
    const { cpu, ram } = withPaging();
    const cases = [
      [0x402000, 1, '0x402000: not mapped: entry 2 of the page table is not present'],
      [0x401fff, 2, '0x402000: not mapped: entry 2 of the page table is not present'],
      [0x800000, 1, '0x800000: not mapped: entry 2 of the page directory is not present'],
      [0x403010, 4, '0x403010: mapped to 0xfee00010: there is neither RAM nor ROM at this physical address'],
      [0xffffffff, 2, '0x100000000: past the last linear address'],
    ] as const;
    for (const [address, length, message] of cases) {
      expect(errorOf(() => cpu.memory.read(address, length))).toMatchObject({ code: 'BAD_ADDRESS', message });
      expect(errorOf(() => cpu.memory.write(address, new Uint8Array(length).fill(0xee)))).toMatchObject({ code: 'BAD_ADDRESS', message });
    }
    expect(ram.includes(0xee)).toBe(false);
  });

  it('says which bits are reserved', () => {
    const s = withPaging();
    s.view.setUint32(0x10008, 0x802083, true);
    expect(errorOf(() => s.cpu.memory.read(0x800000, 1)).message).toBe(
      '0x800000: not mapped: entry 2 of the page directory has reserved bits set',
    );
  });

  it('is the physical memory without paging', () => {
    const { cpu, ram } = still();
    ram[0x123] = 5;
    expect([...cpu.memory.read(0x123, 1)]).toEqual([5]);
    expect(errorOf(() => cpu.memory.read(RAM_BYTES, 1)).where).toBe('0x1000000');
  });

  it('is read in large pieces', () => {
    const s = withPaging();
    for (let at = MiB; at < 4 * MiB; at += 4096) s.ram[at + 0x800] = at >> 12;
    const bytes = s.cpu.memory.read(MiB, 3 * MiB);
    expect(Buffer.compare(bytes, s.ram.subarray(MiB, 4 * MiB))).toBe(0);
  });
});

describe.each(ENGINES)('code that was executed is written over: %s', (engine) => {
  // again: inc eax; dec ecx; jnz again; hlt
  const LOOP = '40 49 75fc f4';
  const turn = (s: Still, count: number) => {
    Object.assign(s.cpu.registers, { eax: 0, ecx: count, eip: 0x1000 });
    s.run();
    return s.cpu.registers.eax;
  };

  it.each(['physical', 'linear'] as const)('by %s addresses', (by) => {
    const s = still(engine);
    s.put(0x1000, LOOP);
    expect(turn(s, 5000)).toBe(5000);
    const space = by === 'physical' ? s.memory.physical : s.cpu.memory;
    // inc eax becomes dec eax, and is what it was again.
    space.write(0x1000, Uint8Array.of(0x48));
    expect(turn(s, 5000)).toBe(2 ** 32 - 5000);
    space.write(0x1000, Uint8Array.of(0x40));
    expect(turn(s, 5000)).toBe(5000);
  });

  it('where it goes on in the middle of what is written', () => {
    const s = still(engine);
    s.put(0x1000, `${LOOP} 40 f4`);
    turn(s, 1);
    s.memory.physical.write(0x1000, Uint8Array.from([0x90, 0x90, 0x90, 0x90, 0x90, 0x83, 0xc0, 0x05, 0xf4]));
    expect(turn(s, 1)).toBe(5);
  });
});
