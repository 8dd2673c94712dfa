// Regions of kernels that ask once for all that they access on their stack (the relaxation `stack`, docs/relaxations.md) ask here where the byte of the stack's page (CpuArea.directStores)
// does not tell. Who is refused leaves; code that is refused again and again, as its stack is not in the direct map, is asked for without such a question.
import { Cpu, FAULT_AGAIN, FAULT_BAIL, Seg } from '../gen/layout';
import { isReach } from '../memory/direct-access';
import { requestRegion } from './engine';
import { codeAddress } from './lookup';

/** One refusal in so many asks for a region without the question. A power of two. */
const PATIENCE: u64 = 16;

/** The code at `eip` is not run as a region whose entry is `entry` has it. */
function refuse(cpu: Cpu, entry: u32, eip: u32, fault: u32): u32 {
  const count = cpu.countRefused + 1;
  cpu.countRefused = count;
  if (!(count & (PATIENCE - 1))) {
    const phys = codeAddress(cpu, cpu.seg[Seg.CS].base + entry);
    if (phys >= 0) requestRegion(cpu, <u32>phys, entry, cpu.mode, true);
  }
  cpu.eip = eip;
  cpu.fault = fault;
  return fault;
}

/** At a region's entry, `eip`: where the `bytes` bytes from `at` on cannot be had without a look, its first instruction is done alone. */
export function proveReach(cpu: Cpu, at: u32, bytes: u32, eip: u32): u32 {
  return isReach(cpu, at, bytes) ? 0 : refuse(cpu, eip, eip, FAULT_BAIL);
}

/** The same inside of a region: it is left, and what is at `eip` is looked up. */
export function proveReachAgain(cpu: Cpu, at: u32, bytes: u32, eip: u32, entry: u32): u32 {
  return isReach(cpu, at, bytes) ? 0 : refuse(cpu, entry, eip, FAULT_AGAIN);
}
