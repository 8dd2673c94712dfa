// The ACPI tables of the machine: RSDP, RSDT, XSDT, FADT, FACS, MADT, HPET and a DSDT, for whoever places them: tables.ts, or firmware that
// reads fw_cfg (config.ts). What they say about interrupts is described in src/devices/interrupts.ts.
import { PM_TIMER_PORT, PM1_CONTROL_PORT, PM1_EVENT_PORT, SCI_IRQ } from '../../devices/acpi-pm.ts';
import { HPET_BASE, HPET_ID, HPET_TICK_NS } from '../../devices/hpet.ts';
import { ioApicId } from '../../devices/interrupts.ts';
import { IOAPIC_BASE } from '../../devices/ioapic.ts';
import { LAPIC_BASE } from '../../devices/lapic.ts';
import { dsdtBody } from './acpi-dsdt.ts';

type File = 'tables' | 'rsdp';

export interface AcpiTables {
  /** All tables but the RSDP, to be placed at a multiple of 64 bytes; what points to a table is an offset in here. */
  readonly tables: Uint8Array;
  readonly rsdp: Uint8Array;
  /** Where the pointers are (little-endian): the address of `tables` is to be added to each. */
  readonly pointers: readonly { readonly file: File; readonly offset: number; readonly bytes: 4 | 8 }[];
  /** Bytes that make the `length` bytes from `start` on sum to 0, to be set behind the pointers, in this order. They are 0 here. */
  readonly checksums: readonly { readonly file: File; readonly offset: number; readonly start: number; readonly length: number }[];
}

const OEM_ID = 'DRAGOM';
const OEM_TABLE_ID = 'DRAGOMAN';
const CMOS_CENTURY = 0x32;
/** Of a table; the FACS needs it. */
const ALIGN = 64;
/** Of the RSDP, and of the part that ACPI 1.0 knows. */
const RSDP_BYTES = 36;
const RSDP_OLD_BYTES = 20;

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

/** A system description table without its checksum: its header, and what `fill` writes behind it. */
const TABLE_CHECKSUM = 9;
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
const FADT_POINTERS = [
  [36, 4],
  [40, 4],
  [140, 8],
] as const;
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

export function acpiTables(cpuCount: number): AcpiTables {
  const pointers: { file: File; offset: number; bytes: 4 | 8 }[] = [];
  const checksums: { file: File; offset: number; start: number; length: number }[] = [];
  const placed: { at: number; bytes: Uint8Array }[] = [];
  let end = 0;
  /** Offset of a table that is put behind those before it. `points`: where it has pointers. */
  const place = (bytes: Uint8Array, points: readonly (readonly [number, 4 | 8])[] = []): number => {
    const at = end;
    placed.push({ at, bytes });
    end = (at + bytes.length + ALIGN - 1) & -ALIGN;
    for (const [offset, size] of points) pointers.push({ file: 'tables', offset: at + offset, bytes: size });
    checksums.push({ file: 'tables', offset: at + TABLE_CHECKSUM, start: at, length: bytes.length });
    return at;
  };
  const facsAt = place(facs());
  // It has none.
  checksums.pop();
  const body = dsdtBody();
  const dsdtAt = place(table('DSDT', 1, 36 + body.length, (t) => t.bytes.set(body, 36)));
  const all = [place(fadt(facsAt, dsdtAt), FADT_POINTERS), place(madt(cpuCount)), place(hpet())];
  const root = (signature: string, bytes: 4 | 8): number =>
    place(
      table(signature, 1, 36 + bytes * all.length, (t) => all.forEach((at, n) => t.u32(36 + bytes * n, at))),
      all.map((_, n) => [36 + bytes * n, bytes] as const),
    );
  const rsdp = new Table(RSDP_BYTES);
  rsdp.text(0, 'RSD PTR ');
  rsdp.text(9, OEM_ID);
  rsdp.bytes[15] = 2;
  rsdp.u32(16, root('RSDT', 4));
  rsdp.u32(20, RSDP_BYTES);
  rsdp.u32(24, root('XSDT', 8));
  pointers.push({ file: 'rsdp', offset: 16, bytes: 4 }, { file: 'rsdp', offset: 24, bytes: 8 });
  checksums.push({ file: 'rsdp', offset: 8, start: 0, length: RSDP_OLD_BYTES }, { file: 'rsdp', offset: 32, start: 0, length: RSDP_BYTES });
  const tables = new Uint8Array(end);
  for (const { at, bytes } of placed) tables.set(bytes, at);
  return { tables, rsdp: rsdp.bytes, pointers, checksums };
}
