// The state of a CPU as text, for people who must find out what went wrong.
import type { SharedMemory } from '../cpu/state.ts';
import { Cpu, Exit, FAULT, GPR_STRIDE, SegCache } from '../layout/cpu.ts';
import { cpuBase } from '../layout/memory.ts';

const hex = (n: number, digits = 8) => (n >>> 0).toString(16).padStart(digits, '0');

export const exitName = (exit: number): string =>
  Object.entries(Exit)
    .find(([, n]) => n === exit)?.[0]
    .toLowerCase()
    .replace('_', '-') ?? `${exit}`;

/** Registers, segments, control registers and what was going on. */
export function dumpCpu(shared: SharedMemory, index: number): string {
  const base = cpuBase(shared.plan, index);
  const get = (offset: number) => shared.i32[(base + offset) >> 2]! >>> 0;
  const names = ['EAX', 'ECX', 'EDX', 'EBX', 'ESP', 'EBP', 'ESI', 'EDI'];
  const gpr = names.map((name, n) => `${name}=${hex(get(Cpu.at.gpr + n * GPR_STRIDE))}`);
  const segments = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS', 'LDT', 'TR'].map((name, n) => {
    const at = Cpu.at.seg + n * SegCache.size;
    return `${name.padEnd(3)}=${hex(get(at), 4)} base ${hex(get(at + SegCache.at.base))} limit ${hex(get(at + SegCache.at.limit))} access ${hex(get(at + SegCache.at.access), 6)}`;
  });
  const fault = get(Cpu.at.fault);
  return [
    `CPU ${index}: exit ${exitName(get(Cpu.at.exit))} (${get(Cpu.at.exitArg)})${fault & FAULT ? `, exception ${fault & 0xff} error ${hex(get(Cpu.at.faultError), 4)}` : ''}`,
    gpr.slice(0, 4).join(' '),
    gpr.slice(4).join(' '),
    `EIP=${hex(get(Cpu.at.eip))} EFLAGS=${hex(get(Cpu.at.eflags))} (without arithmetic flags) CPL=${get(Cpu.at.cpl)} mode=${get(Cpu.at.mode)} pending=${hex(get(Cpu.at.pending), 2)}`,
    ...segments,
    `GDT ${hex(get(Cpu.at.gdtBase))} ${hex(get(Cpu.at.gdtLimit), 4)}  IDT ${hex(get(Cpu.at.idtBase))} ${hex(get(Cpu.at.idtLimit), 4)}`,
    `CR0=${hex(get(Cpu.at.cr0))} CR2=${hex(get(Cpu.at.cr2))} CR3=${hex(get(Cpu.at.cr3))} CR4=${hex(get(Cpu.at.cr4))}`,
  ].join('\n');
}
