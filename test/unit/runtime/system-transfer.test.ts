// Far jumps, calls and returns, call gates, task switches, SYSENTER and SYSEXIT.
import { beforeEach, describe, expect, test } from 'vitest';
import { Mode, Vector } from '../../../src/layout/cpu.ts';
import { RAM } from '../../../src/layout/memory.ts';
import { descriptor, Eflags, GDT, Gpr, gate, SEL, Seg, type System, system, TSS, TSS_16, TSS_B } from './system-machine.ts';

let m: System;
beforeEach(async () => {
  m = await system();
});

describe('far jumps', () => {
  test('to a 16-bit segment', () => {
    expect(m.run('farJump', SEL.CODE16, 0x12345, 2)).toBe('');
    expect(m.place()).toBe('40:2345 cpl 0');
    expect([m.field(Seg.CS, 'base'), m.field(Seg.CS, 'limit'), m.get('mode') & 1]).toEqual([0x10000, 0xffff, 0]);
  });
  test('the RPL of CS becomes the CPL', () => {
    m.user();
    expect(m.run('farJump', SEL.CODE3 & ~3, 0x500, 4)).toBe('');
    expect(m.place()).toBe('1b:500 cpl 3');
    expect(m.run('farJump', SEL.CONFORMING, 0x600, 4)).toBe('');
    expect(m.place()).toBe('3b:600 cpl 3');
  });
  test.each([
    [0, 'GP(0)'],
    [SEL.END, `GP(${SEL.END})`],
    [SEL.DATA0, `GP(${SEL.DATA0})`],
    [SEL.CODE3, `GP(${SEL.CODE3 & ~3})`],
    [SEL.CODE0 | 3, `GP(${SEL.CODE0})`],
    [SEL.LDT, `GP(${SEL.LDT})`],
    [SEL.TSS, `GP(${SEL.TSS})`], // busy
    [SEL.SMALL, 'GP(0)'],
    [SEL.ABSENT, `GP(${SEL.ABSENT})`], // absent, and data
  ])('selector %i: %s', (selector, fault) => {
    for (const name of ['farJump', 'farCall']) {
      expect(m.run(name, selector, 0x1000, 4, 0x107)).toBe(fault);
      expect([m.place(), m.gpr(Gpr.ESP)]).toEqual(['8:100 cpl 0', 0x8000]);
    }
  });
  test('an absent code segment', () => {
    m.setDescriptor(SEL.ABSENT, descriptor(0, 0xfffff, 0x1a, 0xc));
    expect(m.run('farJump', SEL.ABSENT, 0, 4)).toBe(`NP(${SEL.ABSENT})`);
  });
  test('real mode', () => {
    m.set('cr0', 0);
    m.setSeg(Seg.CS, 0x1000, 0xffff, 0x9300, 0x100);
    expect(m.run('farJump', 0xf000, 0xfff0, 2)).toBe('');
    expect([m.place(), m.field(Seg.CS, 'base')]).toEqual(['f000:fff0 cpl 0', 0xf0000]);
    expect(m.run('farJump', 0xf000, 0x10000, 4)).toBe('GP(0)');
  });
  test('through a call gate only at the same level', () => {
    expect(m.run('farJump', SEL.GATE, 0, 4)).toBe('');
    expect(m.place()).toBe('8:5000 cpl 0');
    m.user();
    expect(m.run('farJump', SEL.GATE, 0, 4)).toBe(`GP(${SEL.CODE0})`);
  });
});

describe('far calls and returns', () => {
  test('same level', () => {
    expect(m.run('farCall', SEL.CODE16, 0x300, 4, 0x107)).toBe('');
    expect(m.place()).toBe('40:300 cpl 0');
    expect(m.stack(2)).toEqual([0x107, SEL.CODE0]);
    expect(m.run('farRet', 4, 8)).toBe('');
    expect([m.place(), m.gpr(Gpr.ESP)]).toEqual(['8:107 cpl 0', 0x8008]);
  });
  test('real mode', () => {
    m.set('cr0', 0);
    for (const n of [Seg.CS, Seg.SS]) m.setSeg(n, 0x1000, 0xffff, 0x9300, 0x100);
    expect(m.run('farCall', 0x300, 0x44, 2, 0x105)).toBe('');
    expect(m.place()).toBe('300:44 cpl 0');
    expect(m.phys32(0x1000 + 0x7ffc)).toBe(0x0100_0105);
    expect(m.run('farRet', 2, 0)).toBe('');
    expect([m.place(), m.gpr(Gpr.ESP)]).toEqual(['100:105 cpl 0', 0x8000]);
  });
  test('a call gate to level 0 copies parameters; the return drops them on both stacks', () => {
    m.user();
    m.push(0x222, 0x111);
    expect(m.run('farCall', SEL.GATE, 0xdead, 4, 0x407)).toBe('');
    expect(m.place()).toBe('8:5000 cpl 0');
    expect(m.gpr(Gpr.ESP)).toBe(0x9000 - 24);
    expect(m.stack(6)).toEqual([0x407, SEL.CODE3, 0x111, 0x222, 0x7000 - 8, SEL.DATA3]);
    expect(m.run('farRet', 4, 8)).toBe('');
    expect(m.place()).toBe('1b:407 cpl 3');
    expect([m.selector(Seg.SS), m.gpr(Gpr.ESP)]).toEqual([SEL.DATA3, 0x7000]);
  });
  test('a 16-bit call gate', () => {
    m.user();
    m.push(0x222, 0x111);
    expect(m.run('farCall', SEL.GATE16, 0, 4, 0x407)).toBe('');
    expect(m.stack(3)[0]).toBe((SEL.CODE3 << 16) | 0x407);
    expect(m.gpr(Gpr.ESP)).toBe(0x9000 - 10);
    expect(m.run('farRet', 2, 2)).toBe('');
    expect([m.place(), m.gpr(Gpr.ESP)]).toEqual(['1b:407 cpl 3', 0x7000 - 8 + 2]);
  });
  test('gates that are not for us', () => {
    m.setDescriptor(SEL.GATE, gate(SEL.CODE0, 0x5000, 0x8c));
    m.user();
    expect(m.run('farCall', SEL.GATE, 0, 4, 0x407)).toBe(`GP(${SEL.GATE})`);
    m.setDescriptor(SEL.GATE, gate(SEL.CODE0, 0x5000, 0x6c));
    expect(m.run('farCall', SEL.GATE, 0, 4, 0x407)).toBe(`NP(${SEL.GATE})`);
    m.setDescriptor(SEL.GATE, gate(SEL.DATA0, 0x5000, 0xec));
    expect(m.run('farCall', SEL.GATE, 0, 4, 0x407)).toBe(`GP(${SEL.DATA0})`);
    m.setDescriptor(SEL.GATE, gate(0, 0x5000, 0xec));
    expect(m.run('farCall', SEL.GATE, 0, 4, 0x407)).toBe('GP(0)');
    expect(m.place()).toBe('1b:400 cpl 3');
  });
  test('returns that go inwards or to no code', () => {
    m.user();
    m.push(SEL.CODE0, 0x400);
    expect(m.run('farRet', 4, 0)).toBe(`GP(${SEL.CODE0})`);
    m.push(SEL.DATA3, 0x400);
    expect(m.run('farRet', 4, 0)).toBe(`GP(${SEL.DATA3 & ~3})`);
  });
});

describe('tasks', () => {
  /** Fills a 32-bit TSS. */
  const task = (at: number, eip: number, flags: number, esp: number, cs: number, ss: number, ds: number) => {
    m.ram.fill(0, at, at + 0x68);
    m.setPhys32(at + 0x20, eip);
    m.setPhys32(at + 0x24, flags);
    for (let i = 0; i < 8; i++) m.setPhys32(at + 0x28 + i * 4, i === Gpr.ESP ? esp : 0xb0 + i);
    for (const [i, selector] of [ds, cs, ss, ds, 0, 0].entries()) m.setPhys32(at + 0x48 + i * 4, selector);
    m.setPhys32(at + 0x60, SEL.LDT);
  };
  const busy = (selector: number) => (m.phys32(GDT + selector + 4) & 0x200) !== 0;
  beforeEach(() => {
    task(TSS_B, 0xb000, 2 | Eflags.CF, 0xbf00, SEL.CODE0, SEL.DATA0, SEL.DATA3);
    m.setGpr(Gpr.EAX, 0xa0);
  });

  test('a far jump: state saved and loaded, busy bits', () => {
    m.ram.set([0xea, 0, 0, 0, 0, SEL.TSS_B, 0], 0x100);
    m.setFlags(Eflags.IF | Eflags.ZF);
    expect(m.run('farJump', SEL.TSS_B, 0, 4)).toBe('');
    expect(m.place()).toBe('8:b000 cpl 0');
    expect([m.gpr(Gpr.EAX), m.gpr(Gpr.ESP), m.selector(Seg.DS)]).toEqual([0xb0, 0xbf00, SEL.DATA3]);
    expect([m.selector(Seg.TR), m.selector(Seg.LDTR), m.flags()]).toEqual([SEL.TSS_B, SEL.LDT, Eflags.CF | 2]);
    expect(m.get('cr0') & 8).toBe(8);
    expect([busy(SEL.TSS), busy(SEL.TSS_B)]).toEqual([false, true]);
    expect([m.phys32(TSS + 0x20), m.phys32(TSS + 0x24)]).toEqual([0x107, Eflags.IF | Eflags.ZF | 2]);
    expect([m.phys32(TSS + 0x28), m.phys32(TSS + 0x38), m.phys32(TSS + 0x4c)]).toEqual([0xa0, 0x8000, SEL.CODE0]);
  });
  test('a far call through a task gate, and IRET with NT', () => {
    expect(m.run('farCall', SEL.TASK_GATE, 0, 4, 0x107)).toBe('');
    expect(m.place()).toBe('8:b000 cpl 0');
    expect(m.flags()).toBe(Eflags.NT | Eflags.CF | 2);
    expect(m.ram[TSS_B]).toBe(SEL.TSS);
    expect([busy(SEL.TSS), busy(SEL.TSS_B)]).toEqual([true, true]);
    m.ram[0xb000] = 0xcf;
    expect(m.run('iret', 4)).toBe('');
    expect([m.place(), m.gpr(Gpr.EAX), m.selector(Seg.TR)]).toEqual(['8:107 cpl 0', 0xa0, SEL.TSS]);
    expect([busy(SEL.TSS), busy(SEL.TSS_B), m.flags() & Eflags.NT]).toEqual([true, false, 0]);
    expect([m.phys32(TSS_B + 0x20), m.phys32(TSS_B + 0x24)]).toEqual([0xb001, Eflags.CF | 2]);
  });
  test('a double fault through a task gate of the IDT pushes its error code', () => {
    m.setGate(8, gate(SEL.TSS_B, 0, 0x85));
    m.user();
    m.raise(Vector.DF, 0);
    m.call.deliver(m.cpu);
    expect(m.get('fault')).toBe(0);
    expect([m.place(), m.gpr(Gpr.ESP), m.phys32(0xbefc)]).toEqual(['8:b000 cpl 0', 0xbefc, 0]);
    expect([m.phys32(TSS + 0x20), m.phys32(TSS + 0x4c), m.phys32(TSS + 0x38)]).toEqual([0x400, SEL.CODE3, 0x7000]);
    expect(m.run('iret', 4)).toBe('');
    expect(m.place()).toBe('1b:400 cpl 3');
  });
  test('to a task at CPL 3, and into virtual-8086 mode', () => {
    task(TSS_B, 0xb000, 2, 0xbf00, SEL.CODE3, SEL.DATA3, SEL.DATA3);
    expect(m.run('farCall', SEL.TSS_B, 0, 4, 0x107)).toBe('');
    expect([m.place(), m.get('mode') & 4]).toEqual(['1b:b000 cpl 3', 4]);
    m.ram[0xb000] = 0xcf;
    expect(m.run('iret', 4)).toBe('');
    task(TSS_B, 0xb0, Eflags.VM | 2, 0xbf0, 0x1000, 0x2000, 0x3000);
    expect(m.run('farCall', SEL.TSS_B, 0, 4, 0x107)).toBe('');
    expect([m.place(), m.field(Seg.DS, 'base')]).toEqual(['1000:b0 cpl 3', 0x30000]);
  });
  test('a 16-bit TSS', () => {
    m.ram.fill(0, TSS_16, TSS_16 + 0x2c);
    const words = [0xb000, 3, 0xb0, 0xb1, 0xb2, 0xb3, 0xbf00, 0xb5, 0xb6, 0xb7, SEL.DATA0, SEL.CODE0, SEL.DATA0, SEL.DATA3, 0];
    for (const [i, word] of words.entries()) m.view.setUint16(RAM + TSS_16 + 0x0e + i * 2, word, true);
    expect(m.run('farCall', SEL.TSS_16, 0, 4, 0x107)).toBe('');
    expect([m.place(), m.gpr(Gpr.EAX) & 0xffff, m.gpr(Gpr.ESP) & 0xffff]).toEqual(['8:b000 cpl 0', 0xb0, 0xbf00]);
    m.setGpr(Gpr.ECX, 0x1234);
    m.ram[0xb000] = 0xcf;
    expect(m.run('iret', 4)).toBe('');
    expect(m.place()).toBe('8:107 cpl 0');
    expect(m.view.getUint16(RAM + TSS_16 + 0x14, true)).toBe(0x1234);
  });
  test('what is refused before the switch', () => {
    m.setDescriptor(SEL.TSS_16, descriptor(TSS_16, 0x2a, 0x81, 0));
    expect(m.run('farCall', SEL.TSS_16, 0, 4, 0x107)).toBe(`TS(${SEL.TSS_16})`);
    m.setDescriptor(SEL.TSS_16, descriptor(TSS_16, 0x2b, 0x01, 0));
    expect(m.run('farCall', SEL.TSS_16, 0, 4, 0x107)).toBe(`NP(${SEL.TSS_16})`);
    m.setFlags(Eflags.NT);
    m.setPhys32(TSS, SEL.TSS_B);
    expect(m.run('iret', 4)).toBe(`TS(${SEL.TSS_B})`); // not busy
    expect([m.place(), m.selector(Seg.TR)]).toEqual(['8:100 cpl 0', SEL.TSS]);
  });
  test('what is refused after it belongs to the new task', () => {
    task(TSS_B, 0xb000, 2, 0xbf00, SEL.CODE0, SEL.DATA3, SEL.DATA0);
    expect(m.run('farCall', SEL.TSS_B, 0, 4, 0x107)).toBe(`TS(${SEL.DATA3 & ~3})`);
    expect([m.get('eip'), m.selector(Seg.TR)]).toEqual([0xb000, SEL.TSS_B]);
  });
  test('the debug bit of a TSS', () => {
    m.setPhys32(TSS_B + 0x64, 1);
    expect(m.run('farCall', SEL.TSS_B, 0, 4, 0x107)).toBe('DB');
  });
  test('the debug bit after a double fault through a task gate', () => {
    m.setPhys32(TSS_B + 0x64, 1);
    m.setGate(8, gate(SEL.TSS_B, 0, 0x85));
    m.setGate(1, gate(SEL.CODE0, 0x1111, 0x8e));
    m.raise(Vector.DF, 0);
    m.call.deliver(m.cpu);
    expect([m.get('exit'), m.place()]).toEqual([0, '8:1111 cpl 0']);
    expect(m.stack(4)).toEqual([0xb000, SEL.CODE0, Eflags.NT | Eflags.CF | 2, 0]);
  });
  test.each<[string, number[], boolean]>([
    ['jmp m16:32, disp32', [0xff, 0x2d, 1, 2, 3, 4], true],
    ['jmp fs:[eax+ecx*4+8]', [0x64, 0xff, 0x6c, 0x88, 8], true],
    ['jmp ptr16:16', [0x66, 0xea, 1, 2, 3, 4], true],
    ['jmp [bp+di+0x1234], 16-bit address', [0x67, 0xff, 0xab, 0x34, 0x12], true],
    ['jmp [1234], 16-bit code', [0xff, 0x2e, 0x34, 0x12], false],
    ['jmp [0x12345678+ebx*2]', [0xff, 0x2c, 0x5d, 1, 2, 3, 4], true],
  ])('the length of %s', (_name, bytes, big) => {
    m.ram.set(bytes, 0x100);
    if (!big) m.setSeg(Seg.CS, 0, 0xffff, 0x9b00, SEL.CODE0);
    expect(m.run('farJump', SEL.TSS_B, 0, 4)).toBe('');
    expect(m.phys32(TSS + 0x20)).toBe(0x100 + bytes.length);
  });
});

describe('SYSENTER and SYSEXIT', () => {
  beforeEach(() => {
    m.set('sysenterCs', SEL.CODE0);
    m.set('sysenterEsp', 0x9800);
    m.set('sysenterEip', 0xc000);
  });
  test('in and out', () => {
    m.setDescriptor(0x18, descriptor(0, 0xfffff, 0xfa, 0xc));
    m.user(Eflags.IF | Eflags.CF);
    expect(m.run('sysenter')).toBe('');
    expect([m.place(), m.gpr(Gpr.ESP), m.selector(Seg.SS)]).toEqual(['8:c000 cpl 0', 0x9800, SEL.DATA0]);
    expect(m.flags()).toBe(Eflags.CF | 2);
    expect(m.get('mode')).toBe(Mode.CODE32 | Mode.FLAT | Mode.PHYSICAL);
    m.setGpr(Gpr.EDX, 0x777);
    m.setGpr(Gpr.ECX, 0x6ff0);
    expect(m.run('sysexit')).toBe('');
    expect([m.place(), m.gpr(Gpr.ESP), m.selector(Seg.SS)]).toEqual(['1b:777 cpl 3', 0x6ff0, 0x23]);
    expect(m.get('mode')).toBe(Mode.CODE32 | Mode.FLAT | Mode.USER | Mode.PHYSICAL);
    expect(m.run('sysexit')).toBe('GP(0)');
  });
  test('without an MSR, in real mode', () => {
    m.set('sysenterCs', 3);
    expect(m.run('sysenter')).toBe('GP(0)');
    expect(m.run('sysexit')).toBe('GP(0)');
    m.set('sysenterCs', SEL.CODE0);
    m.set('cr0', 0);
    m.call.updateMode(m.cpu);
    expect(m.run('sysenter')).toBe('GP(0)');
  });
});
