// The ACPI tables of the machine: RSDP, RSDT, XSDT, FADT, FACS, MADT, HPET and a DSDT. They live in plain guest RAM from 0xE0000
// on, where a kernel scans for the RSDP; the loader's memory map must call 0xE0000..0xFFFFF reserved.
// What they say about interrupts is described in src/devices/interrupts.ts.
import { PM_TIMER_PORT, PM1_CONTROL_PORT, PM1_EVENT_PORT, SCI_IRQ, SLEEP_S5 } from '../devices/acpi-pm.ts';
import { HPET_BASE, HPET_BYTES, HPET_ID, HPET_TICK_NS } from '../devices/hpet.ts';
import { ioApicId } from '../devices/interrupts.ts';
import { IOAPIC_BASE } from '../devices/ioapic.ts';
import { LAPIC_BASE } from '../devices/lapic.ts';
import { pciGsi, pciIsaIrq } from '../devices/pci.ts';
import * as aml from './aml.ts';
import { writeBiosData } from './bios-data.ts';
import { FIRMWARE_TABLES } from './loaders/e820.ts';
import { writeMpTables } from './mp-tables.ts';

export interface FirmwareTablesOptions {
  readonly cpuCount: number;
  readonly ramBytes: number;
}

/** PCI memory window of the host bridge. */
export const PCI_WINDOW_FIRST = 0xc0000000;
export const PCI_WINDOW_LAST = 0xfebfffff;

const OEM_ID = 'DRAGOM';
const OEM_TABLE_ID = 'DRAGOMAN';
const CMOS_CENTURY = 0x32;

/** Little-endian bytes of a table under construction. */
class Table {
  readonly bytes: Uint8Array;
  readonly view: DataView;

  constructor(length: number) {
    this.bytes = new Uint8Array(length);
    this.view = new DataView(this.bytes.buffer);
  }

  text(offset: number, text: string): void {
    for (let i = 0; i < text.length; i++) this.bytes[offset + i] = text.charCodeAt(i);
  }

  u16(offset: number, value: number): void {
    this.view.setUint16(offset, value, true);
  }

  u32(offset: number, value: number): void {
    this.view.setUint32(offset, value, true);
  }

  /** Generic address of an I/O port block (ACPI 5.0, 5.2.3.1); `access` 1 byte, 2 word, 3 dword. */
  port(offset: number, port: number, bits: number, access: number): void {
    this.bytes.set([1, bits, 0, access], offset);
    this.u32(offset + 4, port);
  }
}

/** Makes the bytes from `from` on sum to 0 through the byte at `offset`. */
function checksum(bytes: Uint8Array, offset: number, length = bytes.length): void {
  let sum = 0;
  bytes[offset] = 0;
  for (let i = 0; i < length; i++) sum += bytes[i];
  bytes[offset] = -sum & 0xff;
}

/** A system description table: its header and `body` bytes; `fill` writes the body. */
function table(signature: string, revision: number, length: number, fill: (table: Table) => void): Uint8Array {
  const made = new Table(length);
  made.text(0, signature);
  made.u32(4, length);
  made.bytes[8] = revision;
  made.text(10, OEM_ID);
  made.text(16, OEM_TABLE_ID);
  made.u32(24, 1);
  made.text(28, 'DRGM');
  made.u32(32, 1);
  fill(made);
  checksum(made.bytes, 9);
  return made.bytes;
}

function facs(): Uint8Array {
  const made = new Table(64);
  made.text(0, 'FACS');
  made.u32(4, 64);
  made.bytes[32] = 1;
  return made.bytes;
}

/** ACPI 3.0 form, 244 bytes; 32-bit and extended fields agree (ACPI 5.0, 5.2.9). */
function fadt(facsAddress: number, dsdtAddress: number): Uint8Array {
  return table('FACP', 3, 244, (t) => {
    t.u32(36, facsAddress);
    t.u32(40, dsdtAddress);
    t.bytes[45] = 1;
    t.u16(46, SCI_IRQ);
    // SMI_CMD (48) is 0: always in ACPI mode.
    t.u32(56, PM1_EVENT_PORT);
    t.u32(64, PM1_CONTROL_PORT);
    t.u32(76, PM_TIMER_PORT);
    t.bytes[88] = 4;
    t.bytes[89] = 2;
    t.bytes[91] = 4;
    // No C2 and C3.
    t.u16(96, 0x0fff);
    t.u16(98, 0x0fff);
    t.bytes[108] = CMOS_CENTURY;
    // Legacy devices; no 8042 worth probing, no VGA, no MSI.
    t.u16(109, 0x01 | 0x04 | 0x08);
    // WBINVD, C1, no sleep button, RTC wake not fixed hardware, reset register. The power button is fixed hardware.
    t.u32(112, 0x01 | 0x04 | 0x20 | 0x40 | 0x400);
    t.port(116, 0xcf9, 8, 1);
    t.bytes[128] = 0x06;
    t.u32(140, dsdtAddress);
    t.port(148, PM1_EVENT_PORT, 32, 2);
    t.port(172, PM1_CONTROL_PORT, 16, 2);
    t.port(208, PM_TIMER_PORT, 32, 3);
  });
}

function madt(cpuCount: number): Uint8Array {
  const length = 44 + 8 * cpuCount + 12 + 2 * 10 + 6;
  return table('APIC', 1, length, (t) => {
    t.u32(36, LAPIC_BASE);
    // There are 8259s, too.
    t.u32(40, 1);
    let at = 44;
    for (let cpu = 0; cpu < cpuCount; cpu++, at += 8) t.bytes.set([0, 8, cpu, cpu, 1, 0, 0, 0], at);
    t.bytes.set([1, 12, ioApicId(cpuCount), 0], at);
    t.u32(at + 4, IOAPIC_BASE);
    at += 12;
    // The timer is input 2; SCI is level-triggered, active high.
    t.bytes.set([2, 10, 0, 0, 2, 0, 0, 0, 0, 0], at);
    t.bytes.set([2, 10, 0, SCI_IRQ, SCI_IRQ, 0, 0, 0, 0x0d, 0], at + 10);
    // NMI is LINT1 of every CPU.
    t.bytes.set([4, 6, 0xff, 0, 0, 1], at + 20);
  });
}

/** The shortest period of the HPET that a kernel should use (5 us). */
const HPET_LEAST_NS = 5000;

/** IA-PC HPET specification 1.0a, 3.2.4. */
function hpet(): Uint8Array {
  return table('HPET', 1, 56, (t) => {
    t.u32(36, HPET_ID);
    // Memory, 64 bits.
    t.bytes.set([0, 64, 0, 0], 40);
    t.u32(44, HPET_BASE);
    t.u16(53, HPET_LEAST_NS / HPET_TICK_NS);
  });
}

/** Routing of every slot's four pins: I/O APIC inputs, or ISA interrupts. */
function routing(apic: boolean): number[] {
  const slots: number[][] = [];
  for (let slot = 1; slot < 32; slot++) {
    for (let pin = 0; pin < 4; pin++) {
      const gsi = pciGsi(slot, pin + 1);
      slots.push(
        aml.pack(aml.integer(slot * 0x10000 + 0xffff), aml.integer(pin), aml.integer(0), aml.integer(apic ? gsi : pciIsaIrq(gsi))),
      );
    }
  }
  return aml.pack(...slots);
}

function dsdt(): Uint8Array {
  const body = [
    aml.define('\\PICM', aml.integer(0)),
    // The kernel says which interrupt controllers it uses: 0 the 8259s, 1 the I/O APIC.
    aml.method('\\_PIC', 1, aml.store(aml.arg(0), aml.name('\\PICM'))),
    aml.define('\\_S5', aml.pack(aml.integer(SLEEP_S5), aml.integer(SLEEP_S5), aml.integer(0), aml.integer(0))),
    aml.scope(
      '\\_SB',
      aml.device(
        'PCI0',
        aml.define('_HID', aml.eisaId('PNP0A03')),
        aml.define('_UID', aml.integer(0)),
        aml.define('_BBN', aml.integer(0)),
        aml.define(
          '_CRS',
          aml.resources(
            aml.busNumbers(0, 0xff),
            aml.ioPorts(0xcf8, 8),
            aml.ioWindow(0x0000, 0x0cf7),
            aml.ioWindow(0x0d00, 0xffff),
            aml.memoryWindow(PCI_WINDOW_FIRST, PCI_WINDOW_LAST),
          ),
        ),
        aml.define('PRTA', routing(true)),
        aml.define('PRTP', routing(false)),
        aml.method('_PRT', 0, aml.when(aml.name('\\PICM'), aml.returns(aml.name('PRTA'))), aml.returns(aml.name('PRTP'))),
        aml.device('RTC', aml.define('_HID', aml.eisaId('PNP0B00')), aml.define('_CRS', aml.resources(aml.ioPorts(0x70, 2), aml.irq(8)))),
        aml.device(
          'COM1',
          aml.define('_HID', aml.eisaId('PNP0501')),
          aml.define('_UID', aml.integer(1)),
          aml.define('_STA', aml.integer(0x0f)),
          aml.define('_CRS', aml.resources(aml.ioPorts(0x3f8, 8), aml.irq(4))),
        ),
        aml.device('HPET', aml.define('_HID', aml.eisaId('PNP0103')), aml.define('_CRS', aml.resources(aml.memory(HPET_BASE, HPET_BYTES)))),
        // The fixed hardware's ports belong to the board: nobody else may be put there.
        aml.device(
          'PM',
          aml.define('_HID', aml.eisaId('PNP0C02')),
          aml.define('_UID', aml.integer(1)),
          aml.define('_CRS', aml.resources(aml.ioPorts(0x600, 16), aml.ioPorts(0xe9, 1), aml.ioPorts(0xf4, 4))),
        ),
      ),
    ),
  ].flat();
  return table('DSDT', 1, 36 + body.length, (t) => t.bytes.set(body, 36));
}

/** Writes what firmware would leave for a kernel: ACPI tables at 0xE0000, MP tables at 0xF0000, and the BIOS data areas. `ram` starts at guest physical 0. */
export function writeFirmwareTables(ram: Uint8Array, options: FirmwareTablesOptions): void {
  let next = FIRMWARE_TABLES;
  const place = (bytes: Uint8Array): number => {
    const at = next;
    ram.set(bytes, at);
    next = (at + bytes.length + 63) & ~63;
    return at;
  };
  place(new Uint8Array(36));
  const facsAddress = place(facs());
  const dsdtAddress = place(dsdt());
  const tables = [place(fadt(facsAddress, dsdtAddress)), place(madt(options.cpuCount)), place(hpet())];
  const pointers = (signature: string, bytes: 4 | 8) =>
    table(signature, 1, 36 + bytes * tables.length, (t) => {
      for (let i = 0; i < tables.length; i++) t.u32(36 + bytes * i, tables[i]);
    });
  const rsdt = place(pointers('RSDT', 4));
  const xsdt = place(pointers('XSDT', 8));
  const rsdp = new Table(36);
  rsdp.text(0, 'RSD PTR ');
  rsdp.text(9, OEM_ID);
  rsdp.bytes[15] = 2;
  rsdp.u32(16, rsdt);
  rsdp.u32(20, 36);
  rsdp.u32(24, xsdt);
  checksum(rsdp.bytes, 8, 20);
  checksum(rsdp.bytes, 32);
  ram.set(rsdp.bytes, FIRMWARE_TABLES);
  writeMpTables(ram, options.cpuCount);
  writeBiosData(ram);
}
