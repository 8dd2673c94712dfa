// The guard of a loop's unchecked copy (see translate/loops.ts): looks up the pages of its addresses and counts the passes that
// stay on them.
import type { Group, LoopCopy } from '../../ir/loop-copy.ts';
import { PAGE, PAGE_SHIFT, Tlb } from '../../layout/memory.ts';
import { NOWHERE } from '../lower/calls.ts';
import type { LocalPool } from '../lower/locals.ts';
import type { PageCache } from '../lower/target.ts';
import { type Expr, i64, none, type ValueType, type WasmModule } from '../module.ts';

/** Passes until the pending word is looked at again, where no address moves; where one does, a page holds at most PAGE of them. */
const MOST_PASSES = 1024;
const PAGE_MASK = PAGE - 1;
/** Passes for which the loop is run as it is before the guard looks again, where it found one of SLOW. */
const PATIENCE = 64;
/** Rights that only the slow paths give: looking again is of no use as long as the page has its code, or its breakpoint. */
const SLOW =
  Tlb.CODE_KERNEL_WRITE |
  Tlb.CODE_USER_WRITE |
  Tlb.WATCHED_KERNEL_READ |
  Tlb.WATCHED_KERNEL_WRITE |
  Tlb.WATCHED_USER_READ |
  Tlb.WATCHED_USER_WRITE;

/** A loop's copy with the locals that it and its guard share: passes left, and the pages of the groups' addresses. Other loops of the region
 * use the same ones: short loops over the same pages find them as they were left. */
export interface LoopLocals extends LoopCopy {
  readonly passes: number;
  readonly caches: readonly PageCache[];
}

/** The loops of a region with their locals; `cache` gives new ones of a page, `local` an i32 local. */
export function loopLocals(loops: readonly LoopCopy[], local: () => number, cache: (writes: boolean) => PageCache): LoopLocals[] {
  if (loops.length === 0) return [];
  const passes = local();
  const groups = Math.max(...loops.map(({ strides }) => strides.groups.length));
  const caches = Array.from({ length: groups }, (_, k) => cache(loops.some(({ strides }) => strides.groups[k]?.writes === true)));
  return loops.map((loop) => ({ ...loop, passes, caches }));
}

/** What a guard needs of the region's lowering. */
export interface GuardContext {
  readonly m: WasmModule;
  readonly locals: LocalPool;
  c(n: number): Expr;
  get(local: number, type?: ValueType): Expr;
  register(reg: number): Expr;
  unlikely(cond: Expr): Expr;
  /** The TLB's word for the page of a linear address. */
  tlbEntry(linear: Expr): Expr;
  /** 0 where the TLB's entry does not allow the access. */
  allows(word: Expr, write: boolean): Expr;
  /** Host address of `span` bytes to write to in a page with code, none of which is code until the next poll, else 0. */
  besideCode(linear: Expr, span: number): Expr;
}

function sum(t: GuardContext, terms: ReadonlyMap<number, number>, constant: number): Expr {
  const { m } = t;
  let out: Expr | undefined;
  for (const [reg, k] of terms) {
    const shift = Math.log2(k);
    const term =
      k === 1 ? t.register(reg) : Number.isInteger(shift) ? m.i32.shl(t.register(reg), t.c(shift)) : m.i32.mul(t.register(reg), t.c(k));
    out = out === undefined ? term : m.i32.add(out, term);
  }
  if (out === undefined) return t.c(constant);
  return constant === 0 ? out : m.i32.add(out, t.c(constant));
}

/** Whether passes through the copy are left. */
export const hasPasses = ({ m, c, get }: GuardContext, { passes }: LoopLocals): Expr => m.i32.gt_s(get(passes), c(0));

/** Sets the locals of a copy: 0 passes where the loop must be run as it is once, less where it must so often. */
export function guardCode(t: GuardContext, { strides, passes, unrolled, caches, guard }: LoopLocals): Expr[] {
  const { m } = t;
  const { groups, bounds } = strides;
  const label = `g${guard}`;
  const room = t.locals.take();
  const linear = t.locals.take();
  const word = t.locals.take();
  const most = t.locals.take();
  const past = t.locals.take(i64);
  const giveUp = (cond: Expr) => m.br(label, cond);
  const refused = `r${guard}`;
  // The page begins at a multiple of its size, so how far the address is past it is the offset, too.
  const offset = () => m.i32.wrap(t.get(past, i64));
  let counted = false;
  const atMost = (count: Expr): Expr[] => {
    if (!counted) {
      counted = true;
      return [m.local.set(most, count)];
    }
    return [m.local.set(room, count), m.local.set(most, m.select(m.i32.lt_u(t.get(room), t.get(most)), t.get(room), t.get(most)))];
  };

  /** Statements that leave, or make `most` the passes for which the group stays on its page. */
  const count = (g: Group): Expr[] => {
    const last = PAGE - g.span;
    // Offsets do not exceed PAGE - 1.
    const onPage = g.span > 1 ? [giveUp(m.i32.gt_u(offset(), t.c(last)))] : [];
    if (g.stepTerms.size > 0) {
      const step = t.locals.take();
      const code = [
        m.local.set(step, sum(t, g.stepTerms, 0)),
        ...onPage,
        // 0 wraps to a number that is too large.
        giveUp(m.i32.ge_u(m.i32.sub(t.get(step), t.c(1)), t.c(PAGE))),
        ...atMost(m.i32.add(m.i32.div_u(m.i32.sub(t.c(last), offset()), t.get(step)), t.c(1))),
      ];
      t.locals.free(step);
      return code;
    }
    if (g.step === 0) return [];
    const by = Math.abs(g.step);
    const left = g.step > 0 ? m.i32.sub(t.c(last), offset()) : offset();
    const shift = Math.log2(by);
    const whole = by === 1 ? left : Number.isInteger(shift) ? m.i32.shr_u(left, t.c(shift)) : m.i32.div_u(left, t.c(by));
    return [...onPage, ...atMost(m.i32.add(whole, t.c(1)))];
  };
  const code: Expr[] = [];
  for (const [reg, { lo, hi }] of bounds) code.push(giveUp(m.i32.gt_u(m.i32.sub(t.register(reg), t.c(lo)), t.c(hi - lo))));
  groups.forEach((g, k) => {
    const { page, delta, writes } = caches[k]!;
    const still = g.step === 0 && g.stepTerms.size === 0;
    const found = `f${guard}.${k}`;
    const refuse = m.br(refused, m.i32.eqz(t.allows(t.get(word), g.writes)));
    const beside = () => [
      m.local.set(room, t.besideCode(t.get(linear), g.span)),
      m.br(refused, m.i32.eqz(t.get(room))),
      m.local.set(delta, m.i32.sub(t.get(room), t.get(linear))),
      // What is not code now may be by the next look, and what is next to it may be code now.
      m.local.set(page, m.i64.const(NOWHERE)),
      m.br(found),
    ];
    const look = [
      m.local.set(word, t.tlbEntry(t.get(linear))),
      still && g.writes ? m.if(t.unlikely(m.i32.eqz(t.allows(t.get(word), true))), m.block(null, beside())) : refuse,
      // It stands still: two pages that follow each other in the host as well are as good as one.
      ...(still && g.span > 1
        ? [
            m.local.set(room, t.tlbEntry(m.i32.add(t.get(linear), t.c(g.span - 1)))),
            giveUp(m.i32.shr_u(m.i32.xor(t.get(word), t.get(room)), t.c(PAGE_SHIFT))),
            m.local.set(word, t.get(room)),
            m.br(refused, m.i32.eqz(t.allows(t.get(word), g.writes))),
          ]
        : []),
      m.local.set(delta, m.i32.and(t.get(word), t.c(~PAGE_MASK))),
      m.local.set(page, m.i64.extend_u(m.i32.and(t.get(linear), t.c(~PAGE_MASK)))),
      // Another loop may store where this one loads.
      ...(writes && !g.writes ? [m.if(m.i32.eqz(t.allows(t.get(word), true)), m.local.set(page, m.i64.const(NOWHERE)))] : []),
    ];
    if (!still) look.push(m.local.set(past, m.i64.extend_u(m.i32.and(t.get(linear), t.c(PAGE_MASK)))));
    code.push(
      m.local.set(linear, sum(t, g.terms, g.lo)),
      m.local.set(past, m.i64.sub(m.i64.extend_u(t.get(linear)), t.get(page, i64))),
      m.if(
        t.unlikely(m.i64.gt_u(t.get(past, i64), m.i64.const(BigInt(still ? PAGE - g.span : PAGE_MASK)))),
        m.block(still && g.writes ? found : null, look, none),
      ),
      ...count(g),
    );
  });
  if (!counted) code.push(m.local.set(most, t.c(MOST_PASSES)));
  code.push(m.local.set(passes, unrolled === 1 ? t.get(most) : m.i32.shr_u(t.get(most), t.c(Math.log2(unrolled)))));
  for (const local of [room, linear, word, most, past]) t.locals.free(local);
  const wait = m.block(null, [m.local.set(passes, m.i32.add(t.get(passes), t.c(1))), m.br(label)]);
  return [
    m.block(
      label,
      [
        m.if(t.unlikely(m.i32.lt_s(t.get(passes), t.c(0))), wait),
        m.local.set(passes, t.c(0)),
        m.block(refused, [...code, m.br(label)], none),
        m.if(m.i32.and(t.get(word), t.c(SLOW)), m.local.set(passes, t.c(-PATIENCE))),
      ],
      none,
    ),
  ];
}

/** At the end of a pass through the copy: another one, while there are passes left. */
export const nextPass = (t: GuardContext, { passes }: LoopLocals, label: string): Expr[] => [
  t.m.local.set(passes, t.m.i32.sub(t.get(passes), t.c(1))),
  t.m.br(label, t.get(passes)),
];
