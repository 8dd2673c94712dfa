// What the benchmarks start for a kernel with an initial RAM disk, and for a multiboot kernel, which has none.
import { expect, it } from 'vitest';
import { dragoman, qemu, v86 } from '../../../bench/machines.ts';

const multiboot = { kernel: '/a/kernel.elf', append: 'run="halt"', memoryMiB: 64 };
const linux = { ...multiboot, initrd: '/a/initrd' };

/** The word behind each one that begins an option. */
const behind = (command: readonly string[] | string, option: string) =>
  typeof command === 'string' ? 'not here' : command[command.indexOf(option) + 1];

it('an initial RAM disk only where there is one', async () => {
  for (const { name, command } of [dragoman(linux, 'jit', 2), await qemu(linux, 2)]) {
    if (typeof command === 'string') continue;
    expect(behind(command, name.startsWith('qemu') ? '-initrd' : '--initrd')).toBe('/a/initrd');
  }
  for (const { name, command } of [dragoman(multiboot, 'jit', 2), await qemu(multiboot, 2)]) {
    if (typeof command === 'string') continue;
    expect(command.filter((word) => /^--?initrd$|undefined/.test(word))).toEqual([]);
    expect(command).toContain(multiboot.kernel);
    expect(behind(command, name.startsWith('qemu') ? '-append' : '--append')).toBe(multiboot.append);
  }
});

it("v86's child gets an empty word in its place", () => {
  const [with_, without] = [v86(linux).command, v86(multiboot).command];
  if (typeof with_ === 'string' || typeof without === 'string') return;
  expect(with_.slice(-4)).toEqual(['/a/kernel.elf', '/a/initrd', 'run="halt"', '64']);
  expect(without.slice(-4)).toEqual(['/a/kernel.elf', '', 'run="halt"', '64']);
});
