// x87: the exported helpers of F2XM1, FYL2X, FYL2XP1, FPATAN, FSIN, FCOS, FSINCOS, FPTAN.
import { Cpu } from '../gen/layout';
import { arctan } from './atan';
import {
  BIAS,
  bitOf,
  C2,
  commit,
  controlWord,
  DE,
  EXP_MAX,
  invalid,
  isDenormal,
  isEmpty,
  isInfinity,
  MSB,
  Out,
  pop,
  raiseFlags,
  SIGN,
  seOf,
  setOut,
  setReg,
  sigOf,
  st,
  stackOverflow,
  stackUnderflow,
} from './core';
import { exp2m1 } from './exp';
import { yLog2x, yLog2xp1 } from './log';
import { nanOne } from './nan';
import { roundReal } from './series';
import { cosine, reduce, sine, tangent } from './trig';

export function fpuExp2m1(cpu: Cpu): void {
  Out.exc = 0;
  const reg = st(cpu, 0);
  if (isEmpty(cpu, 0)) stackUnderflow();
  else exp2m1(sigOf(reg), seOf(reg), controlWord(cpu));
  commit(cpu, 0);
}

export function fpuYLog2x(cpu: Cpu): void {
  Out.exc = 0;
  const x = st(cpu, 0);
  const y = st(cpu, 1);
  if (isEmpty(cpu, 0) || isEmpty(cpu, 1)) stackUnderflow();
  else yLog2x(sigOf(y), seOf(y), sigOf(x), seOf(x), controlWord(cpu));
  if (commit(cpu, 1)) pop(cpu);
}

export function fpuYLog2xp1(cpu: Cpu): void {
  Out.exc = 0;
  const x = st(cpu, 0);
  const y = st(cpu, 1);
  if (isEmpty(cpu, 0) || isEmpty(cpu, 1)) stackUnderflow();
  else yLog2xp1(sigOf(y), seOf(y), sigOf(x), seOf(x), controlWord(cpu));
  if (commit(cpu, 1)) pop(cpu);
}

export function fpuArctan(cpu: Cpu): void {
  Out.exc = 0;
  const x = st(cpu, 0);
  const y = st(cpu, 1);
  if (isEmpty(cpu, 0) || isEmpty(cpu, 1)) stackUnderflow();
  else arctan(sigOf(y), seOf(y), sigOf(x), seOf(x), controlWord(cpu));
  if (commit(cpu, 1)) pop(cpu);
}

const SINE = 0;
const COSINE = 1;
const TANGENT = 2;

/** Out = the function of a finite number below 2^63. */
function trig(which: i32, sig: u64, se: u32, cw: u32): void {
  if (sig == 0) {
    if (which == COSINE) setOut(MSB, BIAS);
    else setOut(sig, se);
    return;
  }
  const negative = (se & SIGN) != 0;
  let flip: bool;
  if (which == SINE) flip = sine() != negative;
  else if (which == COSINE) flip = cosine();
  else flip = tangent() != negative;
  roundReal(flip, cw);
}

function setC2(cpu: Cpu, on: bool): void {
  cpu.fsw = (cpu.fsw & ~C2) | (on ? C2 : 0);
}

/** Out of range: C2, the operand stays. */
function tooLarge(sig: u64, se: u32): bool {
  const exp = se & EXP_MAX;
  return exp >= <u32>BIAS + 63 && exp != EXP_MAX && <i64>sig < 0;
}

function one(cpu: Cpu, which: i32): void {
  const reg = st(cpu, 0);
  const sig = sigOf(reg);
  const se = seOf(reg);
  Out.exc = 0;
  if (isEmpty(cpu, 0)) {
    stackUnderflow();
  } else if (tooLarge(sig, se)) {
    raiseFlags(cpu);
    setC2(cpu, true);
    return;
  } else if (!nanOne(sig, se)) {
    if (isInfinity(sig, se)) {
      invalid();
    } else {
      if (isDenormal(sig, se)) Out.exc = DE;
      if (sig != 0) reduce(sig, se);
      trig(which, sig, se, controlWord(cpu));
    }
  }
  setC2(cpu, false);
  commit(cpu, 0);
}

export function fpuSin(cpu: Cpu): void {
  one(cpu, SINE);
}
export function fpuCos(cpu: Cpu): void {
  one(cpu, COSINE);
}

/** FSINCOS and FPTAN: ST(0) is replaced by the sine or tangent, then the cosine or 1 is pushed. */
function two(cpu: Cpu, which: i32): void {
  const reg = st(cpu, 0);
  const sig = sigOf(reg);
  const se = seOf(reg);
  let secondSig: u64;
  let secondSe: u32;
  Out.exc = 0;
  if (!isEmpty(cpu, 0) && isEmpty(cpu, 7) && tooLarge(sig, se)) {
    raiseFlags(cpu);
    setC2(cpu, true);
    return;
  }
  let same = true;
  if (isEmpty(cpu, 0)) {
    stackUnderflow();
  } else if (!isEmpty(cpu, 7)) {
    stackOverflow();
  } else if (!nanOne(sig, se)) {
    if (isInfinity(sig, se)) invalid();
    else same = false;
  }
  if (same) {
    secondSig = Out.sig;
    secondSe = Out.se;
  } else {
    if (sig != 0) reduce(sig, se);
    if (which == SINE) {
      trig(COSINE, sig, se, controlWord(cpu));
      secondSig = Out.sig;
      secondSe = Out.se;
    } else {
      secondSig = MSB;
      secondSe = BIAS;
    }
    Out.exc = isDenormal(sig, se) ? DE : 0;
    trig(which, sig, se, controlWord(cpu));
  }
  setC2(cpu, false);
  if (!raiseFlags(cpu)) return;
  const tags = cpu.ftw | bitOf(cpu, 0) | bitOf(cpu, 7);
  setReg(reg, Out.sig, Out.se);
  setReg(st(cpu, 7), secondSig, secondSe);
  cpu.ftw = tags;
  cpu.ftop = (cpu.ftop + 7) & 7;
}

export function fpuSinCos(cpu: Cpu): void {
  two(cpu, SINE);
}
export function fpuTan(cpu: Cpu): void {
  two(cpu, TANGENT);
}
