// The state in which a loader's kernel finds the boot CPU.
import type { RuntimeExports } from '../../cpu/runtime.ts';
import type { SharedMemory } from '../../cpu/state.ts';
import { Cpu, GPR_STRIDE, Gpr, Seg, SegCache } from '../../layout/cpu.ts';
import { cpuBase } from '../../layout/memory.ts';
import type { EntryState } from './entry.ts';

/** Puts CPU 0 into the state that the loader asks for. */
export function enterKernel(shared: SharedMemory, entry: EntryState, runtime: Pick<RuntimeExports, 'updateMode' | 'updateFpuTraps'>): void {
  const base = cpuBase(shared.plan, 0);
  const set = (offset: number, value: number) => (shared.i32[(base + offset) >> 2] = value);
  if (entry.segments === 'flat32') {
    for (let s = 0; s < 6; s++) {
      const at = Cpu.at.seg + s * SegCache.size;
      set(at + SegCache.at.selector, s === Seg.CS ? entry.codeSelector : entry.dataSelector);
      set(at + SegCache.at.base, 0);
      set(at + SegCache.at.limit, -1);
      set(at + SegCache.at.access, s === Seg.CS ? 0xcf9b00 : 0xcf9300);
    }
  }
  if (entry.gdt) {
    set(Cpu.at.gdtBase, entry.gdt.base);
    set(Cpu.at.gdtLimit, entry.gdt.limit);
  }
  set(Cpu.at.cr0, entry.cr0);
  set(Cpu.at.eip, entry.eip);
  set(Cpu.at.eflags, entry.eflags & ~0x8d5);
  const { gpr } = entry;
  const names = {
    eax: Gpr.EAX,
    ecx: Gpr.ECX,
    edx: Gpr.EDX,
    ebx: Gpr.EBX,
    esp: Gpr.ESP,
    ebp: Gpr.EBP,
    esi: Gpr.ESI,
    edi: Gpr.EDI,
  } as const;
  for (const [name, n] of Object.entries(names) as [keyof typeof names, number][]) set(Cpu.at.gpr + n * GPR_STRIDE, gpr[name]);
  // What is derived from segments and control registers is the runtime's to compute.
  runtime.updateMode(base);
  runtime.updateFpuTraps(base);
}
