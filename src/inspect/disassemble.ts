// The instructions in a CPU's memory, as text.
import type { DisassembledInstruction } from '../api/inspect.ts';
import { Seg } from '../layout/cpu.ts';
import type { CpuState } from './cpu-state.ts';
import type { LinearMemory } from './linear-memory.ts';

/** Of an instruction of x86. */
const LONGEST = 15;

/** `count` instructions from a linear address on, or those of them that are in memory. Memory is read before this comes back. */
export function disassemble(cpu: CpuState, memory: LinearMemory, address: number, count: number): Promise<DisassembledInstruction[]> {
  const bytes = memory.readSome(address, count * LONGEST);
  const bits = cpu.codeBits;
  // Targets of branches are in CS, as EIP is.
  const eip = (address - cpu.segment(Seg.CS).base) >>> 0;
  // The decoder takes some 50 ms to load, which only those wait for who use it.
  return import('../decode/text.ts').then(({ instructionTexts }) => {
    let at = 0;
    return instructionTexts(bytes, eip, bits, count).map(({ length, text }) => {
      const from = at;
      at += length;
      return { address: address + from, bytes: bytes.slice(from, at), length, text };
    });
  });
}
