// The machines that boot the same guest: what to start for each, or why it is not there.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findMain } from '../bin/find-main.mjs';
import { nodeOptions } from '../bin/find-node.mjs';

export const MEMORY_MIB = 256;
const APPEND = 'console=ttyS0';

/** What all of them boot: paths of a kernel and its initial RAM disk. A kernel without one is a multiboot kernel. */
export interface BootImage {
  readonly kernel: string;
  readonly initrd?: string;
  /** The kernel's command line; default: a console on the first serial port. */
  readonly append?: string;
  /** Default: 256. */
  readonly memoryMiB?: number;
  /** A raw image for the first virtio disk. */
  readonly disk?: string;
}

export interface BootMachine {
  readonly name: string;
  /** Program with its arguments; a text where the machine is not here: the reason. */
  readonly command: readonly string[] | string;
}

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** What starts `dragoman` as its launcher does; `main`: the command line's module. */
export const launch = (main = findMain()): string[] => [process.execPath, ...nodeOptions(), main];

export function dragoman(
  { kernel, initrd, append = APPEND, memoryMiB = MEMORY_MIB, disk }: BootImage,
  engine: 'jit' | 'interpreter',
  cpus = 1,
  { main, flags = [] }: { readonly main?: string; readonly flags?: readonly string[] } = {},
): BootMachine & { readonly command: readonly string[] } {
  const options = ['--append', append, '--memory', `${memoryMiB}M`, '--cpus', String(cpus)];
  if (initrd !== undefined) options.push('--initrd', initrd);
  // The JIT is the default.
  if (engine === 'interpreter') options.push('--engine', engine);
  if (disk !== undefined) options.push('--disk', disk);
  return { name: `dragoman ${engine}`, command: [...launch(main), 'run', kernel, ...options, ...flags] };
}

/** Where distributions keep SeaBIOS; V86_BIOS names another folder with these two files. */
const BIOS_FOLDERS = [process.env.V86_BIOS, '/usr/share/seabios', '/usr/share/qemu'].filter((folder) => folder !== undefined);
const BIOS = ['bios.bin', 'seabios.bin'];
const VGA_BIOS = ['vgabios.bin', 'vgabios-isavga.bin', 'vgabios-stdvga.bin'];

export function v86({ kernel, initrd, append = APPEND, memoryMiB = MEMORY_MIB, disk }: BootImage): BootMachine {
  const name = 'v86';
  if (disk !== undefined) return { name, command: 'it has no virtio disk' };
  const find = (names: readonly string[]) =>
    BIOS_FOLDERS.flatMap((folder) => names.map((file) => join(folder, file))).find((path) => existsSync(path));
  const [bios, vga] = [find(BIOS), find(VGA_BIOS)];
  if (bios === undefined || vga === undefined)
    return { name, command: `no SeaBIOS in ${BIOS_FOLDERS.join(', ')} (Debian: seabios); the npm package v86 has none` };
  if (!existsSync(here('../node_modules/v86/build/v86.wasm'))) return { name, command: 'the npm package v86 is not installed' };
  return { name, command: [process.execPath, here('v86-child.ts'), bios, vga, kernel, initrd ?? '', append, String(memoryMiB)] };
}

export async function qemu(
  { kernel, initrd, append = APPEND, memoryMiB = MEMORY_MIB, disk }: BootImage,
  cpus: number,
): Promise<BootMachine> {
  const program = 'qemu-system-i386';
  const name = cpus === 1 ? 'qemu tcg' : `qemu tcg, ${cpus} cpus`;
  try {
    await promisify(execFile)(program, ['--version']);
  } catch {
    return { name, command: `no ${program} here (Debian: qemu-system-x86)` };
  }
  return {
    name,
    command: [
      program,
      '-accel',
      // A thread a CPU.
      cpus === 1 ? 'tcg' : 'tcg,thread=multi',
      '-m',
      String(memoryMiB),
      '-smp',
      String(cpus),
      '-no-reboot',
      '-nodefaults',
      '-display',
      'none',
      '-serial',
      'stdio',
      '-kernel',
      kernel,
      '-append',
      append,
      ...(initrd === undefined ? [] : ['-initrd', initrd]),
      ...(disk === undefined ? [] : ['-drive', `file=${disk},format=raw,if=virtio`]),
    ],
  };
}
