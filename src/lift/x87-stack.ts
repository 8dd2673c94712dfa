// What moves numbers about on the x87's stack (SDM vol. 1, 8.1.2): FST ST(i), FXCH, FCHS, FABS. Values are moved here; only where a register is empty
// a helper is asked, which raises the exceptions (wasm/x87/stack-ops.ts). Its result is 0 where all goes on as if nothing were.
import type { Value } from '../ir/types.ts';
import { Cpu } from '../layout/cpu.ts';
import { NUMBER, REGISTERS, runtime } from '../runtime/abi.ts';
import type { Lifter } from './lifter.ts';
import { clearC1, EXP_MAX, inUse, pop, type Real, readRegister, register, registerAt, SIGN, STAYS } from './x87-operands.ts';

/** The number that goes on: the helper, which answered `answer`, left another in Cpu.scratch where that is not 0. */
function answered(x: Lifter, number: Real, answer: Value): Real {
  const { b } = x;
  return {
    ...number,
    sig: b.select(answer, x.state(Cpu.at.scratch, 8), number.sig),
    se: b.select(answer, x.state(Cpu.at.scratch + 8, 2), number.se),
  };
}

/** Writes a register, which is in use then, unless the stack stays as it is. */
function put(x: Lifter, register: Value, number: Real, stays: Value): void {
  const { b } = x;
  // Elsewhere instead: nobody looks at Cpu.scratch any more.
  const at = b.select(stays, b.add(x.cpu(), b.const(Cpu.at.scratch - Cpu.at.fpr)), registerAt(x, register));
  x.setStateAt(8, at, Cpu.at.fpr, number.sig, [REGISTERS, NUMBER]);
  x.setStateAt(2, at, Cpu.at.fpr + 8, number.se, [REGISTERS, NUMBER]);
  x.setState(Cpu.at.ftw, b.or(x.state(Cpu.at.ftw), b.shl(b.xor(stays, b.const(1)), register)));
}

/** ST(0), changed, goes to ST(i); then perhaps a pop. */
function move(x: Lifter, i: Value, pops: number, change: (se: Value) => Value): void {
  const { b } = x;
  clearC1(x);
  const top = register(x, b.const(0));
  const answer = x.helperIf([b.eqz(inUse(x, top))], b.const(0), runtime.fpuEmptySpecial, []);
  const stays = b.and(answer, b.const(STAYS));
  const number = readRegister(x, top);
  put(x, register(x, i), answered(x, { ...number, se: change(number.se) }, answer), stays);
  pop(x, pops, stays);
}

/** FST ST(i), FSTP ST(i). */
export const storeRegister = (x: Lifter, i: Value, pops: number): void => move(x, i, pops, (se) => se);
export const changeSign = (x: Lifter): void => move(x, x.b.const(0), 0, (se) => x.b.xor(se, x.b.const(SIGN)));
export const absolute = (x: Lifter): void => move(x, x.b.const(0), 0, (se) => x.b.and(se, x.b.const(EXP_MAX)));

/** FXCH. Empty registers hold the indefinite first. */
export function exchange(x: Lifter, i: Value): void {
  const { b } = x;
  clearC1(x);
  const first = register(x, b.const(0));
  const stays = x.helperIf([b.eqz(inUse(x, first, register(x, i)))], b.const(0), runtime.fpuExchangeSpecial, [i]);
  // With itself where the stack stays as it is.
  const second = register(x, b.and(i, b.sub(stays, b.const(1))));
  const [a, c] = [readRegister(x, first), readRegister(x, second)];
  for (const [n, number] of [
    [first, c],
    [second, a],
  ] as const) {
    x.setStateAt(8, registerAt(x, n), Cpu.at.fpr, number.sig, [REGISTERS]);
    x.setStateAt(2, registerAt(x, n), Cpu.at.fpr + 8, number.se, [REGISTERS]);
  }
}
