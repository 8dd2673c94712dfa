// The jump caches, asked by EIP: what the dispatcher does inline (src/emit/interpreter/handlers.ts), for functions of the runtime that go elsewhere.
import { Cpu, JUMP_ENTRIES, JumpEntry, Mode } from '../gen/layout';

/** The entry for CS:EIP by which the dispatcher would go on at once; 0: it has something else to do. */
export function jumpHere(cpu: Cpu): JumpEntry {
  const none = changetype<JumpEntry>(0);
  if (cpu.fault | cpu.exit | cpu.step) return none;
  const eip = cpu.eip;
  const user = (cpu.mode & Mode.USER) != 0;
  const index = (eip ^ (eip >>> 12)) & (JUMP_ENTRIES - 1);
  const entry = changetype<JumpEntry>((user ? cpu.jumpUser : cpu.jumpKernel) + index * JumpEntry.SIZE);
  const generation = user ? cpu.jumpUserGen : cpu.jumpKernelGen;
  return (entry.eip ^ eip) | (entry.gen ^ generation) ? none : entry;
}
