// Small things that several instruction families share.
import type { ConditionCode, Value } from '../ir/types.ts';
import { Cpu, Vector } from '../layout/cpu.ts';
import type { Lifter } from './lifter.ts';

/** The sixteen conditions in the order of their encoding (SDM vol. 1, appendix B). */
export const CONDITIONS: readonly ConditionCode[] = [
  'o',
  'no',
  'b',
  'ae',
  'e',
  'ne',
  'be',
  'a',
  's',
  'ns',
  'p',
  'np',
  'l',
  'ge',
  'le',
  'g',
];

/** Width of operand k in bits. */
export const widthOf = (x: Lifter, k = 0): 8 | 16 | 32 => (x.op(k).size * 8) as 8 | 16 | 32;

/** Sets CF to `bit` (0 or 1) and nothing else. CF and CF ^ OF are bits 31 and 30 of flagX: they flip together. */
export function setCarry(x: Lifter, bit: Value): void {
  const { b } = x;
  const r = x.flagR();
  const old = x.flagX();
  const change = b.xor(b.shr_u(old, b.const(31)), bit);
  x.flagsRX(r, b.xor(old, b.mul(change, b.const(0xc0000000))));
}

/** #MF where an unmasked x87 exception is pending; with CR0.NE clear deliverFault makes FERR# of it (wasm/x87/fpu-error.ts). */
export const x87Pending = (x: Lifter): void => x.raiseIf(x.b.and(x.state(Cpu.at.fsw), x.state(Cpu.at.fpuStop)), Vector.MF);
