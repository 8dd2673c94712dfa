// Stack instructions (SDM vol. 1, 6.2). A faulting push or pop leaves ESP as it was.
import type { Value } from '../ir/types.ts';
import { Cpu, Eflags, Gpr, PENDING_HELD_SHIFT } from '../layout/cpu.ts';
import { runtime } from '../runtime/abi.ts';
import { readSelector } from './data.ts';
import type { Lifter, LiftTable } from './lifter.ts';
import { popSegment } from './segment.ts';

// PUSH r/m | PUSH imm | PUSH sreg (PUSH ESP pushes ESP as it was; a pushed selector is zero-extended)
function push(x: Lifter): void {
  x.push(x.op(0).kind === 'sr' ? readSelector(x, 0) : x.read(0));
}

// POP r | POP m | POP sreg
function pop(x: Lifter): void {
  const { kind } = x.op(0);
  if (kind === 'sr') popSegment(x);
  else if (kind === 'm') popMemory(x);
  else x.write(0, x.pop()); // POP ESP: the value wins over the increment
}

// POP m: ESP is incremented before an address that uses it is computed (SDM vol. 2, POP), but a fault must not show that
function popMemory(x: Lifter): void {
  const { b, opsize } = x;
  const value = x.peek(0);
  const before = x.stackPointer();
  x.setStackPointer(b.add(before, b.const(opsize)));
  const after = x.stackPointer();
  const offset = x.offset(0);
  x.set(Gpr.ESP, 4, before);
  x.store(opsize, x.form.segmented ? x.inSegment(x.segment(), offset, opsize, true) : offset, value);
  x.set(Gpr.ESP, 4, after);
}

const { EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI } = Gpr;

// PUSHA | PUSHAD: stores downwards, ESP as it was before; ESP moves when all are stored
const pusha =
  (size: 2 | 4) =>
  (x: Lifter): void => {
    const { b } = x;
    const sp = x.stackPointer();
    const order = [EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI];
    for (const [i, reg] of order.entries()) {
      const at = b.sub(sp, b.const(size * (i + 1)));
      x.store(size, x.stackLinear(at, size, true), x.get(reg));
    }
    x.setStackPointer(b.sub(sp, b.const(size * 8)));
  };

// POPA | POPAD: the stored ESP is skipped
const popa =
  (size: 2 | 4) =>
  (x: Lifter): void => {
    const order = [EDI, ESI, EBP, undefined, EBX, EDX, ECX, EAX];
    const values = order.map((reg, i) => (reg === undefined ? undefined : x.peek(i * size, size)));
    x.setStackPointer(x.b.add(x.stackPointer(), x.b.const(size * 8)));
    for (const [i, reg] of order.entries()) if (reg !== undefined) x.set(reg, size, values[i]!);
  };

// PUSHF | PUSHFD: VM and RF are pushed as 0. Virtual-8086 mode, where it may be #GP, is never flat: there the helper tests
const pushf =
  (size: 2 | 4) =>
  (x: Lifter): void => {
    const { b } = x;
    const inline = (): Value => b.or(b.and(x.state(Cpu.at.eflags), b.const(~(Eflags.VM | Eflags.RF))), x.arith());
    x.push(x.form.flat ? inline() : x.helper(runtime.pushf), size);
  };

/** Flags whose change at CPL 0 changes nothing else, unless an interrupt waits. */
const PLAIN = Eflags.ARITH | Eflags.IF | Eflags.DF;

/** POPFD in flat code. The usual one is at CPL 0, changes plain flags, and nothing waits. */
function popPlainFlags(x: Lifter): void {
  const { b } = x;
  const value = x.peek(0, 4);
  const eflags = x.state(Cpu.at.eflags);
  const others = b.or(b.and(b.xor(value, eflags), b.const(~PLAIN)), b.and(eflags, b.const(Eflags.RF)));
  const changed = b.and(b.xor(value, eflags), b.const(Eflags.IF | Eflags.DF));
  const unusual = [b.or(others, x.state(Cpu.at.cpl)), x.state(Cpu.at.pending)];
  x.setState(Cpu.at.eflags, x.helperIf(unusual, b.xor(eflags, changed), runtime.popfSystem, [value]));
  x.setArith(value);
  x.setStackPointer(b.add(x.stackPointer(), b.const(4)));
  x.nextIf(b.or(x.state(Cpu.at.step), b.shl(x.state(Cpu.at.pending), b.const(32 - PENDING_HELD_SHIFT))));
}

// POPF | POPFD: what may change depends on CPL and IOPL; where TF is set now, or an interrupt waited for IF, that is looked at behind it
const popf =
  (size: 2 | 4) =>
  (x: Lifter): void => {
    if (size === 4 && x.form.flat) {
      popPlainFlags(x);
      return;
    }
    const value = x.peek(0, size);
    const again = x.helper(runtime.popf, [value, x.b.const(size)]);
    x.setStackPointer(x.b.add(x.stackPointer(), x.b.const(size)));
    x.nextIf(again);
  };

// ENTER imm16, imm8
function enter(x: Lifter): void {
  x.helper(runtime.enter, [x.read(0), x.read(1), x.b.const(x.opsize)]);
}

// LEAVE: ESP = EBP (as wide as the stack is), EBP = pop of the operand size
function leave(x: Lifter): void {
  const { b, opsize } = x;
  const frame = x.get(EBP);
  const value = x.load('i32', opsize, x.stackLinear(frame, opsize, false));
  x.setStackPointer(b.add(frame, b.const(opsize)));
  x.set(EBP, opsize, value);
}

export const lifts: LiftTable = {
  push: { lift: push, stack: true },
  pop: { lift: pop, stack: true },
  pusha: { lift: pusha(2), stack: true },
  pushad: { lift: pusha(4), stack: true },
  popa: { lift: popa(2), stack: true },
  popad: { lift: popa(4), stack: true },
  pushf: { lift: pushf(2), stack: true },
  pushfd: { lift: pushf(4), stack: true },
  popf: { lift: popf(2), stack: true },
  popfd: { lift: popf(4), stack: true },
  enter: { lift: enter, stack: true },
  leave: { lift: leave, stack: true },
};
