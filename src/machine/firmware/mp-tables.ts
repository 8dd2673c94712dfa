// The Intel MultiProcessor tables (specification 1.4) for kernels that know no ACPI: the floating pointer at 0xF0000 and the
// configuration table behind it. The interrupt model they tell is described in src/devices/interrupts.ts.
import { SCI_IRQ } from '../../devices/acpi-pm.ts';
import { ioApicId } from '../../devices/interrupts.ts';
import { IOAPIC_BASE } from '../../devices/ioapic.ts';
import { LAPIC_BASE } from '../../devices/lapic.ts';
import { pciGsi } from '../../devices/pci/routing.ts';
import { CPUID_EDX, CPUID_EDX_APIC, CPUID_SIGNATURE } from '../../layout/features.ts';

export const MP_FLOATING_POINTER = 0xf0000;
const MP_TABLE = 0xf0010;

const PCI_BUS = 0;
const ISA_BUS = 1;
const INT = 0;
const NMI = 1;
const EXT_INT = 3;
/** Polarity and trigger: as the bus has it; level and active high; level and active low. */
const CONFORMS = 0;
const LEVEL_HIGH = 0x0d;
const LEVEL_LOW = 0x0f;
/** Of a processor: family, model and stepping in 12 bits, and what CPUID says of its features. */
const SIGNATURE = CPUID_SIGNATURE & 0xfff;
const FEATURES = CPUID_EDX | CPUID_EDX_APIC;

const dword = (value: number): number[] => [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, value >>> 24];
const ascii = (text: string, length: number): number[] => Array.from(text.padEnd(length), (letter) => letter.charCodeAt(0));

function sum(bytes: readonly number[]): number {
  let total = 0;
  for (const byte of bytes) total += byte;
  return -total & 0xff;
}

export function writeMpTables(ram: Uint8Array, cpuCount: number): void {
  const id = ioApicId(cpuCount);
  const entries: number[][] = [];
  for (let cpu = 0; cpu < cpuCount; cpu++) {
    entries.push([0, cpu, 0x14, cpu === 0 ? 3 : 1, ...dword(SIGNATURE), ...dword(FEATURES), ...dword(0), ...dword(0)]);
  }
  entries.push([1, PCI_BUS, ...ascii('PCI', 6)], [1, ISA_BUS, ...ascii('ISA', 6)]);
  entries.push([2, id, 0x20, 1, ...dword(IOAPIC_BASE)]);
  const line = (type: number, flags: number, bus: number, source: number, input: number) =>
    entries.push([3, type, flags, 0, bus, source, id, input]);
  line(EXT_INT, CONFORMS, ISA_BUS, 0, 0);
  for (let irq = 0; irq < 16; irq++) {
    if (irq === 2) continue;
    line(INT, irq === SCI_IRQ ? LEVEL_HIGH : CONFORMS, ISA_BUS, irq, irq === 0 ? 2 : irq);
  }
  for (let slot = 1; slot < 32; slot++) {
    for (let pin = 0; pin < 4; pin++) line(INT, LEVEL_LOW, PCI_BUS, (slot << 2) | pin, pciGsi(slot, pin + 1));
  }
  entries.push([4, EXT_INT, CONFORMS, 0, ISA_BUS, 0, 0, 0]);
  entries.push([4, NMI, CONFORMS, 0, ISA_BUS, 0, 0xff, 1]);

  const body = entries.flat();
  const length = 44 + body.length;
  const header = [
    ...ascii('PCMP', 4),
    length & 0xff,
    length >> 8,
    4,
    0,
    ...ascii('DRAGOMAN', 8),
    ...ascii('PC', 12),
    ...dword(0),
    0,
    0,
    entries.length & 0xff,
    entries.length >> 8,
    ...dword(LAPIC_BASE),
    ...dword(0),
  ];
  header[7] = sum([...header, ...body]);
  ram.set([...header, ...body], MP_TABLE);
  const pointer = [...ascii('_MP_', 4), ...dword(MP_TABLE), 1, 4, 0, 0, 0, 0, 0, 0];
  pointer[10] = sum(pointer);
  ram.set(pointer, MP_FLOATING_POINTER);
}
