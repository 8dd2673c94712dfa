// What firmware would leave in memory for a kernel that starts without: ACPI tables at 0xE0000, MP tables at 0xF0000 and the BIOS data areas. Kernels scan
// for the first two; the loader's memory map calls 0xE0000 to 0xFFFFF reserved.

import { FIRMWARE_TABLES } from '../boot/e820.ts';
import { acpiTables } from './acpi-tables.ts';
import { writeBiosData } from './bios-data.ts';
import { writeMpTables } from './mp-tables.ts';

export interface FirmwareTablesOptions {
  readonly cpuCount: number;
}

/** Behind the RSDP, which comes first. */
const TABLES = FIRMWARE_TABLES + 64;

/** `ram` starts at guest physical 0. */
export function writeFirmwareTables(ram: Uint8Array, { cpuCount }: FirmwareTablesOptions): void {
  const { tables, rsdp, pointers, checksums } = acpiTables(cpuCount);
  const at = { rsdp: FIRMWARE_TABLES, tables: TABLES };
  ram.set(rsdp, at.rsdp);
  ram.set(tables, at.tables);
  const view = new DataView(ram.buffer, ram.byteOffset, ram.byteLength);
  // All addresses are below 4 GiB.
  for (const { file, offset } of pointers) view.setUint32(at[file] + offset, view.getUint32(at[file] + offset, true) + TABLES, true);
  for (const { file, offset, start, length } of checksums) {
    const bytes = ram.subarray(at[file] + start, at[file] + start + length);
    ram[at[file] + offset] = -bytes.reduce((sum, byte) => sum + byte, 0);
  }
  writeMpTables(ram, cpuCount);
  writeBiosData(ram);
}
