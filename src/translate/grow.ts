// Grows a region: the basic blocks that direct jumps and fall-throughs reach from an entry, inside one page of code.

import { CodeReader, type Instruction, insideLimit } from '../decode/decoder.ts';
import { type BlockId, COPY } from '../ir/blocks.ts';
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

/** Offsets in the page of code, where it is not outside; a place is such an offset plus a multiple of PAGE for each copy of a callee. */
const inside = (offset: number): boolean => offset >= 0 && offset < PAGE;

/** The code around the entry of a region, read where it is wanted. */
class Code {
  private readonly eip: number;
  private readonly offset: number;
  private readonly mode: number;
  private readonly reader: CodeReader;
  /** By offset; null: what no region has. */
  private readonly known = new Map<number, Instruction | null>();

  constructor(page: Uint8Array, eip: number, phys: number, mode: number) {
    this.eip = eip;
    this.offset = phys & (PAGE - 1);
    this.mode = mode;
    this.reader = new CodeReader(page, mode);
  }

  offsetOf(eip: number): number {
    return this.offset + ((eip - this.eip) | 0);
  }

  read(offset: number): Instruction | null {
    if (!inside(offset)) return null;
    let x = this.known.get(offset);
    if (x === undefined) {
      const found = this.reader.at(offset, (this.eip + offset - this.offset) >>> 0);
      x = found.truncated || found.spec === undefined || !insideLimit(found, this.mode) ? null : found;
      this.known.set(offset, x);
    }
    return x;
  }

  free(): void {
    this.reader.free();
  }
}

/** Whether a small function without calls starts at an offset: one that only its RETs leave. */
function isLeaf(code: Code, offset: number): boolean {
  const seen = new Set<number>();
  const work = [offset];
  while (work.length > 0) {
    for (let at = work.pop()!; !seen.has(at); ) {
      const x = code.read(at);
      if (x === null || seen.size === CALLEE_LIMIT) return false;
      seen.add(at);
      const { mnemonic } = x.form;
      if (mnemonic === 'ret') break;
      if (mnemonic === 'call' || x.spec!.dispatches || (x.target === undefined && (x.spec!.ends || x.flow === 'unconditional')))
        return false;
      if (x.target !== undefined) work.push(code.offsetOf(x.target));
      if (x.flow === 'unconditional') break;
      at += x.length;
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
  const flat = (mode & Mode.FLAT) !== 0;
  const code = new Code(page, eip, phys, mode);
  const start = code.offsetOf(eip);
  const instructions = new Map<number, Instruction>();
  const leaders = new Set([start]);
  const loopHeads = new Set<BlockId>();
  /** By the place of the call, and by the number of the copy. */
  const callees = new Map<number, BlockId>();
  const returnPoints: BlockId[] = [0];
  const work = [start];
  let count = 0;
  while (work.length > 0) {
    let place = work.pop()!;
    const copy = Math.floor(place / PAGE);
    const base = copy * PAGE;
    while (count < LIMIT && !instructions.has(place)) {
      const x = code.read(place - base);
      if (x === null) break;
      instructions.set(place, x);
      count++;
      const next = place + x.length;
      const goesOn = inside(next - base);
      const { mnemonic } = x.form;
      if (mnemonic === 'call') {
        if (copy === 0 && flat && goesOn && x.target !== undefined && isLeaf(code, code.offsetOf(x.target))) {
          const inlined = returnPoints.push(x.next) - 1;
          const callee = inlined * PAGE + code.offsetOf(x.target);
          callees.set(place, inlined * COPY + x.target);
          leaders.add(callee);
          leaders.add(next);
          work.push(next, callee);
        } else if (flat && goesOn && x.target !== x.next) {
          // What only finds out where it is (a call to what follows it) does not come back.
          leaders.add(next);
          if (count < BEHIND_CALLS) work.unshift(next);
        }
      } else if (x.target !== undefined) {
        const target = code.offsetOf(x.target);
        if (inside(target)) {
          if (x.target <= x.eip) loopHeads.add(copy * COPY + x.target);
          leaders.add(base + target);
          work.push(base + target);
        }
        if (mnemonic !== 'jmp' && goesOn) leaders.add(next);
      }
      if (x.flow === 'unconditional' || (x.target === undefined && (x.spec!.ends || x.spec!.dispatches)) || !goesOn) break;
      place = next;
    }
  }
  code.free();
  if (!instructions.has(start)) return undefined;
  const blocks = new Map<BlockId, BasicBlock>();
  for (const leader of leaders) {
    const first = instructions.get(leader);
    if (first === undefined) continue;
    const copy = Math.floor(leader / PAGE);
    const base = copy * PAGE;
    const list = [first];
    let x = first;
    let last = leader;
    let next = leader + x.length;
    while (!leaders.has(next) && x.target === undefined && !x.spec!.ends && !x.spec!.dispatches && x.flow !== 'unconditional') {
      const following = inside(next - base) ? instructions.get(next) : undefined;
      if (following === undefined) break;
      x = following;
      list.push(x);
      last = next;
      next += x.length;
    }
    const id = copy * COPY + first.eip;
    const { mnemonic } = x.form;
    blocks.set(id, {
      id,
      eip: first.eip,
      instructions: list,
      end: x.next,
      callee: callees.get(last),
      returnPoint: copy !== 0 && mnemonic === 'ret' ? returnPoints[copy] : undefined,
      comesBack:
        mnemonic === 'call' &&
        flat &&
        !callees.has(last) &&
        x.target !== x.next &&
        inside(next - base) &&
        leaders.has(next) &&
        instructions.has(next),
    });
  }
  return { entry: eip, phys, mode, blocks, instructionCount: count, loopHeads };
}
