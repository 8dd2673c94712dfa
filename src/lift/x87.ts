// x87 instructions (SDM vol. 1, chapter 8; vol. 2). Arithmetic is in wasm/x87; a lift checks for #NM and #MF, fetches the
// operand and calls one helper, which gets memory operands in the extended format; stores are done by the helper, which commits after them.
import type { ConditionCode, Value } from '../ir/types.ts';
import { Cpu, Gpr, Vector } from '../layout/cpu.ts';
import type { Lift, Lifter, LiftTable } from './lifter.ts';
import { FAULTS, STORES, x87Pending } from './shared.ts';
import { compareToFlags, compareToStatus, zero } from './x87-compare.ts';
import { type Real, readExtended, readInteger, readReal, SIGN, widenInteger } from './x87-operands.ts';
import { absolute, changeSign, exchange, storeRegister } from './x87-stack.ts';

const CR0_MP_TS = 2 | 8;

/** #NM where CR0.EM or CR0.TS is set; what instructions without a wait begin with. */
export function x87Trap(x: Lifter): void {
  x.raiseIf(x.state(Cpu.at.fpuTrap), Vector.NM);
}

/** What every waiting x87 instruction, and every MMX instruction, begins with. */
export function x87Check(x: Lifter): void {
  x87Trap(x);
  x87Pending(x);
}

/** The pointers that FNSTENV and FXSAVE show: of this instruction and, where it has one, of its memory operand. */
function setPointers(x: Lifter): void {
  x.setState(Cpu.at.fip, x.thisEip());
  if (x.n === 1 && x.op(0).kind === 'm') x.setState(Cpu.at.fdp, x.offset(0));
}

/** An instruction that computes: checks, `body`, pointers. */
const computing =
  (body: Lift): Lift =>
  (x) => {
    x87Check(x);
    body(x);
    setPointers(x);
  };

/** A helper without operands, or with constants. */
const call = (name: string, ...args: number[]): Lift =>
  computing((x) => {
    x.helper(
      name,
      args.map((n) => x.b.const(n)),
    );
  });

// Arithmetic ---------------------------------------------------------------------------------------------------------

/** What a helper gets of a memory operand. */
const parts = ({ sig, se, exc }: Real): Value[] => [sig, se, exc];

/** FADD and its like: m32, m64, or ST(dst), ST(src). */
const arithmetic = (name: string): Lift =>
  computing((x) => {
    if (x.op(0).kind === 'm') x.helper(`fpu${name}Arg`, parts(readReal(x)));
    else x.helper(`fpu${name}Reg`, [x.number(0), x.number(1), x.b.const(0)]);
  });
/** FADDP and its like. */
const arithmeticPop = (name: string): Lift =>
  computing((x) => {
    x.helper(`fpu${name}Reg`, [x.number(0), x.number(1), x.b.const(1)]);
  });
/** FIADD and its like: m16, m32. */
const arithmeticInt = (name: string): Lift =>
  computing((x) => {
    x.helper(`fpu${name}Arg`, parts(readInteger(x)));
  });

// Comparisons --------------------------------------------------------------------------------------------------------

/** FCOM, FCOMP, FUCOM, FUCOMP. */
const compare = (quiet: number, pops: number): Lift =>
  computing((x) => {
    if (x.op(0).kind === 'm') compareToStatus(x, x.b.const(0), quiet, pops, readReal(x));
    else compareToStatus(x, x.number(x.n - 1), quiet, pops);
  });
/** FCOMPP, FUCOMPP. */
const compareBoth = (quiet: number): Lift => computing((x) => compareToStatus(x, x.b.const(1), quiet, 2));
const compareInt = (pops: number): Lift => computing((x) => compareToStatus(x, x.b.const(0), 0, pops, readInteger(x)));
const compareZero = computing((x) => compareToStatus(x, x.b.const(0), 0, 0, zero(x)));
/** FCOMI and its like. */
const compareFlags = (quiet: number, pops: number): Lift => computing((x) => compareToFlags(x, x.number(1), quiet, pops));

// Loads and stores ---------------------------------------------------------------------------------------------------

const load = computing((x) => {
  const { kind, size } = x.op(0);
  if (kind !== 'm') x.helper('fpuLoadReg', [x.number(0)]);
  else if (size === 10) x.helper('fpuLoad', parts(readExtended(x)));
  else x.helper('fpuLoadReal', parts(readReal(x)));
});
const loadInt = computing((x) => {
  x.helper('fpuLoad', parts(readInteger(x)));
});
const loadBcd = computing((x) => {
  const { sig, se } = readExtended(x);
  const magnitude = widenInteger(x, x.helper('fpuBcdMagnitude', [sig, se], { result: 'i64' }));
  x.helper('fpuLoad', parts({ ...magnitude, se: x.b.or(magnitude.se, x.b.and(se, x.b.const(SIGN))) }));
});

/** A store to memory by a helper (cpu, linear, ...args). */
function storeBy(x: Lifter, name: string, ...args: number[]): void {
  x.helper(name, [x.linear(0, x.op(0).size, true), ...args.map((n) => x.b.const(n))], STORES);
}

const store = (pops: number): Lift =>
  computing((x) => {
    const { kind, size } = x.op(0);
    if (kind !== 'm') storeRegister(x, x.number(0), pops);
    else if (size === 10) storeBy(x, 'fpuStoreF80');
    else storeBy(x, size === 4 ? 'fpuStoreF32' : 'fpuStoreF64', pops);
  });
const storeInt = (pops: number): Lift =>
  computing((x) => {
    const { size } = x.op(0);
    if (size === 8) storeBy(x, 'fpuStoreInt64');
    else storeBy(x, size === 2 ? 'fpuStoreInt16' : 'fpuStoreInt32', pops);
  });
const truncate = computing((x) => storeBy(x, `fpuTruncInt${x.op(0).size * 8}`));
const storeBcd = computing((x) => storeBy(x, 'fpuStoreBcd'));

// The stack ----------------------------------------------------------------------------------------------------------

const moveIf = (cc: ConditionCode): Lift =>
  computing((x) => {
    x.helper('fpuMoveIf', [x.cond(cc), x.number(1)]);
  });
const free = (pops: number): Lift =>
  computing((x) => {
    x.helper('fpuFree', [x.number(0), x.b.const(pops)]);
  });

// Control ------------------------------------------------------------------------------------------------------------

// WAIT: #NM only where both CR0.MP and CR0.TS are set
function wait(x: Lifter): void {
  const { b } = x;
  x.raiseIf(b.eq(b.and(x.state(Cpu.at.cr0), b.const(CR0_MP_TS)), b.const(CR0_MP_TS)), Vector.NM);
  x87Pending(x);
}

function storeControl(x: Lifter): void {
  x87Trap(x);
  x.write(0, x.state(Cpu.at.fcw));
}
function loadControl(x: Lifter): void {
  x87Check(x);
  x.helper('fpuLoadControl', [x.read(0)]);
}
function storeStatus(x: Lifter): void {
  x87Trap(x);
  const word = x.b.or(x.state(Cpu.at.fsw), x.b.shl(x.state(Cpu.at.ftop), x.b.const(11)));
  if (x.op(0).kind === 'm') x.write(0, word);
  else x.set(Gpr.EAX, 2, word);
}
/** FNINIT, FNCLEX: no wait. */
const quick =
  (name: string): Lift =>
  (x) => {
    x87Trap(x);
    x.helper(name);
  };

/** FNSTENV, FLDENV, FNSAVE, FRSTOR: the size of the image tells the operand size. */
const image =
  (name: string, begin: Lift, write: boolean): Lift =>
  (x) => {
    begin(x);
    const { size } = x.op(0);
    x.helper(name, [x.linear(0, size, write), x.b.const(size === 14 || size === 94 ? 2 : 4)], write ? STORES : FAULTS);
  };
/** FXSAVE, FXRSTOR: 512 bytes; they do not look at pending exceptions. */
const fxImage =
  (name: string, write: boolean): Lift =>
  (x) => {
    x87Trap(x);
    x.helper(name, [x.linear(0, 512, write)], write ? STORES : FAULTS);
  };

/** FNENI, FNDISI, FNSETPM: meant something to an 8087 or 287 only. */
const obsolete = (x: Lifter): void => x87Trap(x);
/** Does nothing but check. */
const nothing = (x: Lifter): void => x87Check(x);

export const lifts: LiftTable = {
  fadd: arithmetic('Add'),
  faddp: arithmeticPop('Add'),
  fiadd: arithmeticInt('Add'),
  fsub: arithmetic('Sub'),
  fsubp: arithmeticPop('Sub'),
  fisub: arithmeticInt('Sub'),
  fsubr: arithmetic('Subr'),
  fsubrp: arithmeticPop('Subr'),
  fisubr: arithmeticInt('Subr'),
  fmul: arithmetic('Mul'),
  fmulp: arithmeticPop('Mul'),
  fimul: arithmeticInt('Mul'),
  fdiv: arithmetic('Div'),
  fdivp: arithmeticPop('Div'),
  fidiv: arithmeticInt('Div'),
  fdivr: arithmetic('Divr'),
  fdivrp: arithmeticPop('Divr'),
  fidivr: arithmeticInt('Divr'),

  fcom: compare(0, 0),
  fcomp: compare(0, 1),
  fcompp: compareBoth(0),
  fucom: compare(1, 0),
  fucomp: compare(1, 1),
  fucompp: compareBoth(1),
  ficom: compareInt(0),
  ficomp: compareInt(1),
  fcomi: compareFlags(0, 0),
  fcomip: compareFlags(0, 1),
  fucomi: compareFlags(1, 0),
  fucomip: compareFlags(1, 1),
  ftst: compareZero,
  fxam: call('fpuExamine'),

  fld: load,
  fild: loadInt,
  fbld: loadBcd,
  fst: store(0),
  fstp: store(1),
  fstpnce: store(1),
  fist: storeInt(0),
  fistp: storeInt(1),
  fisttp: truncate,
  fbstp: storeBcd,
  fld1: call('fpuLoadConst', 0),
  fldl2t: call('fpuLoadConst', 1),
  fldl2e: call('fpuLoadConst', 2),
  fldpi: call('fpuLoadConst', 3),
  fldlg2: call('fpuLoadConst', 4),
  fldln2: call('fpuLoadConst', 5),
  fldz: call('fpuLoadConst', 6),

  fxch: computing((x) => exchange(x, x.number(x.n - 1))),
  fcmovb: moveIf('b'),
  fcmove: moveIf('e'),
  fcmovbe: moveIf('be'),
  fcmovu: moveIf('p'),
  fcmovnb: moveIf('ae'),
  fcmovne: moveIf('ne'),
  fcmovnbe: moveIf('a'),
  fcmovnu: moveIf('np'),
  ffree: free(0),
  ffreep: free(1),
  fincstp: call('fpuRotate', 1),
  fdecstp: call('fpuRotate', 7),

  fchs: computing(changeSign),
  fabs: computing(absolute),
  fsqrt: call('fpuSqrt'),
  frndint: call('fpuRoundToInt'),
  fscale: call('fpuScale'),
  fxtract: call('fpuExtract'),
  fprem: call('fpuRemainder', 0),
  fprem1: call('fpuRemainder', 1),
  f2xm1: call('fpuExp2m1'),
  fyl2x: call('fpuYLog2x'),
  fyl2xp1: call('fpuYLog2xp1'),
  fpatan: call('fpuArctan'),
  fptan: call('fpuTan'),
  fsin: call('fpuSin'),
  fcos: call('fpuCos'),
  fsincos: call('fpuSinCos'),

  fnop: nothing,
  fneni: obsolete,
  fndisi: obsolete,
  fnsetpm: obsolete,
  wait,
  fninit: quick('fpuInit'),
  fnclex: quick('fpuClearExceptions'),
  fnstcw: storeControl,
  fldcw: loadControl,
  fnstsw: storeStatus,
  fnstenv: image('fpuStoreEnv', x87Trap, true),
  fldenv: image('fpuLoadEnv', x87Check, false),
  fnsave: image('fpuSave', x87Trap, true),
  frstor: image('fpuRestore', x87Check, false),
  fxsave: fxImage('fpuFxsave', true),
  fxrstor: fxImage('fpuFxrstor', false),
};
