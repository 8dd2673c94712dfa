// How code is entered from elsewhere: by the jump cache, or looked up by the dispatcher (the relaxation `entries`); and frames of interrupted regions that get the addresses of
// points first (`frames`).
import { beforeEach, describe, expect, test } from 'vitest';
import { Pending, Step } from '../../../src/layout/cpu.ts';
import { BlockHead, JumpEntry, jumpIndex, RAM, Relax } from '../../../src/layout/memory.ts';
import { putBlock } from './machine.ts';
import { Eflags, Gpr, gate, SEL, type System, system } from './system-machine.ts';

const VECTOR = 0x21;
const HANDLER = 0x5678;
const BACK = 0x4320;
let m: System;
beforeEach(async () => {
  m = await system();
  m.setGate(VECTOR, gate(SEL.CODE0, HANDLER, 0x8e));
});

/** The frame of an IRET to the kernel. */
const frame = (eip: number) => m.push(Eflags.ONE, SEL.CODE0, eip);
/** Twice: by the long way where the TLB does not know the pages yet, and by the short one. */
const twice = (act: () => void) => {
  act();
  act();
};

describe('code is entered', () => {
  /** A block that the jump cache knows. */
  const known = (at: number, eip: number) => {
    const head = putBlock(m, at, { eip, phys: eip, mode: m.get('mode') });
    m.set('eip', eip);
    expect(m.call.lookup(m.cpu)).toBe(head);
    return { head, entry: m.get('jumpKernel') + jumpIndex(eip) * JumpEntry.size };
  };
  const ways: Record<string, [eip: number, enter: () => number]> = {
    'INT n': [HANDLER, () => m.call.softInterrupt(m.cpu, VECTOR, 0x102, 0)],
    IRET: [
      BACK,
      () => {
        frame(BACK);
        return m.call.iret(m.cpu, 4);
      },
    ],
    SYSENTER: [
      HANDLER,
      () => {
        m.set('sysenterCs', SEL.CODE0);
        m.set('sysenterEip', HANDLER);
        m.set('sysenterEsp', 0x8000);
        return m.call.sysenter(m.cpu);
      },
    ],
  };
  test.each(Object.entries(ways))('by %s', (_name, [eip, enter]) => {
    m.relax(Relax.ENTRIES | Relax.FRAMES);
    const { head, entry } = known(0, eip);
    twice(() => expect([enter(), m.get('eip'), m.get('step')]).toEqual([entry, eip, 0]));
    m.relax(Relax.FRAMES);
    twice(() => expect([enter(), m.get('eip'), m.get('step')]).toEqual([0, eip, Step.LOOKUP]));
    // Whatever the jump cache knows.
    m.view.setUint32(entry + JumpEntry.at.arg, 1, true);
    expect([m.call.stepDispatch(m.cpu), m.get('step'), m.get('exit')]).toEqual([head, 0, 0]);
  });

  test('by an interrupt, with a single step: that looks the code up as well', () => {
    m.relax(0);
    m.set('step', Step.FORCED);
    m.set('pending', Pending.INTR);
    m.setFlags(Eflags.IF);
    m.acks.push(VECTOR);
    expect([m.call.poll(m.cpu, 0x200), m.get('eip'), m.get('step')]).toEqual([1, HANDLER, Step.FORCED | Step.LOOKUP]);
    m.call.stepDispatch(m.cpu);
    expect(m.get('step') & Step.LOOKUP).toBe(0);
  });
});

describe('an interrupt at a point of a region', () => {
  test.each([0, Relax.FRAMES])('finds its EIP in the frame (relaxations %i)', (relax) => {
    m.relax(relax);
    const point = m.point(7, 0x340);
    twice(() => {
      m.setFlags(Eflags.IF);
      m.set('pending', Pending.INTR);
      m.acks.push(VECTOR);
      expect([m.call.pollPoint(m.cpu, point), m.get('eip'), m.get('point')]).toEqual([1, HANDLER, 0]);
      expect(m.stack(3)).toEqual([0x340, SEL.CODE0, Eflags.IF | Eflags.ONE]);
    });
  });
});

describe('IRET to the kernel', () => {
  const esp = () => m.gpr(Gpr.ESP);
  /** Where it goes, and what the frame has then, of whose EIP the region's first point says something else. */
  const back = (relax: number, region: number) => {
    m.relax(relax);
    const head = putBlock(m, 0, { eip: BACK, phys: BACK, mode: m.get('mode') });
    m.view.setUint32(head + BlockHead.at.region, region, true);
    m.point(7, BACK + 4);
    twice(() => {
      frame(BACK);
      m.call.iret(m.cpu, 4);
    });
    return [m.get('eip'), m.view.getUint32(RAM + esp() - 12, true)];
  };
  test('goes by the address of the region that is there', () => {
    expect(back(0, 7)).toEqual([BACK + 4, BACK]);
  });
  test('by the EIP where there is none, or where frames are trusted', () => {
    expect(back(0, 0)).toEqual([BACK, BACK]);
    expect(back(Relax.FRAMES, 7)).toEqual([BACK, BACK]);
  });
  test('leaves the frame as it was where it is refused', () => {
    putBlock(m, 0, { eip: BACK, phys: BACK, mode: m.get('mode'), region: 7 });
    m.point(7, BACK);
    m.relax(0);
    twice(() => {
      m.push(Eflags.ONE, SEL.DATA0, BACK);
      m.set('eip', 0x100);
      expect([m.run('iret', 4), m.get('eip')]).toEqual([`GP(${SEL.DATA0})`, 0x100]);
      expect(m.view.getUint32(RAM + esp(), true)).toBe(BACK);
    });
  });
});
