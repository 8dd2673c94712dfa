// The state of a CPU as text, for people who must find out what went wrong.
import type { SharedMemory } from '../../cpu/state.ts';
import {
  Cpu,
  Delivery,
  DeliveryNote,
  Eflags,
  Exit,
  FAULT,
  GPR_STRIDE,
  LAST_BLOCKS,
  LAST_DELIVERIES,
  PENDING_HELD_SHIFT,
  SegCache,
  Vector,
} from '../../layout/cpu.ts';
import { cpuBase } from '../../layout/memory.ts';

export const hex = (n: number, digits = 8): string => (n >>> 0).toString(16).padStart(digits, '0');

/** A constant's name as people read it. */
export const constantName = (name: string): string => name.toLowerCase().replaceAll('_', '-');
export const exitName = (exit: number): string => {
  const name = Object.entries(Exit).find(([, n]) => n === exit)?.[0];
  return name === undefined ? `${exit}` : constantName(name);
};

/** The last entries of a ring of `size`, oldest first; `count` have been written so far. */
function newest<T>(count: number, size: number, entry: (index: number) => T): T[] {
  const known = Math.min(count, size);
  return Array.from({ length: known }, (_, k) => entry((count - known + k) & (size - 1)));
}

/** An exception or interrupt that a CPU took, or could not take. */
export interface Delivered {
  /** The vector, with bits of Delivery. */
  readonly what: number;
  readonly vector: number;
  readonly error: number;
  readonly eip: number;
  readonly cr2: number;
}

/** '#GP' of a vector; its number where it has no name. */
export const vectorName = (vector: number): string => {
  const name = Object.entries(Vector).find(([, n]) => n === vector)?.[0];
  return name === undefined ? hex(vector, 2) : `#${name}`;
};

/** Words of a CPU's state, by their offsets. */
type Words = (offset: number) => number;
export const wordsOf = (shared: SharedMemory, index: number): Words => {
  const base = cpuBase(shared.plan, index);
  return (offset) => shared.i32[(base + offset) >> 2]! >>> 0;
};

/** The last ones, newest last. */
export const lastDeliveries = (get: Words): Delivered[] =>
  newest(get(Cpu.at.lastDeliveryCount), LAST_DELIVERIES, (n) => {
    const field = (offset: number) => get(Cpu.at.lastDeliveries + n * DeliveryNote.size + offset);
    const { at } = DeliveryNote;
    return { what: field(at.what), vector: field(at.what) & 0xff, error: field(at.error), eip: field(at.eip), cr2: field(at.cr2) };
  });

function deliveryLine({ what, vector, error, eip, cr2 }: Delivered): string {
  const at = `at ${hex(eip)}`;
  if ((what & Delivery.INTERRUPT) !== 0) return `interrupt ${hex(vector, 2)} ${at}`;
  if ((what & Delivery.SOFTWARE) !== 0) return `software interrupt ${hex(vector, 2)} ${at}`;
  const name = vectorName(vector);
  const code = (what & Delivery.ERROR) !== 0 ? ` error ${hex(error, 4)}` : '';
  const address = vector === Vector.PF ? ` CR2=${hex(cr2)}` : '';
  const shutdown = (what & Delivery.SHUTDOWN) !== 0 ? ': shutdown' : '';
  return `exception ${hex(vector, 2)}${name.startsWith('#') ? ` (${name})` : ''}${code} ${at}${address}${shutdown}`;
}

/** What happened last (wasm/engine/history.ts). */
export function historyLines(get: Words): string[] {
  const blocks = newest(get(Cpu.at.lastBlockCount), LAST_BLOCKS, (n) => hex(get(Cpu.at.lastBlocks + n * 4)));
  const deliveries = lastDeliveries(get).map(deliveryLine);
  const rows = [blocks.slice(0, 8), blocks.slice(8)].filter((row) => row.length > 0).map((row) => `  ${row.join(' ')}`);
  return [
    'last blocks and regions looked up or polled in, newest last:',
    ...(rows.length > 0 ? rows : ['  none']),
    'last exceptions and interrupts, newest last:',
    ...(deliveries.length > 0 ? deliveries.map((text) => `  ${text}`) : ['  none']),
  ];
}

const FLAGS = ['ID', 'AC', 'VM', 'RF', 'NT', 'IOPL', 'OF', 'DF', 'IF', 'TF', 'SF', 'ZF', 'AF', 'PF', 'CF'] as const;

/** The names of the flags that are set. */
const flagNames = (eflags: number): string =>
  FLAGS.filter((name) => eflags & Eflags[name])
    .map((name) => (name === 'IOPL' ? `IOPL=${(eflags >> 12) & 3}` : name))
    .join(' ');

/** Bits of Pending, and those of them that are held. */
const pendingBits = (word: number): string =>
  `pending=${hex(word & ((1 << PENDING_HELD_SHIFT) - 1), 2)} held=${hex(word >>> PENDING_HELD_SHIFT, 2)}`;

/** All of EFLAGS of the CPU whose state is at `cpu`: the runtime's readFlags. */
export type ReadFlags = (cpu: number) => number;

/** Registers, segments, control registers, and what was going on. */
export function registerLines(shared: SharedMemory, index: number, readFlags: ReadFlags): string[] {
  const get = wordsOf(shared, index);
  const names = ['EAX', 'ECX', 'EDX', 'EBX', 'ESP', 'EBP', 'ESI', 'EDI'];
  const gpr = names.map((name, n) => `${name}=${hex(get(Cpu.at.gpr + n * GPR_STRIDE))}`);
  const segments = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS', 'LDT', 'TR'].map((name, n) => {
    const at = Cpu.at.seg + n * SegCache.size;
    return `${name.padEnd(3)}=${hex(get(at), 4)} base ${hex(get(at + SegCache.at.base))} limit ${hex(get(at + SegCache.at.limit))} access ${hex(get(at + SegCache.at.access), 6)}`;
  });
  const fault = get(Cpu.at.fault);
  const eflags = readFlags(cpuBase(shared.plan, index));
  return [
    `CPU ${index}: exit ${exitName(get(Cpu.at.exit))} (${get(Cpu.at.exitArg)})${fault & FAULT ? `, exception ${fault & 0xff} error ${hex(get(Cpu.at.faultError), 4)}` : ''}`,
    gpr.slice(0, 4).join(' '),
    gpr.slice(4).join(' '),
    `EIP=${hex(get(Cpu.at.eip))} EFLAGS=${hex(eflags)} [${flagNames(eflags)}] CPL=${get(Cpu.at.cpl)} mode=${get(Cpu.at.mode)} ${pendingBits(get(Cpu.at.pending))}`,
    ...segments,
    `GDT ${hex(get(Cpu.at.gdtBase))} ${hex(get(Cpu.at.gdtLimit), 4)}  IDT ${hex(get(Cpu.at.idtBase))} ${hex(get(Cpu.at.idtLimit), 4)}`,
    `CR0=${hex(get(Cpu.at.cr0))} CR2=${hex(get(Cpu.at.cr2))} CR3=${hex(get(Cpu.at.cr3))} CR4=${hex(get(Cpu.at.cr4))}`,
  ];
}

/** The same, and what came before. */
export const dumpCpu = (shared: SharedMemory, index: number, readFlags: ReadFlags): string =>
  [...registerLines(shared, index, readFlags), ...historyLines(wordsOf(shared, index))].join('\n');

/** All CPUs. */
export const dumpMachine = (shared: SharedMemory, readFlags: ReadFlags): string =>
  Array.from({ length: shared.plan.cpuCount }, (_, cpu) => dumpCpu(shared, cpu, readFlags)).join('\n\n');
