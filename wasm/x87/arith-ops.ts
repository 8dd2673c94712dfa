// x87: the exported helpers of FADD, FSUB, FSUBR, FMUL, FDIV, FDIVR in their four operand forms.
// Reg: ST(dst) = ST(dst) op ST(src), then perhaps a pop. F32, F64, Int: ST(0) = ST(0) op memory operand.
import { CPU_FTW } from '../gen/layout';
import { add } from './add';
import { Arg, bitOf, commit, control, isEmpty, Out, pop, seOf, SIGN, sigOf, st, stackUnderflow } from './core';
import { fromF32, fromF64, fromInt } from './convert';
import { div } from './div';
import { mul } from './mul';

const ADD = 0;
const SUB = 1;
const SUBR = 2;
const MUL = 3;
const DIV = 4;
const DIVR = 5;

@inline
function compute(op: i32, sigA: u64, seA: u32, sigB: u64, seB: u32, cw: u32): void {
  if (op == ADD) add(sigA, seA, sigB, seB, 0, cw);
  else if (op == SUB) add(sigA, seA, sigB, seB, SIGN, cw);
  else if (op == SUBR) add(sigB, seB, sigA, seA, SIGN, cw);
  else if (op == MUL) mul(sigA, seA, sigB, seB, cw);
  else if (op == DIV) div(sigA, seA, sigB, seB, cw);
  else div(sigB, seB, sigA, seA, cw);
}

@inline
function withReg(op: i32, cpu: usize, dst: u32, src: u32, pops: u32): void {
  const both = bitOf(cpu, dst) | bitOf(cpu, src);
  if ((load<u32>(cpu, CPU_FTW) & both) == both) {
    const a = st(cpu, dst);
    const b = st(cpu, src);
    Out.exc = 0;
    compute(op, sigOf(a), seOf(a), sigOf(b), seOf(b), control(cpu));
  } else {
    stackUnderflow();
  }
  if (commit(cpu, dst) && pops != 0) pop(cpu);
}

@inline
function withArg(op: i32, cpu: usize): void {
  if (isEmpty(cpu, 0)) {
    stackUnderflow();
  } else {
    const a = st(cpu, 0);
    compute(op, sigOf(a), seOf(a), Arg.sig, Arg.se, control(cpu));
  }
  commit(cpu, 0);
}

export function fpuAddReg(cpu: usize, dst: u32, src: u32, pops: u32): void {
  withReg(ADD, cpu, dst, src, pops);
}
export function fpuAddF32(cpu: usize, bits: u32): void {
  Out.exc = 0;
  fromF32(bits);
  withArg(ADD, cpu);
}
export function fpuAddF64(cpu: usize, bits: u64): void {
  Out.exc = 0;
  fromF64(bits);
  withArg(ADD, cpu);
}
export function fpuAddInt(cpu: usize, value: i32): void {
  Out.exc = 0;
  fromInt(value);
  withArg(ADD, cpu);
}

export function fpuSubReg(cpu: usize, dst: u32, src: u32, pops: u32): void {
  withReg(SUB, cpu, dst, src, pops);
}
export function fpuSubF32(cpu: usize, bits: u32): void {
  Out.exc = 0;
  fromF32(bits);
  withArg(SUB, cpu);
}
export function fpuSubF64(cpu: usize, bits: u64): void {
  Out.exc = 0;
  fromF64(bits);
  withArg(SUB, cpu);
}
export function fpuSubInt(cpu: usize, value: i32): void {
  Out.exc = 0;
  fromInt(value);
  withArg(SUB, cpu);
}

export function fpuSubrReg(cpu: usize, dst: u32, src: u32, pops: u32): void {
  withReg(SUBR, cpu, dst, src, pops);
}
export function fpuSubrF32(cpu: usize, bits: u32): void {
  Out.exc = 0;
  fromF32(bits);
  withArg(SUBR, cpu);
}
export function fpuSubrF64(cpu: usize, bits: u64): void {
  Out.exc = 0;
  fromF64(bits);
  withArg(SUBR, cpu);
}
export function fpuSubrInt(cpu: usize, value: i32): void {
  Out.exc = 0;
  fromInt(value);
  withArg(SUBR, cpu);
}

export function fpuMulReg(cpu: usize, dst: u32, src: u32, pops: u32): void {
  withReg(MUL, cpu, dst, src, pops);
}
export function fpuMulF32(cpu: usize, bits: u32): void {
  Out.exc = 0;
  fromF32(bits);
  withArg(MUL, cpu);
}
export function fpuMulF64(cpu: usize, bits: u64): void {
  Out.exc = 0;
  fromF64(bits);
  withArg(MUL, cpu);
}
export function fpuMulInt(cpu: usize, value: i32): void {
  Out.exc = 0;
  fromInt(value);
  withArg(MUL, cpu);
}

export function fpuDivReg(cpu: usize, dst: u32, src: u32, pops: u32): void {
  withReg(DIV, cpu, dst, src, pops);
}
export function fpuDivF32(cpu: usize, bits: u32): void {
  Out.exc = 0;
  fromF32(bits);
  withArg(DIV, cpu);
}
export function fpuDivF64(cpu: usize, bits: u64): void {
  Out.exc = 0;
  fromF64(bits);
  withArg(DIV, cpu);
}
export function fpuDivInt(cpu: usize, value: i32): void {
  Out.exc = 0;
  fromInt(value);
  withArg(DIV, cpu);
}

export function fpuDivrReg(cpu: usize, dst: u32, src: u32, pops: u32): void {
  withReg(DIVR, cpu, dst, src, pops);
}
export function fpuDivrF32(cpu: usize, bits: u32): void {
  Out.exc = 0;
  fromF32(bits);
  withArg(DIVR, cpu);
}
export function fpuDivrF64(cpu: usize, bits: u64): void {
  Out.exc = 0;
  fromF64(bits);
  withArg(DIVR, cpu);
}
export function fpuDivrInt(cpu: usize, value: i32): void {
  Out.exc = 0;
  fromInt(value);
  withArg(DIVR, cpu);
}

