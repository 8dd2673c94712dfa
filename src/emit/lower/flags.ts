// Lazy flags in Wasm: the two words from an operation, and conditions from the words or straight from the operation.
// The words: see docs/architecture.md, "Flags".
import { keepsCarry } from '../../ir/operations.ts';
import type { ConditionCode, FlagKind } from '../../ir/types.ts';
import type { Expr, WasmModule } from '../module.ts';

/** A lazily kept flag-setting operation; thunks, because a Wasm expression can be used only once. */
export interface PendingFlags {
  readonly flag: FlagKind;
  readonly width: 8 | 16 | 32;
  readonly a: () => Expr;
  readonly b: () => Expr;
  readonly r: () => Expr;
  /** Only where this local is not 0; else the flag words are current. */
  readonly unless?: number;
}

const signExtend = (m: WasmModule, width: number, v: Expr): Expr =>
  width === 32 ? v : width === 16 ? m.i32.extend16_s(v) : m.i32.extend8_s(v);

/** flagR of the operation. */
export const wordR = (m: WasmModule, p: PendingFlags): Expr => signExtend(m, p.width, p.r());

/** flagX of the operation; `old` gives the former flagX (INC and DEC keep its CF). */
export function wordX(m: WasmModule, p: PendingFlags, old: () => Expr): Expr {
  const c = (n: number) => m.i32.const(n);
  if (p.flag === 'logic') return c(0);
  if (keepsCarry(p.flag)) {
    const inc = p.flag === 'inc';
    const low = m.i32.and(p.r(), c(15));
    const af = m.i32.shl(inc ? m.i32.eqz(low) : m.i32.eq(low, c(15)), c(3));
    const top = c(inc ? -0x80000000 : 0x7fffffff);
    const overflow =
      p.width === 32
        ? m.i32.eq(p.r(), top)
        : m.i32.eq(m.i32.and(p.r(), c(p.width === 16 ? 0xffff : 0xff)), c(p.width === 16 ? (inc ? 0x8000 : 0x7fff) : inc ? 0x80 : 0x7f));
    const cf = m.i32.and(old(), c(-0x80000000));
    // bit 30 is CF ^ OF
    const partial = m.i32.xor(m.i32.and(m.i32.shr_u(old(), c(1)), c(0x40000000)), m.i32.shl(overflow, c(30)));
    return m.i32.or(m.i32.or(cf, partial), af);
  }
  const { a, b, r } = p;
  const carries = () =>
    p.flag === 'add' || p.flag === 'adc'
      ? m.i32.or(m.i32.and(a(), b()), m.i32.and(m.i32.or(a(), b()), m.i32.xor(r(), c(-1))))
      : m.i32.or(m.i32.and(m.i32.xor(a(), c(-1)), b()), m.i32.and(m.i32.xor(m.i32.xor(a(), b()), c(-1)), r()));
  if (p.width === 32) return m.i32.and(carries(), c(0xc0000008 | 0));
  // AF needs no carries: it is bit 4 of a ^ b ^ r.
  const af = m.i32.and(m.i32.shr_u(m.i32.xor(m.i32.xor(a(), b()), r()), c(1)), c(8));
  return m.i32.or(m.i32.and(m.i32.shl(carries(), c(32 - p.width)), c(0xc0000000 | 0)), af);
}

/** A condition from the two words. */
export function conditionOfWords(m: WasmModule, cc: ConditionCode, r: () => Expr, x: () => Expr): Expr {
  const c = (n: number) => m.i32.const(n);
  const of = () => m.i32.shr_u(m.i32.xor(x(), m.i32.shl(x(), c(1))), c(31));
  const cf = () => m.i32.shr_u(x(), c(31));
  const zf = () => m.i32.eqz(r());
  const sf = () => m.i32.xor(m.i32.shr_u(r(), c(31)), m.i32.and(x(), c(1)));
  const notParity = () => m.i32.and(m.i32.popcnt(m.i32.and(m.i32.xor(r(), m.i32.shr_u(x(), c(8))), c(0xff))), c(1));
  const not = (e: Expr) => m.i32.eqz(e);
  switch (cc) {
    case 'o':
      return of();
    case 'no':
      return not(of());
    case 'b':
      return cf();
    case 'ae':
      return m.i32.ge_s(x(), c(0));
    case 'e':
      return zf();
    case 'ne':
      return m.i32.ne(r(), c(0));
    case 'be':
      return m.i32.or(cf(), zf());
    case 'a':
      return not(m.i32.or(cf(), zf()));
    case 's':
      return sf();
    case 'ns':
      return not(sf());
    case 'p':
      return not(notParity());
    case 'np':
      return notParity();
    case 'l':
      return m.i32.xor(sf(), of());
    case 'ge':
      return not(m.i32.xor(sf(), of()));
    case 'le':
      return m.i32.or(zf(), m.i32.xor(sf(), of()));
    case 'g':
      return not(m.i32.or(zf(), m.i32.xor(sf(), of())));
  }
}

/** Conditions that a subtraction's inputs answer by one comparison. */
const COMPARE: Partial<Record<ConditionCode, 'lt_u' | 'ge_u' | 'le_u' | 'gt_u' | 'lt_s' | 'ge_s' | 'le_s' | 'gt_s'>> = {
  b: 'lt_u',
  ae: 'ge_u',
  be: 'le_u',
  a: 'gt_u',
  l: 'lt_s',
  ge: 'ge_s',
  le: 'le_s',
  g: 'gt_s',
};

/** A condition straight from the operation, where that is shorter; undefined otherwise. */
export function conditionOfOperation(m: WasmModule, cc: ConditionCode, p: PendingFlags): Expr | undefined {
  const c = (n: number) => m.i32.const(n);
  const up = (v: Expr) => (p.width === 32 ? v : m.i32.shl(v, c(32 - p.width)));
  const r = () => up(p.r());
  switch (cc) {
    case 'e':
      return p.flag === 'sub' ? m.i32.eq(up(p.a()), up(p.b())) : m.i32.eqz(r());
    case 'ne':
      return p.flag === 'sub' ? m.i32.ne(up(p.a()), up(p.b())) : m.i32.ne(r(), c(0));
    case 's':
      return m.i32.lt_s(r(), c(0));
    case 'ns':
      return m.i32.ge_s(r(), c(0));
  }
  if (p.flag === 'sub') {
    const name = COMPARE[cc];
    return name === undefined ? undefined : m.i32[name](up(p.a()), up(p.b()));
  }
  if (p.flag === 'logic') {
    switch (cc) {
      case 'o':
      case 'b':
        return c(0);
      case 'no':
      case 'ae':
        return c(1);
      case 'be':
        return m.i32.eqz(r());
      case 'a':
        return m.i32.ne(r(), c(0));
      case 'l':
        return m.i32.lt_s(r(), c(0));
      case 'ge':
        return m.i32.ge_s(r(), c(0));
      case 'le':
        return m.i32.le_s(r(), c(0));
      case 'g':
        return m.i32.gt_s(r(), c(0));
    }
  }
  if (p.flag === 'add') {
    if (cc === 'b') return m.i32.lt_u(r(), up(p.a()));
    if (cc === 'ae') return m.i32.ge_u(r(), up(p.a()));
  }
  return undefined;
}
