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
  /** Masks of the two 8259s, where they are others than the firmware's. */
  readonly picMasks?: readonly [master: number, slave: number];
}

/** CR0 with only PE and ET set: protected mode without paging (SDM vol. 3, 2.5). */
export const CR0_PROTECTED = 0x11;
/** CR0 after RESET: CD, NW and ET set (SDM vol. 3, table 10-1). */
export const CR0_RESET = 0x60000010;

const ZERO: GeneralRegisters = { eax: 0, ecx: 0, edx: 0, ebx: 0, esp: 0, ebp: 0, esi: 0, edi: 0 };
/** All general registers: those given, and zero for the others. */
export const registers = (some: Partial<GeneralRegisters>): GeneralRegisters => ({ ...ZERO, ...some });

const FLAT_CODE = 0x00cf9b000000ffffn;
const FLAT_DATA = 0x00cf93000000ffffn;

/** A table of flat 4 GiB segments (SDM vol. 3, 3.4.5) and the selectors of its code and data. */
export interface FlatGdt {
  readonly code: number;
  readonly data: number;
  readonly descriptors: readonly bigint[];
}
/** __BOOT_CS and __BOOT_DS (Documentation/arch/x86/boot.rst, 32-bit boot protocol). */
export const LINUX_GDT: FlatGdt = { code: 0x10, data: 0x18, descriptors: [0n, 0n, FLAT_CODE, FLAT_DATA] };
/** Multiboot leaves the selectors open; these are QEMU's, and kernels that never reload CS have them in their IDT. */
export const MULTIBOOT_GDT: FlatGdt = { code: 0x08, data: 0x10, descriptors: [0n, FLAT_CODE, FLAT_DATA] };

/** Writes the table at guest physical `base`. */
export function placeGdt(ram: Uint8Array, base: number, { descriptors }: FlatGdt): { base: number; limit: number } {
  const view = new DataView(ram.buffer, ram.byteOffset, ram.byteLength);
  descriptors.forEach((descriptor, k) => void view.setBigUint64(base + k * 8, descriptor, true));
  return { base, limit: descriptors.length * 8 - 1 };
}
