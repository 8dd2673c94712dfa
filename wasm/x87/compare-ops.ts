// x87: the exported helpers of comparisons and FXAM.
import { Cpu } from '../gen/layout';
import { classify, compareSpecial, UNORDERED } from './compare';
import { C0, C1, C2, C3, isEmpty, Out, raiseFlags, SIGN, seOf, sigOf, st, stackUnderflow } from './core';

/** Beside the condition codes: an unmasked exception keeps the stack as it is. */
const STAYS: u32 = 1;

/**
 * ST(0) against a number, which is ST(i) or came from memory (i = 0; exc: the exceptions of its conversion), where one of them is no plain number or
 * a register is empty; `codes` is how they compare (src/lift/x87-compare.ts). Raises the exceptions: the condition codes as they become, and STAYS.
 */
export function fpuCompareSpecial(cpu: Cpu, i: u32, sig: u64, se: u32, exc: u32, quiet: u32, codes: u32): u32 {
  if (isEmpty(cpu, 0) || isEmpty(cpu, i)) {
    stackUnderflow();
    codes = UNORDERED;
  } else {
    const a = st(cpu, 0);
    Out.exc = exc;
    codes = compareSpecial(sigOf(a), seOf(a), sig, se, quiet != 0, codes);
  }
  return raiseFlags(cpu) ? codes : codes | STAYS;
}

export function fpuExamine(cpu: Cpu): void {
  const reg = st(cpu, 0);
  const sw = cpu.fsw & ~(C0 | C1 | C2 | C3);
  const codes = isEmpty(cpu, 0) ? C3 | C0 : classify(sigOf(reg), seOf(reg));
  cpu.fsw = sw | codes | (seOf(reg) & SIGN ? C1 : 0);
}
