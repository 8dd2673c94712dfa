// fw_cfg as firmware reads it (QEMU's docs/specs/fw_cfg.rst), and the tables that its loader's script makes.
import { describe, expect, it } from 'vitest';
import { firmwareConfig } from '../../../src/machine/firmware/config.ts';
import { type Bench, bench } from './harness.ts';

const machine = (cpuCount = 3) => bench(cpuCount, { firmware: () => firmwareConfig({ cpuCount, ramBytes: 64 << 20 }) });
function read(b: Bench, item: number, bytes: number): Buffer {
  b.out(0x510, item, 2);
  return Buffer.from(Array.from({ length: bytes }, () => b.in(0x511)));
}
const text = (bytes: Buffer) => bytes.toString('latin1').replace(/\0.*$/s, '');

interface File {
  readonly item: number;
  readonly bytes: number;
}
function files(b: Bench): Map<string, File> {
  const directory = read(b, 0x19, 4 + 64 * read(b, 0x19, 4).readUInt32BE(0));
  const found = new Map<string, File>();
  for (let at = 4; at < directory.length; at += 64)
    found.set(text(directory.subarray(at + 8, at + 64)), { bytes: directory.readUInt32BE(at), item: directory.readUInt16BE(at + 4) });
  return found;
}
function file(b: Bench, name: string): Buffer {
  const found = files(b).get(name);
  if (found === undefined) throw new Error(`no file ${name}`);
  return read(b, found.item, found.bytes);
}
const sum = (bytes: Uint8Array) => bytes.reduce((total, byte) => (total + byte) & 0xff, 0);

describe('FwCfg', () => {
  it('has its signature, no DMA, CPUs and memory', () => {
    const b = machine();
    expect([text(read(b, 0, 5)), read(b, 1, 4).readUInt32LE(0)]).toEqual(['QEMU', 1]);
    expect([read(b, 5, 2).readUInt16LE(0), read(b, 0x0f, 2).readUInt16LE(0)]).toEqual([3, 3]);
    expect(read(b, 3, 8).readBigUInt64LE(0)).toBe(64n << 20n);
    // Behind the end, and where there is nothing, zeros; one thread goes on where another stopped.
    expect([...read(b, 5, 4), ...read(b, 0x7777, 2)]).toEqual([3, 0, 0, 0, 0, 0]);
    read(b, 0, 1);
    expect(String.fromCharCode(b.attach().portIn(0, 0x511, 1), b.in(0x511))).toBe('EM');
  });

  it('reads only by bytes at the data port, and is selected only by words', () => {
    const b = machine();
    read(b, 0, 1);
    expect([b.in(0x510), b.in(0x510, 2)]).toEqual([0xff, 0xffff]);
    b.out(0x511, 5);
    expect(b.in(0x511)).toBe('E'.charCodeAt(0));
  });

  it('names its files in order, among them memory and where to show text', () => {
    const b = machine();
    const names = [...files(b).keys()];
    expect(names).toEqual([...names].sort());
    const e820 = file(b, 'etc/e820');
    expect([e820.length, e820.readBigUInt64LE(0), e820.readBigUInt64LE(8), e820.readUInt32LE(16)]).toEqual([20, 0n, 64n << 20n, 1]);
    expect(file(b, 'etc/sercon-port').readUInt16LE(0)).toBe(0x3f8);
  });

  it('has ACPI tables, and a script that makes their pointers and checksums right', () => {
    const b = machine();
    const memory = Buffer.alloc(0x20000);
    const placed = new Map<string, { at: number; bytes: number }>();
    const script = file(b, 'etc/table-loader');
    expect(script.length % 128).toBe(0);
    let next = 0x1010;
    for (let entry = 0; entry < script.length; entry += 128) {
      const name = (at: number) => text(script.subarray(entry + at, entry + at + 56));
      const place = (at: number) => {
        const found = placed.get(name(at));
        if (found === undefined) throw new Error(`${name(at)} has no place`);
        return found;
      };
      switch (script.readUInt32LE(entry)) {
        case 1: {
          const align = script.readUInt32LE(entry + 60);
          const bytes = file(b, name(4));
          next = Math.ceil(next / align) * align;
          placed.set(name(4), { at: next, bytes: bytes.length });
          memory.set(bytes, next);
          next += bytes.length;
          // The RSDP must be where kernels look for it.
          expect(script[entry + 64]).toBe(name(4) === 'etc/acpi/rsdp' ? 2 : 1);
          break;
        }
        case 2: {
          const at = place(4).at + script.readUInt32LE(entry + 116);
          const size = script[entry + 120];
          memory.writeUIntLE(memory.readUIntLE(at, 4) + place(60).at, at, 4);
          if (size === 8) expect(memory.readUInt32LE(at + 4)).toBe(0);
          else expect(size).toBe(4);
          break;
        }
        case 3: {
          const { at } = place(4);
          const [offset, start, length] = [60, 64, 68].map((field) => script.readUInt32LE(entry + field));
          memory[at + offset] -= sum(memory.subarray(at + start, at + start + length));
          break;
        }
        default:
          throw new Error(`command ${script.readUInt32LE(entry)}`);
      }
    }
    const rsdp = (placed.get('etc/acpi/rsdp') as { at: number }).at;
    expect([sum(memory.subarray(rsdp, rsdp + 20)), sum(memory.subarray(rsdp, rsdp + 36))]).toEqual([0, 0]);
    const table = (at: number) => {
      const bytes = memory.subarray(at, at + memory.readUInt32LE(at + 4));
      const name = bytes.toString('latin1', 0, 4);
      expect(name === 'FACS' ? 0 : sum(bytes)).toBe(0);
      return { name, bytes };
    };
    const [rsdt, xsdt] = [table(memory.readUInt32LE(rsdp + 16)), table(memory.readUInt32LE(rsdp + 24))];
    const of = (root: { bytes: Buffer }, size: number) =>
      Array.from({ length: (root.bytes.length - 36) / size }, (_, n) => root.bytes.readUInt32LE(36 + size * n));
    expect([rsdt.name, xsdt.name, of(rsdt, 4)]).toEqual(['RSDT', 'XSDT', of(xsdt, 8)]);
    const tables = of(rsdt, 4).map(table);
    expect(tables.map(({ name }) => name)).toEqual(['FACP', 'APIC', 'HPET']);
    const fadt = tables[0].bytes;
    expect([36, 40, 140].map((at) => table(fadt.readUInt32LE(at)).name)).toEqual(['FACS', 'DSDT', 'DSDT']);
    expect(fadt.readUInt32LE(36) % 64).toBe(0);
  });
});
