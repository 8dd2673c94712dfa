// Near control transfer (SDM vol. 1, 7.3.8) and instructions that do nothing. Direct targets (but LOOP's) are checked against the
// limit of CS when the code is decoded, indirect ones here (in flat code nothing is beyond it). A 16-bit target is wrapped:
// direct ones by the decoder, indirect ones because 16-bit reads are zero-extended.
import type { ConditionCode, Value } from '../ir/types.ts';
import { Cpu, Gpr, Seg, SegCache, Vector } from '../layout/cpu.ts';
import type { Lifter, LiftTable } from './lifter.ts';
import { CONDITIONS } from './shared.ts';
import { farCall, farJump, isFar } from './transfer.ts';

/** #GP(0) where an indirect target is beyond the limit of CS. */
function checkTarget(x: Lifter, target: Value): void {
  if (x.form.flat) return;
  const { b } = x;
  x.raiseIf(b.gt_u(target, x.state(Cpu.at.seg + Seg.CS * SegCache.size + SegCache.at.limit)), Vector.GP, b.const(0));
}

// JMP rel | JMP r/m | JMP ptr16:16/32 | JMP m16:16/32
function jmp(x: Lifter): void {
  if (isFar(x)) farJump(x);
  else if (x.op(0).kind === 'j') x.jump();
  else {
    const target = x.read(0);
    checkTarget(x, target);
    x.indirect(target);
  }
}

// CALL rel | CALL r/m | CALL ptr16:16/32 | CALL m16:16/32
function call(x: Lifter): void {
  if (isFar(x)) {
    farCall(x);
  } else if (x.op(0).kind === 'j') {
    x.push(x.nextEip());
    x.call();
  } else {
    const target = x.read(0);
    checkTarget(x, target);
    x.push(x.nextEip());
    x.call(target);
  }
}

// RET | RET imm16
function ret(x: Lifter): void {
  const target = x.peek(0);
  checkTarget(x, target);
  const size = x.b.const(x.opsize);
  const bytes = x.n === 0 ? size : x.b.add(x.read(0), size);
  x.setStackPointer(x.b.add(x.stackPointer(), bytes));
  x.ret(target);
}

// Jcc rel
const jcc =
  (cc: ConditionCode) =>
  (x: Lifter): void =>
    x.branch(x.cond(cc));

// JCXZ | JECXZ rel
const jcxz =
  (size: 2 | 4) =>
  (x: Lifter): void =>
    x.branch(x.b.eqz(x.get(Gpr.ECX, size)));

/** LOOP alone of the direct branches changes a register, which must stay as it was where the target is beyond the limit of CS:
 * #GP(0) comes before the count. */
function checkLoop(x: Lifter, taken: Value): void {
  if (x.form.flat) return;
  const { b } = x;
  const beyond = b.gt_u(x.imm(0), x.state(Cpu.at.seg + Seg.CS * SegCache.size + SegCache.at.limit));
  x.raiseIf(b.and(taken, beyond), Vector.GP, b.const(0));
}

// LOOP | LOOPE | LOOPNE rel: counts CX or ECX by the address size; flags stay
const loop =
  (cc?: ConditionCode) =>
  (x: Lifter): void => {
    const { b } = x;
    const count = b.sub(x.get(Gpr.ECX, x.addrsize), b.const(1));
    const more = b.ne(x.addrsize === 2 ? b.and(count, b.const(0xffff)) : count, b.const(0));
    const taken = cc ? b.and(more, x.cond(cc)) : more;
    checkLoop(x, taken);
    x.set(Gpr.ECX, x.addrsize, count);
    x.branch(taken);
  };

// NOP | NOP r/m and the other encodings that are reserved for hints (PREFETCHx, ENDBR32 ...): the operand is not accessed
const nothing = (): void => {};

// UD0 | UD1 | UD2
const undefinedOpcode = (x: Lifter): void => x.raise(Vector.UD);

export const lifts: LiftTable = {
  jmp: { lift: jmp, ends: true, stack: true },
  call: { lift: call, ends: true, stack: true },
  ret: { lift: ret, ends: true, stack: true },
  jcxz: { lift: jcxz(2), ends: true },
  jecxz: { lift: jcxz(4), ends: true },
  loop: { lift: loop(), ends: true, string: true, stack: true },
  loope: { lift: loop('e'), ends: true, string: true, stack: true },
  loopne: { lift: loop('ne'), ends: true, string: true, stack: true },
  ...Object.fromEntries(CONDITIONS.map((cc) => [`j${cc}`, { lift: jcc(cc), ends: true }])),
  nop: nothing,
  reservednop: nothing,
  ...Object.fromEntries(['ud0', 'ud1', 'ud2'].map((name) => [name, { lift: undefinedOpcode, ends: true }])),
};
