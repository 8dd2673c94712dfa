// Far transfers, software interrupts and returns from them (SDM vol. 3, 5.8 and chapter 6): all by helpers, which set
// CS:EIP, so that code goes on through the dispatcher.
import type { Value } from '../ir/types.ts';
import { Vector } from '../layout/cpu.ts';
import { runtime } from '../runtime/abi.ts';
import type { Lifter, LiftTable } from './lifter.ts';

/** Whether the operand of JMP or CALL is a far pointer: immediate, or in memory as an offset and a selector. */
export const isFar = (x: Lifter): boolean => x.op(0).kind === 'far' || (x.op(0).kind === 'm' && x.op(0).size === x.opsize + 2);

function farPointer(x: Lifter): { selector: Value; offset: Value } {
  const { b, opsize } = x;
  if (x.op(0).kind === 'far') return { selector: x.imm(0), offset: x.farOffset(0) };
  const at = x.linear(0, opsize + 2, false);
  const offset = x.load('i32', opsize, at);
  return { selector: x.load('i32', 2, b.add(at, b.const(opsize))), offset };
}

// JMP ptr16:16/32 | JMP m16:16/32
export function farJump(x: Lifter): void {
  const { selector, offset } = farPointer(x);
  x.cross(runtime.farJump, [selector, offset, x.b.const(x.opsize)]);
}

// CALL ptr16:16/32 | CALL m16:16/32
export function farCall(x: Lifter): void {
  const { selector, offset } = farPointer(x);
  x.cross(runtime.farCall, [selector, offset, x.b.const(x.opsize), x.nextEip()]);
}

// RETF | RETF imm16
function retf(x: Lifter): void {
  x.cross(runtime.farRet, [x.b.const(x.opsize), x.n === 0 ? x.b.const(0) : x.read(0)]);
}

// IRET | IRETD
const iret =
  (size: 2 | 4) =>
  (x: Lifter): void => {
    x.cross(runtime.iret, [x.b.const(size)]);
  };

/** Kinds of software interrupt: INT n alone is refused in virtual-8086 mode with IOPL < 3, INT1 alone skips the gate's DPL. */
const Kind = { INT: 0, INT3: 1, INT1: 3 } as const;

function interrupt(x: Lifter, vector: Value, kind: number): void {
  x.cross(runtime.softInterrupt, [vector, x.nextEip(), x.b.const(kind)]);
}

// INT imm8 | INT3 | INT1
const int = (x: Lifter): void => interrupt(x, x.read(0), Kind.INT);
const int3 = (x: Lifter): void => interrupt(x, x.b.const(Vector.BP), Kind.INT3);
const int1 = (x: Lifter): void => interrupt(x, x.b.const(Vector.DB), Kind.INT1);

// INTO: INT 4 where OF is set; else on behind it
function into(x: Lifter): void {
  x.cross(runtime.into, [x.nextEip(), x.cond('o')]);
}

// SYSENTER | SYSEXIT
const fast =
  (name: 'sysenter' | 'sysexit') =>
  (x: Lifter): void => {
    x.cross(runtime[name]);
  };

export const lifts: LiftTable = {
  retf: { lift: retf, ends: true },
  iret: { lift: iret(2), ends: true },
  iretd: { lift: iret(4), ends: true },
  int: { lift: int, ends: true },
  int3: { lift: int3, ends: true },
  int1: { lift: int1, ends: true },
  into: { lift: into, ends: true },
  sysenter: { lift: fast('sysenter'), ends: true },
  sysexit: { lift: fast('sysexit'), ends: true },
};
