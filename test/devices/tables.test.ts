// ACPI and MP tables: where kernels look for them, checksums, structure.
import { expect, it } from 'vitest';
import { CPUID_EDX } from '../../src/layout/features.ts';
import * as aml from '../../src/machine/firmware/aml.ts';
import { writeFirmwareTables } from '../../src/machine/firmware/tables.ts';

const make = (cpuCount: number) => {
  const ram = new Uint8Array(1 << 20);
  writeFirmwareTables(ram, { cpuCount });
  return { ram, view: new DataView(ram.buffer) };
};
const sum = (bytes: Uint8Array): number => bytes.reduce((total, byte) => (total + byte) & 0xff, 0);
const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

it('links the ACPI tables with right checksums', () => {
  const { ram, view } = make(4);
  expect(text(ram.subarray(0xe0000, 0xe0008))).toBe('RSD PTR ');
  expect(sum(ram.subarray(0xe0000, 0xe0014))).toBe(0);
  expect(sum(ram.subarray(0xe0000, 0xe0024))).toBe(0);
  const table = (at: number) => {
    const bytes = ram.subarray(at, at + view.getUint32(at + 4, true));
    expect(sum(bytes)).toBe(0);
    return { name: text(bytes.subarray(0, 4)), bytes, view: new DataView(ram.buffer, at, bytes.length) };
  };
  const rsdt = table(view.getUint32(0xe0010, true));
  const xsdt = table(view.getUint32(0xe0018, true));
  expect([rsdt.name, xsdt.name]).toEqual(['RSDT', 'XSDT']);
  expect(rsdt.view.getUint32(36, true)).toBe(xsdt.view.getUint32(36, true));
  const fadt = table(rsdt.view.getUint32(36, true));
  const madt = table(rsdt.view.getUint32(40, true));
  const hpet = table(rsdt.view.getUint32(44, true));
  expect([fadt.name, fadt.bytes.length, madt.name, hpet.name]).toEqual(['FACP', 244, 'APIC', 'HPET']);
  expect([hpet.view.getUint32(36, true), hpet.view.getUint32(44, true)]).toEqual([0x8086a201, 0xfed00000]);
  expect(fadt.view.getUint32(36, true) & 63).toBe(0);
  expect(fadt.view.getUint32(40, true)).toBe(fadt.view.getUint32(140, true));
  const dsdt = table(fadt.view.getUint32(40, true));
  expect(dsdt.name).toBe('DSDT');
  const kinds: number[] = [];
  for (let at = 44; at < madt.bytes.length; at += madt.bytes[at + 1]) kinds.push(madt.bytes[at]);
  expect(kinds).toEqual([0, 0, 0, 0, 1, 2, 2, 4]);
});

it('has MP tables whose entries add up', () => {
  const { ram, view } = make(2);
  expect(text(ram.subarray(0xf0000, 0xf0004))).toBe('_MP_');
  expect(sum(ram.subarray(0xf0000, 0xf0010))).toBe(0);
  const at = view.getUint32(0xf0004, true);
  expect(text(ram.subarray(at, at + 4))).toBe('PCMP');
  const length = view.getUint16(at + 4, true);
  expect(sum(ram.subarray(at, at + length))).toBe(0);
  // The processor as CPUID has it: FPU, DE, ..., APIC.
  expect([view.getUint32(at + 44 + 4, true), view.getUint32(at + 44 + 8, true)]).toEqual([0x6ca, (CPUID_EDX | (1 << 9)) >>> 0]);
  let next = at + 44;
  let count = 0;
  for (; next < at + length; count++) next += ram[next] === 0 ? 20 : 8;
  expect(next).toBe(at + length);
  expect(view.getUint16(at + 34, true)).toBe(count);
});

it('encodes AML lengths, names and ids', () => {
  expect(aml.eisaId('PNP0A03')).toEqual([0x0c, 0x41, 0xd0, 0x0a, 0x03]);
  expect(aml.name('\\_SB.PCI0.COM1').slice(0, 3)).toEqual([0x5c, 0x2f, 3]);
  expect(aml.buffer(new Array(100).fill(0)).slice(0, 5)).toEqual([0x11, 0x48, 0x06, 0x0a, 100]);
});

it('fills in the BIOS data areas', () => {
  const { ram, view } = make(1);
  const halves = Object.entries({
    'the serial port': [0x400, 0x3f8],
    'no second one': [0x402, 0],
    'the segment of the EBDA': [0x40e, 0x9fc0],
    'the coprocessor, a colour screen, a serial port': [0x410, 0x222],
    'KiB of low memory': [0x413, 639],
    columns: [0x44a, 80],
    'the CRTC': [0x463, 0x3d4],
    'lines of a character': [0x485, 16],
  });
  expect(halves.map(([name, [at]]) => [name, view.getUint16(at, true)])).toEqual(halves.map(([name, [, value]]) => [name, value]));
  expect([ram[0x449], ram[0x484], ram[0x9fc00]]).toEqual([3, 24, 1]);
});
