// Shifts and rotates (SDM vol. 1, 7.3.6; vol. 2, SAL/SAR/SHL/SHR, RCL/RCR/ROL/ROR, SHLD, SHRD). The count is masked to 5 bits;
// a count of 0 changes nothing, flags included. Where the count is a constant, all that depends on it folds away.
//
// Flags words: bits 31 and 30 of X are CF and CF ^ OF. The results are arranged so that both bits fall out of one shift.
// OF is defined for a count of 1 only; for others it is computed by the same formula, as processors do.
import type { Value } from '../ir/types.ts';
import type { Lifter, LiftTable } from './lifter.ts';
import { widthOf } from './shared.ts';

const TOP = 0xc0000000;

interface Shift {
  readonly width: 8 | 16 | 32;
  /** Masked count. */
  readonly count: Value;
  /** count - 1, from 0 to 31 (as Wasm takes it) where the count is not 0. */
  readonly less: Value;
  readonly known: number | undefined;
}

function countOf(x: Lifter, k: number): Shift {
  const { b } = x;
  const count = b.and(x.read(k), b.const(31));
  return { width: widthOf(x), count, less: b.sub(count, b.const(1)), known: b.known(count) };
}

const extend = (x: Lifter, width: number, v: Value): Value => (width === 32 ? v : width === 16 ? x.b.extend16_s(v) : x.b.extend8_s(v));

/** Writes the result and, for counts other than 0, both flags words. */
function finish(x: Lifter, s: Shift, result: Value, flagX: Value): void {
  const { b } = x;
  const r = extend(x, s.width, result);
  if (s.known === undefined) {
    x.write(0, result);
    x.flagsRX(b.select(s.count, r, x.flagR()), b.select(s.count, flagX, x.flagX()));
  } else if (s.known !== 0) {
    x.write(0, result);
    x.flagsRX(r, flagX);
  }
}

/** Writes the result of a rotation: only CF and OF change, which `top` has at bits 31 and 30 (as CF and CF ^ OF). */
function finishRotate(x: Lifter, s: Shift, result: Value, top: Value): void {
  const { b } = x;
  if (s.known === 0) return;
  x.write(0, result);
  const r = x.flagR();
  const old = x.flagX();
  const flagX = b.or(b.and(old, b.const(~TOP)), b.and(top, b.const(TOP)));
  x.flagsRX(r, s.known === undefined ? b.select(s.count, flagX, old) : flagX);
}

// SHL | SAL  r/m, 1/imm8/CL
function shl(x: Lifter): void {
  const { b } = x;
  const a = x.readRmw(0);
  const s = countOf(x, 1);
  // Shifted by count - 1 at the top of the word, bit 31 is CF, and bit 30 the result's sign: CF ^ OF.
  const last = b.shl(b.shl(a, b.const(32 - s.width)), s.less);
  finish(x, s, b.shl(a, s.count), b.and(last, b.const(TOP)));
}

// SHR r/m, 1/imm8/CL
function shr(x: Lifter): void {
  const { b } = x;
  const a = x.readRmw(0);
  const s = countOf(x, 1);
  const last = b.shr_u(a, s.less);
  const cf = b.and(last, b.const(1));
  const both = b.mul(cf, b.const(TOP)); // as if OF were 0
  // OF is the sign before the last step: never set for counts above 1.
  const sign = b.and(s.width === 32 ? b.shr_u(last, b.const(1)) : b.shl(last, b.const(31 - s.width)), b.const(0x40000000));
  const flagX = s.known !== undefined && s.known > 1 ? both : b.xor(both, sign);
  finish(x, s, b.shr_u(a, s.count), flagX);
}

// SAR r/m, 1/imm8/CL: OF becomes 0
function sar(x: Lifter): void {
  const { b } = x;
  const a = extend(x, widthOf(x), x.readRmw(0));
  const s = countOf(x, 1);
  const cf = b.and(b.shr_s(a, s.less), b.const(1));
  finish(x, s, b.shr_s(a, s.count), b.mul(cf, b.const(TOP)));
}

/** The operand repeated until it fills 32 bits: rotations of it are rotations of the operand, by any count. */
const repeated = (x: Lifter, width: number, a: Value): Value =>
  width === 32 ? a : x.b.mul(a, x.b.const(width === 16 ? 0x10001 : 0x1010101));

// ROL r/m, 1/imm8/CL: CF is the result's lowest bit, OF is CF ^ the highest
function rol(x: Lifter): void {
  const { b } = x;
  const a = x.readRmw(0);
  const s = countOf(x, 1);
  const r = b.rotl(repeated(x, s.width, a), s.count);
  finishRotate(x, s, r, b.rotr(r, b.const(1)));
}

// ROR r/m, 1/imm8/CL: CF is the result's highest bit, OF is the two highest ^ each other
function ror(x: Lifter): void {
  const { b } = x;
  const a = x.readRmw(0);
  const s = countOf(x, 1);
  const r = b.rotr(repeated(x, s.width, a), s.count);
  finishRotate(x, s, r, r);
}

/** Bits that `count` steps through CF make of the operand: for 8 and 16 bits a rotation of 9 or 17 bits, whose count is taken mod that. */
function throughCarry(x: Lifter, a: Value, s: Shift, left: boolean): { result: Value; cf: Value } {
  const { b } = x;
  const carry = x.cond('b');
  if (s.width < 32) {
    const bits = s.width + 1;
    const count = s.known === undefined ? b.op('i32.rem_u', s.count, b.const(bits)) : b.const(s.known % bits);
    const back = b.sub(b.const(bits), count);
    const whole = b.or(a, b.shl(carry, b.const(s.width)));
    // A shift by 17 or 9 (count 0) leaves nothing of the other half; bits above `bits` are cut off by whoever looks.
    const result = left ? b.or(b.shl(whole, count), b.shr_u(whole, back)) : b.or(b.shr_u(whole, count), b.shl(whole, back));
    return { result, cf: b.and(b.shr_u(result, b.const(s.width)), b.const(1)) };
  }
  // 33 bits: the part that comes around is shifted by 33 - count, in two steps as count may be 1.
  const around = b.sub(b.const(32), s.count);
  if (left) {
    const high = b.or(b.shl(a, s.count), b.shl(carry, s.less));
    return { result: b.or(high, b.shr_u(b.shr_u(a, b.const(1)), around)), cf: b.and(b.shr_u(a, around), b.const(1)) };
  }
  const low = b.or(b.shr_u(a, s.count), b.shl(carry, around));
  return { result: b.or(low, b.shl(b.shl(a, b.const(1)), around)), cf: b.and(b.shr_u(a, s.less), b.const(1)) };
}

// RCL r/m, 1/imm8/CL
function rcl(x: Lifter): void {
  const { b } = x;
  const a = x.readRmw(0);
  const s = countOf(x, 1);
  const { result, cf } = throughCarry(x, a, s, true);
  const sign = b.and(s.width === 32 ? b.shr_u(result, b.const(1)) : b.shl(result, b.const(31 - s.width)), b.const(0x40000000));
  rotateThrough(x, s, a, result, b.or(b.shl(cf, b.const(31)), sign));
}

// RCR r/m, 1/imm8/CL: OF is the two highest bits of the result ^ each other
function rcr(x: Lifter): void {
  const { b } = x;
  const a = x.readRmw(0);
  const s = countOf(x, 1);
  const { result, cf } = throughCarry(x, a, s, false);
  const top = s.width === 32 ? result : b.shl(result, b.const(32 - s.width));
  const of = b.and(b.xor(b.shr_u(top, b.const(1)), top), b.const(0x40000000));
  const flags = b.xor(b.mul(cf, b.const(TOP)), of);
  rotateThrough(x, s, a, result, flags);
}

/** For 32 bits and a count of 0 the formulas of throughCarry do not hold. */
function rotateThrough(x: Lifter, s: Shift, a: Value, result: Value, top: Value): void {
  finishRotate(x, s, s.width === 32 && s.known === undefined ? x.b.select(s.count, result, a) : result, top);
}

// SHLD r/m, r, imm8/CL: of 16 bits with counts above 16 (undefined) the bits of r/m come again, as on processors since the P6
function shld(x: Lifter): void {
  const { b } = x;
  const a = x.readRmw(0);
  const from = x.read(1);
  const s = countOf(x, 2);
  if (s.width === 16) {
    const both = b.or(b.shl(a, b.const(16)), from);
    // CF is the bit that went around last: below it, at bit 31, is the result's sign.
    const turned = b.rotl(both, s.count);
    finish(x, s, b.shr_u(turned, b.const(16)), b.and(b.rotl(both, s.less), b.const(TOP)));
    return;
  }
  const come = b.shr_u(b.shr_u(from, b.const(1)), b.sub(b.const(31), s.count));
  const cf = b.and(b.shl(a, s.less), b.const(0x80000000));
  const result = b.or(b.shl(a, s.count), come);
  finish(x, s, result, b.or(cf, b.and(b.shr_u(result, b.const(1)), b.const(0x40000000))));
}

// SHRD r/m, r, imm8/CL
function shrd(x: Lifter): void {
  const { b } = x;
  const a = x.readRmw(0);
  const from = x.read(1);
  const s = countOf(x, 2);
  const wide = s.width === 32;
  const both = wide ? a : b.or(a, b.shl(from, b.const(16)));
  const result = wide ? b.or(b.shr_u(a, s.count), b.shl(b.shl(from, b.const(1)), b.sub(b.const(31), s.count))) : b.rotr(both, s.count);
  const cf = b.and(b.shr_u(both, s.less), b.const(1));
  // OF: the sign changed in the last step; that sign is bit 0 of what came in, or the one before it.
  const sign = wide ? result : b.shl(result, b.const(16));
  const of = b.and(b.xor(b.shr_u(sign, b.const(1)), sign), b.const(0x40000000));
  finish(x, s, result, b.xor(b.mul(cf, b.const(TOP)), of));
}

export const lifts: LiftTable = { shl, sal: shl, shr, sar, rol, ror, rcl, rcr, shld, shrd };
