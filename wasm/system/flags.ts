// EFLAGS as one word, from and to the two lazy words and Cpu.eflags (see docs/architecture.md, "Flags").
import { Cpu, Eflags, Step } from '../gen/layout';
import { setSystemFlags } from './held';
import { updateAlignment } from './watching';

/** CF PF AF ZF SF OF at their places in EFLAGS. */
export function readArith(cpu: Cpu): u32 {
  const r = cpu.flagR;
  const x = cpu.flagX;
  const cf = x >>> 31;
  const ov = cf ^ ((x >>> 30) & 1);
  const pf = ~popcnt<u32>((r ^ (x >>> 8)) & 0xff) & 1;
  const sf = (r >>> 31) ^ (x & 1);
  return cf | (pf << 2) | (((x >>> 3) & 1) << 4) | (u32(r == 0) << 6) | (sf << 7) | (ov << 11);
}

/** Sets all six arithmetic flags from `value`. */
@inline
export function writeArith(cpu: Cpu, value: u32): void {
  const cf = value & Eflags.CF;
  const ov = (value & Eflags.OF) >>> 11;
  const zf = (value & Eflags.ZF) >>> 6;
  const pf = (value & Eflags.PF) >>> 2;
  const sf = (value & Eflags.SF) >>> 7;
  const af = (value & Eflags.AF) >>> 4;
  cpu.flagR = 1 - zf;
  cpu.flagX = (cf << 31) | ((cf ^ ov) << 30) | ((pf ^ zf) << 8) | (af << 3) | sf;
}

/** All of EFLAGS. */
export function readFlags(cpu: Cpu): u32 {
  return cpu.eflags | Eflags.ONE | readArith(cpu);
}

/** Sets the flags of `mask` from `value`. Who may change what is the caller's business. */
export function writeFlags(cpu: Cpu, value: u32, mask: u32): void {
  putFlags(cpu, value, mask);
}

/** The same inline, for a mask that is known. */
@inline
export function putFlags(cpu: Cpu, value: u32, mask: u32): void {
  if ((mask & Eflags.ARITH) == Eflags.ARITH) writeArith(cpu, value);
  else if (mask & Eflags.ARITH) writeArith(cpu, (readArith(cpu) & ~mask) | (value & mask));
  writeSystem(cpu, value, mask & ~Eflags.ARITH);
}

/** The same for those that are not arithmetic. */
@inline
export function writeSystem(cpu: Cpu, value: u32, mask: u32): void {
  const flags = (cpu.eflags & ~mask) | (value & mask) | Eflags.ONE;
  setSystemFlags(cpu, flags);
  const step = cpu.step & ~Step.TF;
  cpu.step = flags & Eflags.TF ? step | Step.TF : step;
  updateAlignment(cpu);
}

/** The lazy words of a subtraction a - b of `size` bytes (CMPS, SCAS). */
export function setSubFlags(cpu: Cpu, a: u32, b: u32, size: u32): void {
  const width = size << 3;
  const fill = 32 - width;
  const r = (a - b) << fill;
  const result = <u32>(<i32>r >> fill);
  const borrow = (~a & b) | ((~a | b) & (a - b));
  cpu.flagR = result;
  cpu.flagX = ((borrow << fill) & 0xc0000000) | (borrow & 8);
}
