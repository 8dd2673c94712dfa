// The shared memory of a machine and the power-on state of a CPU in it (SDM vol. 3, table 10-1).

import { DragomanError } from '../api/errors.ts';
import { Cpu, GPR_STRIDE, Gpr, NO_SELECTOR, PROVEN_DESCRIPTORS, Seg, SegCache, SegmentProof } from '../layout/cpu.ts';
import { CPUID_SIGNATURE } from '../layout/features.ts';
import { LAPIC_BASE } from '../layout/lapic.ts';
import { ClockAsks, Control, CpuArea, controlWord, cpuBase, type MemoryPlan, Relax } from '../layout/memory.ts';

export interface SharedMemory {
  readonly memory: WebAssembly.Memory;
  readonly plan: MemoryPlan;
  readonly u8: Uint8Array;
  readonly i32: Int32Array;
}

/** Views of a memory that was made by createMemory, on this thread. */
export function attachMemory(memory: WebAssembly.Memory, plan: MemoryPlan): SharedMemory {
  return { memory, plan, u8: new Uint8Array(memory.buffer), i32: new Int32Array(memory.buffer) };
}

/** Allocates the memory of a machine and writes its control block. */
export function createMemory(plan: MemoryPlan): SharedMemory {
  let memory: WebAssembly.Memory;
  try {
    memory = new WebAssembly.Memory({ initial: plan.wasmPages, maximum: plan.wasmPages, shared: true });
  } catch (cause) {
    throw new DragomanError(
      'OUT_OF_MEMORY',
      `no memory for a machine with ${plan.ramBytes >> 20} MiB of RAM and ${plan.cpuCount} CPUs`,
      undefined,
      { cause },
    );
  }
  const shared = attachMemory(memory, plan);
  const set = (offset: number, value: number) => (shared.i32[controlWord(offset)] = value);
  set(Control.at.cpuCount, plan.cpuCount);
  set(Control.at.ramBytes, plan.ramBytes);
  set(Control.at.cpus, plan.cpus);
  set(Control.at.cpuStride, plan.cpuStride);
  set(
    Control.at.relax,
    Relax.DIRECTMAP | Relax.SEGMENTS | Relax.CACHE | Relax.RETURNS | Relax.ENTRIES | Relax.SHARED | Relax.FRAMES | Relax.STACK,
  );
  set(Control.at.pauseMask, -1);
  set(Control.at.clockAsks, ClockAsks.MADE);
  set(Control.at.pageMeta, plan.pageMeta);
  set(Control.at.hotThreshold, 0x7fffffff);
  return shared;
}

/** Puts CPU `index` into its power-on state and points it at its areas. Follow with the runtime's updateMode(). */
export function resetCpu(shared: SharedMemory, index: number): void {
  const { i32, plan } = shared;
  const base = cpuBase(plan, index);
  // Jump-cache entries of before must stay stale: generations only go up.
  const generation = Math.max(i32[(base + Cpu.at.jumpKernelGen) >> 2]!, i32[(base + Cpu.at.jumpUserLast) >> 2]!) + 1;
  i32.fill(0, base >> 2, (base + Cpu.size) >> 2);
  const set = (offset: number, value: number) => (i32[(base + offset) >> 2] = value);
  set(Cpu.at.index, index);
  set(Cpu.at.apicId, index);
  set(Cpu.at.parked, 1);
  for (const [field, area] of [
    [Cpu.at.tlb, CpuArea.at.tlb],
    [Cpu.at.tlbList, CpuArea.at.tlbList],
    [Cpu.at.tlbGlobalList, CpuArea.at.tlbGlobalList],
    [Cpu.at.jumpKernel, CpuArea.at.jumpKernel],
    [Cpu.at.jumpUser, CpuArea.at.jumpUser],
    [Cpu.at.blockHash, CpuArea.at.blockHash],
    [Cpu.at.arena, CpuArea.at.arena],
    [Cpu.at.arenaNext, CpuArea.at.arena],
    [Cpu.at.arenaEnd, plan.cpuStride],
    [Cpu.at.gdtHost, CpuArea.at.noTable],
  ] as const)
    set(field, base + area);
  i32.fill(-1, (base + CpuArea.at.noTable) >> 2, (base + CpuArea.at.noTable + PROVEN_DESCRIPTORS * 8) >> 2);
  // A null selector is 0, as memory is that nobody wrote to.
  for (const proofs of [CpuArea.at.provenFlat, CpuArea.at.provenFree])
    for (let n = 0; n < PROVEN_DESCRIPTORS; n++) set(proofs + n * SegmentProof.size + SegmentProof.at.selector, NO_SELECTOR);
  set(Cpu.at.jumpKernelGen, generation);
  for (const field of [Cpu.at.jumpUserGen, Cpu.at.jumpUserLast, Cpu.at.jumpUserFirst]) set(field, generation);
  powerCpu(shared, index);
  initCpu(shared, index);
}

/** What RESET does to a CPU beside INIT: x87, SSE, model-specific registers. */
export function powerCpu(shared: SharedMemory, index: number): void {
  const { i32, plan } = shared;
  const base = cpuBase(plan, index);
  const set = (offset: number, value: number) => (i32[(base + offset) >> 2] = value);
  const clear = (offset: number, bytes: number) => i32.fill(0, (base + offset) >> 2, (base + offset + bytes) >> 2);
  clear(Cpu.at.fpr, 8 * 16);
  clear(Cpu.at.xmm, 16 * 16);
  clear(Cpu.at.msr, 32 * 8);
  clear(Cpu.at.tscOffset, 8);
  for (const field of [
    'sysenterCs',
    'sysenterEsp',
    'sysenterEip',
    'fsw',
    'ftop',
    'ftw',
    'fop',
    'fip',
    'fcs',
    'fdp',
    'fds',
    'ferr',
  ] as const)
    set(Cpu.at[field], 0);
  set(Cpu.at.fcw, 0x37f);
  set(Cpu.at.mxcsr, 0x1f80);
  set(Cpu.at.apicBase, LAPIC_BASE | 0x800 | (index === 0 ? 0x100 : 0));
}

/**
 * What INIT does to a CPU (SDM vol. 3, table 10-1): x87, SSE and model-specific registers keep their values; all but the boot CPU wait for a start-up
 * IPI. The TLB and the jump caches are the caller's to empty.
 */
export function initCpu(shared: SharedMemory, index: number): void {
  const { i32, plan } = shared;
  const base = cpuBase(plan, index);
  const set = (offset: number, value: number) => (i32[(base + offset) >> 2] = value);
  for (let n = 0; n < 8; n++) set(Cpu.at.gpr + n * GPR_STRIDE, 0);
  for (let n = 0; n < 4; n++) set(Cpu.at.dr + n * 4, 0);
  for (const field of ['cpl', 'cr2', 'cr3', 'cr4', 'gdtBase', 'idtBase', 'fault', 'shadow', 'step', 'stepArmed', 'nmiBlocked'] as const)
    set(Cpu.at[field], 0);
  set(Cpu.at.debugPending, 0);
  set(Cpu.at.awaitsStartup, index === 0 ? 0 : 1);
  set(Cpu.at.halted, index === 0 ? 0 : 1);
  set(Cpu.at.eip, 0xfff0);
  set(Cpu.at.eflags, 2);
  set(Cpu.at.flagR, 1);
  set(Cpu.at.flagX, 0);
  set(Cpu.at.gpr + Gpr.EDX * GPR_STRIDE, CPUID_SIGNATURE);
  set(Cpu.at.cr0, 0x60000010);
  set(Cpu.at.idtLimit, 0x3ff);
  set(Cpu.at.gdtLimit, 0xffff);
  set(Cpu.at.dr + 6 * 4, 0xffff0ff0);
  set(Cpu.at.dr + 7 * 4, 0x400);
  for (let s = 0; s < 8; s++) {
    const at = Cpu.at.seg + s * SegCache.size;
    const system = s === Seg.LDTR ? 0x8200 : s === Seg.TR ? 0x8b00 : s === Seg.CS ? 0x9b00 : 0x9300;
    set(at + SegCache.at.limit, 0xffff);
    set(at + SegCache.at.access, system);
    set(at + SegCache.at.selector, s === Seg.CS ? 0xf000 : 0);
    set(at + SegCache.at.base, s === Seg.CS ? 0xffff0000 : 0);
  }
}
