// Picks the loader by what the kernel file says of itself.
import { DragomanError } from '../../api/errors.ts';
import { isElf } from './elf.ts';
import type { EntryState } from './entry.ts';
import { isLinux, loadLinux } from './linux.ts';
import { type BootModule, findHeader, loadMultiboot } from './multiboot.ts';

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

/** What a file that no loader takes seems to be: a hint for the message. */
function guess(file: Uint8Array): string {
  if (file.length === 0) return 'the file is empty';
  if (file.length < 64) return `truncated: ${file.length} bytes`;
  if (isElf(file))
    return file[4] === 2
      ? 'a 64-bit ELF file: the simulated CPU has 32 bits'
      : 'an ELF file without a multiboot header in its first 8192 bytes';
  if (file[0] === 0x1f && file[1] === 0x8b) return 'compressed by gzip: unpack it first';
  if (file[510] === 0x55 && file[511] === 0xaa) return 'a boot sector: it needs a BIOS (give one by --bios and this file as a disk)';
  return 'neither a Linux bzImage ("HdrS" at 0x202) nor a multiboot kernel (0x1badb002 in the first 8192 bytes)';
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
