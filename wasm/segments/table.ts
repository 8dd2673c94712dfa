// Where the host has the GDT (Cpu.gdtHost): known for as long as a TLB may know it, which proofs of loads hang on (proven.ts). Here is what ends that.
import { Cpu, CpuArea, NO_SELECTOR, PROVEN_DESCRIPTORS } from '../gen/layout';

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

export function hasTable(cpu: Cpu): bool {
  return cpu.gdtHost != nowhere(cpu);
}
