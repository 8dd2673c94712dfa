// Segment registers, descriptor-table registers, and the instructions that ask about descriptors.
import { beforeEach, describe, expect, test } from 'vitest';
import { descriptor, Eflags, GDT, Gpr, LDT, SEL, Seg, type System, system } from './system-machine.ts';

let m: System;
beforeEach(async () => {
  m = await system();
});
const zf = () => (m.flags() & Eflags.ZF) !== 0;

describe('loadSegment', () => {
  test('a good data segment: hidden part, accessed bit', () => {
    m.setDescriptor(0x20, descriptor(0x12345678, 0x54321, 0xf2, 4));
    expect(m.run('loadSegment', Seg.ES, 0x20)).toBe('');
    expect([m.selector(Seg.ES), m.field(Seg.ES, 'base'), m.field(Seg.ES, 'limit')]).toEqual([0x20, 0x12345678, 0x54321]);
    expect(m.field(Seg.ES, 'access')).toBe(0x40f300);
    expect(m.phys32(GDT + 0x24) & 0x100).toBe(0x100);
  });
  test('null is for DS ES FS GS only', () => {
    expect(m.run('loadSegment', Seg.DS, 3)).toBe('');
    expect([m.selector(Seg.DS), m.field(Seg.DS, 'access'), m.field(Seg.DS, 'topRead')]).toEqual([3, 0, 0]);
    expect(m.run('loadSegment', Seg.SS, 0)).toBe('GP(0)');
  });
  test.each([
    [Seg.ES, SEL.END, `GP(${SEL.END})`],
    [Seg.ES, SEL.ABSENT, `NP(${SEL.ABSENT})`],
    [Seg.ES, SEL.EXECUTE_ONLY, `GP(${SEL.EXECUTE_ONLY})`],
    [Seg.ES, SEL.TSS, `GP(${SEL.TSS})`],
    [Seg.ES, SEL.DATA0 | 3, `GP(${SEL.DATA0})`],
    [Seg.ES, SEL.CONFORMING | 3, ''],
    [Seg.ES, SEL.READ_ONLY, ''],
    [Seg.ES, 0x0c, 'GP(12)'],
    [Seg.SS, SEL.DATA3, `GP(${SEL.DATA3 & ~3})`],
    [Seg.SS, SEL.READ_ONLY, `GP(${SEL.READ_ONLY})`],
    [Seg.SS, SEL.CODE0, `GP(${SEL.CODE0})`],
    [Seg.SS, SEL.ABSENT, `SS(${SEL.ABSENT})`],
    [Seg.SS, SEL.DOWN, ''],
  ])('register %i, selector %i: %s', (seg, selector, fault) => {
    const before = m.selector(seg);
    expect(m.run('loadSegment', seg, selector)).toBe(fault);
    expect(m.selector(seg)).toBe(fault ? before : selector);
  });
  test('a 16-bit stack', () => {
    expect(m.run('loadSegment', Seg.SS, SEL.DATA16)).toBe('');
    expect(m.get('stackMask')).toBe(0xffff);
  });
  test('through the LDT', () => {
    m.put(LDT + 8, descriptor(0x777, 0xff, 0x92, 0));
    expect(m.run('lldt', SEL.LDT)).toBe('');
    expect(m.call.sldt(m.cpu)).toBe(SEL.LDT);
    expect(m.run('loadSegment', Seg.FS, 0x0c)).toBe('');
    expect(m.field(Seg.FS, 'base')).toBe(0x777);
    expect(m.run('loadSegment', Seg.FS, 0x24)).toBe('GP(36)');
  });
  test('asks for a look at what follows where the mode changed, or a descriptor was marked', () => {
    m.setDescriptor(SEL.DATA3_NEXT, descriptor(0x5000, 0xffff, 0xf3, 4));
    m.setDescriptor(SEL.DATA3, descriptor(0, 0xfffff, 0xf3, 0xc));
    const answers = [
      [Seg.GS, SEL.DATA3_NEXT],
      [Seg.ES, SEL.DATA3],
      [Seg.ES, SEL.DATA3_NEXT],
      [Seg.DS, SEL.DATA3_NEXT],
      [Seg.ES, SEL.DATA3],
      [Seg.DS, SEL.DATA3],
      [Seg.DS, 0],
      [Seg.FS, 0],
      [Seg.SS, SEL.DATA0],
      [Seg.DS, SEL.DATA3],
      [Seg.SS, SEL.DATA0],
      [Seg.GS, SEL.CONFORMING],
      [Seg.GS, SEL.CONFORMING],
    ].map(([seg, selector]) => {
      const again = m.call.loadSegment(m.cpu, seg, selector);
      m.must();
      return again;
    });
    expect(answers).toEqual([0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0, 1, 0]);
  });
  test('what was accessed before is loaded as what was not, from each selector to each register', () => {
    m.setDescriptor(SEL.DATA1, descriptor(0, 0xffff, 0xf2, 4));
    m.setDescriptor(SEL.DATA3_NEXT, descriptor(0x1000, 0xfffff, 0xf2, 0xc));
    m.setDescriptor(SEL.CODE1, descriptor(0, 0xfffff, 0x72, 0xc));
    const load = (seg: number, selector: number, cpl: number, flat: boolean, accessed: boolean) => {
      for (const n of [Seg.ES, Seg.DS, Seg.FS, Seg.GS]) m.setSeg(n, flat ? 0 : 16, 0xffffffff, 0xc0f300, SEL.DATA3);
      const high = GDT + (selector & 0xfff8) + 4;
      const system = !(m.phys32(high) & 0x1000);
      if (!system) m.setPhys32(high, (m.phys32(high) & ~0x100) | (accessed ? 0x100 : 0));
      m.setCpl(cpl);
      const fault = m.run('loadSegment', seg, selector);
      const {
        selector: to,
        base,
        limit,
        access,
      } = Object.fromEntries((['selector', 'base', 'limit', 'access'] as const).map((name) => [name, m.field(seg, name)]));
      return { seg, asked: selector, cpl, flat, fault, to, base, limit, access, mode: m.get('mode') };
    };
    for (const seg of [Seg.ES, Seg.DS, Seg.FS, Seg.GS])
      for (let selector = 8; selector < SEL.END; selector += selector & 1 ? 5 : 3)
        for (const cpl of [0, 3])
          for (const flat of [true, false]) expect(load(seg, selector, cpl, flat, true)).toEqual(load(seg, selector, cpl, flat, false));
  });
  test('a descriptor that is not all inside its table', () => {
    m.set('gdtLimit', (SEL.DATA3 | 7) - 1);
    expect(m.run('loadSegment', Seg.ES, SEL.DATA3)).toBe(`GP(${SEL.DATA3 & ~3})`);
    m.set('gdtLimit', SEL.DATA3 | 7);
    expect(m.run('loadSegment', Seg.ES, SEL.DATA3)).toBe('');
  });
  test('real mode keeps the limit', () => {
    m.set('cr0', 0);
    m.call.updateMode(m.cpu);
    expect(m.run('loadSegment', Seg.ES, 0x1234)).toBe('');
    expect([m.field(Seg.ES, 'base'), m.field(Seg.ES, 'limit')]).toEqual([0x12340, 0xffffffff]);
  });
});

test('LLDT and LTR want the right kind', () => {
  expect(m.run('lldt', SEL.DATA0)).toBe(`GP(${SEL.DATA0})`);
  expect(m.run('lldt', 0)).toBe('');
  expect(m.run('ltr', 0)).toBe('GP(0)');
  expect(m.run('ltr', SEL.TSS)).toBe(`GP(${SEL.TSS})`); // busy
  expect(m.run('ltr', SEL.TSS_B)).toBe('');
  expect(m.call.str(m.cpu)).toBe(SEL.TSS_B);
  expect((m.phys32(GDT + SEL.TSS_B + 4) >>> 8) & 15).toBe(11);
  m.user();
  expect(m.run('lldt', 0)).toBe('GP(0)');
  m.set('cr0', 0);
  m.call.updateMode(m.cpu);
  expect(m.run('sldt')).toBe('UD');
});

test('LGDT, SGDT, LIDT, SIDT', () => {
  m.setPhys32(0x6000, 0x5678_00ff | 0);
  m.setPhys32(0x6004, 0xff1234);
  expect(m.run('lgdt', 0x6000, 4)).toBe('');
  expect([m.get('gdtLimit'), m.get('gdtBase')]).toEqual([0xff, 0x12345678]);
  expect(m.run('lidt', 0x6000, 2)).toBe('');
  expect([m.get('idtLimit'), m.get('idtBase')]).toEqual([0xff, 0x345678]);
  m.run('sgdt', 0x6010);
  expect([m.phys32(0x6010), m.phys32(0x6014) & 0xffff]).toEqual([0x567800ff, 0x1234]);
});

describe('LAR, LSL, VERR, VERW, ARPL', () => {
  test('LAR and LSL', () => {
    expect(m.call.lar(m.cpu, SEL.CODE0) & 0xfffeff).toBe(0xc09a00);
    expect(zf()).toBe(true);
    expect(m.call.lsl(m.cpu, SEL.CODE16)).toBe(0xffff);
    expect(m.call.lsl(m.cpu, SEL.DATA3) >>> 0).toBe(0xffffffff);
    m.run('lsl', SEL.GATE);
    expect(zf()).toBe(false);
    m.run('lar', SEL.GATE);
    expect(zf()).toBe(true);
    m.run('lar', SEL.DATA0 | 3);
    expect(zf()).toBe(false);
    m.run('lar', 0);
    expect(zf()).toBe(false);
  });
  test('VERR and VERW', () => {
    m.run('verr', SEL.READ_ONLY);
    expect(zf()).toBe(true);
    m.run('verw', SEL.READ_ONLY);
    expect(zf()).toBe(false);
    m.run('verr', SEL.EXECUTE_ONLY);
    expect(zf()).toBe(false);
    m.run('verw', SEL.DATA3);
    expect(zf()).toBe(true);
  });
  test('ARPL', () => {
    expect(m.call.arpl(m.cpu, 0x10, 3)).toBe(0x13);
    expect(zf()).toBe(true);
    expect(m.call.arpl(m.cpu, 0x13, 1)).toBe(0x13);
    expect(zf()).toBe(false);
  });
});

test('ENTER', () => {
  m.setGpr(Gpr.EBP, 0x1005);
  expect(m.run('enter', 0x10, 0, 4)).toBe('');
  expect([m.gpr(Gpr.EBP), m.gpr(Gpr.ESP), m.phys32(0x7ffc)]).toEqual([0x7ffc, 0x7fec, 0x1005]);
  m.setPhys32(0x7ff8, 0xabc);
  m.setGpr(Gpr.ESP, 0x7000);
  expect(m.run('enter', 8, 2, 4)).toBe('');
  expect([m.gpr(Gpr.EBP), m.gpr(Gpr.ESP)]).toEqual([0x6ffc, 0x6fec]);
  expect(m.stack(3, 0x6ff4)).toEqual([0x6ffc, 0xabc, 0x7ffc]);
});
