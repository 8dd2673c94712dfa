// ACPI and MP tables: where kernels look for them, checksums, structure.
import { expect, it } from 'vitest';
import * as aml from '../../../src/devices/aml.ts';
import { DEBUG_PORTS } from '../../../src/devices/debug-ports.ts';
import { ACPI_NODES } from '../../../src/devices/list.ts';
import { CPUID_EDX } from '../../../src/layout/features.ts';
import { dsdtBody } from '../../../src/machine/firmware/acpi-dsdt.ts';
import { writeFirmwareTables } from '../../../src/machine/firmware/tables.ts';
import { bench } from './harness.ts';

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
it('has devices in the DSDT where they are', () => {
  const { pc } = bench();
  /** Ports (first, count) of a node's fixed I/O descriptors (ACPI 5.0, 6.4.2.6 has their form as 47H, 1, first, first, alignment, count). */
  const ports = (node: aml.Aml) =>
    node.flatMap((byte, n) => (byte === 0x47 && node[n + 1] === 1 ? [[node[n + 2] | (node[n + 3] << 8), node[n + 7]] as const] : []));
  const claimed = ([first, count]: readonly [number, number]) =>
    Array.from({ length: count }, (_, n) => pc.hub.ports.claimed(first + n)).filter(Boolean).length;
  const [rtc, com1, hpet, pm] = ACPI_NODES;
  expect([rtc, com1].map((node) => ports(node).map((range) => [range[0], range[1], claimed(range)]))).toEqual([
    [[0x70, 2, 2]],
    [[0x3f8, 8, 8]],
  ]);
  // The event and control blocks and the timer.
  expect(ports(pm).map((range) => claimed(range))[0]).toBe(10);
  expect(ports(pm).slice(1)).toEqual(DEBUG_PORTS);
  const at = hpet.findIndex((byte, n) => byte === 0x86 && hpet[n + 1] === 9);
  const base = new DataView(Uint8Array.from(hpet.slice(at + 4, at + 8)).buffer).getUint32(0, true);
  expect(pc.mmioRead(0, base, 4)).toBe(0x8086a201);
  // Whole, and one behind the other.
  const body = dsdtBody();
  const found = ACPI_NODES.map((node) => body.findIndex((_, n) => node.every((byte, k) => body[n + k] === byte)));
  expect(found).not.toContain(-1);
  expect(found.slice(1)).toEqual(found.slice(0, -1).map((n, i) => n + ACPI_NODES[i].length));
});
