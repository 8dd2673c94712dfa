// What a machine's memory, devices and CPUs are when it is switched on: the guest's files where loaders put them. And what they become by a reset.
import type { Settings } from '../api/schema.ts';
import { ramWritten } from '../cache/code-pages.ts';
import type { RuntimeExports } from '../cpu/runtime.ts';
import type { SharedMemory } from '../cpu/state.ts';
import type { Chipset } from '../devices/chipset.ts';
import { Control, controlWord, RAM, ROM, ROM_BYTES } from '../layout/memory.ts';
import type { EntryState } from './boot/entry.ts';
import { commandLineOf, loadKernel } from './boot/kernel.ts';
import { loadRom } from './boot/rom.ts';
import { enterKernel } from './boot/start-state.ts';
import { writeFirmwareTables } from './firmware/tables.ts';
import { resetCpus } from './reset.ts';

export const ramOf = ({ u8, plan }: SharedMemory): Uint8Array => u8.subarray(RAM, RAM + plan.ramBytes);

/** Loads the guest into memory that is empty. Throws DragomanError where its files are not what they should be. */
export function loadGuest(shared: SharedMemory, options: Settings): EntryState {
  const { bios, kernel, kernelName, initrd, modules, append } = options;
  const { ramBytes, cpuCount } = shared.plan;
  const ram = ramOf(shared);
  if (bios !== undefined) {
    const entry = loadRom(ram, shared.u8.subarray(ROM, ROM + ROM_BYTES), bios);
    shared.i32[controlWord(Control.at.romBytes)] = bios.length;
    return entry;
  }
  // First what a BIOS leaves, then the kernel, as on a PC: its bytes win.
  writeFirmwareTables(ram, { cpuCount });
  // There is one where there is no ROM.
  const image = kernel!;
  return loadKernel(ram, { kernel: image, initrd, modules, commandLine: commandLineOf(image, kernelName, append), ramBytes });
}

export function resetDevices({ hub, parts }: Chipset, { picMasks }: EntryState): void {
  hub.reset();
  if (picMasks !== undefined) parts.pic.mask(...picMasks);
}

/** While no CPU runs: all is as it was when the machine was switched on, but for the clock. */
export function powerOnAgain(shared: SharedMemory, chipset: Chipset, runtime: RuntimeExports, options: Settings): void {
  ramOf(shared).fill(0);
  const entry = loadGuest(shared, options);
  ramWritten(shared, 0, shared.plan.ramBytes);
  resetDevices(chipset, entry);
  resetCpus(shared, runtime);
  enterKernel(shared, entry, runtime);
}
