// Grows a region: the basic blocks that direct jumps and fall-throughs reach from an entry, inside one page of code.

import { CodeReader, type Instruction, insideLimit } from '../decode/decoder.ts';
import { type BlockId, COPY, eipOf } from '../ir/blocks.ts';
import { Mode } from '../layout/cpu.ts';
import { PAGE } from '../layout/memory.ts';

export interface BasicBlock {
  readonly id: BlockId;
  readonly eip: number;
  readonly instructions: Instruction[];
  /** EIP behind the last instruction; where the block goes on if that is not a jump. */
  readonly end: number;
  /** Where its last instruction leads so far as that is in the region: a call's inlined callee, or the return point of an inlined RET. */
  readonly callee: BlockId | undefined;
  readonly returnPoint: BlockId | undefined;
  /** It ends with a call that comes back into the region, at `end`. */
  readonly comesBack: boolean;
}

export interface Region {
  readonly entry: number;
  /** Physical address of the entry. */
  readonly phys: number;
  readonly mode: number;
  readonly blocks: ReadonlyMap<BlockId, BasicBlock>;
  readonly instructionCount: number;
  /** Blocks that a jump backwards leads to: heads of loops, where interrupts come back to. */
  readonly loopHeads: ReadonlySet<BlockId>;
}

/** Instructions in a region at the most. */
const LIMIT = 100;
/** So many of them at the most, and a region does not go on behind a call: what is there may never run. */
const BEHIND_CALLS = 40;
/** Instructions of a callee that is grown into its caller, at the most. */
const CALLEE_LIMIT = 16;

/** Whether a small function without calls starts at `eip`: one that only its RETs leave. */
function isLeaf(read: (eip: number) => Instruction | undefined, eip: number): boolean {
  const seen = new Set<number>();
  const work = [eip];
  while (work.length > 0) {
    for (let at = work.pop()!; !seen.has(at); ) {
      const x = read(at);
      if (x === undefined || seen.size === CALLEE_LIMIT) return false;
      seen.add(at);
      const { mnemonic } = x.form;
      if (mnemonic === 'ret') break;
      if (mnemonic === 'call' || x.spec!.alone || (x.target === undefined && (x.spec!.ends || x.flow === 'unconditional'))) return false;
      if (x.target !== undefined) work.push(x.target);
      if (x.flow === 'unconditional') break;
      at = x.next;
    }
  }
  return true;
}

/**
 * The region at `entry`, whose page of code is `page` (PAGE bytes) and whose first byte is at physical address `phys`.
 * undefined where not even the first instruction can be translated.
 */
export function growRegion(page: Uint8Array, entry: number, phys: number, mode: number): Region | undefined {
  const eip = entry >>> 0;
  const offset = phys & (PAGE - 1);
  const instructions = new Map<BlockId, Instruction>();
  const leaders = new Set<BlockId>([eip]);
  const loopHeads = new Set<BlockId>();
  /** By the id of the call, and by the number of the copy. */
  const callees = new Map<BlockId, BlockId>();
  const returnPoints: BlockId[] = [0];
  const work: BlockId[] = [eip];
  const reader = new CodeReader(page, mode);
  const inPage = (at: number): boolean => {
    const o = offset + ((at - eip) | 0);
    return o >= 0 && o < PAGE;
  };
  const known = new Map<number, Instruction | undefined>();
  const read = (at: number): Instruction | undefined => {
    if (!inPage(at)) return undefined;
    if (!known.has(at)) {
      const x = reader.at(offset + ((at - eip) | 0), at);
      known.set(at, x.truncated || x.spec === undefined || !insideLimit(x, mode) ? undefined : x);
    }
    return known.get(at);
  };
  let count = 0;
  while (work.length > 0) {
    let id = work.pop()!;
    const base = id - eipOf(id);
    while (!instructions.has(id) && count < LIMIT) {
      const x = read(eipOf(id));
      if (x === undefined) break;
      instructions.set(id, x);
      count++;
      const follow = (to: number) => {
        leaders.add(base + to);
        work.push(base + to);
      };
      if (x.form.mnemonic === 'call') {
        if (base === 0 && (mode & Mode.FLAT) !== 0 && x.target !== undefined && inPage(x.next) && isLeaf(read, x.target)) {
          const copy = returnPoints.push(x.next) - 1;
          const callee = copy * COPY + x.target;
          callees.set(id, callee);
          leaders.add(callee);
          leaders.add(x.next);
          work.push(x.next, callee);
        } else if ((mode & Mode.FLAT) !== 0 && inPage(x.next) && x.target !== x.next) {
          // What only finds out where it is (a call to what follows it) does not come back.
          leaders.add(base + x.next);
          if (count < BEHIND_CALLS) work.unshift(base + x.next);
        }
      } else if (x.target !== undefined) {
        if (inPage(x.target)) {
          if (x.target <= eipOf(id)) loopHeads.add(base + x.target);
          follow(x.target);
        }
        if (x.form.mnemonic !== 'jmp') leaders.add(base + x.next);
      }
      if (x.spec!.ends || x.spec!.alone || x.flow === 'unconditional') {
        if (x.target === undefined || x.flow === 'unconditional') break;
      }
      id = base + x.next;
    }
  }
  reader.free();
  if (!instructions.has(eip)) return undefined;
  const blocks = new Map<BlockId, BasicBlock>();
  for (const leader of leaders) {
    if (!instructions.has(leader)) continue;
    const base = leader - eipOf(leader);
    const list: Instruction[] = [];
    let id = leader;
    let last = leader;
    for (;;) {
      const x = instructions.get(id);
      if (x === undefined) break;
      list.push(x);
      last = id;
      id = base + x.next;
      if (leaders.has(id) || x.target !== undefined || x.spec!.ends || x.spec!.alone || x.flow === 'unconditional') break;
    }
    const returns = base !== 0 && list.at(-1)!.form.mnemonic === 'ret';
    blocks.set(leader, {
      id: leader,
      eip: eipOf(leader),
      instructions: list,
      end: eipOf(id),
      callee: callees.get(last),
      returnPoint: returns ? returnPoints[base / COPY] : undefined,
      comesBack:
        list.at(-1)!.form.mnemonic === 'call' &&
        (mode & Mode.FLAT) !== 0 &&
        !callees.has(last) &&
        list.at(-1)!.target !== list.at(-1)!.next &&
        leaders.has(id) &&
        instructions.has(id),
    });
  }
  return { entry: eip, phys, mode, blocks, instructionCount: count, loopHeads };
}
