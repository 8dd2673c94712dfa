// Reads the records that test/vectors/gen/x87.c makes, runs one, and tells what differs.
import { Cpu } from '../../../src/layout/cpu.ts';
import { RAM } from '../../../src/layout/memory.ts';
import { type Fpu, OPERAND } from './immediate.ts';

export const RECORD = 76;

/** The instructions in the order of the OPS list of x87.c. */
export const INSTRUCTIONS: readonly string[] = [
  'fadd st0 st1',
  'faddp',
  'fadd m32',
  'fadd m64',
  'fiadd m16',
  'fiadd m32',
  'fsub st0 st1',
  'fsubp',
  'fsub m32',
  'fsub m64',
  'fisub m16',
  'fisub m32',
  'fsubr st0 st1',
  'fsubrp',
  'fsubr m32',
  'fsubr m64',
  'fisubr m16',
  'fisubr m32',
  'fmul st0 st1',
  'fmulp',
  'fmul m32',
  'fmul m64',
  'fimul m16',
  'fimul m32',
  'fdiv st0 st1',
  'fdivp',
  'fdiv m32',
  'fdiv m64',
  'fidiv m16',
  'fidiv m32',
  'fdivr st0 st1',
  'fdivrp',
  'fdivr m32',
  'fdivr m64',
  'fidivr m16',
  'fidivr m32',
  'fsub st1 st0',
  'fdiv st1 st0',
  'fsubr st1 st0',
  'fdivr st1 st0',
  'fcom st1',
  'fcomp st1',
  'fcompp',
  'fcom m32',
  'fcom m64',
  'fcomp m32',
  'fcomp m64',
  'ficom m16',
  'ficom m32',
  'ficomp m16',
  'ficomp m32',
  'fucom st1',
  'fucomp st1',
  'fucompp',
  'fcomi st0 st1',
  'fcomip st0 st1',
  'fucomi st0 st1',
  'fucomip st0 st1',
  'ftst',
  'fxam',
  'fld m32',
  'fld m64',
  'fld m80',
  'fld st1',
  'fild m16',
  'fild m32',
  'fild m64',
  'fbld m80',
  'fst m32',
  'fst m64',
  'fstp m32',
  'fstp m64',
  'fstp m80',
  'fst st1',
  'fstp st1',
  'fist m16',
  'fist m32',
  'fistp m16',
  'fistp m32',
  'fistp m64',
  'fisttp m16',
  'fisttp m32',
  'fisttp m64',
  'fbstp m80',
  'fld1',
  'fldl2t',
  'fldl2e',
  'fldpi',
  'fldlg2',
  'fldln2',
  'fldz',
  'fxch st1',
  'fcmove st0 st1',
  'fcmovne st0 st1',
  'ffree st1',
  'fincstp',
  'fdecstp',
  'fchs',
  'fabs',
  'fsqrt',
  'frndint',
  'fscale',
  'fxtract',
  'fprem',
  'fprem1',
  'f2xm1',
  'fyl2x',
  'fyl2xp1',
  'fpatan',
  'fptan',
  'fsin',
  'fcos',
  'fsincos',
  'fldcw m16',
  'fnclex',
  'fnop',
];

export interface Difference {
  readonly field: 'status' | 'tags' | 'flags' | 'control' | 'st0' | 'st1' | 'memory' | 'raised';
  readonly expected: string;
  readonly actual: string;
}

const hex = (n: number | bigint, digits: number) => n.toString(16).padStart(digits, '0');
const real = (v: DataView, at: number) => `${hex(v.getUint16(at + 8, true), 4)}:${hex(v.getBigUint64(at, true), 16)}`;

/** What a record is about, in one line. */
export function describe(v: DataView, at: number): string {
  const name = INSTRUCTIONS[v.getUint16(at, true)]!;
  return `${name} cw=${hex(v.getUint16(at + 2, true), 4)} sw=${hex(v.getUint16(at + 4, true), 4)} used=${hex(v.getUint8(at + 6), 2)} st0=${real(v, at + 8)} st1=${real(v, at + 18)} mem=${real(v, at + 28)}`;
}

/** Puts the FPU into the state before a record's instruction. */
function enter(fpu: Fpu, v: DataView, at: number): void {
  const { cpu, view } = fpu;
  const top = v.getUint8(at + 7);
  const used = v.getUint8(at + 6);
  const word = (offset: number, value: number) => view.setUint32(cpu + offset, value, true);
  for (let i = 0; i < 8; i++) {
    const reg = cpu + Cpu.at.fpr + ((top + i) & 7) * 16;
    view.setBigUint64(reg, i < 2 ? v.getBigUint64(at + 8 + i * 10, true) : 0n, true);
    view.setUint16(reg + 8, i < 2 ? v.getUint16(at + 16 + i * 10, true) : 0, true);
  }
  word(Cpu.at.fcw, v.getUint16(at + 2, true));
  word(Cpu.at.fsw, v.getUint16(at + 4, true));
  word(Cpu.at.ftop, top);
  word(Cpu.at.ftw, ((used << top) | (used >> (8 - top))) & 0xff);
  word(Cpu.at.eflags, 0x8d7);
  for (let i = 0; i < 10; i++) view.setUint8(RAM + OPERAND + i, v.getUint8(at + 28 + i));
}

/** Runs record `at` and lists what is not as recorded. */
export function runRecord(fpu: Fpu, v: DataView, at: number): Difference[] {
  const { cpu, view } = fpu;
  enter(fpu, v, at);
  const raised = fpu.run(INSTRUCTIONS[v.getUint16(at, true)]!);
  const out: Difference[] = [];
  const check = (field: Difference['field'], expected: string, actual: string) => {
    if (expected !== actual) out.push({ field, expected, actual });
  };
  const word = (offset: number) => view.getUint32(cpu + offset, true);
  check('raised', '-1', String(raised));
  const top = word(Cpu.at.ftop);
  check('status', hex(v.getUint16(at + 38, true), 4), hex(word(Cpu.at.fsw) | (top << 11), 4));
  check('flags', hex(v.getUint16(at + 42, true), 4), hex(word(Cpu.at.eflags) & 0x8d5, 4));
  check('control', hex(v.getUint16(at + 44, true), 4), hex(word(Cpu.at.fcw), 4));
  check('st0', real(v, at + 46), real(view, cpu + Cpu.at.fpr + top * 16));
  check('st1', real(v, at + 56), real(view, cpu + Cpu.at.fpr + ((top + 1) & 7) * 16));
  check('memory', real(v, at + 66), real(view, RAM + OPERAND));
  fpu.run('fnsave m108');
  check('tags', hex(v.getUint16(at + 40, true), 4), hex(view.getUint16(RAM + OPERAND + 8, true), 4));
  return out;
}
