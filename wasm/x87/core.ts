// x87: the vocabulary shared by all files of this folder: bits of the control and status words, the registers in
// CPU state, the result globals, and how a finished operation is committed (SDM vol. 1, 8.1 and 8.5).
import { CPU_FCW, CPU_FPR, CPU_FSW, CPU_FTOP, CPU_FTW } from '../gen/layout';

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

/** Control word: 64-bit precision. */
export const PC_EXTENDED: u32 = 0x300;
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
export function control(cpu: usize): u32 {
  return load<u32>(cpu, CPU_FCW);
}

/** Address of ST(i). */
@inline
export function st(cpu: usize, i: u32): usize {
  return cpu + CPU_FPR + (((load<u32>(cpu, CPU_FTOP) + i) & 7) << 4);
}

@inline
export function sigOf(reg: usize): u64 {
  return load<u64>(reg);
}

@inline
export function seOf(reg: usize): u32 {
  return load<u16>(reg, 8);
}

@inline
export function setReg(reg: usize, sig: u64, se: u32): void {
  store<u64>(reg, sig);
  store<u16>(reg, <u16>se, 8);
}

/** Bit of ST(i) in the tag word. */
@inline
export function bitOf(cpu: usize, i: u32): u32 {
  return 1 << ((load<u32>(cpu, CPU_FTOP) + i) & 7);
}

@inline
export function isEmpty(cpu: usize, i: u32): bool {
  return (load<u32>(cpu, CPU_FTW) & bitOf(cpu, i)) == 0;
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
export function raiseFlags(cpu: usize, hold: u32 = 7): bool {
  const sw = load<u32>(cpu, CPU_FSW) & ~C1;
  let exc = Out.exc;
  const unmasked = exc & ~load<u32>(cpu, CPU_FCW) & 0x3f;
  if (unmasked == 0) {
    store<u32>(cpu, sw | exc, CPU_FSW);
    return true;
  }
  if (unmasked & 7) exc &= exc & SF ? 7 | SF | C1 : 7 | SF;
  store<u32>(cpu, sw | exc | ES | BUSY, CPU_FSW);
  return (unmasked & hold) == 0;
}

/** Raises the flags and, where allowed, writes Out to the register ST(i). */
export function commit(cpu: usize, i: u32): bool {
  if (!raiseFlags(cpu)) return false;
  setReg(st(cpu, i), Out.sig, Out.se);
  store<u32>(cpu, load<u32>(cpu, CPU_FTW) | bitOf(cpu, i), CPU_FTW);
  return true;
}

/** Pops: ST(0) becomes empty, TOP moves on. */
export function pop(cpu: usize): void {
  const top = load<u32>(cpu, CPU_FTOP);
  store<u32>(cpu, load<u32>(cpu, CPU_FTW) & ~(1 << top), CPU_FTW);
  store<u32>(cpu, (top + 1) & 7, CPU_FTOP);
}

/**
 * Pushes Out (or the indefinite, where ST(7) is in use) after raising its flags. An unmasked #D does not keep the
 * operand of a load from the stack.
 */
export function pushOut(cpu: usize): bool {
  const top = (load<u32>(cpu, CPU_FTOP) - 1) & 7;
  const tags = load<u32>(cpu, CPU_FTW);
  // An operand that was a stack fault already (FLD of an empty register) stays one.
  if (tags & (1 << top) && (Out.exc & SF) == 0) stackOverflow();
  if (!raiseFlags(cpu, IE | ZE)) return false;
  setReg(cpu + CPU_FPR + (top << 4), Out.sig, Out.se);
  store<u32>(cpu, top, CPU_FTOP);
  store<u32>(cpu, tags | (1 << top), CPU_FTW);
  return true;
}

/** Sets C0, C2 and C3 (and leaves the rest of the status word). */
export function setCodes(cpu: usize, codes: u32): void {
  store<u32>(cpu, (load<u32>(cpu, CPU_FSW) & ~(C0 | C2 | C3)) | codes, CPU_FSW);
}
