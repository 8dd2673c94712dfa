// Interrupts and exceptions to their handlers, and IRET back.
import { beforeEach, describe, expect, test } from 'vitest';
import { Cpu, Exit, FAULT, FAULT_BAIL, FAULT_TRAP, PENDING_HELD_SHIFT, Pending, Step, Vector, Watch } from '../../../src/layout/cpu.ts';
import { RAM } from '../../../src/layout/memory.ts';
import { type Exported, runtime } from '../../../src/runtime/abi.ts';
import { descriptor, Eflags, Gpr, gate, SEL, Seg, type System, system, TSS } from './system-machine.ts';

const INT32 = 0x8e;
const TRAP32 = 0x8f;
const INT16 = 0x86;
const dr = (n: number) => Cpu.at.dr + n * 4;
let m: System;
beforeEach(async () => {
  m = await system();
  for (let vector = 0; vector < 48; vector++) m.setGate(vector, gate(SEL.CODE0, 0x10000 + vector, INT32));
});

/** Raises and delivers an exception. */
const fault = (vector: number, error?: number) => {
  m.raise(vector, error);
  expect(m.run('deliver')).toBe('');
};

describe('exceptions at the same privilege level', () => {
  test('without an error code: flags with RF, CS, EIP', () => {
    m.setFlags(Eflags.IF | Eflags.TF | Eflags.CF | Eflags.NT);
    fault(Vector.UD);
    expect(m.place()).toBe('8:10006 cpl 0');
    expect(m.stack(3)).toEqual([0x100, 8, Eflags.RF | Eflags.NT | Eflags.IF | Eflags.TF | Eflags.CF | 2]);
    expect(m.flags()).toBe(Eflags.CF | 2);
    expect(m.get('fault')).toBe(0);
    expect(m.get('step') & Step.TF).toBe(0);
    expect(m.counter('countFaults')).toBe(1);
  });
  test('with one; a trap gate keeps IF', () => {
    m.setGate(13, gate(SEL.CODE0, 0x12345678, TRAP32));
    m.setFlags(Eflags.IF);
    fault(Vector.GP, 0x1234);
    expect(m.get('eip')).toBe(0x12345678);
    expect(m.stack(4)).toEqual([0x1234, 0x100, 8, Eflags.RF | Eflags.IF | 2]);
    expect(m.flags() & Eflags.IF).toBe(Eflags.IF);
  });
  test('a 16-bit gate pushes words', () => {
    m.setGate(13, gate(SEL.CODE0, 0x4321, INT16));
    fault(Vector.GP, 0x18);
    expect(m.gpr(Gpr.ESP)).toBe(0x7ff8);
    expect(m.stack(2)).toEqual([0x0100_0018, 0x0002_0008]);
    expect(m.get('eip')).toBe(0x4321);
  });
  test('a #DB trap is pushed without RF', () => {
    m.set('fault', FAULT | FAULT_TRAP | Vector.DB);
    m.call.deliver(m.cpu);
    expect(m.stack(3)[2]).toBe(2);
  });
  test('a conforming handler at CPL 3 stays there', () => {
    m.setGate(6, gate(SEL.CONFORMING, 0x500, INT32));
    m.user();
    fault(Vector.UD);
    expect(m.place()).toBe(`${(SEL.CONFORMING | 3).toString(16)}:500 cpl 3`);
    expect(m.gpr(Gpr.ESP)).toBe(0x7000 - 12);
  });
});

describe('to an inner level and back', () => {
  test('page fault from CPL 3, IRET', () => {
    m.user(Eflags.IF | Eflags.CF);
    expect(m.place()).toBe('1b:400 cpl 3');
    fault(Vector.PF, 6);
    expect(m.place()).toBe('8:1000e cpl 0');
    expect(m.selector(Seg.SS)).toBe(SEL.DATA0);
    expect(m.gpr(Gpr.ESP)).toBe(0x9000 - 24);
    expect(m.stack(6)).toEqual([6, 0x400, SEL.CODE3, Eflags.RF | Eflags.IF | Eflags.CF | 2, 0x7000, SEL.DATA3]);
    m.setGpr(Gpr.ESP, m.gpr(Gpr.ESP) + 4);
    expect(m.run('iret', 4)).toBe('');
    expect(m.place()).toBe('1b:400 cpl 3');
    expect([m.selector(Seg.SS), m.gpr(Gpr.ESP)]).toEqual([SEL.DATA3, 0x7000]);
    expect(m.flags()).toBe(Eflags.IF | Eflags.CF | 2);
  });
  test('to level 1', () => {
    m.setGate(6, gate(SEL.CODE1, 0x600, INT32));
    m.user();
    fault(Vector.UD);
    expect(m.place()).toBe('79:600 cpl 1');
    expect([m.selector(Seg.SS), m.gpr(Gpr.ESP)]).toEqual([SEL.DATA1, 0xa000 - 20]);
  });
  test('a return to CPL 3 nulls inner data segments', () => {
    m.push(SEL.DATA3, 0x7000, 2, SEL.CODE3, 0x400);
    m.run('iret', 4);
    expect([m.selector(Seg.DS), m.selector(Seg.ES), m.field(Seg.DS, 'access')]).toEqual([0, 0, 0]);
  });
  test('stacks that are not good', () => {
    m.user();
    const bad = (ss: number) => {
      m.setPhys32(TSS + 8, ss);
      return m.run('softInterrupt', 0x20, 0x402, 0);
    };
    m.setGate(0x20, gate(SEL.CODE0, 0, 0xee));
    expect(bad(0)).toBe('TS(0)');
    expect(bad(SEL.DATA3)).toBe(`TS(${SEL.DATA3 & ~3})`);
    expect(bad(SEL.CODE0)).toBe(`TS(${SEL.CODE0})`);
    expect(bad(SEL.END)).toBe(`TS(${SEL.END})`);
    expect(bad(SEL.ABSENT)).toBe(`SS(${SEL.ABSENT})`);
    expect(m.place()).toBe('1b:400 cpl 3');
    // Room for 16 bytes only.
    m.setDescriptor(SEL.DATA0, descriptor(0, 0xf, 0x92, 4));
    m.setPhys32(TSS + 4, 0x10);
    expect(bad(SEL.DATA0)).toBe(`SS(${SEL.DATA0})`);
    expect(m.gpr(Gpr.ESP)).toBe(0x7000);
  });
});

describe('what goes wrong on the way', () => {
  test('software interrupts: DPL, IDT limit, presence', () => {
    m.user();
    expect(m.run('softInterrupt', 0x20, 0x402, 0)).toBe(`GP(${0x20 * 8 + 2})`);
    expect(m.run('softInterrupt', 0xff, 0x402, 0)).toBe(`GP(${0xff * 8 + 2})`);
    m.set('idtLimit', 0x20 * 8 + 6);
    expect(m.run('softInterrupt', 0x20, 0x402, 0)).toBe(`GP(${0x20 * 8 + 2})`);
    m.set('idtLimit', 0x7ff);
    m.setGate(0x20, gate(SEL.CODE0, 0, 0x6e));
    expect(m.run('softInterrupt', 0x20, 0x402, 0)).toBe(`NP(${0x20 * 8 + 2})`);
    m.setGate(0x20, gate(0, 0, 0xee));
    expect(m.run('softInterrupt', 0x20, 0x402, 0)).toBe('GP(0)');
    m.setGate(0x20, gate(SEL.DATA0, 0, 0xee));
    expect(m.run('softInterrupt', 0x20, 0x402, 0)).toBe(`GP(${SEL.DATA0})`);
    m.setGate(0x20, gate(SEL.SMALL, 0x100, 0xee));
    expect(m.run('softInterrupt', 0x20, 0x402, 0)).toBe('GP(0)');
    m.setGate(0x20, gate(SEL.CODE0, 0x111, 0xee));
    expect(m.run('softInterrupt', 0x20, 0x402, 0)).toBe('');
    expect(m.stack(1)).toEqual([0x402]);
    expect(m.place()).toBe('8:111 cpl 0');
  });
  test('a fault during the delivery of a benign exception comes next, with EXT', () => {
    m.setGate(6, [0, 0]);
    fault(Vector.UD);
    expect(m.get('eip')).toBe(0x1000d);
    expect(m.stack(2)).toEqual([6 * 8 + 3, 0x100]);
  });
  test('#NP during #GP is a double fault', () => {
    m.setGate(13, gate(SEL.ABSENT, 0, INT32));
    m.setDescriptor(SEL.ABSENT, descriptor(0, 0xfffff, 0x1a, 0xc));
    fault(Vector.GP, 0);
    expect(m.get('eip')).toBe(0x10008);
    expect(m.stack(2)).toEqual([0, 0x100]);
  });
  test('#GP during #PF is a double fault, and one more a triple fault', () => {
    m.setGate(14, [0, 0]);
    fault(Vector.PF, 2);
    expect(m.get('eip')).toBe(0x10008);
    m.setGate(8, [0, 0]);
    fault(Vector.PF, 2);
    expect(m.get('exit')).toBe(Exit.TRIPLE_FAULT);
    expect(m.get('fault')).toBe(0);
  });
});

describe('real mode', () => {
  beforeEach(() => {
    m.set('cr0', 0);
    m.set('idtBase', 0);
    m.set('idtLimit', 0x3ff);
    for (const n of [Seg.CS, Seg.SS]) m.setSeg(n, 0x10000, 0xffff, 0x9300, 0x1000);
    m.setGpr(Gpr.ESP, 0xabcd0002);
  });
  test('INT and IRET', () => {
    m.setPhys32(0x21 * 4, 0x2000_0345 | 0);
    m.setFlags(Eflags.IF | Eflags.ZF);
    expect(m.run('softInterrupt', 0x21, 0x102, 0)).toBe('');
    expect(m.place()).toBe('2000:345 cpl 0');
    expect(m.field(Seg.CS, 'base')).toBe(0x20000);
    // SP wraps inside 64 KiB.
    expect(m.gpr(Gpr.ESP)).toBe(0xabcdfffc);
    expect(m.view.getUint16(RAM + 0x10000, true)).toBe(Eflags.IF | Eflags.ZF | 2);
    expect(m.run('iret', 2)).toBe('');
    expect(m.place()).toBe('1000:102 cpl 0');
    expect(m.flags()).toBe(Eflags.IF | Eflags.ZF | 2);
    expect(m.gpr(Gpr.ESP)).toBe(0xabcd0002);
  });
  test('no error code; a short IVT ends in a triple fault', () => {
    m.setPhys32(13 * 4, 0x2000_0345 | 0);
    fault(Vector.GP, 0x55);
    expect(m.gpr(Gpr.ESP)).toBe(0xabcdfffc);
    m.set('idtLimit', 3);
    fault(Vector.UD);
    expect(m.get('exit')).toBe(Exit.TRIPLE_FAULT);
  });
});

describe('virtual-8086 mode', () => {
  test('in by IRET, out by an interrupt, back', () => {
    m.virtual(Eflags.IF);
    expect(m.place()).toBe('1000:20 cpl 3');
    expect([m.field(Seg.CS, 'base'), m.field(Seg.GS, 'base'), m.field(Seg.SS, 'limit')]).toEqual([0x10000, 0x60000, 0xffff]);
    expect(m.flags() & Eflags.VM).toBe(Eflags.VM);
    m.call.interrupt(m.cpu, 0x20);
    expect(m.place()).toBe('8:10020 cpl 0');
    expect(m.stack(9)).toEqual([0x20, 0x1000, Eflags.VM | Eflags.IF | 2, 0xfff0, 0x2000, 0x3000, 0x4000, 0x5000, 0x6000]);
    expect(m.flags()).toBe(2);
    expect([m.selector(Seg.DS), m.field(Seg.DS, 'access')]).toEqual([0, 0]);
    expect(m.run('iret', 4)).toBe('');
    expect(m.place()).toBe('1000:20 cpl 3');
    expect(m.gpr(Gpr.ESP)).toBe(0xfff0);
  });
  test('IOPL decides about INT n, IRET, PUSHF, POPF, STI', () => {
    m.virtual();
    expect(m.run('softInterrupt', 0x20, 0x22, 0)).toBe('GP(0)');
    expect(m.run('iret', 2)).toBe('GP(0)');
    expect(m.run('pushf')).toBe('GP(0)');
    expect(m.run('popf', 0, 2)).toBe('GP(0)');
    expect(m.run('sti', 0)).toBe('GP(0)');
    m.setFlags(Eflags.VM | Eflags.IOPL);
    expect(m.run('sti')).toBe('');
    expect(m.run('popf', 0, 2)).toBe('');
    expect(m.flags()).toBe(Eflags.VM | Eflags.IOPL | 2);
  });
  test('INT3 is not sensitive to IOPL; a handler at another level than 0 is refused', () => {
    m.setGate(3, gate(SEL.CODE0, 0x333, 0xee));
    m.setGate(4, gate(SEL.CODE1, 0x333, 0xee));
    m.virtual();
    expect(m.run('softInterrupt', 4, 0x21, 2)).toBe(`GP(${SEL.CODE1 & ~3})`);
    expect(m.run('softInterrupt', 3, 0x21, 1)).toBe('');
    expect(m.place()).toBe('8:333 cpl 0');
  });
});

describe('IRET checks', () => {
  test.each<[string, number[], string]>([
    ['null CS', [2, 0, 0x400], 'GP(0)'],
    ['data as CS', [2, SEL.DATA0, 0x400], `GP(${SEL.DATA0})`],
    ['RPL against DPL', [2, SEL.CODE0 | 3, 0x400], `GP(${SEL.CODE0})`],
    ['EIP beyond the limit', [2, SEL.SMALL, 0x100], 'GP(0)'],
    ['null SS', [0, 0x7000, 2, SEL.CODE3, 0x400], 'GP(0)'],
    ['SS of another level', [SEL.DATA0, 0x7000, 2, SEL.CODE3, 0x400], `GP(${SEL.DATA0})`],
    ['beyond the GDT', [2, SEL.END, 0x400], `GP(${SEL.END})`],
  ])('%s', (_name, frame, expected) => {
    m.push(...frame);
    const esp = m.gpr(Gpr.ESP);
    expect(m.run('iret', 4)).toBe(expected);
    expect(m.gpr(Gpr.ESP)).toBe(esp);
    expect(m.place()).toBe('8:100 cpl 0');
  });
  test('a user cannot go inwards or change IF and IOPL', () => {
    m.user(Eflags.IF);
    m.push(2, SEL.CODE0, 0x400);
    expect(m.run('iret', 4)).toBe(`GP(${SEL.CODE0})`);
    m.push(Eflags.IOPL | Eflags.CF | Eflags.VM, SEL.CODE3, 0x444);
    expect(m.run('iret', 4)).toBe('');
    expect(m.flags()).toBe(Eflags.IF | Eflags.CF | 2);
    expect(m.place()).toBe('1b:444 cpl 3');
  });
});

describe('POPF, CLI, STI', () => {
  test('by privilege level', () => {
    m.run('popf', 0xffffffff, 4);
    expect(m.flags()).toBe(0x247fd7);
    expect(m.get('step') & Step.TF).toBe(Step.TF);
    m.setFlags(0);
    m.user(0);
    expect(m.run('sti', 0)).toBe('GP(0)');
    expect(m.run('popf', Eflags.IF | Eflags.IOPL | Eflags.SF, 4)).toBe('');
    expect(m.flags()).toBe(Eflags.SF | 2);
    expect(m.call.pushf(m.cpu)).toBe(Eflags.SF | 2);
  });
  test('STI holds interrupts off once', () => {
    m.run('sti');
    expect([m.flags() & Eflags.IF, m.get('shadow')]).toEqual([Eflags.IF, 1]);
  });
});

describe('poll', () => {
  const held = (bits: number) => bits << PENDING_HELD_SHIFT;
  const poll = () => m.call.poll(m.cpu, 0x200);
  test('an interrupt waits for IF and for the shadow', () => {
    m.set('pending', Pending.INTR);
    m.acks.push(0x21);
    expect(poll()).toBe(0);
    expect(m.get('pending'), 'no poll sees it').toBe(held(Pending.INTR));
    m.run('sti', 0x200);
    expect(m.get('pending')).toBe(Pending.INTR);
    // The next instruction is to be run alone; it ends the shadow.
    expect([poll(), m.get('step'), m.place()]).toEqual([1, Step.SHADOW, '8:200 cpl 0']);
    m.set('shadow', 0);
    expect(poll()).toBe(1);
    expect([m.get('pending'), m.place()]).toEqual([0, '8:10021 cpl 0']);
    expect(m.stack(3)).toEqual([0x200, 8, Eflags.IF | 2]);
    expect(m.counter('countInterrupts')).toBe(1);
  });
  test.each<[string, () => void, number]>([
    ['POPF', () => m.run('popf', Eflags.IF, 4), Pending.INTR],
    ['POPF that leaves IF clear', () => m.run('popf', Eflags.TF, 4), held(Pending.INTR)],
    ['STI with IF set', () => [m.run('popf', Eflags.IF, 4), m.run('sti', 0x200)], Pending.INTR],
    ['a refused STI', () => [m.user(0), m.run('sti', 0x200)], held(Pending.INTR)],
  ])('%s', (_name, instruction, pending) => {
    m.set('pending', Pending.INTR);
    poll();
    instruction();
    expect(m.get('pending')).toBe(pending);
  });
  test('a spurious one', () => {
    m.setFlags(Eflags.IF);
    m.set('pending', Pending.INTR);
    expect([poll(), m.get('pending'), m.get('eip')]).toEqual([0, 0, 0x200]);
  });
  // Regions go on with what they have in locals.
  test('0 means that it did nothing of its effects', () => {
    const polls = Object.values<Exported>(runtime).filter((f) => 'gives' in f && f.gives === 'done');
    expect(polls.map(({ name }) => name)).toEqual(['poll', 'pollRegion', 'pollPoint']);
    const words = () => new Uint32Array(m.memory.buffer.slice(m.cpu, m.cpu + Cpu.size));
    const places = Object.entries(Cpu.at).sort(([, x], [, y]) => y - x);
    /** What is other than it was, but for what it was asked about, counts (of samples too), and where it was. */
    const changed = (before: Uint32Array) => {
      const fields = [...words()].flatMap((word, k) => (word === before[k] ? [] : [places.find(([, at]) => at <= k * 4)![0]]));
      return fields.filter((field) => !/^(pending$|count|flameHead|lastBlock)/.test(field));
    };
    // (Held, it would wait.)
    const bits = Object.values(Pending).filter((bit) => bit !== Pending.HOLD);
    const given = new Set<number>();
    for (const { name } of polls)
      for (const first of bits)
        for (const second of bits)
          for (const flags of [0, Eflags.IF]) {
            m.setFlags(flags);
            for (const field of ['exit', 'step', 'fault'] as const) m.set(field, 0);
            m.set('pending', first | second);
            const before = words();
            const done: number = m.call[name](m.cpu, name === 'pollPoint' ? m.point(7, m.get('eip')) : m.get('eip'));
            given.add(done);
            if (done === 0) expect(changed(before), `${name} with ${first | second}`).toEqual([]);
          }
    expect([...given].sort()).toEqual([0, 1]);
  });
  test('NMI, blocked until IRET', () => {
    m.set('pending', Pending.NMI);
    expect([poll(), m.get('eip')]).toEqual([1, 0x10002]);
    m.set('pending', Pending.NMI | Pending.NMI_AGAIN);
    expect([poll(), m.get('pending')], 'no poll sees them').toEqual([0, held(Pending.NMI | Pending.NMI_AGAIN)]);
    m.set('eip', 0x10002);
    m.run('iret', 4);
    expect(m.get('pending'), 'one was lost').toBe(Pending.NMI);
    expect(poll()).toBe(1);
  });
  test.each([
    [Pending.STOP | Pending.INSTALL, Exit.STOP],
    [Pending.INSTALL | Pending.INTR, Exit.INSTALL],
    [Pending.TIMER, Exit.TIMER],
    [Pending.INIT, Exit.INIT],
    [Pending.SIPI, Exit.SIPI],
  ])('pending %i exits with %i', (pending, exit) => {
    m.set('pending', pending);
    expect([poll(), m.get('exit'), m.get('pending')]).toEqual([1, exit, pending]);
  });
});

describe('debug exceptions', () => {
  test('single step', () => {
    expect(m.call.singleStepTrap(m.cpu, 1)).toBeTruthy();
    m.call.deliver(m.cpu);
    expect(m.get('eip')).toBe(0x10001);
    expect(m.view.getUint32(m.cpu + dr(6), true) & 0xe00f).toBe(0x4000);
  });
  test('instruction breakpoint, and RF', () => {
    m.view.setUint32(m.cpu + dr(1), 0x100, true);
    m.view.setUint32(m.cpu + dr(7), 0x404, true);
    m.call.updateBreakpoints(m.cpu);
    expect([m.get('step'), m.get('watch')]).toEqual([0, Watch.CODE]);
    expect(m.run('checkBreakpoints')).toBe('DB');
    expect(m.view.getUint32(m.cpu + dr(6), true) & 0xf).toBe(2);
    m.push(Eflags.RF | 2, SEL.CODE0, 0x100);
    expect(m.run('iret', 4)).toBe('');
    expect(m.flags() & Eflags.RF).toBe(Eflags.RF);
    expect(m.get('step')).toBe(Step.BAIL);
    expect(m.run('checkBreakpoints')).toBe('');
    // Who starts the instruction clears RF: stepDispatch.
    m.setFlags(0);
    expect(m.run('checkBreakpoints')).toBe('DB');
  });
  test('data breakpoints', () => {
    m.view.setUint32(m.cpu + dr(0), 0x1004, true);
    m.view.setUint32(m.cpu + dr(7), 0x000d0402, true); // 4 bytes, write
    m.call.updateBreakpoints(m.cpu);
    // Outside of a step: the instruction is to be run alone.
    expect(m.call.checkData(m.cpu, 0x1004, 4, 1)).toBeTruthy();
    expect(m.get('fault')).toBe(FAULT_BAIL);
    m.set('fault', 0);
    m.set('stepArmed', 1);
    m.run('checkData', 0x1004, 4, 0);
    m.run('checkData', 0x1008, 4, 1);
    m.run('checkData', 0x1003, 1, 1);
    expect(m.call.singleStepTrap(m.cpu, 0)).toBeFalsy();
    m.run('checkData', 0x1001, 4, 1);
    expect(m.call.singleStepTrap(m.cpu, 0)).toBeTruthy();
    expect(m.view.getUint32(m.cpu + dr(6), true) & 0xf).toBe(1);
  });
});
