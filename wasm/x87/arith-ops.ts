// x87: the exported helpers of FADD, FSUB, FSUBR, FMUL, FDIV, FDIVR in their operand forms.
// Reg: ST(dst) = ST(dst) op ST(src), then perhaps a pop. Arg: ST(0) = ST(0) op memory operand, converted; exc: the exceptions of that.
import { Cpu } from '../gen/layout';
import { add } from './add';
import { bitOf, commit, controlWord, isEmpty, Out, pop, SIGN, seOf, sigOf, st, stackUnderflow } from './core';
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
function withReg(op: i32, cpu: Cpu, dst: u32, src: u32, pops: u32): void {
  const both = bitOf(cpu, dst) | bitOf(cpu, src);
  if ((cpu.ftw & both) == both) {
    const a = st(cpu, dst);
    const b = st(cpu, src);
    Out.exc = 0;
    compute(op, sigOf(a), seOf(a), sigOf(b), seOf(b), controlWord(cpu));
  } else {
    stackUnderflow();
  }
  if (commit(cpu, dst) && pops != 0) pop(cpu);
}

@inline
function withArg(op: i32, cpu: Cpu, sig: u64, se: u32, exc: u32): void {
  if (isEmpty(cpu, 0)) {
    stackUnderflow();
  } else {
    const a = st(cpu, 0);
    Out.exc = exc;
    compute(op, sigOf(a), seOf(a), sig, se, controlWord(cpu));
  }
  commit(cpu, 0);
}

export function fpuAddReg(cpu: Cpu, dst: u32, src: u32, pops: u32): void {
  withReg(ADD, cpu, dst, src, pops);
}
export function fpuAddArg(cpu: Cpu, sig: u64, se: u32, exc: u32): void {
  withArg(ADD, cpu, sig, se, exc);
}

export function fpuSubReg(cpu: Cpu, dst: u32, src: u32, pops: u32): void {
  withReg(SUB, cpu, dst, src, pops);
}
export function fpuSubArg(cpu: Cpu, sig: u64, se: u32, exc: u32): void {
  withArg(SUB, cpu, sig, se, exc);
}

export function fpuSubrReg(cpu: Cpu, dst: u32, src: u32, pops: u32): void {
  withReg(SUBR, cpu, dst, src, pops);
}
export function fpuSubrArg(cpu: Cpu, sig: u64, se: u32, exc: u32): void {
  withArg(SUBR, cpu, sig, se, exc);
}

export function fpuMulReg(cpu: Cpu, dst: u32, src: u32, pops: u32): void {
  withReg(MUL, cpu, dst, src, pops);
}
export function fpuMulArg(cpu: Cpu, sig: u64, se: u32, exc: u32): void {
  withArg(MUL, cpu, sig, se, exc);
}

export function fpuDivReg(cpu: Cpu, dst: u32, src: u32, pops: u32): void {
  withReg(DIV, cpu, dst, src, pops);
}
export function fpuDivArg(cpu: Cpu, sig: u64, se: u32, exc: u32): void {
  withArg(DIV, cpu, sig, se, exc);
}

export function fpuDivrReg(cpu: Cpu, dst: u32, src: u32, pops: u32): void {
  withReg(DIVR, cpu, dst, src, pops);
}
export function fpuDivrArg(cpu: Cpu, sig: u64, se: u32, exc: u32): void {
  withArg(DIVR, cpu, sig, se, exc);
}
