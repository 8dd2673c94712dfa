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

const hex = (n: number, digits = 8) => (n >>> 0).toString(16).padStart(digits, '0');

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

/** A delivery as a line. `get` reads a word of its note. */
function deliveryLine(get: (offset: number) => number): string {
  const what = get(DeliveryNote.at.what);
  const vector = what & 0xff;
  const at = `at ${hex(get(DeliveryNote.at.eip))}`;
  if ((what & Delivery.INTERRUPT) !== 0) return `interrupt ${hex(vector, 2)} ${at}`;
  if ((what & Delivery.SOFTWARE) !== 0) return `software interrupt ${hex(vector, 2)} ${at}`;
  const name = Object.entries(Vector).find(([, n]) => n === vector)?.[0];
  const error = (what & Delivery.ERROR) !== 0 ? ` error ${hex(get(DeliveryNote.at.error), 4)}` : '';
  const cr2 = vector === Vector.PF ? ` CR2=${hex(get(DeliveryNote.at.cr2))}` : '';
  const shutdown = (what & Delivery.SHUTDOWN) !== 0 ? ': shutdown' : '';
  return `exception ${hex(vector, 2)}${name === undefined ? '' : ` (#${name})`}${error} ${at}${cr2}${shutdown}`;
}

/** What happened last (wasm/engine/history.ts). */
function history(get: (offset: number) => number): string[] {
  const blocks = newest(get(Cpu.at.lastBlockCount), LAST_BLOCKS, (n) => hex(get(Cpu.at.lastBlocks + n * 4)));
  const deliveries = newest(get(Cpu.at.lastDeliveryCount), LAST_DELIVERIES, (n) =>
    deliveryLine((offset) => get(Cpu.at.lastDeliveries + n * DeliveryNote.size + offset)),
  );
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

/** Registers, segments, control registers, what was going on, and what came before. */
export function dumpCpu(shared: SharedMemory, index: number, readFlags: ReadFlags): string {
  const base = cpuBase(shared.plan, index);
  const get = (offset: number) => shared.i32[(base + offset) >> 2]! >>> 0;
  const names = ['EAX', 'ECX', 'EDX', 'EBX', 'ESP', 'EBP', 'ESI', 'EDI'];
  const gpr = names.map((name, n) => `${name}=${hex(get(Cpu.at.gpr + n * GPR_STRIDE))}`);
  const segments = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS', 'LDT', 'TR'].map((name, n) => {
    const at = Cpu.at.seg + n * SegCache.size;
    return `${name.padEnd(3)}=${hex(get(at), 4)} base ${hex(get(at + SegCache.at.base))} limit ${hex(get(at + SegCache.at.limit))} access ${hex(get(at + SegCache.at.access), 6)}`;
  });
  const fault = get(Cpu.at.fault);
  const eflags = readFlags(base);
  return [
    `CPU ${index}: exit ${exitName(get(Cpu.at.exit))} (${get(Cpu.at.exitArg)})${fault & FAULT ? `, exception ${fault & 0xff} error ${hex(get(Cpu.at.faultError), 4)}` : ''}`,
    gpr.slice(0, 4).join(' '),
    gpr.slice(4).join(' '),
    `EIP=${hex(get(Cpu.at.eip))} EFLAGS=${hex(eflags)} [${flagNames(eflags)}] CPL=${get(Cpu.at.cpl)} mode=${get(Cpu.at.mode)} ${pendingBits(get(Cpu.at.pending))}`,
    ...segments,
    `GDT ${hex(get(Cpu.at.gdtBase))} ${hex(get(Cpu.at.gdtLimit), 4)}  IDT ${hex(get(Cpu.at.idtBase))} ${hex(get(Cpu.at.idtLimit), 4)}`,
    `CR0=${hex(get(Cpu.at.cr0))} CR2=${hex(get(Cpu.at.cr2))} CR3=${hex(get(Cpu.at.cr3))} CR4=${hex(get(Cpu.at.cr4))}`,
    ...history(get),
  ].join('\n');
}

/** All CPUs. */
export const dumpMachine = (shared: SharedMemory, readFlags: ReadFlags): string =>
  Array.from({ length: shared.plan.cpuCount }, (_, cpu) => dumpCpu(shared, cpu, readFlags)).join('\n\n');
