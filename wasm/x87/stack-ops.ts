// x87: the exported helpers that move registers about: what is not plain in FST ST(i), FXCH, FCHS and FABS (src/lift/x87-stack.ts); FCMOVcc, FFREE, FINCSTP, FDECSTP, EMMS.
import { CPU_FSW, CPU_FTOP, CPU_FTW, CPU_SCRATCH } from '../gen/layout';
import { bitOf, C1, commit, INDEFINITE_SE, INDEFINITE_SIG, isEmpty, Out, pop, raiseFlags, seOf, setReg, sigOf, st, stackUnderflow } from './core';

/** Of the results of the helpers below: an unmasked exception keeps the stack as it is. */
const STAYS: u32 = 1;
/** Cpu.scratch holds the number that goes on. */
const THERE: u32 = 2;

/** FST(P) ST(i), FCHS, FABS where ST(0) is empty. */
export function fpuEmptySpecial(cpu: usize): u32 {
  stackUnderflow();
  store<u64>(cpu, Out.sig, CPU_SCRATCH);
  store<u32>(cpu, Out.se, CPU_SCRATCH + 8);
  return raiseFlags(cpu) ? THERE : THERE | STAYS;
}

/** FXCH where one register is empty: 1 where an unmasked exception keeps the stack as it is, else both are in use. */
export function fpuExchangeSpecial(cpu: usize, i: u32): u32 {
  const emptyA = isEmpty(cpu, 0);
  const emptyB = isEmpty(cpu, i);
  stackUnderflow();
  if (!raiseFlags(cpu)) return STAYS;
  if (emptyA) setReg(st(cpu, 0), INDEFINITE_SIG, INDEFINITE_SE);
  if (emptyB) setReg(st(cpu, i), INDEFINITE_SIG, INDEFINITE_SE);
  store<u32>(cpu, load<u32>(cpu, CPU_FTW) | bitOf(cpu, 0) | bitOf(cpu, i), CPU_FTW);
  return 0;
}

/** FCMOVcc: an empty register is a stack fault whether or not the condition holds. */
export function fpuMoveIf(cpu: usize, condition: u32, i: u32): void {
  Out.exc = 0;
  if (isEmpty(cpu, 0) || isEmpty(cpu, i)) {
    stackUnderflow();
  } else {
    if (condition != 0) setReg(st(cpu, 0), sigOf(st(cpu, i)), seOf(st(cpu, i)));
    return;
  }
  commit(cpu, 0);
}

export function fpuFree(cpu: usize, i: u32, pops: u32): void {
  store<u32>(cpu, load<u32>(cpu, CPU_FTW) & ~bitOf(cpu, i), CPU_FTW);
  store<u32>(cpu, load<u32>(cpu, CPU_FSW) & ~C1, CPU_FSW);
  if (pops != 0) pop(cpu);
}

/** FINCSTP (by 1) and FDECSTP (by 7): TOP only. */
export function fpuRotate(cpu: usize, by: u32): void {
  store<u32>(cpu, (load<u32>(cpu, CPU_FTOP) + by) & 7, CPU_FTOP);
  store<u32>(cpu, load<u32>(cpu, CPU_FSW) & ~C1, CPU_FSW);
}

/** EMMS: all registers empty. */
export function fpuEmms(cpu: usize): void {
  store<u32>(cpu, 0, CPU_FTW);
}

/** What every MMX instruction but EMMS does first: TOP = 0, all registers in use (SDM vol. 3, 12.2). */
export function fpuEnterMmx(cpu: usize): void {
  store<u32>(cpu, 0, CPU_FTOP);
  store<u32>(cpu, 0xff, CPU_FTW);
}
