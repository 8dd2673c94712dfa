// String instructions (SDM vol. 1, 7.3.9). One element is done here; with REP a helper does a run of them and says whether
// to come again. ESI, EDI and ECX are as wide as addresses are; the source may have a segment override, ES may not.
import type { Value } from '../ir/types.ts';
import { Cpu, Gpr, Seg } from '../layout/cpu.ts';
import { runtime } from '../runtime/abi.ts';
import type { Lift, Lifter, LiftSpec, LiftTable } from './lifter.ts';

const { EAX, ESI, EDI } = Gpr;
type Size = 1 | 2 | 4;
type Name = 'movs' | 'stos' | 'lods' | 'cmps' | 'scas' | 'ins' | 'outs';

/** Size of an element, as the decrement or increment that EFLAGS.DF asks for. */
function step(x: Lifter, size: Size): Value {
  const { b } = x;
  const shift = 10 - 1 - Math.log2(size); // brings DF (bit 10) to 2 * size
  return b.sub(b.const(size), b.and(b.shr_u(x.state(Cpu.at.eflags), b.const(shift)), b.const(2 * size)));
}

function source(x: Lifter, size: Size): Value {
  return x.inSegment(x.segment(), x.b.and(x.get(ESI), x.addressMask()), size, false);
}

function destination(x: Lifter, size: Size, write: boolean): Value {
  const edi = x.get(EDI, x.addrsize);
  return x.form.flat ? edi : x.inSegment(x.segCache(Seg.ES), edi, size, write);
}

function advance(x: Lifter, regs: readonly number[], size: Size): void {
  const by = step(x, size);
  for (const reg of regs) x.set(reg, x.addrsize, x.b.add(x.get(reg, x.addrsize), by));
}

// MOVS: [ES:EDI] = [seg:ESI]
const movs =
  (size: Size) =>
  (x: Lifter): void => {
    const value = x.load('i32', size, source(x, size));
    x.store(size, destination(x, size, true), value);
    advance(x, [ESI, EDI], size);
  };

// STOS: [ES:EDI] = AL | AX | EAX
const stos =
  (size: Size) =>
  (x: Lifter): void => {
    x.store(size, destination(x, size, true), x.get(EAX, size));
    advance(x, [EDI], size);
  };

// LODS: AL | AX | EAX = [seg:ESI]
const lods =
  (size: Size) =>
  (x: Lifter): void => {
    const value = x.load('i32', size, source(x, size));
    advance(x, [ESI], size);
    x.set(EAX, size, value);
  };

// CMPS: flags of [seg:ESI] - [ES:EDI]
const cmps =
  (size: Size) =>
  (x: Lifter): void => {
    const left = x.load('i32', size, source(x, size));
    const right = x.load('i32', size, destination(x, size, false));
    advance(x, [ESI, EDI], size);
    x.flags('sub', (size * 8) as 8 | 16 | 32, left, right, x.b.sub(left, right));
  };

// SCAS: flags of AL | AX | EAX - [ES:EDI]
const scas =
  (size: Size) =>
  (x: Lifter): void => {
    const left = x.get(EAX, size);
    const right = x.load('i32', size, destination(x, size, false));
    advance(x, [EDI], size);
    x.flags('sub', (size * 8) as 8 | 16 | 32, left, right, x.b.sub(left, right));
  };

/** REP: the helper moves registers and memory along, element by element; a fault leaves them at the element that faults. */
function repeated(x: Lifter, name: Name, size: Size): void {
  const { b } = x;
  const seg = name === 'ins' ? [] : [x.segment()];
  const args = [b.const(size), x.addressMask(), ...seg, b.const(x.rep)];
  const again = x.helper(runtime[name], args);
  if (x.rep) x.repeatIf(again);
}

// Flatness matters for ES, so these count as users of the stack's form; the address size names the form as well.
const instruction = (name: Name, size: Size, one?: (size: Size) => Lift): LiftSpec => ({
  lift: (x) => (x.rep || one === undefined ? repeated(x, name, size) : one(size)(x)),
  string: true,
  stack: true,
});

function family(name: Name, one?: (size: Size) => Lift): LiftTable {
  return { [`${name}b`]: instruction(name, 1, one), [`${name}w`]: instruction(name, 2, one), [`${name}d`]: instruction(name, 4, one) };
}

export const lifts: LiftTable = {
  ...family('movs', movs),
  ...family('stos', stos),
  ...family('lods', lods),
  ...family('cmps', cmps),
  ...family('scas', scas),
  // Ports: what is read is gone, and the element must be checked for writing first; a helper does both.
  ...family('ins'),
  ...family('outs'),
};
