// What firmware (SeaBIOS) and kernels find in the machine's fw_cfg device: CPUs, memory, where to show text, and the ACPI tables.
import { type FwCfgContents, FwCfgItem } from '../../devices/fw-cfg.ts';
import { E820_RAM } from '../boot/e820.ts';
import { type AcpiTables, acpiTables } from './acpi-tables.ts';

export interface FirmwareOptions {
  readonly cpuCount: number;
  readonly ramBytes: number;
}

/** Text goes to the first serial port, as there is no screen. */
const CONSOLE_PORT = 0x3f8;
/** Files of the loader's script. */
const FILES = { tables: 'etc/acpi/tables', rsdp: 'etc/acpi/rsdp' } as const;
/** Where the script puts a file: anywhere, or below 1 MiB where kernels look for the RSDP. */
const HIGH = 1;
const LOW = 2;
const TABLE_ALIGN = 64;
const RSDP_ALIGN = 16;
const COMMAND_BYTES = 128;
const NAME_BYTES = 56;

/** A little-endian integer. */
function integer(value: number, bytes: 1 | 2 | 4 | 8): Uint8Array {
  const into = new Uint8Array(8);
  new DataView(into.buffer).setBigUint64(0, BigInt(value), true);
  return into.slice(0, bytes);
}
const ascii = (text: string, bytes = text.length): Uint8Array => {
  const into = new Uint8Array(bytes);
  for (let i = 0; i < text.length; i++) into[i] = text.charCodeAt(i);
  return into;
};
function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The script by which firmware places the tables and makes their pointers and checksums right. */
export function tableLoader({ pointers, checksums }: AcpiTables): Uint8Array {
  const name = (file: keyof typeof FILES) => ascii(FILES[file], NAME_BYTES);
  const command = (number: number, ...parts: Uint8Array[]) => {
    const made = new Uint8Array(COMMAND_BYTES);
    made.set(joined(integer(number, 4), ...parts));
    return made;
  };
  return joined(
    command(1, name('rsdp'), integer(RSDP_ALIGN, 4), integer(LOW, 1)),
    command(1, name('tables'), integer(TABLE_ALIGN, 4), integer(HIGH, 1)),
    ...pointers.map(({ file, offset, bytes }) => command(2, name(file), name('tables'), integer(offset, 4), integer(bytes, 1))),
    ...checksums.map(({ file, offset, start, length }) =>
      command(3, name(file), integer(offset, 4), integer(start, 4), integer(length, 4)),
    ),
  );
}

export function firmwareConfig({ cpuCount, ramBytes }: FirmwareOptions): FwCfgContents {
  const acpi = acpiTables(cpuCount);
  return {
    items: new Map([
      [FwCfgItem.SIGNATURE, ascii('QEMU')],
      // The traditional interface, no DMA.
      [FwCfgItem.ID, integer(1, 4)],
      [FwCfgItem.RAM_BYTES, integer(ramBytes, 8)],
      [FwCfgItem.NO_GRAPHICS, integer(1, 2)],
      [FwCfgItem.CPUS, integer(cpuCount, 2)],
      // No waiting for a key.
      [FwCfgItem.BOOT_MENU, integer(0, 2)],
      [FwCfgItem.MOST_CPUS, integer(cpuCount, 2)],
      // IRQ 0 is input 2 of the I/O APIC.
      [FwCfgItem.IRQ0_OVERRIDE, integer(1, 1)],
    ]),
    files: new Map([
      ['etc/e820', joined(integer(0, 8), integer(ramBytes, 8), integer(E820_RAM, 4))],
      ['etc/sercon-port', integer(CONSOLE_PORT, 2)],
      // Where nothing can be booted: no reset.
      ['etc/boot-fail-wait', integer(0xffffffff, 4)],
      [FILES.rsdp, acpi.rsdp],
      [FILES.tables, acpi.tables],
      ['etc/table-loader', tableLoader(acpi)],
    ]),
  };
}
