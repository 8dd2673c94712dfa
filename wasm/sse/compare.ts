// CMPPS and its kin, COMISS and its kin.
import { Cpu } from '../gen/layout';
import { plain32, plain64, plainDouble, plainSingle } from './quick';
import { begin, compare, EQUAL, finish, GREATER, LESS } from './soft';

/** Bit for each outcome (EQUAL LESS GREATER UNORDERED) where the predicate holds (SDM vol. 2, CMPPS). */
const EQ: u32 = 1;
const LT: u32 = 2;
const GT: u32 = 4;
const UNORD: u32 = 8;
@inline
function outcomes(predicate: u32): u32 {
  const base = (predicate & 3) == 0 ? EQ : (predicate & 3) == 1 ? LT : (predicate & 3) == 2 ? LT | EQ : UNORD;
  return predicate & 4 ? base ^ (EQ | LT | GT | UNORD) : base;
}
/** LT LE NLT NLE are invalid for quiet NaNs too. */
@inline
function isQuiet(predicate: u32): bool {
  return (predicate & 3) == 0 || (predicate & 3) == 3;
}
function holds(a: u64, b: u64, predicate: u32, wide: bool): bool {
  return ((outcomes(predicate) >> compare(a, b, wide, isQuiet(predicate))) & 1) != 0;
}

export function sseCmpps(cpu: Cpu, a: v128, b: v128, predicate: u32): v128 {
  if (plain32(a, b)) {
    const kind = predicate & 3;
    const r = kind == 0 ? f32x4.eq(a, b) : kind == 1 ? f32x4.lt(a, b) : kind == 2 ? f32x4.le(a, b) : i32x4.splat(0);
    return predicate & 4 ? v128.not(r) : r;
  }
  begin(cpu);
  const at = cpu.scratch;
  v128.store(at, a);
  v128.store(at, b, 16);
  for (let i: usize = 0; i < 16; i += 4) store<i32>(at + i, holds(load<u32>(at + i), load<u32>(at + i, 16), predicate, false) ? -1 : 0);
  finish(cpu);
  return v128.load(at);
}
export function sseCmppd(cpu: Cpu, a: v128, b: v128, predicate: u32): v128 {
  if (plain64(a, b)) {
    const kind = predicate & 3;
    const r = kind == 0 ? f64x2.eq(a, b) : kind == 1 ? f64x2.lt(a, b) : kind == 2 ? f64x2.le(a, b) : i32x4.splat(0);
    return predicate & 4 ? v128.not(r) : r;
  }
  begin(cpu);
  const r0: i64 = holds(i64x2.extract_lane(a, 0), i64x2.extract_lane(b, 0), predicate, true) ? -1 : 0;
  const r1: i64 = holds(i64x2.extract_lane(a, 1), i64x2.extract_lane(b, 1), predicate, true) ? -1 : 0;
  finish(cpu);
  return i64x2.replace_lane(i64x2.splat(r0), 1, r1);
}
/** -1 or 0. */
export function sseCmpss(cpu: Cpu, a: f32, b: f32, predicate: u32): i32 {
  begin(cpu);
  const r = holds(reinterpret<u32>(a), reinterpret<u32>(b), predicate, false);
  finish(cpu);
  return r ? -1 : 0;
}
export function sseCmpsd(cpu: Cpu, a: f64, b: f64, predicate: u32): i64 {
  begin(cpu);
  const r = holds(reinterpret<u64>(a), reinterpret<u64>(b), predicate, true);
  finish(cpu);
  return r ? -1 : 0;
}

/** ZF PF CF at their places in EFLAGS. */
@inline
function flagsOf(outcome: u32): u32 {
  return outcome == GREATER ? 0 : outcome == LESS ? 1 : outcome == EQUAL ? 0x40 : 0x45;
}
function comparedSingle(cpu: Cpu, a: f32, b: f32, quiet: bool): u32 {
  if (plainSingle(a, b)) return flagsOf(a > b ? GREATER : a < b ? LESS : EQUAL);
  begin(cpu);
  const outcome = compare(reinterpret<u32>(a), reinterpret<u32>(b), false, quiet);
  finish(cpu);
  return flagsOf(outcome);
}
function comparedDouble(cpu: Cpu, a: f64, b: f64, quiet: bool): u32 {
  if (plainDouble(a, b)) return flagsOf(a > b ? GREATER : a < b ? LESS : EQUAL);
  begin(cpu);
  const outcome = compare(reinterpret<u64>(a), reinterpret<u64>(b), true, quiet);
  finish(cpu);
  return flagsOf(outcome);
}
export function sseComiss(cpu: Cpu, a: f32, b: f32): u32 {
  return comparedSingle(cpu, a, b, false);
}
export function sseUcomiss(cpu: Cpu, a: f32, b: f32): u32 {
  return comparedSingle(cpu, a, b, true);
}
export function sseComisd(cpu: Cpu, a: f64, b: f64): u32 {
  return comparedDouble(cpu, a, b, false);
}
export function sseUcomisd(cpu: Cpu, a: f64, b: f64): u32 {
  return comparedDouble(cpu, a, b, true);
}
