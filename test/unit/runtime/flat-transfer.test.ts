// The short ways between privilege levels (wasm/transfer/flat.ts) against the long ones: from random states, most of them nearly good, once with Mode.FLAT hidden, so that the
// long way is taken, and once as it is.
import { beforeAll, describe, expect, test } from 'vitest';
import { Cpu, Mode, SegCache, Vector } from '../../../src/layout/cpu.ts';
import { RAM } from '../../../src/layout/memory.ts';
import { descriptor, Eflags, GDT, Gpr, gate, IDT, SEL, Seg, type System, system, TSS } from './system-machine.ts';

/** So much RAM is compared. */
const BYTES = 0x20000;
const VECTOR = 0x21;
const STACK = 0x8000;
const INNER = 0x9000;
/** Stacks are on pages that are not one behind the other in memory; one is not there. All others are where they seem. */
const MOVED: Readonly<Record<number, number>> = { 6: 0x16, 7: 0x18, 8: 0x17, 9: 0x15 };
const ABSENT = 0xa;
const TABLE = 0x1e000;
const DIRECTORY = 0x1f000;
const inMemory = (linear: number) => ((MOVED[linear >>> 12] ?? linear >>> 12) << 12) | (linear & 0xfff);
let m: System;
beforeAll(async () => {
  m = await system();
});

/** A generator of pseudo-random numbers: xorshift. */
const randomFrom = (seed: number) => {
  let state = seed * 2654435761 + 1;
  return (below: number) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
};
type Random = ReturnType<typeof randomFrom>;

const state = () => new Uint8Array(m.memory.buffer, m.cpu, Cpu.size);
const ram = () => new Uint8Array(m.memory.buffer, RAM, BYTES);
const snapshot = () => ({ cpu: state().slice(), ram: ram().slice() });
type Snapshot = ReturnType<typeof snapshot>;

/** What depends on the way: the TLB's lists, the jump caches' generations (the mode changed), and a place for values on their way. */
const UNSEEN = /^(tlb.*Count|countTlbMisses|jump(User|Kernel)(Gen|Last|First|Low|High|Local)|scratch)$/;

function restore({ cpu, ram: words }: Snapshot): void {
  m.call.flush(m.cpu);
  state().set(cpu);
  ram().set(words);
}

/** What differs, as text. */
function differences(a: Snapshot, b: Snapshot): string[] {
  const out: string[] = [];
  const fields = Object.entries(Cpu.at).sort(([, x], [, y]) => x - y);
  const nameOf = (at: number) => fields.findLast(([, from]) => from <= at)!;
  if (Buffer.compare(a.cpu, b.cpu) !== 0)
    for (let i = 0; i < Cpu.size; i++) {
      const [name, from] = nameOf(i);
      if (a.cpu[i] !== b.cpu[i] && !UNSEEN.test(name)) out.push(`${name}+${i - from}: ${a.cpu[i]} ${b.cpu[i]}`);
    }
  if (Buffer.compare(a.ram, b.ram) !== 0)
    for (let i = 0; i < BYTES; i++) if (a.ram[i] !== b.ram[i]) out.push(`ram ${i.toString(16)}: ${a.ram[i]} ${b.ram[i]}`);
  return out.slice(0, 8);
}

const flat = (type: number) => descriptor(0, 0xfffff, type, 0xc);
const SELECTORS = [SEL.CODE0, SEL.DATA0, SEL.CODE3, SEL.DATA3];

/** A state in which everything is well, at CPL 0 or 3. */
function good(random: Random): void {
  m.call.flush(m.cpu);
  ram().fill(0, 0, 0x1000);
  ram().fill(0, 0x5000);
  for (const [selector, type] of [
    [SEL.CODE0, 0x9a],
    [SEL.DATA0, 0x92],
    [SEL.CODE3, 0xfa],
    [SEL.DATA3, 0xf2],
  ] as const)
    m.setDescriptor(selector, flat(type | (random(8) ? 1 : 0)));
  for (const vector of [VECTOR, Vector.PF, Vector.UD, Vector.GP, Vector.DF])
    m.setGate(vector, gate(SEL.CODE0, 0x10000 + vector * 16, (random(2) ? 0xee : 0x8e) | random(2)));
  m.setPhys32(TSS + 4, INNER + (random(3) ? 0 : 4 * (random(32) - 16)));
  m.setPhys32(TSS + 8, SEL.DATA0);
  m.set('gdtBase', GDT);
  m.set('gdtLimit', SEL.END - 1);
  // The host may know where the table is.
  if (random(2)) m.set('gdtHost', RAM + inMemory(GDT));
  m.set('idtBase', IDT);
  m.set('idtLimit', 0x7ff);
  // With CR0.AM at times: EFLAGS.AC then matters to the user.
  m.set('cr0', random(2) ? 0x80000001 : 0x80040001);
  m.set('cr3', DIRECTORY);
  // Present, writable, the user's, accessed and dirty.
  m.setPhys32(DIRECTORY, TABLE | 0x67);
  for (let page = 0; page < BYTES >>> 12; page++) m.setPhys32(TABLE + page * 4, page === ABSENT ? 0 : inMemory(page << 12) | 0x67);
  for (const name of ['fault', 'exit', 'step', 'stepArmed', 'shadow', 'halted', 'debugPending', 'nmiBlocked', 'pending', 'watch'] as const)
    m.set(name, 0);
  m.set('sysenterCs', SEL.CODE0);
  m.set('sysenterEsp', 0x7700);
  m.set('sysenterEip', 0x1234);
  m.set('eip', 0x400);
  const user = random(2) === 1;
  const dpl = user ? 3 : 0;
  const put = (seg: number, selector: number, access: number) => m.setSeg(seg, 0, 0xffffffff, access | (dpl << 13), selector);
  m.set('eflags', 2);
  put(Seg.CS, user ? SEL.CODE3 : SEL.CODE0, 0xc09b00);
  put(Seg.SS, user ? SEL.DATA3 : SEL.DATA0, 0xc09300);
  for (const seg of [Seg.DS, Seg.ES])
    if (!user && random(6) === 0) put(seg, SEL.DATA0, 0xc09300);
    else m.setSeg(seg, 0, 0xffffffff, 0xc0f300, SEL.DATA3);
  for (const seg of [Seg.FS, Seg.GS]) {
    const kind = random(3);
    if (kind === 0) m.setSeg(seg, 0, 0, 0, 0);
    else m.setSeg(seg, 0x5000, 0xffff, kind === 1 ? 0x40f300 : 0x409300, kind === 1 ? 0x33 : 0x38);
  }
  m.setSeg(Seg.TR, TSS, 0x67, 0x8b00, SEL.TSS);
  m.setCpl(dpl);
  for (let reg = 0; reg < 8; reg++) m.setGpr(reg, random(0x10000));
  m.setFlags(random(0x10000) & (Eflags.ARITH | Eflags.DF | Eflags.IF | Eflags.IOPL));
  // A frame for IRET to either level.
  const out = random(2) === 1;
  const frame = [
    0x500 + random(256),
    out ? SEL.CODE3 : SEL.CODE0,
    random(0x400000) & ~(Eflags.VM | Eflags.TF | Eflags.NT | Eflags.AC),
    0x7000,
    SEL.DATA3,
  ];
  m.setGpr(Gpr.ESP, STACK - 4 * frame.length + (random(3) ? 0 : 4 * (random(16) - 8)));
  // What is behind the stack's page in memory, and not in linear space, would do as the end of a frame.
  for (let i = 0; i < 8; i++) m.setPhys32((MOVED[7]! + 1) * 0x1000 + 4 * i, SEL.DATA3);
  frame.forEach((word, i) => {
    m.setPhys32(inMemory(m.gpr(Gpr.ESP) + 4 * i), word);
  });
}

/** Spoils one thing. */
function spoil(random: Random): void {
  const flip = (at: number, bit = random(32)) => m.setPhys32(at, m.phys32(at) ^ (1 << bit));
  const word = (at: number) => flip(at + 4 * random(2));
  const inFrame = (n: number) => inMemory(m.gpr(Gpr.ESP) + 4 * n);
  switch (random(16)) {
    case 0:
      return word(IDT + [VECTOR, Vector.PF, Vector.UD][random(3)]! * 8);
    case 14:
      return random(2) ? flip(IDT + VECTOR * 8 + 4, random(2) ? 15 : 8 + random(7)) : flip(IDT + VECTOR * 8, 16 + random(4));
    case 1:
    case 2:
      return word(GDT + (SELECTORS[random(4)]! & 0xfff8));
    case 3:
      return random(2) ? word(TSS + 4) : flip(TSS + 8, random(4));
    case 4:
      return random(2) ? flip(inFrame(random(5))) : flip(inFrame(2), 17);
    case 5:
      return flip(inFrame(random(2) ? 1 : 4), random(4));
    case 6:
      return m.set('gdtLimit', (SELECTORS[random(4)]! | 7) - random(2));
    case 7:
      return m.set('idtLimit', [VECTOR * 8 + 7, VECTOR * 8 + 6, Vector.PF * 8 + 7, 0][random(4)]!);
    case 8:
      return m.setGpr(Gpr.ESP, [0, 4, 8, 20, STACK + 4 * random(8), STACK + 2, 0xfffffffc, 0xb004][random(8)]!);
    case 9: {
      const seg = [Seg.DS, Seg.ES, Seg.SS, Seg.CS, Seg.FS, Seg.TR][random(6)]!;
      const at = m.seg(seg) + [SegCache.at.access, SegCache.at.access, SegCache.at.limit, SegCache.at.base][random(4)]!;
      m.setWord(at, m.view.getUint32(at, true) ^ (1 << random(24)));
      return m.call.updateMode(m.cpu);
    }
    case 10:
      return m.set((['stepArmed', 'shadow', 'halted', 'debugPending', 'nmiBlocked'] as const)[random(5)]!, 1);
    case 11:
      return m.setFlags(random(0x400000) & ~Eflags.VM);
    case 15:
      m.set('cpl', 1 + random(2));
      return m.call.updateMode(m.cpu);
    case 13:
      return m.setWord(m.seg(Seg.TR) + SegCache.at.limit, 8 + random(2));
    case 12:
      return m.set('sysenterCs', random(0x10000));
  }
}

const OPERATIONS: Readonly<Record<string, (random: Random) => () => void>> = {
  'INT n, INT3, INTO, INT1': (random) => {
    const kind = random(4);
    return () => m.call.softInterrupt(m.cpu, VECTOR, 0x402, kind);
  },
  'an interrupt': () => () => m.call.interrupt(m.cpu, VECTOR),
  'an exception': (random) => {
    const vector = random(2) ? Vector.PF : Vector.UD;
    return () => {
      if (vector === Vector.PF) m.call.raiseError(m.cpu, vector, 6);
      else m.call.raise(m.cpu, vector);
      m.call.deliver(m.cpu);
    };
  },
  IRETD: () => () => m.call.iret(m.cpu, 4),
  SYSENTER: () => () => m.call.sysenter(m.cpu),
  SYSEXIT: () => () => m.call.sysexit(m.cpu),
};

describe('the short way does what the long way does', () => {
  test.each(Object.keys(OPERATIONS))('%s', (name) => {
    let changes = 0;
    for (let seed = 1; seed <= 500; seed++) {
      const random = randomFrom(seed);
      good(random);
      for (let spoilt = random(3); spoilt > 0; spoilt--) spoil(random);
      const run = OPERATIONS[name]!(random);
      const before = snapshot();
      const way = (short: boolean) => {
        restore(before);
        for (let page = 0; page < BYTES >>> 12; page++) if (page !== ABSENT) m.call.slowLoad8(m.cpu, page << 12, m.get('eip'));
        if (!short) m.set('mode', m.get('mode') & ~Mode.FLAT);
        run();
        const after = snapshot();
        m.call.updateMode(m.cpu);
        return { after, settled: snapshot() };
      };
      const long = way(false);
      const short = way(true);
      if (m.get('cpl') !== new DataView(before.cpu.buffer).getUint32(Cpu.at.cpl, true)) changes++;
      expect({ seed, differs: differences(long.settled, short.settled) }).toEqual({ seed, differs: [] });
      expect({ seed, unsettled: differences(short.after, short.settled) }).toEqual({ seed, unsettled: [] });
    }
    expect(changes, 'in so many cases the CPL changed').toBeGreaterThan(50);
  });
});
