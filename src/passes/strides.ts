// How addresses move in a loop: each is found as a sum of registers, as they are at the start of a pass through the loop, and a
// known range. Where those registers stand still, or grow by the same amount in each pass, one look at the TLB answers for many
// passes (see emit/region/guards.ts).
import type { Strides } from '../ir/loop-copy.ts';
import { effectsOf, type Op, type OpOf } from '../ir/operations.ts';
import type { Value } from '../ir/types.ts';
import { CODE_GPRS } from '../layout/cpu.ts';

/** Ranges wider than this say nothing about the page. */
const WIDEST = 4096;
/** Groups that are followed, at most: each costs a local. */
const MOST_GROUPS = 4;

/** Sum of `terms` (coefficient by register) and something from `lo` to `hi`; all modulo 2^32. */
export interface Linear {
  readonly terms: ReadonlyMap<number, number>;
  readonly lo: number;
  readonly hi: number;
}
/** undefined: nothing is known. */
type Form = Linear | undefined;
type Registers = readonly Form[];

const constant = (n: number): Linear => ({ terms: new Map(), lo: n, hi: n });
const range = (lo: number, hi: number): Form => (hi - lo > WIDEST ? undefined : { terms: new Map(), lo, hi });
const register = (reg: number): Linear => ({ terms: new Map([[reg, 1]]), lo: 0, hi: 0 });

function scale(p: Form, by: number): Form {
  if (p === undefined || !Number.isInteger(by) || Math.abs(by) > 0x10000) return undefined;
  if (by === 0) return constant(0);
  const terms = new Map([...p.terms].map(([reg, k]) => [reg, k * by]));
  if ([...terms.values()].some((k) => Math.abs(k) > 0x10000)) return undefined;
  const [lo, hi] = by > 0 ? [p.lo * by, p.hi * by] : [p.hi * by, p.lo * by];
  return hi - lo > WIDEST ? undefined : { terms, lo: lo === hi ? lo | 0 : lo, hi: lo === hi ? hi | 0 : hi };
}

function add(p: Form, q: Form): Form {
  if (p === undefined || q === undefined) return undefined;
  const terms = new Map(p.terms);
  for (const [reg, k] of q.terms) {
    const sum = (terms.get(reg) ?? 0) + k;
    if (sum === 0) terms.delete(reg);
    else terms.set(reg, sum);
  }
  const lo = (p.lo + q.lo) | 0;
  const width = p.hi - p.lo + (q.hi - q.lo);
  return width > WIDEST ? undefined : { terms, lo, hi: lo + width };
}

const sameTerms = (p: Linear, q: Linear): boolean =>
  p.terms.size === q.terms.size && [...p.terms].every(([reg, k]) => q.terms.get(reg) === k);
const same = (p: Form, q: Form): boolean => p !== undefined && q !== undefined && p.lo === q.lo && p.hi === q.hi && sameTerms(p, q);

/** The range of what a pure operation gives whose inputs do not matter. */
function rangeOf(op: OpOf<'pure'>, known: (v: Value) => number | undefined): Form {
  const by = op.args[1] === undefined ? undefined : known(op.args[1]);
  if (op.name === 'i32.and' && by !== undefined && by >= 0) return range(0, by);
  if (op.name === 'i32.shr_u' && by !== undefined && (by & 31) !== 0) return range(0, 2 ** (32 - (by & 31)) - 1);
  return undefined;
}

/** What each value of a block is, and the registers behind it. */
function evaluate(ops: readonly Op[], start: Registers): { forms: Form[]; end: Form[] } {
  const end = [...start];
  const forms: Form[] = [];
  const known = (v: Value) => {
    const form = forms[v];
    return form !== undefined && form.terms.size === 0 && form.lo === form.hi ? form.lo : undefined;
  };
  ops.forEach((op, i) => {
    switch (op.kind) {
      case 'const':
        if (op.type === 'i32') forms[i] = constant((op.value as number) | 0);
        break;
      case 'get':
        forms[i] = end[op.reg];
        break;
      case 'set':
        end[op.reg] = forms[op.value];
        break;
      case 'load':
        if (op.type === 'i32' && op.bytes === 1) forms[i] = op.signed ? range(-128, 127) : range(0, 255);
        break;
      case 'helper':
      case 'call':
      case 'callIndirect': {
        const { writes } = effectsOf(op);
        for (const reg of writes === 'all' ? Array.from({ length: CODE_GPRS }, (_, n) => n) : (writes ?? [])) end[reg] = undefined;
        break;
      }
      case 'pure': {
        const [a, b] = op.args.map((v) => forms[v]);
        const by = op.args[1] === undefined ? undefined : known(op.args[1]);
        if (op.name === 'i32.add') forms[i] = add(a, b);
        else if (op.name === 'i32.sub') forms[i] = add(a, scale(b, -1));
        else if (op.name === 'i32.shl' && by !== undefined) forms[i] = scale(a, 2 ** (by & 31));
        else if (op.name === 'i32.mul' && by !== undefined) forms[i] = scale(a, by);
        else forms[i] = rangeOf(op, known);
        break;
      }
    }
  });
  return { forms, end };
}

/**
 * Looks through a loop without loops in it. `blocks`: in an order in which each comes behind those that lead to it, the
 * head first; `next`: where a block leads to inside the loop. undefined where no access is of such a kind.
 */
export function strides(blocks: ReadonlyMap<number, readonly Op[]>, next: (n: number) => readonly number[]): Strides | undefined {
  const head = blocks.keys().next().value!;
  const starts = new Map<number, Registers>([[head, Array.from({ length: CODE_GPRS }, (_, reg) => register(reg))]]);
  const meet = (p: Registers | undefined, q: Registers) =>
    p === undefined ? q : q.map((form, reg) => (same(form, p[reg]) ? form : undefined));
  const forms = new Map<number, Form[]>();
  let behind: Registers | undefined;
  for (const [n, ops] of blocks) {
    const result = evaluate(ops, starts.get(n)!);
    forms.set(n, result.forms);
    for (const to of next(n))
      if (to === head) behind = meet(behind, result.end);
      else starts.set(to, meet(starts.get(to), result.end));
  }
  // What becomes of each register from the start of a pass to the start of the next.
  const still = (reg: number) => same(behind![reg], register(reg));
  const step = (reg: number): Form => {
    const form = behind![reg];
    if (form === undefined || form.terms.get(reg) !== 1 || form.lo !== form.hi) return undefined;
    const by = add(form, scale(register(reg), -1))!;
    return [...by.terms.keys()].every(still) ? by : undefined;
  };
  const bounded = (reg: number): Form => {
    const form = behind![reg];
    return form !== undefined && form.terms.size === 0 ? form : undefined;
  };
  const bounds = new Map<number, { lo: number; hi: number }>();
  const groups = new Map<string, { terms: Map<number, number>; by: Linear; lo: number; hi: number; writes: boolean }>();
  const found: { block: number; at: number; key: string }[] = [];
  for (const [n, ops] of blocks)
    ops.forEach((op, at) => {
      if (op.kind !== 'load' && op.kind !== 'store') return;
      const form = forms.get(n)![op.address];
      if (form === undefined) return;
      const terms = new Map<number, number>();
      const limits: number[] = [];
      let by: Form = constant(0);
      let rest: Form = { terms: new Map(), lo: form.lo, hi: form.hi };
      for (const [reg, k] of form.terms) {
        const bound = bounded(reg);
        if (bound !== undefined) {
          rest = add(rest, scale(bound, k));
          limits.push(reg);
        } else {
          terms.set(reg, k);
          by = add(by, scale(step(reg), k));
        }
      }
      if (by === undefined || rest === undefined || (by.terms.size > 0 && by.lo !== 0)) return;
      const hi = rest.hi + op.bytes;
      if (hi - rest.lo > WIDEST || Math.abs(by.lo) > WIDEST) return;
      const named = [...terms].sort(([a], [b]) => a - b);
      let key = named.map(([reg, k]) => `${k}r${reg}`).join('+');
      let group = groups.get(key);
      // Too far from the others: a group of its own.
      for (let k = 1; group !== undefined && Math.max(group.hi, hi) - Math.min(group.lo, rest.lo) > WIDEST / 4; k++)
        group = groups.get((key = `${key}#${k}`));
      if (group === undefined) groups.set(key, (group = { terms, by, lo: rest.lo, hi, writes: false }));
      group.lo = Math.min(group.lo, rest.lo);
      group.hi = Math.max(group.hi, hi);
      group.writes ||= op.kind === 'store' || op.rmw;
      found.push({ block: n, at, key });
      for (const reg of limits) bounds.set(reg, bounded(reg)!);
    });
  if (found.length === 0) return undefined;
  const count = (key: string) => found.filter((x) => x.key === key).length;
  const keys = [...groups.keys()].sort((a, b) => count(b) - count(a)).slice(0, MOST_GROUPS);
  const accesses = new Map<number, Map<number, number>>();
  for (const { block, at, key } of found) {
    if (!keys.includes(key)) continue;
    if (!accesses.has(block)) accesses.set(block, new Map());
    accesses.get(block)!.set(at, keys.indexOf(key));
  }
  return {
    groups: keys
      .map((key) => groups.get(key)!)
      .map(({ terms, by, lo, hi, writes }) => ({ terms, lo, span: hi - lo, writes, step: by.lo, stepTerms: by.terms })),
    bounds,
    accesses,
  };
}
