// An unmasked invalid operation leaves operands, tags and TOP as they were (SDM vol. 1, 8.5.1), and the next waiting instruction raises #MF.
import { expect, test } from 'vitest';
import { Cpu } from '../../../src/layout/cpu.ts';
import { RAM } from '../../../src/layout/memory.ts';
import { loadRuntime, OPERAND, openFpu } from './immediate.ts';

const fpu = openFpu(loadRuntime());
const { view, cpu } = fpu;
const word = (offset: number) => view.getUint32(cpu + offset, true);
const stack = () => [word(Cpu.at.ftop), word(Cpu.at.ftw), Buffer.from(view.buffer as never, cpu + Cpu.at.fpr, 128).toString('hex')];
const MF = 16;
const IE = 1;
const SF = 0x40;
/** ES and busy. */
const PENDING = 0x8080;

/** Pushes pi and 1, then runs `before`. Invalid operations are unmasked. */
function enter(before: readonly string[]): void {
  for (const text of ['fninit', 'fldpi', 'fld1', ...before]) fpu.run(text);
  view.setUint16(RAM + OPERAND, 0x37e, true);
  fpu.run('fldcw m16');
  view.setUint32(RAM + OPERAND, 0x7f800001, true);
}

test.each<[name: string, before: string[], instruction: string, exceptions: number]>([
  ['FXCH with an empty register', ['ffree st1'], 'fxch st1', IE | SF],
  ['FXCH of an empty ST(0)', ['ffree st0'], 'fxch st1', IE | SF],
  ['FST of an empty ST(0)', ['ffree st0'], 'fst st1', IE | SF],
  ['FSTP of an empty ST(0)', ['ffree st0'], 'fstp st1', IE | SF],
  ['FCHS of an empty ST(0)', ['ffree st0'], 'fchs', IE | SF],
  ['FABS of an empty ST(0)', ['ffree st0'], 'fabs', IE | SF],
  ['FCOMPP with an empty ST(1)', ['ffree st1'], 'fcompp', IE | SF],
  ['FUCOMIP with an empty ST(1)', ['ffree st1'], 'fucomip st0 st1', IE | SF],
  ['FCOMP with a NaN that signals', [], 'fcomp m32', IE],
])('%s', (_name, before, instruction, exceptions) => {
  enter(before);
  const found = stack();
  expect(fpu.run(instruction)).toBe(-1);
  expect(stack()).toEqual(found);
  expect(word(Cpu.at.fsw) & (PENDING | 0x7f)).toBe(PENDING | exceptions);
  expect(fpu.run('fnop')).toBe(MF);
});
