// Where the host has the GDT (Cpu.gdtHost): known for as long as a TLB may know it, which proofs of loads hang on (proven.ts). Here is what ends that.
import { Cpu, CpuArea, NO_SELECTOR, PROVEN_DESCRIPTORS, RAM, Tlb } from '../gen/layout';

@inline
function nowhere(cpu: Cpu): u32 {
  return <u32>changetype<CpuArea>(cpu).noTable;
}

/** Where the GDT is must be found out anew; until then no proof holds. */
@inline
export function forgetTable(cpu: Cpu): void {
  cpu.gdtHost = nowhere(cpu);
}

/** At MOV CR3. */
@inline
export function forgetLocalTable(cpu: Cpu): void {
  if (cpu.gdtLocal) forgetTable(cpu);
}

/** At INVLPG, which may be about a large page. */
@inline
export function forgetTableAt(cpu: Cpu, linear: u32): void {
  if ((linear ^ cpu.gdtBase) >>> 22 == 0) forgetTable(cpu);
}

/** At LGDT: what was proven was inside the old limit. */
export function forgetProofs(cpu: Cpu): void {
  const area = changetype<CpuArea>(cpu);
  for (let n: u32 = 0; n < PROVEN_DESCRIPTORS; n++) {
    area.provenFlat[n].selector = NO_SELECTOR;
    area.provenFree[n].selector = NO_SELECTOR;
  }
  forgetTable(cpu);
}

/** Host address of the GDT, for descriptors of the first PROVEN_DESCRIPTORS that are in its limit; 0: neither Cpu.gdtHost nor the TLB tells, or they are not in one page. */
@inline
export function tableHost(cpu: Cpu): usize {
  const host: u32 = cpu.gdtHost;
  return host != nowhere(cpu) ? <usize>host : tableInTlb(cpu);
}

function tableInTlb(cpu: Cpu): usize {
  const base = cpu.gdtBase;
  const word = load<u32>(cpu.tlb + ((base >>> 12) << 2));
  const host = base + (word & 0xfffff000);
  const last = min<u32>(cpu.gdtLimit, PROVEN_DESCRIPTORS * 8 - 1);
  return word & Tlb.KERNEL_READ && host >= RAM && (base & 0xfff) + last < 4096 ? <usize>host : 0;
}

/** Whether Cpu.gdtHost is where the GDT is, or could be found. */
export function findTable(cpu: Cpu): bool {
  if (cpu.gdtHost != nowhere(cpu)) return true;
  const host = tableInTlb(cpu);
  if (!host) return false;
  cpu.gdtHost = <u32>host;
  cpu.gdtLocal = u32(!(load<u32>(cpu.tlb + ((cpu.gdtBase >>> 12) << 2)) & Tlb.GLOBAL));
  return true;
}
