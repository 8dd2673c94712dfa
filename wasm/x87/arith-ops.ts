// x87: the exported helpers of FADD, FSUB, FSUBR, FMUL, FDIV, FDIVR in their operand forms.
// Reg: ST(dst) = ST(dst) op ST(src), then perhaps a pop. F32, F64: ST(0) = ST(0) op a real of memory, by its bits (real.ts). Int: the same with an integer, converted.
import { Cpu, FpuRegister } from '../gen/layout';
import { add } from './add';
import { commit, controlWord, isEmpty, Out, pop, SIGN, seOf, setOut, sigOf, st, stackUnderflow } from './core';
import { div } from './div';
import { mul } from './mul';
import { productOfZero, quickProduct, quickQuotient, quickSum, sumWithZero } from './quick';
import { isNormalReal, signExponentOf, significandOf, signOf, widen } from './real';

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

/** The same to a register, with all that belongs to it, where it is the common case. `real`: the second is a normal number. */
@inline
function quick(op: i32, cpu: Cpu, to: FpuRegister, sigA: u64, seA: u32, sigB: u64, seB: u32, real: bool): bool {
  if (op == ADD) return quickSum(cpu, to, sigA, seA, sigB, seB, real);
  if (op == SUB) return quickSum(cpu, to, sigA, seA, sigB, seB ^ SIGN, real);
  if (op == SUBR) return quickSum(cpu, to, sigA, seA ^ SIGN, sigB, seB, real);
  if (op == MUL) return quickProduct(cpu, to, sigA, seA, sigB, seB, real);
  if (op == DIV) return quickQuotient(cpu, to, sigA, seA, sigB, seB, real);
  return quickQuotient(cpu, to, sigB, seB, sigA, seA, false);
}

/** The same with a zero for the second operand. */
@inline
function quickZero(op: i32, cpu: Cpu, to: FpuRegister, sigA: u64, seA: u32, sign: u32): bool {
  if (op == ADD) return sumWithZero(cpu, to, sigA, seA, 0, sign);
  if (op == SUB) return sumWithZero(cpu, to, sigA, seA, 0, sign ^ SIGN);
  if (op == SUBR) return sumWithZero(cpu, to, 0, sign, sigA, seA ^ SIGN);
  return op == MUL && productOfZero(cpu, to, sigA, seA, 0, sign);
}

@inline
function withReg(op: i32, cpu: Cpu, dst: u32, src: u32, pops: u32): void {
  const top = cpu.ftop;
  const tags = cpu.ftw;
  const first = (top + dst) & 7;
  const second = (top + src) & 7;
  const a = cpu.fpr[first];
  const b = cpu.fpr[second];
  if ((tags >> first) & (tags >> second) & 1) {
    if (quick(op, cpu, a, sigOf(a), seOf(a), sigOf(b), seOf(b), false)) {
      if (pops != 0) {
        cpu.ftw = tags & ~(1 << top);
        cpu.ftop = (top + 1) & 7;
      }
      return;
    }
    Out.exc = 0;
    compute(op, sigOf(a), seOf(a), sigOf(b), seOf(b), controlWord(cpu));
  } else {
    stackUnderflow();
  }
  if (commit(cpu, dst) && pops != 0) pop(cpu);
}

/** With the operand in Out, exceptions of its conversion included. */
@inline
function withOut(op: i32, cpu: Cpu): void {
  if (isEmpty(cpu, 0)) {
    stackUnderflow();
  } else {
    const a = st(cpu, 0);
    compute(op, sigOf(a), seOf(a), Out.sig, Out.se, controlWord(cpu));
  }
  commit(cpu, 0);
}

@inline
function withReal(op: i32, cpu: Cpu, bits: u64, wide: bool): void {
  if (isNormalReal(bits, wide)) {
    const top = cpu.ftop;
    const a = cpu.fpr[top];
    if ((cpu.ftw >> top) & 1 && quick(op, cpu, a, sigOf(a), seOf(a), significandOf(bits, wide), signExponentOf(bits, wide), true)) return;
  }
  if (bits << (wide ? 1 : 33) == 0 && !isEmpty(cpu, 0)) {
    const a = st(cpu, 0);
    if (quickZero(op, cpu, a, sigOf(a), seOf(a), signOf(bits, wide))) return;
  }
  widen(bits, wide);
  withOut(op, cpu);
}

@inline
function withInt(op: i32, cpu: Cpu, sig: u64, se: u32): void {
  Out.exc = 0;
  setOut(sig, se);
  withOut(op, cpu);
}

export function fpuAddReg(cpu: Cpu, dst: u32, src: u32, pops: u32): void {
  withReg(ADD, cpu, dst, src, pops);
}
export function fpuAddF32(cpu: Cpu, bits: u32): void {
  withReal(ADD, cpu, bits, false);
}
export function fpuAddF64(cpu: Cpu, bits: u64): void {
  withReal(ADD, cpu, bits, true);
}
export function fpuAddInt(cpu: Cpu, sig: u64, se: u32): void {
  withInt(ADD, cpu, sig, se);
}

export function fpuSubReg(cpu: Cpu, dst: u32, src: u32, pops: u32): void {
  withReg(SUB, cpu, dst, src, pops);
}
export function fpuSubF32(cpu: Cpu, bits: u32): void {
  withReal(SUB, cpu, bits, false);
}
export function fpuSubF64(cpu: Cpu, bits: u64): void {
  withReal(SUB, cpu, bits, true);
}
export function fpuSubInt(cpu: Cpu, sig: u64, se: u32): void {
  withInt(SUB, cpu, sig, se);
}

export function fpuSubrReg(cpu: Cpu, dst: u32, src: u32, pops: u32): void {
  withReg(SUBR, cpu, dst, src, pops);
}
export function fpuSubrF32(cpu: Cpu, bits: u32): void {
  withReal(SUBR, cpu, bits, false);
}
export function fpuSubrF64(cpu: Cpu, bits: u64): void {
  withReal(SUBR, cpu, bits, true);
}
export function fpuSubrInt(cpu: Cpu, sig: u64, se: u32): void {
  withInt(SUBR, cpu, sig, se);
}

export function fpuMulReg(cpu: Cpu, dst: u32, src: u32, pops: u32): void {
  withReg(MUL, cpu, dst, src, pops);
}
export function fpuMulF32(cpu: Cpu, bits: u32): void {
  withReal(MUL, cpu, bits, false);
}
export function fpuMulF64(cpu: Cpu, bits: u64): void {
  withReal(MUL, cpu, bits, true);
}
export function fpuMulInt(cpu: Cpu, sig: u64, se: u32): void {
  withInt(MUL, cpu, sig, se);
}

export function fpuDivReg(cpu: Cpu, dst: u32, src: u32, pops: u32): void {
  withReg(DIV, cpu, dst, src, pops);
}
export function fpuDivF32(cpu: Cpu, bits: u32): void {
  withReal(DIV, cpu, bits, false);
}
export function fpuDivF64(cpu: Cpu, bits: u64): void {
  withReal(DIV, cpu, bits, true);
}
export function fpuDivInt(cpu: Cpu, sig: u64, se: u32): void {
  withInt(DIV, cpu, sig, se);
}

export function fpuDivrReg(cpu: Cpu, dst: u32, src: u32, pops: u32): void {
  withReg(DIVR, cpu, dst, src, pops);
}
export function fpuDivrF32(cpu: Cpu, bits: u32): void {
  withReal(DIVR, cpu, bits, false);
}
export function fpuDivrF64(cpu: Cpu, bits: u64): void {
  withReal(DIVR, cpu, bits, true);
}
export function fpuDivrInt(cpu: Cpu, sig: u64, se: u32): void {
  withInt(DIVR, cpu, sig, se);
}
