// EFLAGS as one word, from and to the two lazy words and Cpu.eflags (see docs/architecture.md, "Flags").
import {
  CPU_EFLAGS, CPU_FLAGR, CPU_FLAGX, CPU_STEP, EFLAGS_AF, EFLAGS_ARITH, EFLAGS_CF, EFLAGS_OF, EFLAGS_ONE, EFLAGS_PF, EFLAGS_SF,
  EFLAGS_TF, EFLAGS_ZF, STEP_TF,
} from '../gen/layout';
import { setSystemFlags } from './held';
import { settleAlignment } from './watching';

/** CF PF AF ZF SF OF at their places in EFLAGS. */
export function readArith(cpu: usize): u32 {
  const r = load<u32>(cpu, CPU_FLAGR);
  const x = load<u32>(cpu, CPU_FLAGX);
  const cf = x >>> 31;
  const ov = cf ^ ((x >>> 30) & 1);
  const pf = ~popcnt<u32>((r ^ (x >>> 8)) & 0xff) & 1;
  const sf = (r >>> 31) ^ (x & 1);
  return cf | (pf << 2) | (((x >>> 3) & 1) << 4) | (u32(r == 0) << 6) | (sf << 7) | (ov << 11);
}

/** Sets all six arithmetic flags from `value`. */
export function writeArith(cpu: usize, value: u32): void {
  const cf = value & EFLAGS_CF;
  const ov = (value & EFLAGS_OF) >>> 11;
  const zf = (value & EFLAGS_ZF) >>> 6;
  const pf = (value & EFLAGS_PF) >>> 2;
  const sf = (value & EFLAGS_SF) >>> 7;
  const af = (value & EFLAGS_AF) >>> 4;
  store<u32>(cpu, 1 - zf, CPU_FLAGR);
  store<u32>(cpu, (cf << 31) | ((cf ^ ov) << 30) | ((pf ^ zf) << 8) | (af << 3) | sf, CPU_FLAGX);
}

/** All of EFLAGS. */
export function readFlags(cpu: usize): u32 {
  return load<u32>(cpu, CPU_EFLAGS) | EFLAGS_ONE | readArith(cpu);
}

/** Sets the flags of `mask` from `value`. Who may change what is the caller's business. */
export function writeFlags(cpu: usize, value: u32, mask: u32): void {
  if ((mask & EFLAGS_ARITH) == EFLAGS_ARITH) writeArith(cpu, value);
  else if (mask & EFLAGS_ARITH) writeArith(cpu, (readArith(cpu) & ~mask) | (value & mask));
  const system = mask & ~EFLAGS_ARITH;
  const flags = (load<u32>(cpu, CPU_EFLAGS) & ~system) | (value & system) | EFLAGS_ONE;
  setSystemFlags(cpu, flags);
  const step = load<u32>(cpu, CPU_STEP) & ~STEP_TF;
  store<u32>(cpu, flags & EFLAGS_TF ? step | STEP_TF : step, CPU_STEP);
  settleAlignment(cpu);
}

/** The lazy words of a subtraction a - b of `size` bytes (CMPS, SCAS). */
export function setSubFlags(cpu: usize, a: u32, b: u32, size: u32): void {
  const width = size << 3;
  const fill = 32 - width;
  const r = ((a - b) << fill);
  const result = <u32>(<i32>r >> fill);
  const borrow = (~a & b) | ((~a | b) & (a - b));
  store<u32>(cpu, result, CPU_FLAGR);
  store<u32>(cpu, ((borrow << fill) & 0xc0000000) | (borrow & 8), CPU_FLAGX);
}
