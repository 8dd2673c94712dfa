// x87: the exported helpers that push: FLD, FILD, FBLD and the constants.
import { Arg, control, isEmpty, Out, pushOut, QUIET, IE, isNan, seOf, setOut, sigOf, st, stackUnderflow } from './core';
import { fromBcd, fromF32, fromF64, fromInt } from './convert';

@inline
function pushArg(cpu: usize): void {
  Out.sig = Arg.sig;
  Out.se = Arg.se;
  pushOut(cpu);
}

/** A signalling NaN from memory becomes quiet, with #IA. */
@inline
function pushReal(cpu: usize): void {
  if (isNan(Arg.sig, Arg.se) && (Arg.sig & QUIET) == 0) {
    Out.exc = IE;
    Arg.sig |= QUIET;
  }
  pushArg(cpu);
}

export function fpuLoadF32(cpu: usize, bits: u32): void {
  Out.exc = 0;
  fromF32(bits);
  pushReal(cpu);
}
export function fpuLoadF64(cpu: usize, bits: u64): void {
  Out.exc = 0;
  fromF64(bits);
  pushReal(cpu);
}
export function fpuLoadF80(cpu: usize, sig: u64, se: u32): void {
  Out.exc = 0;
  setOut(sig, se);
  pushOut(cpu);
}
export function fpuLoadInt(cpu: usize, value: i32): void {
  Out.exc = 0;
  fromInt(value);
  pushArg(cpu);
}
export function fpuLoadInt64(cpu: usize, value: i64): void {
  Out.exc = 0;
  fromInt(value);
  pushArg(cpu);
}
export function fpuLoadBcd(cpu: usize, low: u64, high: u32): void {
  Out.exc = 0;
  fromBcd(low, high);
  pushArg(cpu);
}
/** FLD ST(i). */
export function fpuLoadReg(cpu: usize, i: u32): void {
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
  0x8000000000000000, 0x3fff, 0xd49a784bcd1b8afe, 0x4000, 0xb8aa3b295c17f0bb, 0x3fff, 0xc90fdaa22168c234, 0x4000,
  0x9a209a84fbcff798, 0x3ffd, 0xb17217f7d1cf79ab, 0x3ffe, 0, 0,
]);
/** Bit k: constant k is below its value by more than half a unit, so it is rounded up to nearest. */
const ROUND_UP: u32 = 0b0111100;
/** Bit k: constant k is inexact. */
const INEXACT: u32 = 0b0111110;

/** Pushes constant `which` (0..6), rounded as RC asks; never an inexact exception (SDM vol. 1, 8.3.2). */
export function fpuLoadConst(cpu: usize, which: u32): void {
  Out.exc = 0;
  let sig = load<u64>(CONSTANTS + (which << 4));
  const rc = (control(cpu) >> 10) & 3;
  if ((rc == 0 && (ROUND_UP >> which) & 1) || (rc == 2 && (INEXACT >> which) & 1)) sig++;
  setOut(sig, load<u32>(CONSTANTS + (which << 4), 8));
  pushOut(cpu);
}
