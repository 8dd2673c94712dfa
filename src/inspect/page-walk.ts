// The page tables as they are in memory (SDM vol. 3, chapter 4), read without a trace: where a linear address leads, or at which level it ends. Beside the CPU's own walk
// (wasm/memory/walk.ts), which marks what it uses and knows rights of accesses. What is here of a table's layout (levels, widths of entries, how many bits an address has) is
// nowhere else in this folder.
import type { Translation } from '../api/inspect.ts';
import type { PhysicalMemory } from '../cpu/physical.ts';
import { Cpu } from '../layout/cpu.ts';
import { Cr0, Cr4 } from '../layout/system.ts';
import type { CpuState } from './cpu-state.ts';

/** Bits of entries. */
const PRESENT = 1n;
const WRITABLE = 2n;
const USER = 4n;
/** Above the last level: the entry maps a page itself. */
const LARGE = 0x80n;
const GLOBAL = 0x100n;
const NO_EXECUTE = 1n << 63n;
/** The address in an entry: of a table, or of a page. MAXPHYADDR is 32. */
const ADDRESS = 0xfffff000n;
/** The bits of a large page's entry from here up to its address are reserved. */
const RESERVED_FROM = 13;

/** One past the last linear address. */
export const LINEAR_END = 2 ** 32;

/** A level of the tables, from the top. */
interface Level {
  readonly name: string;
  /** The bits of a linear address that choose the entry. */
  readonly shift: number;
  readonly bits: number;
  /** Entries may map pages of 2^shift bytes. */
  readonly large?: boolean;
  /** Its entries are a CPU's registers: they say no more than where the next table is. */
  readonly registers?: boolean;
}

/** Tables that a CPU goes by. */
interface Paging {
  readonly levels: readonly Level[];
  readonly entryBytes: 4 | 8;
  /** Of the first table in memory. */
  readonly root: number;
  /** Instead of a first table. */
  readonly registers: readonly bigint[];
  /** Reserved bits of every entry. */
  readonly reserved: bigint;
  readonly noExecute: boolean;
  readonly global: boolean;
}

const DIRECTORY = 'page directory';
const TABLE = 'page table';
const twoLevels = (large: boolean): readonly Level[] => [
  { name: DIRECTORY, shift: 22, bits: 10, large },
  { name: TABLE, shift: 12, bits: 10 },
];
const PAE: readonly Level[] = [
  { name: 'page-directory-pointer table', shift: 30, bits: 2, registers: true },
  { name: DIRECTORY, shift: 21, bits: 9, large: true },
  { name: TABLE, shift: 12, bits: 9 },
];

/** What of a CPU, and of memory, a walk asks for. */
export type PagingState = Pick<CpuState, 'get' | 'get64' | 'hasNoExecute'>;
export type TableMemory = Pick<PhysicalMemory, 'host' | 'read'>;

/** Undefined: paging is off. */
function pagingOf(cpu: PagingState): Paging | undefined {
  const [cr0, cr3, cr4] = [cpu.get(Cpu.at.cr0), cpu.get(Cpu.at.cr3), cpu.get(Cpu.at.cr4)];
  if ((cr0 & Cr0.PG) === 0) return undefined;
  const global = (cr4 & Cr4.PGE) !== 0;
  const root = Number(BigInt(cr3) & ADDRESS);
  if ((cr4 & Cr4.PAE) === 0)
    return { levels: twoLevels((cr4 & Cr4.PSE) !== 0), entryBytes: 4, root, registers: [], reserved: 0n, noExecute: false, global };
  const noExecute = cpu.hasNoExecute;
  const registers = [0, 1, 2, 3].map((n) => cpu.get64(Cpu.at.pdpte + n * 8));
  // The upper half, but for the bit that means something with NXE.
  const reserved = (0xffffffffn << 32n) ^ (noExecute ? NO_EXECUTE : 0n);
  return { levels: PAE, entryBytes: 8, root, registers, reserved, noExecute, global };
}

/** Why an address is not mapped, for people. */
export interface Unmapped {
  readonly because: string;
}
export const isMapped = (found: Translation | Unmapped): found is Translation => 'physical' in found;

/** An entry; what is neither in RAM nor in ROM reads as 0, as the CPU has it. */
function readEntry(memory: TableMemory, at: number, bytes: number): bigint {
  const entry = new Uint8Array(bytes);
  if (memory.host(at) !== undefined) memory.read(at, entry);
  return entry.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

/** Where `linear` (below LINEAR_END) leads by the tables of a CPU. Changes nothing. */
export function walk(cpu: PagingState, memory: TableMemory, linear: number): Translation | Unmapped {
  const paging = pagingOf(cpu);
  if (paging === undefined) return { physical: linear, pageSize: LINEAR_END, writable: true, user: true, executable: true, global: false };
  const { levels, entryBytes, registers, reserved } = paging;
  let table = paging.root;
  let rights = WRITABLE | USER;
  let executable = true;
  for (const level of levels) {
    const index = Math.floor(linear / 2 ** level.shift) % 2 ** level.bits;
    const entry = level.registers ? registers[index]! : readEntry(memory, table + index * entryBytes, entryBytes);
    const because = (what: string): Unmapped => ({ because: `entry ${index} of the ${level.name} ${what}` });
    if ((entry & PRESENT) === 0n) return because('is not present');
    table = Number(entry & ADDRESS);
    if (level.registers) continue;
    const isLast = level === levels.at(-1);
    const isPage = isLast || (level.large === true && (entry & LARGE) !== 0n);
    const within = isPage && !isLast ? 2n ** BigInt(level.shift) - 2n ** BigInt(RESERVED_FROM) : 0n;
    if ((entry & (reserved | within)) !== 0n) return because('has reserved bits set');
    rights &= entry;
    if (paging.noExecute && (entry & NO_EXECUTE) !== 0n) executable = false;
    if (!isPage) continue;
    const pageSize = 2 ** level.shift;
    return {
      physical: table - (table % pageSize) + (linear % pageSize),
      pageSize,
      writable: (rights & WRITABLE) !== 0n,
      user: (rights & USER) !== 0n,
      executable,
      global: paging.global && (entry & GLOBAL) !== 0n,
    };
  }
  throw new Error('the last level maps a page');
}
