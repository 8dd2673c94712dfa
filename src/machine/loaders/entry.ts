// What a boot loader leaves behind: guest RAM filled in, and the state in which the first CPU starts.
import type { Range } from './bytes.ts';

export interface GeneralRegisters {
  readonly eax: number;
  readonly ecx: number;
  readonly edx: number;
  readonly ebx: number;
  readonly esp: number;
  readonly ebp: number;
  readonly esi: number;
  readonly edi: number;
}

export interface EntryState {
  readonly kind: 'linux' | 'multiboot' | 'rom';
  /**
   * 'flat32': protected mode, CPL 0, every segment flat (base 0, limit 4 GiB, 32-bit); CS is `codeSelector`, the
   * others are `dataSelector`, all of them in `gdt`. 'reset': real mode as RESET leaves it (SDM vol. 3, 10.1.1), CS base 0xFFFF0000.
   */
  readonly segments: 'flat32' | 'reset';
  readonly codeSelector: number;
  readonly dataSelector: number;
  readonly eip: number;
  /** Where the bytes of the kernel's file are, guest physical. */
  readonly image: readonly Range[];
  /** EFLAGS: interrupts are off. */
  readonly eflags: number;
  readonly cr0: number;
  readonly gpr: GeneralRegisters;
  /** The table that the loader placed in guest RAM; undefined for 'reset'. */
  readonly gdt: { readonly base: number; readonly limit: number } | undefined;
  /** True where the machine should place ACPI and MP tables at FIRMWARE_TABLES: no ROM brings its own. */
  readonly firmwareTables: boolean;
}

/** CR0 with only PE and ET set: protected mode without paging (SDM vol. 3, 2.5). */
export const CR0_PROTECTED = 0x11;
/** CR0 after RESET: CD, NW and ET set (SDM vol. 3, table 10-1). */
export const CR0_RESET = 0x60000010;

const ZERO: GeneralRegisters = { eax: 0, ecx: 0, edx: 0, ebx: 0, esp: 0, ebp: 0, esi: 0, edi: 0 };
/** All general registers: those given, and zero for the others. */
export const registers = (some: Partial<GeneralRegisters>): GeneralRegisters => ({ ...ZERO, ...some });

export const CODE_SELECTOR = 0x10;
export const DATA_SELECTOR = 0x18;
/** Null, unused, flat 4 GiB code, flat 4 GiB data (SDM vol. 3, 3.4.5); their places are the Linux boot protocol's. */
const FLAT_GDT = [0n, 0n, 0x00cf9b000000ffffn, 0x00cf93000000ffffn];
export const GDT_BYTES = FLAT_GDT.length * 8;

/** Writes the flat GDT at guest physical `base`. */
export function placeGdt(ram: Uint8Array, base: number): { base: number; limit: number } {
  const view = new DataView(ram.buffer, ram.byteOffset, ram.byteLength);
  FLAT_GDT.forEach((descriptor, k) => void view.setBigUint64(base + k * 8, descriptor, true));
  return { base, limit: GDT_BYTES - 1 };
}
