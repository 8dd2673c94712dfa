// x87: the exported helpers that move registers about: what is not plain in FST ST(i), FXCH, FCHS and FABS (src/lift/x87-stack.ts); FCMOVcc, FFREE, FINCSTP, FDECSTP, EMMS.
import { Cpu } from '../gen/layout';
import {
  bitOf,
  C1,
  commit,
  INDEFINITE_SE,
  INDEFINITE_SIG,
  isEmpty,
  Out,
  pop,
  raiseFlags,
  seOf,
  setReg,
  sigOf,
  st,
  stackUnderflow,
} from './core';

/** Of the results of the helpers below: an unmasked exception keeps the stack as it is. */
const STAYS: u32 = 1;
/** Cpu.scratch holds the number that goes on. */
const THERE: u32 = 2;

/** FST(P) ST(i), FCHS, FABS where ST(0) is empty. */
export function fpuEmptySpecial(cpu: Cpu): u32 {
  stackUnderflow();
  store<u64>(cpu.scratch, Out.sig);
  store<u32>(cpu.scratch, Out.se, 8);
  return raiseFlags(cpu) ? THERE : THERE | STAYS;
}

/** FXCH where one register is empty: 1 where an unmasked exception keeps the stack as it is, else both are in use. */
export function fpuExchangeSpecial(cpu: Cpu, i: u32): u32 {
  const emptyA = isEmpty(cpu, 0);
  const emptyB = isEmpty(cpu, i);
  stackUnderflow();
  if (!raiseFlags(cpu)) return STAYS;
  if (emptyA) setReg(st(cpu, 0), INDEFINITE_SIG, INDEFINITE_SE);
  if (emptyB) setReg(st(cpu, i), INDEFINITE_SIG, INDEFINITE_SE);
  cpu.ftw = cpu.ftw | bitOf(cpu, 0) | bitOf(cpu, i);
  return 0;
}

/** FCMOVcc: an empty register is a stack fault whether or not the condition holds. */
export function fpuMoveIf(cpu: Cpu, condition: u32, i: u32): void {
  Out.exc = 0;
  if (isEmpty(cpu, 0) || isEmpty(cpu, i)) {
    stackUnderflow();
  } else {
    if (condition != 0) setReg(st(cpu, 0), sigOf(st(cpu, i)), seOf(st(cpu, i)));
    return;
  }
  commit(cpu, 0);
}

export function fpuFree(cpu: Cpu, i: u32, pops: u32): void {
  cpu.ftw = cpu.ftw & ~bitOf(cpu, i);
  cpu.fsw &= ~C1;
  if (pops != 0) pop(cpu);
}

/** FINCSTP (by 1) and FDECSTP (by 7): TOP only. */
export function fpuRotate(cpu: Cpu, by: u32): void {
  cpu.ftop = (cpu.ftop + by) & 7;
  cpu.fsw &= ~C1;
}
