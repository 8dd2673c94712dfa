// x87: the vocabulary shared by all files of this folder: bits of the control and status words, the registers in
// CPU state, the result globals, and how a finished operation is committed (SDM vol. 1, 8.1 and 8.5).
import { Cpu, FpuRegister } from '../gen/layout';

// Exception flags; the same bits in the status word, and as masks in the control word.
export const IE: u32 = 1;
export const DE: u32 = 2;
export const ZE: u32 = 4;
export const OE: u32 = 8;
export const UE: u32 = 0x10;
export const PE: u32 = 0x20;
// Rest of the status word.
export const SF: u32 = 0x40;
export const ES: u32 = 0x80;
export const C0: u32 = 0x100;
export const C1: u32 = 0x200;
export const C2: u32 = 0x400;
export const C3: u32 = 0x4000;
export const BUSY: u32 = 0x8000;

/** Control word: 64-bit precision, 53-bit, 24-bit. */
export const PC_EXTENDED: u32 = 0x300;
export const PC_DOUBLE: u32 = 0x200;
export const PC_SINGLE: u32 = 0;
/** Control word: precision and rounding control together. */
export const PC_RC: u32 = 0xf00;

export const MSB: u64 = 0x8000000000000000;
export const QUIET: u64 = 0x4000000000000000;
export const SIGN: u32 = 0x8000;
export const EXP_MAX: u32 = 0x7fff;
export const BIAS: i32 = 0x3fff;
export const INDEFINITE_SIG: u64 = 0xc000000000000000;
export const INDEFINITE_SE: u32 = 0xffff;

/** Result of an operation: significand, sign and exponent, exception flags (IE..PE, SF, C1). One set per thread. */
export class Out {
  static sig: u64 = 0;
  static se: u32 = 0;
  static exc: u32 = 0;
}

@inline
export function controlWord(cpu: Cpu): u32 {
  return cpu.fcw;
}

/** ST(i). */
@inline
export function st(cpu: Cpu, i: u32): FpuRegister {
  return cpu.fpr[(cpu.ftop + i) & 7];
}

@inline
export function sigOf(reg: FpuRegister): u64 {
  return reg.significand;
}

@inline
export function seOf(reg: FpuRegister): u32 {
  return reg.signExponent;
}

@inline
export function setReg(reg: FpuRegister, sig: u64, se: u32): void {
  reg.significand = sig;
  reg.signExponent = <u16>se;
}

/** Bit of ST(i) in the tag word. */
@inline
export function bitOf(cpu: Cpu, i: u32): u32 {
  return 1 << ((cpu.ftop + i) & 7);
}

@inline
export function isEmpty(cpu: Cpu, i: u32): bool {
  return (cpu.ftw & bitOf(cpu, i)) == 0;
}

/** Neither zero, denormal, infinity, NaN nor an unsupported form. */
@inline
export function isNormal(sig: u64, se: u32): bool {
  return <i64>sig < 0 && (se & EXP_MAX) - 1 < 0x7ffe;
}

/** An encoding that 387s and later reject: integer bit 0 with a nonzero exponent (SDM vol. 1, 8.2.2). */
@inline
export function isUnsupported(sig: u64, se: u32): bool {
  return <i64>sig >= 0 && (se & EXP_MAX) != 0;
}

/** A NaN, given that the encoding is supported. */
@inline
export function isNan(sig: u64, se: u32): bool {
  return (se & EXP_MAX) == EXP_MAX && sig << 1 != 0;
}

@inline
export function isInfinity(sig: u64, se: u32): bool {
  return (se & EXP_MAX) == EXP_MAX && sig == MSB;
}

/** A denormal or pseudo-denormal. */
@inline
export function isDenormal(sig: u64, se: u32): bool {
  return (se & EXP_MAX) == 0 && sig != 0;
}

export function setOut(sig: u64, se: u32): void {
  Out.sig = sig;
  Out.se = se;
}

/** The masked response to an invalid operation: the real indefinite QNaN. Takes precedence over DE. */
export function invalid(): void {
  Out.sig = INDEFINITE_SIG;
  Out.se = INDEFINITE_SE;
  Out.exc = IE;
}

export function stackUnderflow(): void {
  Out.sig = INDEFINITE_SIG;
  Out.se = INDEFINITE_SE;
  Out.exc = IE | SF;
}

export function stackOverflow(): void {
  Out.sig = INDEFINITE_SIG;
  Out.se = INDEFINITE_SE;
  Out.exc = IE | SF | C1;
}

/**
 * Puts Out.exc into the status word (C1 is replaced). False where an unmasked exception of the kind that is found
 * before the operation (#I, #D, #Z) forbids to write the result or to touch the stack; `hold` adds kinds.
 */
export function raiseFlags(cpu: Cpu, hold: u32 = 7): bool {
  const sw = cpu.fsw & ~C1;
  let exc = Out.exc;
  const unmasked = exc & ~cpu.fcw & 0x3f;
  if (unmasked == 0) {
    cpu.fsw = sw | exc;
    return true;
  }
  if (unmasked & 7) exc &= exc & SF ? 7 | SF | C1 : 7 | SF;
  cpu.fsw = sw | exc | ES | BUSY;
  return (unmasked & hold) == 0;
}

/** Raises the flags and, where allowed, writes Out to the register ST(i). */
export function commit(cpu: Cpu, i: u32): bool {
  if (!raiseFlags(cpu)) return false;
  setReg(st(cpu, i), Out.sig, Out.se);
  cpu.ftw = cpu.ftw | bitOf(cpu, i);
  return true;
}

/** Pops: ST(0) becomes empty, TOP moves on. */
export function pop(cpu: Cpu): void {
  const top = cpu.ftop;
  cpu.ftw = cpu.ftw & ~(1 << top);
  cpu.ftop = (top + 1) & 7;
}

/**
 * Pushes Out (or the indefinite, where ST(7) is in use) after raising its flags. An unmasked #D does not keep the
 * operand of a load from the stack.
 */
export function pushOut(cpu: Cpu): bool {
  const top = (cpu.ftop - 1) & 7;
  const tags = cpu.ftw;
  // An operand that was a stack fault already (FLD of an empty register) stays one.
  if (tags & (1 << top) && (Out.exc & SF) == 0) stackOverflow();
  if (!raiseFlags(cpu, IE | ZE)) return false;
  setReg(cpu.fpr[top], Out.sig, Out.se);
  cpu.ftop = top;
  cpu.ftw = tags | (1 << top);
  return true;
}

/** Sets C0, C2 and C3 (and leaves the rest of the status word). */
export function setCodes(cpu: Cpu, codes: u32): void {
  cpu.fsw = (cpu.fsw & ~(C0 | C2 | C3)) | codes;
}
