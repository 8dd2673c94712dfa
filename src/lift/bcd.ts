// Decimal arithmetic (SDM vol. 1, 7.3.4; vol. 2, AAA ... DAS). Undefined flags come out as those of the resulting AL.
import type { Value } from '../ir/types.ts';
import { Gpr, Vector } from '../layout/cpu.ts';
import type { Lifter, LiftTable } from './lifter.ts';

const { EAX } = Gpr;

/** AF as 0 or 1. */
const adjustFlag = (x: Lifter): Value => x.b.and(x.b.shr_u(x.flagX(), x.b.const(3)), x.b.const(1));

/** SF, ZF, PF of AL; OF = 0. */
function decimalFlags(x: Lifter, al: Value, cf: Value, af: Value): void {
  const { b } = x;
  x.flagsRX(b.extend8_s(al), b.or(b.mul(cf, b.const(0xc0000000)), b.shl(af, b.const(3))));
}

const lowDigitAbove9 = (x: Lifter, al: Value): Value => x.b.gt_u(x.b.and(al, x.b.const(15)), x.b.const(9));

// AAA | AAS: AX +- 0x106 where the digit overflowed
const unpacked =
  (by: 0x106 | -0x106) =>
  (x: Lifter): void => {
    const { b } = x;
    const ax = x.get(EAX, 2);
    const adjust = b.or(lowDigitAbove9(x, ax), adjustFlag(x));
    const result = b.and(b.add(ax, b.mul(adjust, b.const(by))), b.const(0xff0f));
    x.set(EAX, 2, result);
    decimalFlags(x, result, adjust, adjust);
  };

// DAA
function daa(x: Lifter): void {
  const { b } = x;
  const al = x.get(EAX, 1);
  const low = b.or(lowDigitAbove9(x, al), adjustFlag(x));
  const high = b.or(b.gt_u(al, b.const(0x99)), x.cond('b'));
  const result = b.add(al, b.add(b.mul(low, b.const(6)), b.mul(high, b.const(0x60))));
  x.set(EAX, 1, result);
  decimalFlags(x, result, high, low);
}

// DAS: a borrow of the low correction counts as a carry, too
function das(x: Lifter): void {
  const { b } = x;
  const al = x.get(EAX, 1);
  const low = b.or(lowDigitAbove9(x, al), adjustFlag(x));
  const high = b.or(b.gt_u(al, b.const(0x99)), x.cond('b'));
  const borrow = b.and(low, b.lt_u(al, b.const(6)));
  const result = b.sub(al, b.add(b.mul(low, b.const(6)), b.mul(high, b.const(0x60))));
  x.set(EAX, 1, result);
  decimalFlags(x, result, b.or(high, borrow), low);
}

// AAM imm8: #DE for a base of 0
function aam(x: Lifter): void {
  const { b } = x;
  const base = x.read(0);
  x.raiseIf(b.eqz(base), Vector.DE);
  const al = x.get(EAX, 1);
  const digit = b.op('i32.rem_u', al, base);
  x.set(EAX, 2, b.or(b.shl(b.op('i32.div_u', al, base), b.const(8)), digit));
  decimalFlags(x, digit, b.const(0), b.const(0));
}

// AAD imm8
function aad(x: Lifter): void {
  const { b } = x;
  const ah = x.get(EAX, 1, { high: true });
  const result = b.and(b.add(x.get(EAX, 1), b.mul(ah, x.read(0))), b.const(0xff));
  x.set(EAX, 2, result);
  decimalFlags(x, result, b.const(0), b.const(0));
}

export const lifts: LiftTable = { aaa: unpacked(0x106), aas: unpacked(-0x106), daa, das, aam, aad };
