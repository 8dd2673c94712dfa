// x87: the exported helpers of FCOM, FUCOM, FTST, FICOM, FCOMI, FUCOMI and FXAM.
import { CPU_FSW, CPU_FTW } from '../gen/layout';
import { Arg, bitOf, C0, C1, C2, C3, isEmpty, Out, pop, raiseFlags, seOf, setCodes, SIGN, sigOf, st, stackUnderflow } from './core';
import { classify, compare, UNORDERED } from './compare';
import { fromF32, fromF64, fromInt } from './convert';

@inline
function finish(cpu: usize, codes: u32, pops: u32): void {
  const goesOn = raiseFlags(cpu);
  setCodes(cpu, codes);
  if (!goesOn) return;
  if (pops != 0) pop(cpu);
  if (pops == 2) pop(cpu);
}

@inline
function registers(cpu: usize, i: u32, quiet: u32): u32 {
  const both = bitOf(cpu, 0) | bitOf(cpu, i);
  if ((load<u32>(cpu, CPU_FTW) & both) != both) {
    stackUnderflow();
    return UNORDERED;
  }
  const a = st(cpu, 0);
  const b = st(cpu, i);
  Out.exc = 0;
  return compare(sigOf(a), seOf(a), sigOf(b), seOf(b), quiet != 0);
}

/** Compares ST(0) with Arg; Out.exc may hold DE of its conversion. */
@inline
function withArg(cpu: usize, pops: u32): void {
  let codes: u32;
  if (isEmpty(cpu, 0)) {
    stackUnderflow();
    codes = UNORDERED;
  } else {
    const a = st(cpu, 0);
    codes = compare(sigOf(a), seOf(a), Arg.sig, Arg.se, false);
  }
  finish(cpu, codes, pops);
}

/** FCOM, FCOMP, FCOMPP (pops 0, 1, 2) and with `quiet` FUCOM, FUCOMP, FUCOMPP. */
export function fpuCompareReg(cpu: usize, i: u32, quiet: u32, pops: u32): void {
  finish(cpu, registers(cpu, i, quiet), pops);
}
export function fpuCompareF32(cpu: usize, bits: u32, pops: u32): void {
  Out.exc = 0;
  fromF32(bits);
  withArg(cpu, pops);
}
export function fpuCompareF64(cpu: usize, bits: u64, pops: u32): void {
  Out.exc = 0;
  fromF64(bits);
  withArg(cpu, pops);
}
export function fpuCompareInt(cpu: usize, value: i32, pops: u32): void {
  Out.exc = 0;
  fromInt(value);
  withArg(cpu, pops);
}
export function fpuTest(cpu: usize): void {
  Out.exc = 0;
  Arg.sig = 0;
  Arg.se = 0;
  withArg(cpu, 0);
}

/** FCOMI, FUCOMI (and P forms): ZF, PF, CF at their places in EFLAGS. */
export function fpuCompareFlags(cpu: usize, i: u32, quiet: u32, pops: u32): u32 {
  const codes = registers(cpu, i, quiet);
  if (raiseFlags(cpu) && pops != 0) pop(cpu);
  // C0 is bit 8 -> CF, C2 bit 10 -> PF, C3 bit 14 -> ZF.
  return (codes >> 8) & 0x45;
}

export function fpuExamine(cpu: usize): void {
  const reg = st(cpu, 0);
  const sw = load<u32>(cpu, CPU_FSW) & ~(C0 | C1 | C2 | C3);
  const codes = isEmpty(cpu, 0) ? C3 | C0 : classify(sigOf(reg), seOf(reg));
  store<u32>(cpu, sw | codes | (seOf(reg) & SIGN ? C1 : 0), CPU_FSW);
}
