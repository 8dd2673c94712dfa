// Picks the loader by what the kernel file says of itself.
import { DragomanError } from '../../api/errors.ts';
import { isElf } from './elf.ts';
import type { EntryState } from './entry.ts';
import { isLinux, loadLinux } from './linux.ts';
import { type BootModule, loadMultiboot } from './multiboot.ts';
import { explainNoHeader, findHeader } from './multiboot-header.ts';

export interface KernelImage {
  readonly kernel: Uint8Array;
  /** Linux only. */
  readonly initrd?: Uint8Array | undefined;
  /** Multiboot only. */
  readonly modules?: readonly BootModule[] | undefined;
  readonly commandLine: string;
  /** Bytes of guest RAM from guest physical 0. */
  readonly ramBytes: number;
}

const startsWith = (file: Uint8Array, ...magic: number[]) => magic.every((byte, k) => file[k] === byte);

/** Programs that unpack what begins so. */
const PACKED: readonly (readonly [name: string, ...magic: number[]])[] = [
  ['gzip', 0x1f, 0x8b],
  ['bzip2', 0x42, 0x5a, 0x68],
  ['xz', 0xfd, 0x37, 0x7a, 0x58, 0x5a],
  ['zstd', 0x28, 0xb5, 0x2f, 0xfd],
];

/** What a file that no loader takes seems to be: a hint for the message. */
function guess(file: Uint8Array): string {
  if (file.length === 0) return 'the file is empty';
  if (file.length < 64) return `truncated: ${file.length} bytes`;
  if (isElf(file) && file[4] === 2) return 'a 64-bit ELF file: the simulated CPU has 32 bits';
  const miss = explainNoHeader(file);
  if (miss !== undefined) return miss;
  if (isElf(file)) return 'an ELF file without a multiboot header in its first 8192 bytes';
  const packed = PACKED.find(([, ...magic]) => startsWith(file, ...magic));
  if (packed !== undefined) return `compressed by ${packed[0]}: unpack it first`;
  if (startsWith(file, 0x4d, 0x5a)) return 'a DOS or EFI program, neither a Linux bzImage ("HdrS" at 0x202) nor a multiboot kernel';
  if (file[510] === 0x55 && file[511] === 0xaa) return 'a boot sector: it needs a BIOS (give one by --bios and this file as a disk)';
  return 'neither a Linux bzImage ("HdrS" at 0x202) nor a multiboot kernel (0x1badb002 in the first 8192 bytes)';
}

/**
 * The command line as the kernel gets it: a multiboot kernel finds the file's name in front, as QEMU and GRUB Legacy have it, so that those
 * which skip the first word do not skip an option.
 */
export function commandLineOf(kernel: Uint8Array, name: string | undefined, append: string): string {
  if (name === undefined || isLinux(kernel)) return append;
  return append === '' ? name : `${name} ${append}`;
}

/** Loads a Linux bzImage or a multiboot kernel into `ram` (a view that starts at guest physical 0). */
export function loadKernel(ram: Uint8Array, image: KernelImage): EntryState {
  const { kernel, initrd, modules = [], commandLine, ramBytes } = image;
  if (isLinux(kernel)) {
    if (modules.length > 0)
      throw new DragomanError('BAD_OPTION', 'modules are for multiboot kernels; this is a Linux kernel, it takes an initrd', 'modules');
    return loadLinux(ram, { kernel, initrd, commandLine, ramBytes });
  }
  if (findHeader(kernel) >= 0) {
    if (initrd !== undefined)
      throw new DragomanError('BAD_OPTION', 'an initrd is for Linux kernels; this is a multiboot kernel, it takes modules', 'initrd');
    return loadMultiboot(ram, { kernel, modules, commandLine, ramBytes });
  }
  throw new DragomanError('BAD_KERNEL', guess(kernel), 'kernel');
}
