// The state in which a loader's kernel finds the boot CPU.
import { loadEngineImage } from '../../cpu/image.ts';
import { instantiate, type RuntimeExports } from '../../cpu/runtime.ts';
import type { SharedMemory } from '../../cpu/state.ts';
import { Cpu, GPR_STRIDE, Gpr, Seg, SegCache } from '../../layout/cpu.ts';
import { cpuBase } from '../../layout/memory.ts';
import type { ReadFlags } from '../report/dump.ts';
import type { EntryState } from './entry.ts';

/** A runtime that computes what is derived from segments and control registers, of CPUs that run elsewhere. */
export function stillRuntime(shared: SharedMemory): RuntimeExports {
  return instantiate(loadEngineImage(), shared, {
    portIn: () => -1,
    portOut: () => {},
    mmioRead: () => -1,
    mmioWrite: () => {},
    rdtsc: () => 0n,
    setTscDeadline: () => {},
    setApicBase: () => {},
    tscDeadlineArmed: () => 0,
    interruptAck: () => -1,
    fpuError: () => 0,
    invalidateCode: () => {},
    trace: () => {},
  }).runtime;
}

/** Puts CPU 0 into the state that the loader asks for. Gives what reads a CPU's EFLAGS, for dumps. */
export function enterKernel(shared: SharedMemory, entry: EntryState): ReadFlags {
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
  const runtime = stillRuntime(shared);
  runtime.updateMode(base);
  runtime.updateFpuTraps(base);
  return runtime.readFlags;
}
