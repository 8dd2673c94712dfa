// x87: the exported helpers with ST(0) alone or ST(0) and ST(1): FSQRT, FRNDINT, FSCALE, FXTRACT, FPREM, FPREM1.
import { Cpu } from '../gen/layout';
import { toMagnitude } from './convert';
import {
  BIAS,
  bitOf,
  C0,
  C1,
  C2,
  C3,
  commit,
  controlWord,
  DE,
  EXP_MAX,
  INDEFINITE_SE,
  INDEFINITE_SIG,
  invalid,
  isDenormal,
  isEmpty,
  isInfinity,
  MSB,
  Out,
  PC_EXTENDED,
  raiseFlags,
  SIGN,
  seOf,
  setCodes,
  setOut,
  setReg,
  sigOf,
  st,
  stackOverflow,
  stackUnderflow,
  ZE,
} from './core';
import { nanOne, nanPair } from './nan';
import { fromInteger, roundPack } from './pack';
import { Remainder, remainder } from './rem';
import { sqrt } from './sqrt';

export function fpuSqrt(cpu: Cpu): void {
  Out.exc = 0;
  const reg = st(cpu, 0);
  if (isEmpty(cpu, 0)) stackUnderflow();
  else sqrt(sigOf(reg), seOf(reg), controlWord(cpu));
  commit(cpu, 0);
}

function roundToInteger(sig: u64, se: u32, cw: u32): void {
  if (nanOne(sig, se)) return;
  const exp = <i32>(se & EXP_MAX);
  setOut(sig, se);
  if (exp >= BIAS + 63 || sig == 0) return;
  if (exp == 0) Out.exc |= DE;
  const value = toMagnitude(sig, se, (cw >> 10) & 3);
  if (value == 0) {
    setOut(0, se & SIGN);
    return;
  }
  const n = <i32>clz(value);
  setOut(value << n, (se & SIGN) | (BIAS + 63 - n));
}

export function fpuRoundToInt(cpu: Cpu): void {
  Out.exc = 0;
  const reg = st(cpu, 0);
  if (isEmpty(cpu, 0)) stackUnderflow();
  else roundToInteger(sigOf(reg), seOf(reg), controlWord(cpu));
  commit(cpu, 0);
}

/** Out = a * 2^(b rounded towards zero). */
function scale(sigA: u64, seA: u32, sigB: u64, seB: u32, cw: u32): void {
  if (nanPair(sigA, seA, sigB, seB)) return;
  const infiniteA = isInfinity(sigA, seA);
  if (isInfinity(sigB, seB)) {
    const down = (seB & SIGN) != 0;
    if (down ? infiniteA : sigA == 0) {
      invalid();
      return;
    }
    if (isDenormal(sigA, seA)) Out.exc |= DE;
    if (down) setOut(0, seA & SIGN);
    else setOut(MSB, (seA & SIGN) | EXP_MAX);
    return;
  }
  if (isDenormal(sigA, seA) || isDenormal(sigB, seB)) Out.exc |= DE;
  if (infiniteA || sigA == 0) {
    setOut(sigA, seA);
    return;
  }
  const expB = <i32>(seB & EXP_MAX) - BIAS;
  let by: i32 = 0;
  if (expB >= 16) by = 0x10000;
  else if (expB >= 0) by = <i32>(sigB >> (63 - expB));
  if (seB & SIGN) by = -by;
  const exp = <i32>(seA & EXP_MAX);
  const n = <i32>clz(sigA);
  roundPack(seA & SIGN, (exp == 0 ? 1 : exp) - n + by, sigA << n, 0, (cw & ~(<u32>0x300)) | PC_EXTENDED);
}

export function fpuScale(cpu: Cpu): void {
  Out.exc = 0;
  const a = st(cpu, 0);
  const b = st(cpu, 1);
  if (isEmpty(cpu, 0) || isEmpty(cpu, 1)) stackUnderflow();
  else scale(sigOf(a), seOf(a), sigOf(b), seOf(b), controlWord(cpu));
  commit(cpu, 0);
}

/** FXTRACT: ST(0) becomes the exponent, then the significand is pushed. */
export function fpuExtract(cpu: Cpu): void {
  const reg = st(cpu, 0);
  let sig = sigOf(reg);
  let se = seOf(reg);
  let exponentSig: u64 = INDEFINITE_SIG;
  let exponentSe = INDEFINITE_SE;
  Out.exc = 0;
  if (isEmpty(cpu, 0)) {
    stackUnderflow();
    sig = INDEFINITE_SIG;
    se = INDEFINITE_SE;
  } else if (!isEmpty(cpu, 7)) {
    stackOverflow();
    sig = INDEFINITE_SIG;
    se = INDEFINITE_SE;
  } else if (nanOne(sig, se)) {
    sig = exponentSig = Out.sig;
    se = exponentSe = Out.se;
  } else if (isInfinity(sig, se)) {
    exponentSig = MSB;
    exponentSe = EXP_MAX;
  } else if (sig == 0) {
    Out.exc = ZE;
    exponentSig = MSB;
    exponentSe = EXP_MAX | SIGN;
  } else {
    let exp = <i32>(se & EXP_MAX);
    if (exp == 0) {
      Out.exc = DE;
      exp = 1 - <i32>clz(sig);
      sig <<= clz(sig);
    }
    fromInteger(exp - BIAS);
    exponentSig = Out.sig;
    exponentSe = Out.se;
    se = (se & SIGN) | BIAS;
  }
  if (!raiseFlags(cpu)) return;
  const tags = cpu.ftw | bitOf(cpu, 0) | bitOf(cpu, 7);
  setReg(reg, exponentSig, exponentSe);
  setReg(st(cpu, 7), sig, se);
  cpu.ftw = tags;
  cpu.ftop = (cpu.ftop + 7) & 7;
}

/** FPREM, and with `nearest` FPREM1: C2 says that the reduction is partial, else C0, C3, C1 are the quotient's low bits. */
export function fpuRemainder(cpu: Cpu, nearest: u32): void {
  Out.exc = 0;
  const a = st(cpu, 0);
  const b = st(cpu, 1);
  Remainder.quotient = 0;
  Remainder.partial = false;
  Remainder.none = true;
  if (isEmpty(cpu, 0) || isEmpty(cpu, 1)) stackUnderflow();
  else remainder(sigOf(a), seOf(a), sigOf(b), seOf(b), nearest != 0, controlWord(cpu));
  const sw = cpu.fsw;
  const written = commit(cpu, 0);
  if (Remainder.none || !written) {
    // Without a quotient only C2 (and C1) are cleared.
    setCodes(cpu, sw & (C0 | C3));
    return;
  }
  const q = Remainder.quotient;
  if (Remainder.partial) {
    setCodes(cpu, C2);
    return;
  }
  setCodes(cpu, (q & 4 ? C0 : 0) | (q & 2 ? C3 : 0));
  if (q & 1) cpu.fsw |= C1;
}
