// x87: the exported helpers that push: FLD, FILD, FBLD and the constants.
import { Cpu } from '../gen/layout';
import { fromBcd } from './convert';
import { controlWord, IE, isEmpty, isNan, Out, pushOut, QUIET, seOf, setOut, sigOf, st, stackUnderflow } from './core';

/** FLD m80fp, FILD (converted): as it is. */
export function fpuLoad(cpu: Cpu, sig: u64, se: u32, exc: u32): void {
  Out.exc = exc;
  setOut(sig, se);
  pushOut(cpu);
}
/** FLD m32fp, m64fp (converted; exc: the exceptions of that): a signalling NaN becomes quiet, with #IA. */
export function fpuLoadReal(cpu: Cpu, sig: u64, se: u32, exc: u32): void {
  Out.exc = exc;
  if (isNan(sig, se) && (sig & QUIET) == 0) {
    Out.exc = IE;
    sig |= QUIET;
  }
  setOut(sig, se);
  pushOut(cpu);
}
/** The magnitude of FBLD's operand, of which these are the low 64 and high 16 bits. */
export function fpuBcdMagnitude(_cpu: Cpu, low: u64, high: u32): u64 {
  return fromBcd(low, high);
}
/** FLD ST(i). */
export function fpuLoadReg(cpu: Cpu, i: u32): void {
  Out.exc = 0;
  if (isEmpty(cpu, i)) {
    stackUnderflow();
  } else {
    const reg = st(cpu, i);
    setOut(sigOf(reg), seOf(reg));
  }
  pushOut(cpu);
}

/** Constants of FLD1, FLDL2T, FLDL2E, FLDPI, FLDLG2, FLDLN2, FLDZ (opcodes D9 E8..EE): significand cut off, exponent. */
const CONSTANTS = memory.data<u64>([
  0x8000000000000000, 0x3fff, 0xd49a784bcd1b8afe, 0x4000, 0xb8aa3b295c17f0bb, 0x3fff, 0xc90fdaa22168c234, 0x4000, 0x9a209a84fbcff798,
  0x3ffd, 0xb17217f7d1cf79ab, 0x3ffe, 0, 0,
]);
/** Bit k: constant k is below its value by more than half a unit, so it is rounded up to nearest. */
const ROUND_UP: u32 = 0b0111100;
/** Bit k: constant k is inexact. */
const INEXACT: u32 = 0b0111110;

/** Pushes constant `which` (0..6), rounded as RC asks; never an inexact exception (SDM vol. 1, 8.3.2). */
export function fpuLoadConst(cpu: Cpu, which: u32): void {
  Out.exc = 0;
  let sig = load<u64>(CONSTANTS + (which << 4));
  const rc = (controlWord(cpu) >> 10) & 3;
  if ((rc == 0 && (ROUND_UP >> which) & 1) || (rc == 2 && (INEXACT >> which) & 1)) sig++;
  setOut(sig, load<u32>(CONSTANTS + (which << 4), 8));
  pushOut(cpu);
}
