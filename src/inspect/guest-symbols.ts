// The names of the Linux kernel that runs in a machine, out of its memory: of the tables that lie there, the one that the kernel's own mapping leads to.
import { DragomanError } from '../api/errors.ts';
import { type KernelSymbols, kernelSymbols } from '../machine/report/symbols.ts';
import { findKallsyms, type Kallsyms } from './kallsyms.ts';

/** Where a linear address leads by a CPU's page tables; undefined where it is not mapped. */
export type Mapping = (linear: number) => number | undefined;

/** Tables that are looked at: a guest's own data may look like some. */
const MOST_TABLES = 16;

/** Whether the table lies inside of the kernel that it tells of, where a CPU has that. Moved by KASLR or not: its addresses are those of where it runs. */
function isMapped({ symbols, names, anchor }: Kallsyms, mapping: Mapping): boolean {
  const physical = mapping(anchor);
  if (physical === undefined) return false;
  const linear = anchor + (names - physical);
  return linear > anchor && linear < symbols.at(-1)!.address && mapping(linear) === names;
}

/**
 * `ram`: from physical address 0 on. `mappings`: of the CPUs. Where a CPU is in a user's page tables, that have nothing of the kernel, and no other one tells, a table that is alone counts. Throws NO_SYMBOLS.
 */
export function guestSymbols(ram: Uint8Array, mappings: readonly Mapping[]): KernelSymbols {
  const found: Kallsyms[] = [];
  for (const table of findKallsyms(ram)) {
    found.push(table);
    if (mappings.some((mapping) => isMapped(table, mapping)) || found.length === MOST_TABLES) break;
  }
  const mapped = found.find((table) => mappings.some((mapping) => isMapped(table, mapping)));
  const table = mapped ?? (found.length === 1 ? found[0] : undefined);
  if (table === undefined)
    throw new DragomanError(
      'NO_SYMBOLS',
      found.length === 0
        ? "the guest's memory has no table of names as a Linux kernel of 32 bits has it (CONFIG_KALLSYMS), or not yet"
        : `the guest's memory has ${found.length} tables of names of Linux kernels, and no CPU has one of them mapped now`,
    );
  return kernelSymbols(table.symbols);
}
