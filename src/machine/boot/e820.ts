// The map of physical memory that a kernel is told, in the form of BIOS call INT 15h, AX=E820h (ACPI specification, chapter 15).

/** End of low memory; the kilobyte above would be the extended BIOS data area. */
export const LOW_MEMORY_END = 0x9fc00;
/** Where the machine places ACPI and MP tables when no ROM brings its own; the RSDP comes first. */
export const FIRMWARE_TABLES = 0xe0000;
/** End of the legacy hole, start of high memory. */
export const HIGH_MEMORY = 0x100000;

export const E820_RAM = 1;
export const E820_RESERVED = 2;

export interface MemoryRange {
  readonly base: number;
  readonly length: number;
  readonly type: typeof E820_RAM | typeof E820_RESERVED;
}

/** The ranges of a machine with `ramBytes` of RAM, in ascending order. */
export function memoryMap(ramBytes: number): MemoryRange[] {
  const map: MemoryRange[] = [
    { base: 0, length: LOW_MEMORY_END, type: E820_RAM },
    { base: LOW_MEMORY_END, length: HIGH_MEMORY - LOW_MEMORY_END, type: E820_RESERVED },
  ];
  if (ramBytes > HIGH_MEMORY) map.push({ base: HIGH_MEMORY, length: ramBytes - HIGH_MEMORY, type: E820_RAM });
  return map;
}
