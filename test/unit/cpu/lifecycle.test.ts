// HLT, INIT and start-up IPIs as both executors see them: what ends a wait, what a CPU comes back as, what ends it for good.
import { beforeEach, describe, expect, it } from 'vitest';
import { loadEngineImage } from '../../../src/cpu/image.ts';
import { Lifecycle } from '../../../src/cpu/lifecycle.ts';
import { createMemory, resetCpu } from '../../../src/cpu/state.ts';
import { Vcpu } from '../../../src/cpu/vcpu.ts';
import { Cpu, Eflags, Exit, Gpr, Pending, Seg, SegCache } from '../../../src/layout/cpu.ts';
import { CONTROL, Control, planMemory } from '../../../src/layout/memory.ts';

const VECTOR = 0x9a;
const CS = Cpu.at.seg + Seg.CS * SegCache.size;

function start(index: number) {
  const shared = createMemory(planMemory(2, 2 << 20));
  for (const cpu of [0, 1]) resetCpu(shared, cpu);
  const nothing = () => 0;
  const cpu = new Vcpu(loadEngineImage(), shared, index, {
    portIn: nothing,
    portOut: nothing,
    mmioRead: nothing,
    mmioWrite: nothing,
    rdtsc: () => 0n,
    setTscDeadline: nothing,
    tscDeadlineArmed: nothing,
    setApicBase: nothing,
    interruptAck: nothing,
    fpuError: nothing,
    trace: nothing,
  });
  cpu.refresh();
  const life = new Lifecycle(cpu, () => VECTOR);
  const send = (bits: number) => void Atomics.or(shared.i32, (cpu.base + Cpu.at.pending) >> 2, bits);
  const state = () => ({ waits: life.waits, awaitsStartup: life.awaitsStartup, halted: cpu.get(Cpu.at.halted), eip: cpu.get(Cpu.at.eip) });
  return { shared, cpu, life, send, state };
}
let m: ReturnType<typeof start>;
const RUNS = { waits: false, awaitsStartup: false, halted: 0 };
const AWAITS = { waits: true, awaitsStartup: true, halted: 1, eip: 0xfff0 };
const pending = () => m.cpu.get(Cpu.at.pending);

describe('a CPU that is not the boot CPU', () => {
  beforeEach(() => {
    m = start(1);
  });

  it('waits for a start-up IPI from power-on, and for nothing else', () => {
    expect(m.state()).toEqual(AWAITS);
    m.send(Pending.NMI | Pending.INTR | Pending.DROP);
    expect([m.life.wake(), m.life.takesInterrupts]).toEqual([false, false]);
    m.send(Pending.SIPI);
    expect(m.life.wake()).toBe(true);
    expect(m.state()).toEqual({ ...RUNS, eip: 0 });
    expect([m.cpu.get(CS + SegCache.at.selector), m.cpu.get(CS + SegCache.at.base)]).toEqual([VECTOR << 8, VECTOR << 12]);
    expect(pending()).toBe(Pending.NMI | Pending.INTR | Pending.DROP);
  });

  it('does an INIT before the start-up IPI behind it', () => {
    m.cpu.setGpr(Gpr.ECX, 5);
    m.send(Pending.INIT | Pending.SIPI);
    expect(m.life.wake()).toBe(true);
    expect([m.cpu.gpr(Gpr.ECX), m.state(), pending()]).toEqual([0, { ...RUNS, eip: 0 }, 0]);
  });

  it('does an INIT alone, and still waits', () => {
    m.cpu.setGpr(Gpr.ECX, 5);
    m.send(Pending.INIT);
    expect([m.life.wake(), m.cpu.gpr(Gpr.ECX), m.state(), pending()]).toEqual([false, 0, AWAITS, 0]);
  });

  it('waits again where an INIT comes while it runs; a start-up IPI then is not heard', () => {
    m.send(Pending.SIPI);
    m.life.wake();
    m.cpu.set(Cpu.at.eip, 0x123);
    m.send(Pending.SIPI);
    expect([m.life.after(Exit.SIPI), m.state(), pending()]).toEqual([undefined, { ...RUNS, eip: 0x123 }, 0]);
    m.send(Pending.INIT);
    expect([m.life.after(Exit.INIT), m.state(), pending()]).toEqual([undefined, AWAITS, 0]);
  });
});

describe('the boot CPU', () => {
  beforeEach(() => {
    m = start(0);
  });

  it('ends with a reset where an INIT finds no ROM, and goes on at the reset vector where there is one', () => {
    m.cpu.set(Cpu.at.eip, 0x123);
    m.send(Pending.INIT);
    expect([m.life.after(Exit.INIT), m.state(), pending()]).toEqual([Exit.RESET, { ...RUNS, eip: 0x123 }, 0]);
    m.shared.i32[(CONTROL + Control.at.romBytes) >> 2] = 65536;
    m.send(Pending.INIT);
    expect([m.life.after(Exit.INIT), m.state()]).toEqual([undefined, { ...RUNS, eip: 0xfff0 }]);
  });

  it.each<[string, number, number, number, boolean]>([
    ['an interrupt', Pending.INTR, Eflags.IF, 0, true],
    ['an interrupt that is masked', Pending.INTR, 0, 0, false],
    ['an NMI', Pending.NMI, 0, 0, true],
    ['an NMI while another is served', Pending.NMI | Pending.NMI_AGAIN, 0, 1, false],
    ['an INIT', Pending.INIT, 0, 0, true],
    ['the end of the run', Pending.STOP, 0, 0, true],
    ['what is no interrupt', Pending.KICK | Pending.DROP | Pending.INSTALL | Pending.TIMER, Eflags.IF, 0, false],
  ])('leaves HLT for %s, or not', (_name, bits, eflags, nmiBlocked, wakes) => {
    m.cpu.set(Cpu.at.eflags, 2 | eflags);
    m.cpu.set(Cpu.at.nmiBlocked, nmiBlocked);
    m.cpu.set(Cpu.at.halted, 1);
    m.cpu.set(Cpu.at.shadow, 1);
    expect([m.life.after(Exit.HALT), m.life.waits, m.life.wake()]).toEqual([undefined, true, false]);
    m.send(bits);
    expect([m.life.wake(), m.life.waits, m.cpu.get(Cpu.at.shadow)]).toEqual([wakes, !wakes, wakes ? 0 : 1]);
    expect(pending()).toBe(bits);
  });

  it('ends with what the executors do not know', () => {
    expect([Exit.TRIPLE_FAULT, Exit.STOP, Exit.INTERNAL].map((exit) => m.life.after(exit))).toEqual([
      Exit.TRIPLE_FAULT,
      Exit.STOP,
      Exit.INTERNAL,
    ]);
  });
});
