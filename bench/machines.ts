// The machines that boot the same guest: what to start for each, or why it is not there.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Guest } from '../guests/linux.ts';

export const MEMORY_MIB = 256;
/** The same for all. */
const APPEND = 'console=ttyS0';

export interface BootMachine {
  readonly name: string;
  /** Program with its arguments; a text where the machine is not here: the reason. */
  readonly command: readonly string[] | string;
}

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export function dragoman(guest: Guest, engine: 'jit' | 'interpreter'): BootMachine {
  const options = ['--initrd', guest.initrd, '--append', APPEND, '--memory', `${MEMORY_MIB}M`, '--engine', engine];
  return { name: `dragoman ${engine}`, command: [process.execPath, here('../src/cli/main.ts'), 'run', guest.kernel, ...options] };
}

/** Where distributions keep SeaBIOS; V86_BIOS names another folder with these two files. */
const BIOS_FOLDERS = [process.env.V86_BIOS, '/usr/share/seabios', '/usr/share/qemu'].filter((folder) => folder !== undefined);
const BIOS = ['bios.bin', 'seabios.bin'];
const VGA_BIOS = ['vgabios.bin', 'vgabios-isavga.bin', 'vgabios-stdvga.bin'];

export function v86(guest: Guest): BootMachine {
  const name = 'v86';
  const find = (names: readonly string[]) =>
    BIOS_FOLDERS.flatMap((folder) => names.map((file) => join(folder, file))).find((path) => existsSync(path));
  const [bios, vga] = [find(BIOS), find(VGA_BIOS)];
  if (bios === undefined || vga === undefined)
    return { name, command: `no SeaBIOS in ${BIOS_FOLDERS.join(', ')} (Debian: seabios); the npm package v86 has none` };
  if (!existsSync(here('../node_modules/v86/build/v86.wasm'))) return { name, command: 'the npm package v86 is not installed' };
  return { name, command: [process.execPath, here('v86-child.ts'), bios, vga, guest.kernel, guest.initrd, APPEND, String(MEMORY_MIB)] };
}

export async function qemu(guest: Guest, cpus: number): Promise<BootMachine> {
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
      'tcg',
      '-m',
      String(MEMORY_MIB),
      '-smp',
      String(cpus),
      '-no-reboot',
      '-nodefaults',
      '-display',
      'none',
      '-serial',
      'stdio',
      '-kernel',
      guest.kernel,
      '-initrd',
      guest.initrd,
      '-append',
      APPEND,
    ],
  };
}
