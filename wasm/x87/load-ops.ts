// x87: the exported helpers that push: FLD, FILD, FBLD and the constants.
import { Cpu } from '../gen/layout';
import { fromBcd } from './convert';
import { C1, controlWord, IE, isEmpty, isNan, Out, pushOut, QUIET, seOf, setOut, setReg, sigOf, st, stackUnderflow } from './core';
import { isNormalReal, signExponentOf, significandOf, widen } from './real';

/** Pushes where ST(7) is empty; else it does nothing and gives false. */
@inline
function quickPush(cpu: Cpu, sig: u64, se: u32): bool {
  const top = (cpu.ftop - 1) & 7;
  const tags = cpu.ftw;
  const bit = 1 << top;
  if (tags & bit) return false;
  setReg(cpu.fpr[top], sig, se);
  cpu.ftop = top;
  cpu.ftw = tags | bit;
  cpu.fsw &= ~C1;
  return true;
}

/** FLD m80fp, FILD (converted): as it is. */
export function fpuLoad(cpu: Cpu, sig: u64, se: u32): void {
  if (quickPush(cpu, sig, se)) return;
  Out.exc = 0;
  setOut(sig, se);
  pushOut(cpu);
}
/** A real of memory: a signalling NaN becomes quiet, with #IA. */
@inline
function loadReal(cpu: Cpu, bits: u64, wide: bool): void {
  if (isNormalReal(bits, wide) && quickPush(cpu, significandOf(bits, wide), signExponentOf(bits, wide))) return;
  widen(bits, wide);
  if (isNan(Out.sig, Out.se) && (Out.sig & QUIET) == 0) {
    Out.exc = IE;
    Out.sig |= QUIET;
  }
  pushOut(cpu);
}
/** FLD m32fp. */
export function fpuLoadF32(cpu: Cpu, bits: u32): void {
  loadReal(cpu, bits, false);
}
/** FLD m64fp. */
export function fpuLoadF64(cpu: Cpu, bits: u64): void {
  loadReal(cpu, bits, true);
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
    if (quickPush(cpu, sigOf(reg), seOf(reg))) return;
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
  const se = load<u32>(CONSTANTS + (which << 4), 8);
  if (quickPush(cpu, sig, se)) return;
  setOut(sig, se);
  pushOut(cpu);
}
