// Data movement between registers and memory (SDM vol. 1, 7.3.1): nothing here changes arithmetic flags but SAHF.
import type { ConditionCode, Value } from '../ir/types.ts';
import { Cpu, Gpr, SegCache } from '../layout/cpu.ts';
import type { Lifter, LiftTable } from './lifter.ts';
import { moveSystem } from './segment.ts';
import { CONDITIONS } from './shared.ts';

/** Selector of the segment register that operand k names. */
export function readSelector(x: Lifter, k: number): Value {
  const offset = x.b.mul(x.number(k), x.b.const(SegCache.size));
  return x.stateAt('i32', 4, x.b.add(x.cpu(), offset), Cpu.at.seg + SegCache.at.selector);
}

// MOV r/m, r | MOV r, r/m | MOV r/m, imm | MOV acc, moffs | MOV moffs, acc; MOV to and from sreg, crN, drN go to segment.ts
function mov(x: Lifter): void {
  const to = x.op(0).kind;
  const from = x.op(1).kind;
  if (from === 'sr')
    x.write(0, readSelector(x, 1)); // a 32-bit register gets zeros above (SDM: Pentium Pro and later)
  else if (to === 'r' || to === 'm') {
    if (from === 'cr' || from === 'dr') moveSystem(x);
    else x.write(0, x.read(1));
  } else moveSystem(x);
}

// MOVZX r, r/m
const movzx = (x: Lifter): void => x.write(0, x.read(1));

// MOVSX r, r/m
const movsx = (x: Lifter): void => x.write(0, x.readSigned(1));

// XCHG r/m, r (with memory: locked even without LOCK, SDM vol. 3, 8.1.2.1). The first write is the one to memory.
function xchg(x: Lifter): void {
  if (x.op(1).kind === 'm') {
    const memory = x.readRmw(1);
    x.write(1, x.read(0));
    x.write(0, memory);
  } else {
    const first = x.readRmw(0);
    const second = x.read(1);
    x.write(0, second);
    x.write(1, first);
  }
}

// LEA r, m
const lea = (x: Lifter): void => x.write(0, x.offset(1));

// BSWAP r (of a 16-bit register the result is undefined: 0, as processors do)
function bswap(x: Lifter): void {
  const { b } = x;
  const v = x.read(0);
  const odd = b.and(b.rotl(v, b.const(8)), b.const(0x00ff00ff));
  const even = b.and(b.rotr(v, b.const(8)), b.const(0xff00ff00));
  x.write(0, x.op(0).size === 2 ? b.const(0) : b.or(odd, even));
}

// XLATB: AL = [seg:(E)BX + AL], the sum wrapped to the address size
function xlatb(x: Lifter): void {
  const { b } = x;
  const offset = b.and(b.add(x.get(Gpr.EBX), x.get(Gpr.EAX, 1)), x.addressMask());
  const linear = x.form.segmented ? x.inSegment(x.segment(), offset, 1, false) : offset;
  x.set(Gpr.EAX, 1, x.load('i32', 1, linear));
}

// CBW | CWDE | CWD | CDQ
const cbw = (x: Lifter): void => x.set(Gpr.EAX, 2, x.b.extend8_s(x.get(Gpr.EAX, 1)));
const cwde = (x: Lifter): void => x.set(Gpr.EAX, 4, x.b.extend16_s(x.get(Gpr.EAX, 2)));
const cwd = (x: Lifter): void => x.set(Gpr.EDX, 2, x.b.shr_s(x.b.extend16_s(x.get(Gpr.EAX, 2)), x.b.const(31)));
const cdq = (x: Lifter): void => x.set(Gpr.EDX, 4, x.b.shr_s(x.get(Gpr.EAX), x.b.const(31)));

// CMOVcc r, r/m: memory is read whatever the condition is
const cmovcc =
  (cc: ConditionCode) =>
  (x: Lifter): void => {
    const source = x.read(1);
    x.write(0, x.b.select(x.cond(cc), source, x.read(0)));
  };

// SETcc r/m8
const setcc =
  (cc: ConditionCode) =>
  (x: Lifter): void =>
    x.write(0, x.cond(cc));

// LAHF: AH = SF ZF 0 AF 0 PF 1 CF
const lahf = (x: Lifter): void => x.set(Gpr.EAX, 1, x.b.or(x.b.and(x.arith(), x.b.const(0xd5)), x.b.const(2)), { high: true });

// SAHF: OF stays
const sahf = (x: Lifter): void => x.setArith(x.get(Gpr.EAX, 1, { high: true }), 0xd5);

// SALC (undocumented, D6): AL = CF ? 0xff : 0
const salc = (x: Lifter): void => x.set(Gpr.EAX, 1, x.b.sub(x.b.const(0), x.cond('b')));

export const lifts: LiftTable = {
  mov,
  movzx,
  movsx,
  xchg,
  lea,
  bswap,
  xlatb: { lift: xlatb, string: true },
  cbw,
  cwde,
  cwd,
  cdq,
  lahf,
  sahf,
  salc,
  ...Object.fromEntries(CONDITIONS.map((cc) => [`cmov${cc}`, cmovcc(cc)])),
  ...Object.fromEntries(CONDITIONS.map((cc) => [`set${cc}`, setcc(cc)])),
};
