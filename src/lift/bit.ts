// Single bits and bit scans (SDM vol. 1, 7.3.7).
import type { Value } from '../ir/types.ts';
import type { Lifter, LiftTable } from './lifter.ts';
import { setCarry, widthOf } from './shared.ts';

type Change = 'none' | 'set' | 'clear' | 'flip';

// BT | BTS | BTR | BTC  r/m, r/imm8: only CF changes (OF SF AF PF are undefined)
const bitTest =
  (change: Change) =>
  (x: Lifter): void => {
    const { b } = x;
    const width = widthOf(x);
    const index = x.op(1).kind === 'i' ? x.imm(1) : x.readSigned(1);
    const position = b.and(index, b.const(width - 1));
    // A bit offset in a register reaches beyond a memory operand: the address moves by whole operands (SDM vol. 2, BT).
    const reaches = x.op(0).kind === 'm' && x.op(1).kind === 'r';
    const write = change !== 'none';
    const linear = reaches ? movedLinear(x, index, width, write) : undefined;
    const value = linear !== undefined ? x.load('i32', width / 8, linear, { rmw: write }) : write ? x.readRmw(0) : x.read(0);
    if (write) {
      const mask = b.shl(b.const(1), position);
      const result = change === 'set' ? b.or(value, mask) : change === 'flip' ? b.xor(value, mask) : b.and(value, b.xor(mask, b.const(-1)));
      if (linear !== undefined) x.store(width / 8, linear, result);
      else x.write(0, result);
    }
    setCarry(x, b.and(b.shr_u(value, position), b.const(1)));
  };

function movedLinear(x: Lifter, index: Value, width: number, write: boolean): Value {
  const { b } = x;
  const bytes = width / 8;
  const shift = width === 32 ? 5 : 4;
  const moved = b.add(x.offset(0), b.mul(b.shr_s(index, b.const(shift)), b.const(bytes)));
  return x.form.segmented ? x.inSegment(x.segment(), b.and(moved, x.addressMask()), bytes, write) : moved;
}

// BSF | BSR  r, r/m: of 0, ZF = 1 and the destination stays; the other flags (undefined) are those of a logic operation
const scan =
  (result: (x: Lifter, v: Value) => Value) =>
  (x: Lifter): void => {
    const source = x.read(1);
    x.write(0, x.b.select(source, result(x, source), x.read(0)));
    x.flags('logic', widthOf(x), source, source, source);
  };
const forward = scan((x, v) => x.b.ctz(v));
const reverse = scan((x, v) => x.b.xor(x.b.clz(v), x.b.const(31)));

// POPCNT r, r/m: ZF of the source, the other flags 0
function popcnt(x: Lifter): void {
  const { b } = x;
  const source = x.read(1);
  x.write(0, b.popcnt(source));
  const zero = b.eqz(source);
  // R is 0 or 1; a delta in the parity makes PF 0 for the even 0.
  x.flagsRX(b.eqz(zero), b.shl(zero, b.const(8)));
}

export const lifts: LiftTable = {
  bt: bitTest('none'),
  bts: bitTest('set'),
  btr: bitTest('clear'),
  btc: bitTest('flip'),
  bsf: forward,
  bsr: reverse,
  popcnt,
};
