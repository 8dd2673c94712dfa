// Logic (SDM vol. 1, 7.3.3): CF and OF become 0, AF (undefined) as well.
import type { Lifter, LiftTable } from './lifter.ts';
import { widthOf } from './shared.ts';

// AND | OR | XOR  r/m, r/imm | r, r/m
const binary =
  (op: 'and' | 'or' | 'xor') =>
  (x: Lifter): void => {
    const a = x.readRmw(0);
    const b = x.read(1);
    const r = x.b[op](a, b);
    x.write(0, r);
    x.flags('logic', widthOf(x), a, b, r);
  };

// TEST r/m, r/imm
function test(x: Lifter): void {
  const a = x.read(0);
  const b = x.read(1);
  x.flags('logic', widthOf(x), a, b, x.b.and(a, b));
}

// NOT r/m: no flags
const not = (x: Lifter): void => x.write(0, x.b.xor(x.readRmw(0), x.b.const(-1)));

export const lifts: LiftTable = { and: binary('and'), or: binary('or'), xor: binary('xor'), test, not };
