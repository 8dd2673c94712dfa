// What the client prof counts of transfers, emitted where they are (docs/clients.md). Without it there is nothing to emit: each list is empty.
import type { Instrument } from '../../instrument/instrument.ts';
import { levelOf } from '../../instrument/prof.ts';
import { Cpu, Mode } from '../../layout/cpu.ts';
import { CpuArea } from '../../layout/memory.ts';
import { PROF_OUTCOMES, ProfCounts, ProfOutcome, ProfWhy } from '../../layout/prof.ts';
import type { Expr } from '../module.ts';
import type { FunctionCode } from './function.ts';

/** A count that emitted code makes by itself. */
export type TransferCount = Exclude<keyof typeof ProfCounts.at, 'instructions' | 'dispatcher'>;

export interface TransferCounts {
  readonly on: boolean;
  /** One more of a count. */
  count(name: TransferCount): readonly Expr[];
  /** The dispatcher is entered next: why (ProfReason and ProfWhy). */
  why(reason: number): readonly Expr[];
}

const NOTHING: readonly Expr[] = [];
const NONE: TransferCounts = { on: false, count: () => NOTHING, why: () => NOTHING };

class Counting implements TransferCounts {
  readonly on = true;
  private readonly f: FunctionCode;
  private readonly mode: number | undefined;

  constructor(f: FunctionCode, mode: number | undefined) {
    this.f = f;
    this.mode = mode;
  }

  count(name: TransferCount): readonly Expr[] {
    return [increment(this.f, this.mode, ProfCounts.at[name])];
  }

  why(reason: number): readonly Expr[] {
    return [this.f.storeCpu(Cpu.at.profWhy, this.f.c(reason))];
  }
}

/** One more of the count at `offset` of ProfCounts, and at `more` behind it. */
function increment(f: FunctionCode, mode: number | undefined, offset: number, more?: Expr): Expr {
  const { m } = f;
  const level =
    mode === undefined
      ? m.i32.add(f.cpu(), m.i32.mul(m.i32.and(f.loadCpu(Cpu.at.mode), f.c(Mode.USER)), f.c(ProfCounts.size / Mode.USER)))
      : f.cpu();
  const base = more === undefined ? level : m.i32.add(level, more);
  const at = CpuArea.at.prof + levelOf(mode ?? 0) + offset;
  return m.i64.store(at, 8, base, m.i64.add(m.i64.load(at, 8, base), m.i64.const(1n)));
}

/** What a function counts, of code of `mode`; undefined: of any, as the CPU's is then. */
export const transferCounts = (f: FunctionCode, instruments: readonly Instrument[], mode?: number): TransferCounts =>
  instruments.some(({ transfers }) => transfers) ? new Counting(f, mode) : NONE;

/** `first`, then `e`. */
export const behind = (f: FunctionCode, first: readonly Expr[], e: Expr): Expr => (first.length === 0 ? e : f.m.block(null, [...first, e]));

/** The count of an indirect branch, by the ProfOutcome of its target. */
const BRANCHES = new Map<number, TransferCount>([
  [ProfOutcome.ENTRY, 'firstLevel'],
  [ProfOutcome.BESIDE, 'secondLevel'],
]);

/** Of the dispatcher: its entry, for what is in local `why`, came to `outcome`. */
export function dispatched(f: FunctionCode, why: number, outcome: number): Expr {
  const { m } = f;
  const has = (flag: number) => m.i32.and(f.get(why), f.c(flag));
  const reason = m.i32.mul(m.i32.and(f.get(why), f.c(0xff)), f.c(PROF_OUTCOMES * 8));
  return m.block(null, [
    m.if(m.i32.eqz(has(ProfWhy.AGAIN)), increment(f, undefined, ProfCounts.at.dispatcher + outcome * 8, reason)),
    m.if(has(ProfWhy.BRANCH), increment(f, undefined, ProfCounts.at[BRANCHES.get(outcome) ?? 'misses'])),
  ]);
}
