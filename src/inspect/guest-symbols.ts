// The names of the Linux kernel that runs in a machine and of its modules, out of its memory: of the tables that lie there, the one that the kernel's own mapping leads to.
import { DragomanError } from '../api/errors.ts';
import { type KernelSymbols, kernelSymbols } from '../machine/report/symbols.ts';
import { findKallsyms, type Kallsyms } from './kallsyms.ts';
import { type LinearWords, moduleSymbols } from './module-symbols.ts';

/** Where a linear address leads by a CPU's page tables; undefined where it is not mapped. */
export type Mapping = (linear: number) => number | undefined;

const PAGE = 4096;
/** Of a text. */
const LONGEST = 512;

function linearWords(ram: Uint8Array, mapping: Mapping): LinearWords {
  /** Where pages are. */
  const pages = new Map<number, number | undefined>();
  const byte = (linear: number): number | undefined => {
    const page = linear - (linear % PAGE);
    if (!pages.has(page)) pages.set(page, mapping(page));
    const physical = pages.get(page);
    return physical === undefined ? undefined : ram[physical + (linear % PAGE)];
  };
  return {
    word(linear) {
      const bytes = [0, 1, 2, 3].map((n) => byte((linear + n) >>> 0));
      return bytes.includes(undefined) ? undefined : (bytes as number[]).reduce((word, each, n) => word + each * 2 ** (8 * n), 0);
    },
    text(linear) {
      let text = '';
      for (let n = 0; n < LONGEST; n++) {
        const next = byte((linear + n) >>> 0);
        if (next === undefined) return undefined;
        if (next === 0) return text;
        text += String.fromCharCode(next);
      }
      return undefined;
    },
  };
}

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
  const mapped = found.find((each) => mappings.some((mapping) => isMapped(each, mapping)));
  const table = mapped ?? (found.length === 1 ? found[0] : undefined);
  if (table === undefined)
    throw new DragomanError(
      'NO_SYMBOLS',
      found.length === 0
        ? "the guest's memory has no table of names as a Linux kernel of 32 bits has it (CONFIG_KALLSYMS), or not yet"
        : `the guest's memory has ${found.length} tables of names of Linux kernels, and no CPU has one of them mapped now`,
    );
  const mapping = mappings.find((each) => isMapped(table, each));
  return kernelSymbols(
    mapping === undefined ? table.symbols : [...table.symbols, ...moduleSymbols(linearWords(ram, mapping), table.symbols)],
  );
}
