// Exceptions between x87 instructions, images of the state, and stores that fault.
import { beforeEach, describe, expect, test } from 'vitest';
import { Cpu, Eflags, Vector } from '../../../src/layout/cpu.ts';
import { RAM } from '../../../src/layout/memory.ts';
import { type Fpu, loadRuntime, OPERAND, openFpu } from './immediate.ts';

const PROTECTED = 0x21;
const NE = 0x20;
const CW_UNMASK_Z = 0x37b;
const module = loadRuntime();
let fpu: Fpu;

const word = (offset: number) => fpu.view.getUint32(fpu.cpu + offset, true);
const setWord = (offset: number, value: number) => fpu.view.setUint32(fpu.cpu + offset, value, true);
const operand16 = (offset = 0) => fpu.view.getUint16(RAM + OPERAND + offset, true);
const operand32 = (offset = 0) => fpu.view.getUint32(RAM + OPERAND + offset, true);
const setOperand16 = (value: number) => fpu.view.setUint16(RAM + OPERAND, value, true);
const run = (...list: string[]) => list.map((i) => fpu.run(i)).at(-1);
const status = () => {
  run('fnstsw ax');
  return fpu.view.getUint16(fpu.cpu + Cpu.at.gpr, true);
};

beforeEach(() => {
  fpu = openFpu(module);
  run('fninit');
});

describe('device not available', () => {
  test('every instruction raises #NM while CR0.EM or CR0.TS is set, waiting or not', () => {
    setWord(Cpu.at.fpuTrap, 1);
    for (const i of ['fld1', 'fnstcw m16', 'fnstsw ax', 'fninit', 'fnclex', 'fnop', 'fnsave m108', 'fxsave m512'])
      expect([i, run(i)]).toEqual([i, Vector.NM]);
  });
  test('WAIT raises it only with CR0.MP and CR0.TS', () => {
    setWord(Cpu.at.fpuTrap, 1);
    setWord(Cpu.at.cr0, PROTECTED | 8);
    expect(run('wait')).toBe(-1);
    setWord(Cpu.at.cr0, PROTECTED | 8 | 2);
    expect(run('wait')).toBe(Vector.NM);
  });
});

describe('floating-point error', () => {
  const divideByZero = () => {
    setOperand16(CW_UNMASK_Z);
    run('fldcw m16', 'fldz', 'fld1');
    return run('fdiv st0 st1');
  };
  test('an unmasked exception is raised by the next waiting instruction', () => {
    expect(divideByZero()).toBe(-1);
    expect(status()).toBe(0xb084);
    for (const i of ['fadd st0 st1', 'fnop', 'wait', 'fld1', 'fldcw m16', 'frstor m108']) expect([i, run(i)]).toEqual([i, Vector.MF]);
    expect(run('fnclex')).toBe(-1);
    expect(run('fnop')).toBe(-1);
    expect(status()).toBe(0x3000);
  });
  test('without CR0.NE and with IGNNE# it stays in the status word', () => {
    setWord(Cpu.at.cr0, PROTECTED & ~NE);
    setWord(Cpu.at.fpuStop, 0);
    divideByZero();
    expect(run('fnop')).toBe(-1);
    expect(status() & 0x8080).toBe(0x8080);
  });
  test('masks decide about ES whenever they change', () => {
    run('fldz', 'fld1', 'fdiv st0 st1');
    expect(status() & 0x8084).toBe(0x0004);
    setOperand16(CW_UNMASK_Z);
    run('fldcw m16');
    expect(status() & 0x8084).toBe(0x8084);
    run('fnstenv m28');
    expect(operand16()).toBe(CW_UNMASK_Z);
    expect(status() & 0x8084).toBe(0x0004);
    expect(word(Cpu.at.fcw)).toBe(0x37f);
  });
});

describe('images', () => {
  const fill = () => {
    run('fldz', 'fldpi', 'fld1');
    setWord(Cpu.at.fip, 0x12345);
    setWord(Cpu.at.fcs, 0x1b);
    setWord(Cpu.at.fop, 0x5dc);
    setWord(Cpu.at.fdp, 0x6789a);
    setWord(Cpu.at.fds, 0x23);
  };
  const words = (n: number) => Array.from({ length: n }, (_, i) => operand16(i * 2));
  const doubles = (n: number) => Array.from({ length: n }, (_, i) => operand32(i * 4));

  test('FNSTENV, 32-bit protected mode', () => {
    fill();
    run('fnstenv m28');
    expect(doubles(7)).toEqual([0xffff037f, 0xffff2800, 0xffff43ff, 0x12345, 0x05dc001b, 0x6789a, 0xffff0023]);
  });
  test('FNSTENV, 16-bit protected mode', () => {
    fill();
    run('fnstenv m14');
    expect(words(7)).toEqual([0x037f, 0x2800, 0x43ff, 0x2345, 0x001b, 0x789a, 0x0023]);
  });
  test('FNSTENV, 16-bit and 32-bit real mode: linear pointers', () => {
    fill();
    setWord(Cpu.at.cr0, NE);
    setWord(Cpu.at.fcs, 0x1000);
    run('fnstenv m14');
    expect(words(7)).toEqual([0x037f, 0x2800, 0x43ff, 0x2345, 0x25dc, 0x7aca, 0x6000]);
    run('fnstenv m28');
    expect(doubles(7)).toEqual([0xffff037f, 0xffff2800, 0xffff43ff, 0x2345, 0x25dc, 0x7aca, 0x6000]);
  });
  test('virtual-8086 mode uses the real-mode format', () => {
    fill();
    setWord(Cpu.at.eflags, Eflags.VM);
    run('fnstenv m14');
    expect(operand16(8)).toBe(0x15dc);
  });
  test.each(['m94', 'm108'])('FNSAVE and FRSTOR %s bring everything back', (form) => {
    fill();
    const before = new Uint8Array(fpu.view.buffer, fpu.cpu + Cpu.at.fpr, 128).slice();
    run(`fnsave ${form}`);
    expect([word(Cpu.at.fcw), word(Cpu.at.ftw), word(Cpu.at.ftop)]).toEqual([0x37f, 0, 0]);
    run('fldl2e', 'fldl2e', 'fldl2e', 'fldl2e');
    run(`frstor ${form}`);
    expect(new Uint8Array(fpu.view.buffer, fpu.cpu + Cpu.at.fpr, 128).slice()).toEqual(before);
    expect([word(Cpu.at.ftop), word(Cpu.at.ftw)]).toEqual([5, 0xe0]);
  });
  test('FXSAVE and FXRSTOR, with and without CR4.OSFXSR', () => {
    const osfxsr = 0x200;
    setWord(Cpu.at.cr4, osfxsr);
    fill();
    setWord(Cpu.at.mxcsr, 0x1f80);
    setWord(Cpu.at.xmm + 16, 0xcafe);
    run('fxsave m512');
    expect(words(4)).toEqual([0x037f, 0x2800, 0x00e0, 0x05dc]);
    expect([operand32(24), operand32(160 + 16)]).toEqual([0x1f80, 0xcafe]);
    setWord(Cpu.at.xmm + 16, 1);
    setWord(Cpu.at.cr4, 0);
    run('fninit', 'fxrstor m512');
    expect([word(Cpu.at.ftop), word(Cpu.at.ftw), word(Cpu.at.xmm + 16)]).toEqual([5, 0xe0, 1]);
    setWord(Cpu.at.cr4, osfxsr);
    run('fxrstor m512');
    expect(word(Cpu.at.xmm + 16)).toBe(0xcafe);
    fpu.view.setUint32(RAM + OPERAND + 24, 0x10000, true);
    expect(run('fxrstor m512')).toBe(Vector.GP);
  });
  test('FXSAVE at an address that is not a multiple of 16 is a #GP', () => {
    fpu.exports.fpuFxsave!(fpu.cpu, OPERAND + 8);
    expect(word(Cpu.at.fault) & 0xff).toBe(Vector.GP);
  });
});

test('a store that faults changes nothing', () => {
  run('fldpi', 'fldl2e');
  const before = [word(Cpu.at.ftop), word(Cpu.at.ftw), word(Cpu.at.fsw)];
  setWord(Cpu.at.cr0, PROTECTED | 0x80000000);
  fpu.view.setUint32(word(Cpu.at.tlb) + (OPERAND >> 12) * 4, 0, true);
  for (const i of [
    'fstp m32',
    'fstp m64',
    'fstp m80',
    'fistp m16',
    'fistp m32',
    'fistp m64',
    'fisttp m32',
    'fbstp m80',
    'fnsave m108',
    'fnstenv m28',
  ])
    expect([i, run(i)]).toEqual([i, Vector.PF]);
  expect([word(Cpu.at.ftop), word(Cpu.at.ftw), word(Cpu.at.fsw)]).toEqual(before);
});
