// The ways out of a region, and the look at the pending word.

import type { RegionIr } from '../../ir/region.ts';
import { Cpu, floats, Mode, PENDING_HELD_SHIFT } from '../../layout/cpu.ts';
import { CpuArea, JUMP_ENTRIES, JUMP_SHIFT, JumpEntry, jumpIndex, PAGE, PAGE_SHIFT } from '../../layout/memory.ts';
import { ProfReason, ProfWhy } from '../../layout/prof.ts';
import { runtime } from '../../runtime/abi.ts';
import { callPoll } from '../lower/calls.ts';
import type { FunctionCode } from '../lower/function.ts';
import { eipAt, enterPage } from '../lower/places.ts';
import { behind, type TransferCount, type TransferCounts } from '../lower/transfer-counts.ts';
import { type Expr, none } from '../module.ts';
import type { RegionState } from './state.ts';

/** Gives the table slot of the code at a guest PC (the same page as the region, so the mapping is certain). */
export type SlotOf = (phys: number, eip: number, mode: number) => number;

/** The EIPs at which a region may be interrupted, where it says by the address of one where it is (the relaxation `frames`), and where they will lie. */
export interface Points {
  readonly at: number;
  readonly eips: number[];
}

export class RegionExits {
  private readonly f: FunctionCode;
  private readonly state: RegionState;
  private readonly region: RegionIr;
  private readonly slotOf: SlotOf;
  private readonly dispatchName: string;
  private readonly dispatching: Expr;
  private readonly points: Points | undefined;
  /** Its EIPs are offsets in its page. */
  readonly floats: boolean;
  /** What its ways out count. */
  readonly counts: TransferCounts;

  constructor(f: FunctionCode, state: RegionState, region: RegionIr, slotOf: SlotOf, points: Points | undefined, counts: TransferCounts) {
    this.counts = counts;
    this.points = points;
    this.f = f;
    this.state = state;
    this.region = region;
    this.floats = floats(region.mode);
    this.slotOf = slotOf;
    this.dispatchName = f.e.code('dispatch');
    this.dispatching = f.m.return_call(this.dispatchName, [f.c(0), f.cpu()], none);
  }

  /** Tail call to the dispatcher, which goes on at Cpu.eip. `reason`: why, if that has not been said. */
  dispatch(reason?: number): Expr {
    return reason === undefined ? this.dispatching : behind(this.f, this.counts.why(reason), this.dispatching);
  }

  /** What an EIP of the region's is in this process. */
  eip(own: number): Expr {
    return this.floats ? eipAt(this.f, this.f.c(own)) : this.f.c(own);
  }

  /** Tail call to the code at guest PC `to`. */
  chain(to: number): Expr[] {
    if (!this.samePage(to)) return this.lookUpKnown(to);
    const slot = this.slotAt(to);
    return [this.f.m.return_call_indirect(this.f.c(slot), [this.f.c(slot), this.f.cpu()])];
  }

  /** Whether EIP `to` is on the region's page, so that its slot is known. */
  samePage(to: number): boolean {
    return to >>> PAGE_SHIFT === this.region.eip >>> PAGE_SHIFT && (this.region.mode & Mode.FLAT) !== 0;
  }
  slotAt(to: number): number {
    const { region } = this;
    return this.slotOf(((region.phys & -PAGE) | (to & (PAGE - 1))) >>> 0, to, region.mode);
  }
  /** Where the generation of the jump cache is that is for this region's mode. */
  get generation(): number {
    return (this.region.mode & Mode.USER) !== 0 ? Cpu.at.jumpUserGen : Cpu.at.jumpKernelGen;
  }

  /** RET: to the region that waits for it, if it goes there. */
  returnTo(eip: Expr): Expr[] {
    const { m } = this.f;
    const local = this.f.locals.take();
    const code = [
      m.local.set(local, eip),
      m.if(
        m.i32.eqz(m.i32.xor(this.f.loadCpu(Cpu.at.callReturn), this.f.get(local))),
        m.block(null, [
          ...this.counts.count('waitedReturns'),
          this.f.storeCpu(Cpu.at.eip, this.f.get(local)),
          this.f.storeCpu(Cpu.at.callReturn, m.i32.xor(this.f.get(local), this.f.c(-1))),
          m.return(),
        ]),
      ),
      ...this.counts.count('returns'),
      ...this.lookUp(() => this.f.get(local)),
    ];
    this.f.locals.free(local);
    return code;
  }

  /** An indirect branch, which counts as `kind`. */
  lookUpValue(eip: Expr, kind: TransferCount): Expr[] {
    const local = this.f.locals.take();
    const code = this.lookUp(() => this.f.get(local));
    this.f.locals.free(local);
    return [this.f.m.local.set(local, eip), ...this.counts.count(kind), ...code];
  }

  /** An indirect branch: tail call (or call) to the code at a guest PC on any page: through the jump cache, else through the dispatcher. */
  lookUp(eip: () => Expr, tail = true, branches = true): Expr[] {
    const { m } = this.f;
    const index = m.i32.and(m.i32.xor(eip(), m.i32.shr_u(eip(), this.f.c(JUMP_SHIFT))), this.f.c(JUMP_ENTRIES - 1));
    const entry = this.f.locals.take();
    const code = [
      m.local.set(entry, m.i32.add(this.f.cpu(), m.i32.shl(index, this.f.c(Math.log2(JumpEntry.size))))),
      ...this.throughEntry(() => this.f.get(entry), 0, eip, tail, branches),
    ];
    this.f.locals.free(entry);
    return code;
  }

  /** The same to a guest PC that is known: so is the place of its entry. */
  lookUpKnown(eip: number, tail = true): Expr[] {
    if (this.floats) return [...this.counts.count('direct'), ...this.lookUpFloating(eip, tail)];
    const index = jumpIndex(eip);
    const code = this.throughEntry(
      () => this.f.cpu(),
      index * JumpEntry.size,
      () => this.f.c(eip),
      tail,
      false,
    );
    return [...this.counts.count('direct'), ...code];
  }

  /** The same where only its distance is known. */
  private lookUpFloating(own: number, tail: boolean): Expr[] {
    const local = this.f.locals.take();
    const code = this.lookUp(() => this.f.get(local), tail, false);
    this.f.locals.free(local);
    return [this.f.m.local.set(local, this.eip(own)), ...code];
  }

  /** Through the jump cache's entry at `base` + `place`, if it is that of `eip`; else through the dispatcher. `branches`: an indirect branch does. */
  private throughEntry(base: () => Expr, place: number, eip: () => Expr, tail: boolean, branches: boolean): Expr[] {
    const { m } = this.f;
    const counted = (hit: Expr) => (branches ? behind(this.f, this.counts.count('firstLevel'), hit) : hit);
    const why = this.counts.why(branches ? ProfReason.BRANCH | ProfWhy.BRANCH : ProfReason.DIRECT);
    const user = (this.region.mode & Mode.USER) !== 0;
    const cache = (user ? CpuArea.at.jumpUser : CpuArea.at.jumpKernel) + place;
    const field = (offset: number) => m.i32.load(cache + offset, 4, base());
    const generation = this.f.loadCpu(this.generation);
    // One condition without a comparison of a word in memory: V8 would load that twice.
    const found = m.i32.eqz(m.i32.or(m.i32.xor(field(JumpEntry.at.eip), eip()), m.i32.xor(field(JumpEntry.at.gen), generation)));
    const args = [field(JumpEntry.at.arg), this.f.cpu()];
    const go = (call: Expr) => counted(this.floats ? m.block(null, [enterPage(this.f, eip()), call]) : call);
    if (tail) {
      const hit = go(m.return_call_indirect(field(JumpEntry.at.func), args));
      return [m.if(found, hit), ...why, this.f.storeCpu(Cpu.at.eip, eip()), this.dispatch()];
    }
    const hit = go(m.call_indirect(field(JumpEntry.at.func), args));
    const miss = m.block(null, [...why, this.f.storeCpu(Cpu.at.eip, eip()), m.call(this.dispatchName, [this.f.c(0), this.f.cpu()], none)]);
    return [m.if(found, hit, miss)];
  }

  /** Not 0 where something is to be done: the upper half of the word is held. (V8 would load a word twice that is compared with 0 as it is.) */
  pendingWord(): Expr {
    return this.f.m.i32.shl(this.f.loadCpu(Cpu.at.pending), this.f.c(32 - PENDING_HELD_SHIFT));
  }

  /** At a back-edge to EIP `to`: looks at the pending word. `dead`: nobody looks at the flags there. (One way out that all polls share would be shorter, and makes V8's loops slower
   * by a quarter: docs/decisions.md.) */
  pollAt(to: number, dead: boolean): Expr {
    return this.poll(to, [...(dead ? [] : this.state.materialize()), ...this.state.spill()]);
  }

  /** At the region's entry, where all state is in memory. */
  pollHere(to: number): Expr {
    return this.poll(to, []);
  }

  /** Looks at the pending word; `keep` makes the state in memory current before. */
  private poll(to: number, keep: readonly Expr[]): Expr {
    const { m } = this.f;
    return m.if(this.f.unlikely(this.pendingWord()), m.block(null, [...keep, this.callPoll(to)]));
  }

  private callPoll(to: number): Expr {
    const { points, f } = this;
    if (points === undefined) return callPoll(f, runtime.pollRegion, this.eip(to), this.dispatch(ProfReason.POLL));
    const { at, eips } = points;
    if (!eips.includes(to)) eips.push(to);
    return callPoll(f, runtime.pollPoint, f.c(at + 4 * eips.indexOf(to)), this.dispatch(ProfReason.POLL));
  }
}
