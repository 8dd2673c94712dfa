// Grows a region: the basic blocks that direct jumps and fall-throughs reach from an entry, inside one page of code (and the pages beside it, where code of these may be used), and a copy of
// each small callee, which may be on another page.

import { CodeReader, type Instruction, insideLimit } from '../decode/decoder.ts';
import { type BlockId, COPY, eipOf } from '../ir/blocks.ts';
import { floats, Mode } from '../layout/cpu.ts';
import { PAGE } from '../layout/memory.ts';

export interface BasicBlock {
  readonly id: BlockId;
  readonly eip: number;
  readonly instructions: Instruction[];
  /** EIP behind the last instruction; where the block goes on if that is not a jump. */
  readonly end: number;
  /** Where its last instruction leads so far as that is in the region: a call's inlined callee. */
  readonly callee: BlockId | undefined;
  /** EIP of the callee's page, where that is neither the region's own nor that of the block: whether it is still there must be asked. */
  readonly calleePage: number | undefined;
  /** In an inlined callee: where its caller goes on. */
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

/** Instructions in a region at the most, and such as are no callee's. */
const LIMIT = 130;
const OWN_LIMIT = 100;
/** So many of them at the most, and a region does not go on behind a call: what is there may never run. */
const BEHIND_CALLS = 40;
/** Instructions of a callee that is grown into its caller, at the most. */
const CALLEE_LIMIT = 16;
/** What becomes so much code that few callees of it would make a module too large. */
const LARGE = new Set(['pusha', 'pushad', 'popa', 'popad']);
/** How deep callees are grown into their callers. */
const DEEPEST = 3;

/** Pages on either side of the region's own that it may go on to. */
const BESIDE = 1;
/** Bytes of an instruction at the most. */
const LONGEST = 15;

/** Offsets in a page of code, where it is not outside. */
const inside = (offset: number): boolean => offset >= 0 && offset < PAGE;

/** Gives the bytes (PAGE of them) of another page of code that a region may have callees on, by its distance from the region's own in linear memory; it is as far away in physical memory. */
export type OtherPage = (by: number) => Uint8Array | undefined;

/** The code of a page, read where it is wanted. */
class Code {
  /** EIP of its first byte. */
  readonly start: number;
  private readonly page: Uint8Array;
  private readonly mode: number;
  private readonly reader: CodeReader;
  /** By offset; null: what no region has. */
  private readonly known = new Map<number, Instruction | null>();

  constructor(page: Uint8Array, start: number, mode: number) {
    this.start = start;
    this.page = page;
    this.mode = mode;
    this.reader = new CodeReader(page, mode);
  }

  offsetOf(eip: number): number {
    return (eip - this.start) | 0;
  }

  /** The instruction at an offset. `following`: gives the next page, where an instruction may go on there. */
  read(offset: number, following?: () => Code | undefined): Instruction | null {
    if (!inside(offset)) return null;
    let x = this.known.get(offset);
    if (x === undefined) {
      const eip = (this.start + offset) >>> 0;
      let found = this.reader.at(offset, eip);
      const rest = found.truncated ? following?.()?.page : undefined;
      if (rest !== undefined) found = this.across(offset, eip, rest);
      // Where a branch to 16 bits of EIP leads depends on where the code is.
      const isElsewhere = floats(this.mode) && found.target !== undefined && found.form.opsize === 2;
      x = found.truncated || found.spec === undefined || !insideLimit(found, this.mode) || isElsewhere ? null : found;
      this.known.set(offset, x);
    }
    return x;
  }

  /** An instruction of which `rest` has the end. */
  private across(offset: number, eip: number, rest: Uint8Array): Instruction {
    const bytes = new Uint8Array(PAGE - offset + LONGEST);
    bytes.set(this.page.subarray(offset));
    bytes.set(rest.subarray(0, LONGEST), PAGE - offset);
    const reader = new CodeReader(bytes, this.mode);
    const found = reader.at(0, eip);
    reader.free();
    return found;
  }

  free(): void {
    this.reader.free();
  }
}

/** The pages of code that a region may be of. */
class Pages {
  readonly own: Code;
  private readonly others = new Map<number, Code | undefined>();
  private readonly mode: number;
  private readonly other: OtherPage;

  constructor(own: Code, mode: number, other: OtherPage) {
    this.own = own;
    this.mode = mode;
    this.other = other;
  }

  /** The page of an EIP. */
  of(eip: number): Code | undefined {
    const by = this.own.offsetOf(eip) & -PAGE;
    if (by === 0) return this.own;
    if (this.others.has(by)) return this.others.get(by);
    const page = this.other(by);
    const code = page && new Code(page, (this.own.start + by) >>> 0, this.mode);
    this.others.set(by, code);
    return code;
  }

  free(): void {
    this.own.free();
    for (const code of this.others.values()) code?.free();
  }
}

/** Whether an instruction ends a function: what follows is run only where something jumps there. A call does not. */
const endsFunction = ({ flow, form, target, spec }: Instruction): boolean =>
  form.mnemonic !== 'call' && (flow === 'unconditional' || (target === undefined && spec!.ends === true));

/** How many instructions the small function has that starts at an offset: one that is left by its RETs, by jumps that stand for a call in front of one, and by calls that come back. undefined: it is no such one. */
function smallSize(code: Code, offset: number): number | undefined {
  const seen = new Set<number>();
  const work = [offset];
  while (work.length > 0) {
    for (let at = work.pop()!; !seen.has(at); ) {
      const x = code.read(at);
      if (x === null || seen.size === CALLEE_LIMIT || x.spec!.dispatches || LARGE.has(x.form.mnemonic)) return undefined;
      seen.add(at);
      const { mnemonic } = x.form;
      const target = x.target === undefined ? undefined : code.offsetOf(x.target);
      if (mnemonic === 'call') {
        if (x.target === x.next) return undefined;
      } else if (target !== undefined && (mnemonic !== 'jmp' || inside(target))) work.push(target);
      else if (endsFunction(x) && mnemonic !== 'ret' && mnemonic !== 'jmp') return undefined;
      if (endsFunction(x)) break;
      at += x.length;
    }
  }
  return seen.size;
}

/** The region's own code, or a copy of a callee. */
interface Copy {
  readonly code: Code;
  readonly returnPoint: BlockId | undefined;
  readonly depth: number;
}

/**
 * The region at `entry`, whose page of code is `page` (PAGE bytes) and whose first byte is at physical address `phys`.
 * `waits`: calls are part of it, with what is behind them (the relaxation `returns`), and so may be code of other pages; else it ends at each. undefined where not even the first
 * instruction can be translated.
 */
export function growRegion(
  page: Uint8Array,
  entry: number,
  phys: number,
  mode: number,
  other: OtherPage = () => undefined,
  waits = true,
): Region | undefined {
  const eip = entry >>> 0;
  const calls = waits && (mode & Mode.FLAT) !== 0;
  const own = new Code(page, (eip - (phys & (PAGE - 1))) >>> 0, mode);
  /** How far the page of an EIP is from the own one. */
  const pageOf = (at: number): number => own.offsetOf(at) & -PAGE;
  const pages = new Pages(own, mode, calls ? other : () => undefined);
  const instructions = new Map<BlockId, Instruction>();
  const leaders = new Set<BlockId>([eip]);
  const loopHeads = new Set<BlockId>();
  /** By the call. */
  const callees = new Map<BlockId, { readonly id: BlockId; readonly page: number | undefined }>();
  const copies: Copy[] = [{ code: own, returnPoint: undefined, depth: 0 }];
  const work: BlockId[] = [eip];
  let count = 0;
  let ownCount = 0;
  /** Instructions of callees that are still to come. */
  let promised = 0;

  /** The code that a copy has at an EIP: a callee's is on one page, the region's own goes on to those beside its own. */
  const codeAt = (copy: number, at: number): Code | undefined => {
    const { code, depth } = copies[copy]!;
    const offset = code.offsetOf(at);
    if (inside(offset)) return code;
    return depth === 0 && Math.abs(offset & -PAGE) <= BESIDE * PAGE ? pages.of(at) : undefined;
  };
  const read = (copy: number, at: number): Instruction | null => {
    const code = codeAt(copy, at);
    return code === undefined ? null : code.read(code.offsetOf(at), () => codeAt(copy, (code.start + PAGE) >>> 0));
  };

  /** Whether a call can be grown into: then its copy is begun. */
  const inline = (place: BlockId, copy: number, x: Instruction): boolean => {
    const { depth } = copies[copy]!;
    if (!calls || x.target === undefined || x.target === x.next || depth === DEEPEST) return false;
    const called = pages.of(x.target);
    const offset = called?.offsetOf(x.target);
    const size = called && smallSize(called, offset!);
    if (size === undefined || count + promised + size > LIMIT) return false;
    promised += size;
    const number = copies.push({ code: called!, returnPoint: copy * COPY + x.next, depth: depth + 1 }) - 1;
    const known = called === own || pageOf(called!.start) === pageOf(x.eip);
    const id = number * COPY + x.target;
    callees.set(place, { id, page: known ? undefined : called!.start });
    leaders.add(id);
    work.push(copy * COPY + x.next, id);
    return true;
  };

  while (work.length > 0) {
    let place = work.pop()!;
    const at = eipOf(place);
    const base = place - at;
    const copy = base / COPY;
    const { depth } = copies[copy]!;
    while ((depth > 0 || (ownCount < OWN_LIMIT && count + promised < LIMIT)) && !instructions.has(place)) {
      const x = read(copy, eipOf(place));
      if (x === null) break;
      // What is on the next page in part is begun only where that is known to be there.
      if (pageOf(x.next - 1) !== pageOf(x.eip)) leaders.add(place);
      instructions.set(place, x);
      if (depth > 0) promised--;
      else ownCount++;
      count++;
      const next = base + x.next;
      const goesOn = codeAt(copy, x.next) !== undefined;
      const { mnemonic } = x.form;
      if (mnemonic === 'call') {
        if (calls && goesOn && x.target !== x.next) {
          // What only finds out where it is (a call to what follows it) does not come back.
          leaders.add(next);
          if (!inline(place, copy, x) && (depth > 0 || count < BEHIND_CALLS)) work.unshift(next);
        }
      } else if (x.target !== undefined) {
        if (codeAt(copy, x.target) !== undefined) {
          const target = base + x.target;
          if (x.target <= x.eip) loopHeads.add(target);
          leaders.add(target);
          work.push(target);
        }
        if (mnemonic !== 'jmp' && goesOn) leaders.add(next);
      }
      if (x.flow === 'unconditional' || (x.target === undefined && (x.spec!.ends || x.spec!.dispatches)) || !goesOn) break;
      // Blocks of the interpreter end there as well, so a trace has a line in both.
      if (pageOf(x.next) !== pageOf(x.eip)) leaders.add(next);
      place = next;
    }
  }
  pages.free();
  // Nobody would have asked for the next page.
  const begin = instructions.get(eip);
  if (begin === undefined || pageOf(begin.next - 1) !== 0) return undefined;
  const blocks = new Map<BlockId, BasicBlock>();
  for (const leader of leaders) {
    const first = instructions.get(leader);
    if (first === undefined) continue;
    const base = leader - first.eip;
    const list = [first];
    let x = first;
    let last = leader;
    let next = base + x.next;
    while (!leaders.has(next) && x.target === undefined && !x.spec!.ends && !x.spec!.dispatches && x.flow !== 'unconditional') {
      const following = instructions.get(next);
      if (following === undefined) break;
      x = following;
      list.push(x);
      last = next;
      next = base + x.next;
    }
    const { mnemonic } = x.form;
    blocks.set(leader, {
      id: leader,
      eip: first.eip,
      instructions: list,
      end: x.next,
      callee: callees.get(last)?.id,
      calleePage: callees.get(last)?.page,
      returnPoint: copies[base / COPY]!.returnPoint,
      comesBack: mnemonic === 'call' && calls && !callees.has(last) && x.target !== x.next && leaders.has(next) && instructions.has(next),
    });
  }
  return { entry: eip, phys, mode, blocks, instructionCount: count, loopHeads };
}
