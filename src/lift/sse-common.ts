// What the lifts of MMX and SSE share: checks, operands as vectors, constants.
import type { Value } from '../ir/types.ts';
import { Cpu, SSE_NM, SSE_UD, Vector } from '../layout/cpu.ts';
import type { Lifter } from './lifter.ts';
import { x87Pending } from './shared.ts';

/** #UD or #NM where the system says so (SDM vol. 3, 2.5, table 13-1). */
export function sseCheck(x: Lifter): void {
  const trap = x.state(Cpu.at.sseTrap);
  x.raiseIf(x.b.and(trap, x.b.const(SSE_UD)), Vector.UD);
  x.raiseIf(x.b.and(trap, x.b.const(SSE_NM)), Vector.NM);
}

const CR0_EM = 4;

/** #UD, #NM, or #MF for an x87 exception that waits (SDM vol. 3, 12.1 and 12.5). */
export function mmxCheck(x: Lifter): void {
  x.raiseIf(x.b.and(x.state(Cpu.at.cr0), x.b.const(CR0_EM)), Vector.UD);
  x.raiseIf(x.state(Cpu.at.fpuTrap), Vector.NM);
  x87Pending(x);
}
/** What every MMX instruction but EMMS does to the x87 state: TOP = 0, all registers in use. After all that may fault. */
export function mmxEnter(x: Lifter): void {
  x.setState(Cpu.at.ftop, x.b.const(0));
  x.setState(Cpu.at.ftw, x.b.const(0xff));
}
/** Writes an mm register: sign and exponent of its x87 register become all ones. */
export function writeMmx(x: Lifter, k: number, v: Value): void {
  x.write(k, v);
  x.setStateAt(2, x.regAddress(k), 8, x.b.const(0xffff));
}

/** #GP(0) where the memory operand is not on a 16-byte boundary. */
export function aligned(x: Lifter, k: number, write: boolean): void {
  x.raiseIf(x.b.and(x.linear(k, 16, write), x.b.const(15)), Vector.GP, x.b.const(0));
}
/** A whole xmm register, or 16 bytes of memory on their boundary. */
export function vector(x: Lifter, k: number): Value {
  if (x.op(k).kind === 'm') aligned(x, k, false);
  return x.read(k);
}
/** The low 32 bits of an xmm or mm register, or 4 bytes of memory or of a general register. */
export function low32(x: Lifter, k: number): Value {
  const { kind } = x.op(k);
  return kind === 'xmm' || kind === 'mm' ? x.stateAt('i32', 4, x.regAddress(k), 0) : x.read(k);
}
/** The low 64 bits of an xmm register, or an mm register, or 8 bytes of memory. */
export function low64(x: Lifter, k: number): Value {
  return x.op(k).kind === 'xmm' ? x.stateAt('i64', 8, x.regAddress(k), 0) : x.read(k);
}
/** Of an xmm register the lowest lane, so that it stays among the host's registers of its kind. */
export const single = (x: Lifter, k: number): Value =>
  x.op(k).kind === 'xmm' ? x.b.op('f32x4.extract_lane', x.read(k), { imm: 0 }) : x.b.op('f32.reinterpret_i32', low32(x, k));
export const double = (x: Lifter, k: number): Value =>
  x.op(k).kind === 'xmm' ? x.b.op('f64x2.extract_lane', x.read(k), { imm: 0 }) : x.b.op('f64.reinterpret_i64', low64(x, k));

/** Constant vectors, from lanes. */
export const bytes16 = (x: Lifter, lanes: readonly number[]): Value => x.b.constV128(Uint8Array.from(lanes));
export const words8 = (x: Lifter, lanes: readonly number[]): Value => x.b.constV128(new Uint8Array(Uint16Array.from(lanes).buffer));
export const dwords4 = (x: Lifter, lanes: readonly number[]): Value => x.b.constV128(new Uint8Array(Uint32Array.from(lanes).buffer));
export const zero = (x: Lifter): Value => x.b.constV128(new Uint8Array(16));

/** So many bytes of memory operand k, zeros above. */
export const zeroExtended = (x: Lifter, k: number, bytes: 4 | 8): Value => x.load('v128', bytes, x.linear(k, bytes, false));

/** An i64 in the low half, zeros above. */
export const fromLow64 = (x: Lifter, v: Value): Value => x.b.op('i64x2.replace_lane', zero(x), v, { imm: 0 });
export const fromLow32 = (x: Lifter, v: Value): Value => x.b.op('i32x4.replace_lane', zero(x), v, { imm: 0 });
export const half = (x: Lifter, v: Value, lane = 0): Value => x.b.op('i64x2.extract_lane', v, { imm: lane });
