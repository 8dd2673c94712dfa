// x87 instructions (SDM vol. 1, chapter 8; vol. 2). Arithmetic is in wasm/x87; a lift checks for #NM and #MF, fetches the
// operand and calls one helper, which gets reals of memory by their bits, integers in the extended format; stores are done by the helper, which commits after them.
import type { ConditionCode, Value } from '../ir/types.ts';
import { Cpu, Gpr, Vector } from '../layout/cpu.ts';
import { type RuntimeFunction, runtime } from '../runtime/abi.ts';
import type { Lift, Lifter, LiftTable } from './lifter.ts';
import { x87Pending } from './shared.ts';
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
const call = (f: RuntimeFunction, ...args: number[]): Lift =>
  computing((x) => {
    x.helper(
      f,
      args.map((n) => x.b.const(n)),
    );
  });

/** FADD and its like, with a real of 32 or 64 bits, an integer, or registers. */
interface Arithmetic {
  readonly f32: RuntimeFunction;
  readonly f64: RuntimeFunction;
  readonly int: RuntimeFunction;
  readonly reg: RuntimeFunction;
}
const ADD = { f32: runtime.fpuAddF32, f64: runtime.fpuAddF64, int: runtime.fpuAddInt, reg: runtime.fpuAddReg };
const SUB = { f32: runtime.fpuSubF32, f64: runtime.fpuSubF64, int: runtime.fpuSubInt, reg: runtime.fpuSubReg };
const SUBR = { f32: runtime.fpuSubrF32, f64: runtime.fpuSubrF64, int: runtime.fpuSubrInt, reg: runtime.fpuSubrReg };
const MUL = { f32: runtime.fpuMulF32, f64: runtime.fpuMulF64, int: runtime.fpuMulInt, reg: runtime.fpuMulReg };
const DIV = { f32: runtime.fpuDivF32, f64: runtime.fpuDivF64, int: runtime.fpuDivInt, reg: runtime.fpuDivReg };
const DIVR = { f32: runtime.fpuDivrF32, f64: runtime.fpuDivrF64, int: runtime.fpuDivrInt, reg: runtime.fpuDivrReg };

// Arithmetic ---------------------------------------------------------------------------------------------------------

/** What a helper gets of an integer, or of a number in the extended format. */
const parts = ({ sig, se }: Real): Value[] => [sig, se];

/** FADD and its like: m32, m64, or ST(dst), ST(src). */
const arithmetic = ({ f32, f64, reg }: Arithmetic): Lift =>
  computing((x) => {
    if (x.op(0).kind === 'm') x.helper(x.op(0).size === 8 ? f64 : f32, [x.read(0)]);
    else x.helper(reg, [x.number(0), x.number(1), x.b.const(0)]);
  });
/** FADDP and its like. */
const arithmeticPop = ({ reg }: Arithmetic): Lift =>
  computing((x) => {
    x.helper(reg, [x.number(0), x.number(1), x.b.const(1)]);
  });
/** FIADD and its like: m16, m32. */
const arithmeticInt = ({ int }: Arithmetic): Lift =>
  computing((x) => {
    x.helper(int, parts(readInteger(x)));
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
  if (kind !== 'm') x.helper(runtime.fpuLoadReg, [x.number(0)]);
  else if (size === 10) x.helper(runtime.fpuLoad, parts(readExtended(x)));
  else x.helper(size === 8 ? runtime.fpuLoadF64 : runtime.fpuLoadF32, [x.read(0)]);
});
const loadInt = computing((x) => {
  x.helper(runtime.fpuLoad, parts(readInteger(x)));
});
const loadBcd = computing((x) => {
  const { sig, se } = readExtended(x);
  const magnitude = widenInteger(x, x.helper(runtime.fpuBcdMagnitude, [sig, se]));
  x.helper(runtime.fpuLoad, parts({ ...magnitude, se: x.b.or(magnitude.se, x.b.and(se, x.b.const(SIGN))) }));
});

/** A store to memory by a helper (cpu, linear, ...args). */
function storeBy(x: Lifter, f: RuntimeFunction, ...args: number[]): void {
  x.helper(f, [x.linear(0, x.op(0).size, true), ...args.map((n) => x.b.const(n))]);
}

const store = (pops: number): Lift =>
  computing((x) => {
    const { kind, size } = x.op(0);
    if (kind !== 'm') storeRegister(x, x.number(0), pops);
    else if (size === 10) storeBy(x, runtime.fpuStoreF80);
    else storeBy(x, size === 4 ? runtime.fpuStoreF32 : runtime.fpuStoreF64, pops);
  });
const storeInt = (pops: number): Lift =>
  computing((x) => {
    const { size } = x.op(0);
    if (size === 8) storeBy(x, runtime.fpuStoreInt64);
    else storeBy(x, size === 2 ? runtime.fpuStoreInt16 : runtime.fpuStoreInt32, pops);
  });
const truncate = computing((x) => {
  const { size } = x.op(0);
  storeBy(x, size === 2 ? runtime.fpuTruncInt16 : size === 4 ? runtime.fpuTruncInt32 : runtime.fpuTruncInt64);
});
const storeBcd = computing((x) => storeBy(x, runtime.fpuStoreBcd));

// The stack ----------------------------------------------------------------------------------------------------------

const moveIf = (cc: ConditionCode): Lift =>
  computing((x) => {
    x.helper(runtime.fpuMoveIf, [x.cond(cc), x.number(1)]);
  });
const free = (pops: number): Lift =>
  computing((x) => {
    x.helper(runtime.fpuFree, [x.number(0), x.b.const(pops)]);
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
  x.helper(runtime.fpuLoadControl, [x.read(0)]);
}
function storeStatus(x: Lifter): void {
  x87Trap(x);
  const word = x.b.or(x.state(Cpu.at.fsw), x.b.shl(x.state(Cpu.at.ftop), x.b.const(11)));
  if (x.op(0).kind === 'm') x.write(0, word);
  else x.set(Gpr.EAX, 2, word);
}
/** FNINIT, FNCLEX: no wait. */
const quick =
  (f: RuntimeFunction): Lift =>
  (x) => {
    x87Trap(x);
    x.helper(f);
  };

/** FNSTENV, FLDENV, FNSAVE, FRSTOR: the size of the image tells the operand size. */
const image =
  (f: RuntimeFunction, begin: Lift, write: boolean): Lift =>
  (x) => {
    begin(x);
    const { size } = x.op(0);
    x.helper(f, [x.linear(0, size, write), x.b.const(size === 14 || size === 94 ? 2 : 4)]);
  };
/** FXSAVE, FXRSTOR: 512 bytes; they do not look at pending exceptions. */
const fxImage =
  (f: RuntimeFunction, write: boolean): Lift =>
  (x) => {
    x87Trap(x);
    x.helper(f, [x.linear(0, 512, write)]);
  };

/** FNENI, FNDISI, FNSETPM: meant something to an 8087 or 287 only. */
const obsolete = (x: Lifter): void => x87Trap(x);
/** Does nothing but check. */
const nothing = (x: Lifter): void => x87Check(x);

export const lifts: LiftTable = {
  fadd: arithmetic(ADD),
  faddp: arithmeticPop(ADD),
  fiadd: arithmeticInt(ADD),
  fsub: arithmetic(SUB),
  fsubp: arithmeticPop(SUB),
  fisub: arithmeticInt(SUB),
  fsubr: arithmetic(SUBR),
  fsubrp: arithmeticPop(SUBR),
  fisubr: arithmeticInt(SUBR),
  fmul: arithmetic(MUL),
  fmulp: arithmeticPop(MUL),
  fimul: arithmeticInt(MUL),
  fdiv: arithmetic(DIV),
  fdivp: arithmeticPop(DIV),
  fidiv: arithmeticInt(DIV),
  fdivr: arithmetic(DIVR),
  fdivrp: arithmeticPop(DIVR),
  fidivr: arithmeticInt(DIVR),

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
  fxam: call(runtime.fpuExamine),

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
  fld1: call(runtime.fpuLoadConst, 0),
  fldl2t: call(runtime.fpuLoadConst, 1),
  fldl2e: call(runtime.fpuLoadConst, 2),
  fldpi: call(runtime.fpuLoadConst, 3),
  fldlg2: call(runtime.fpuLoadConst, 4),
  fldln2: call(runtime.fpuLoadConst, 5),
  fldz: call(runtime.fpuLoadConst, 6),

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
  fincstp: call(runtime.fpuRotate, 1),
  fdecstp: call(runtime.fpuRotate, 7),

  fchs: computing(changeSign),
  fabs: computing(absolute),
  fsqrt: call(runtime.fpuSqrt),
  frndint: call(runtime.fpuRoundToInt),
  fscale: call(runtime.fpuScale),
  fxtract: call(runtime.fpuExtract),
  fprem: call(runtime.fpuRemainder, 0),
  fprem1: call(runtime.fpuRemainder, 1),
  f2xm1: call(runtime.fpuExp2m1),
  fyl2x: call(runtime.fpuYLog2x),
  fyl2xp1: call(runtime.fpuYLog2xp1),
  fpatan: call(runtime.fpuArctan),
  fptan: call(runtime.fpuTan),
  fsin: call(runtime.fpuSin),
  fcos: call(runtime.fpuCos),
  fsincos: call(runtime.fpuSinCos),

  fnop: nothing,
  fneni: obsolete,
  fndisi: obsolete,
  fnsetpm: obsolete,
  wait,
  fninit: quick(runtime.fpuInit),
  fnclex: quick(runtime.fpuClearExceptions),
  fnstcw: storeControl,
  fldcw: loadControl,
  fnstsw: storeStatus,
  fnstenv: image(runtime.fpuStoreEnv, x87Trap, true),
  fldenv: image(runtime.fpuLoadEnv, x87Check, false),
  fnsave: image(runtime.fpuSave, x87Trap, true),
  frstor: image(runtime.fpuRestore, x87Check, false),
  fxsave: fxImage(runtime.fpuFxsave, true),
  fxrstor: fxImage(runtime.fpuFxrstor, false),
};
