// x87: the exported helpers that move registers about: FXCH, FST(P) ST(i), FCMOVcc, FFREE, FINCSTP, FDECSTP, EMMS.
import { CPU_FSW, CPU_FTOP, CPU_FTW } from '../gen/layout';
import { bitOf, C1, commit, INDEFINITE_SE, INDEFINITE_SIG, isEmpty, Out, pop, raiseFlags, seOf, setOut, setReg, sigOf, st, stackUnderflow } from './core';

export function fpuExchange(cpu: usize, i: u32): void {
  const a = st(cpu, 0);
  const b = st(cpu, i);
  const both = bitOf(cpu, 0) | bitOf(cpu, i);
  const tags = load<u32>(cpu, CPU_FTW);
  if ((tags & both) == both) {
    store<u32>(cpu, load<u32>(cpu, CPU_FSW) & ~C1, CPU_FSW);
  } else {
    const emptyA = isEmpty(cpu, 0);
    const emptyB = isEmpty(cpu, i);
    stackUnderflow();
    if (!raiseFlags(cpu)) return;
    if (emptyA) setReg(a, INDEFINITE_SIG, INDEFINITE_SE);
    if (emptyB) setReg(b, INDEFINITE_SIG, INDEFINITE_SE);
    store<u32>(cpu, tags | both, CPU_FTW);
  }
  const sig = sigOf(a);
  const se = seOf(a);
  setReg(a, sigOf(b), seOf(b));
  setReg(b, sig, se);
}

/** FST ST(i), FSTP ST(i). */
export function fpuStoreReg(cpu: usize, i: u32, pops: u32): void {
  Out.exc = 0;
  if (isEmpty(cpu, 0)) {
    stackUnderflow();
  } else {
    const reg = st(cpu, 0);
    setOut(sigOf(reg), seOf(reg));
  }
  if (commit(cpu, i) && pops != 0) pop(cpu);
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
