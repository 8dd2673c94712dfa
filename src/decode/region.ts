// Grows a region: the basic blocks that direct jumps and fall-throughs reach from an entry, inside one page of code.
import { PAGE } from '../layout/memory.ts';
import { CodeReader, type Instruction, insideLimit } from './decoder.ts';

export interface BasicBlock {
  readonly eip: number;
  readonly instructions: Instruction[];
  /** EIP behind the last instruction; where the block goes on if that is not a jump. */
  end: number;
}

export interface Region {
  readonly entry: number;
  /** Physical address of the entry. */
  readonly phys: number;
  readonly mode: number;
  /** By EIP. */
  readonly blocks: ReadonlyMap<number, BasicBlock>;
  readonly instructionCount: number;
  /** Blocks that a jump backwards leads to: heads of loops, where interrupts come back to. */
  readonly loopHeads: ReadonlySet<number>;
}

/** Instructions in a region at the most. */
const LIMIT = 100;

/**
 * The region at `eip`, whose page of code is `page` (PAGE bytes) and whose first byte is at physical address `phys`.
 * undefined where not even the first instruction can be translated.
 */
export function growRegion(page: Uint8Array, eip: number, phys: number, mode: number): Region | undefined {
  const offset = phys & (PAGE - 1);
  const instructions = new Map<number, Instruction>();
  const leaders = new Set([eip]);
  const loopHeads = new Set<number>();
  const work = [eip];
  /** Offset in the page of a guest EIP, or -1 where it is on another page. */
  const inPage = (at: number): number => {
    const o = offset + ((at - eip) | 0);
    return o >= 0 && o < PAGE ? o : -1;
  };
  const reader = new CodeReader(page, mode);
  let count = 0;
  while (work.length > 0) {
    let at = work.pop()!;
    while (!instructions.has(at) && count < LIMIT) {
      const o = inPage(at);
      if (o < 0) break;
      const x = reader.at(o, at);
      if (x.truncated || x.spec === undefined || !insideLimit(x, mode)) break;
      instructions.set(at, x);
      count++;
      if (x.target !== undefined && x.form.mnemonic !== 'call') {
        if (inPage(x.target) >= 0) {
          if (x.target <= at) loopHeads.add(x.target);
          leaders.add(x.target);
          work.push(x.target);
        }
        if (x.form.mnemonic !== 'jmp') leaders.add(x.next);
      }
      if (x.spec.ends || x.spec.alone || x.flow === 'unconditional') {
        if (x.target === undefined || x.flow === 'unconditional') break;
      }
      at = x.next;
    }
  }
  reader.free();
  if (!instructions.has(eip)) return undefined;
  const blocks = new Map<number, BasicBlock>();
  for (const leader of leaders) {
    if (!instructions.has(leader)) continue;
    const list: Instruction[] = [];
    let at = leader;
    for (;;) {
      const x = instructions.get(at);
      if (x === undefined) break;
      list.push(x);
      at = x.next;
      if (leaders.has(at) || x.target !== undefined || x.spec!.ends || x.spec!.alone || x.flow === 'unconditional') break;
    }
    blocks.set(leader, { eip: leader, instructions: list, end: at });
  }
  return { entry: eip, phys, mode, blocks, instructionCount: count, loopHeads };
}
