// Who called whom, by the chain of frames that EBP begins: at EBP lies the caller's EBP, and above it the address that the call comes back to. In a function's first instructions EBP is its caller's
// still, and where that comes back to is at ESP.
import type { StackFrame } from '../api/inspect.ts';
import { Cpu, Gpr, Seg } from '../layout/cpu.ts';
import type { CpuState } from './cpu-state.ts';
import type { LinearMemory } from './linear-memory.ts';
import type { MachineSymbols } from './symbols.ts';

/** PUSH EBP; MOV EBP, ESP (either encoding), the latter cut to what tells. */
const PUSH_EBP = 0x55;
const MOVES = [
  [0x89, 0xe5],
  [0x8b, 0xec],
];

/** Bytes above ESP at which the return address is, where the instruction at `here` is one of the first of a function that has not made its frame yet; undefined: it is none, as far as symbols tell. */
function bytesPushed(memory: LinearMemory, symbols: MachineSymbols, here: number, word: number): number | undefined {
  const offset = symbols.offsetIn(here);
  if (offset === 0) return 0;
  if (offset !== 1) return undefined;
  const [push, ...move] = memory.readSome(here - 1, 3);
  return push === PUSH_EBP && MOVES.some(([a, b]) => move[0] === a && move[1] === b) ? word : undefined;
}

/** `most` frames at the most; fewer where the chain ends: at memory that is not mapped, at one that is no further up, or where nobody is to be come back to. */
export function backtrace(cpu: CpuState, memory: LinearMemory, symbols: MachineSymbols, most: number): StackFrame[] {
  const word = cpu.codeBits / 8;
  const wrap = cpu.get(Cpu.at.stackMask);
  const code = cpu.segment(Seg.CS).base;
  const stack = cpu.segment(Seg.SS).base;
  const linear = (offset: number) => (stack + offset) >>> 0;
  let ebp = (cpu.gpr(Gpr.EBP) & wrap) >>> 0;
  const here = cpu.nextInstruction;
  const frames: StackFrame[] = [{ address: here, symbol: symbols.at(here), frame: linear(ebp) }];
  const pushed = bytesPushed(memory, symbols, here, word);
  if (pushed !== undefined && most > 1) {
    const at = memory.readSome(linear((cpu.gpr(Gpr.ESP) + pushed) & wrap), word);
    if (at.length === word) {
      const address = (code + (word === 4 ? new DataView(at.buffer, at.byteOffset).getUint32(0, true) : at[0]! | (at[1]! << 8))) >>> 0;
      frames.push({ address, symbol: symbols.behindCall(address), frame: linear(ebp) });
    }
  }
  while (frames.length < most) {
    const bytes = memory.readSome(linear(ebp), 2 * word);
    if (bytes.length < 2 * word) break;
    const data = new DataView(bytes.buffer, bytes.byteOffset);
    const [above, eip] =
      word === 4 ? [data.getUint32(0, true), data.getUint32(4, true)] : [data.getUint16(0, true), data.getUint16(2, true)];
    if (eip === 0) break;
    const address = (code + eip) >>> 0;
    frames.push({ address, symbol: symbols.behindCall(address), frame: linear(above) });
    if (above <= ebp) break;
    ebp = above;
  }
  return frames;
}
