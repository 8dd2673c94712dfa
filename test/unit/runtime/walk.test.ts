// The page walk and the TLB: every kind of fault, accessed and dirty bits, large pages, PAE, flushes.
import { beforeEach, describe, expect, test } from 'vitest';
import { Tlb } from '../../../src/layout/memory.ts';
import { CR0, CR4, Gpr, type Machine, machine, PT } from './machine.ts';

const DIRECTORY = 0x100000;
const TABLE = 0x101000;
const ALL = PT.P | PT.RW | PT.US;
const LINEAR = 0x00400000;
const FRAME = 0x200000;

let m: Machine;

/** Maps `linear` (in the table at TABLE) to `frame`. */
const map = (linear: number, frame: number, bits: number) => m.setPhys32(TABLE + ((linear >>> 12) & 0x3ff) * 4, (frame | bits) >>> 0);

beforeEach(async () => {
  m = await machine();
});

describe('32-bit paging', () => {
  beforeEach(() => {
    m.setPhys32(DIRECTORY + (LINEAR >>> 22) * 4, TABLE | ALL);
    map(LINEAR, FRAME, ALL);
    m.call.movToCr(m.cpu, 3, DIRECTORY);
    m.call.movToCr(m.cpu, 0, CR0.PE | CR0.PG | CR0.WP);
    m.setPhys32(FRAME + 0x123, 0xdeadbeef);
  });

  test('a read sets A at both levels, fills a read entry, and asks for write again', () => {
    expect(m.call.load32(m.cpu, LINEAR + 0x123) >>> 0).toBe(0xdeadbeef);
    expect(m.phys32(DIRECTORY + 4)).toBe(TABLE | ALL | PT.A);
    expect(m.phys32(TABLE)).toBe(FRAME | ALL | PT.A);
    expect(m.tlb(LINEAR) & 0x3f).toBe(Tlb.KERNEL_READ | Tlb.USER_READ);
    m.call.store8(m.cpu, LINEAR, 0x55);
    expect(m.phys32(TABLE)).toBe(FRAME | ALL | PT.A | PT.D);
    expect(m.tlb(LINEAR) & 0x3f).toBe(Tlb.KERNEL_READ | Tlb.USER_READ | Tlb.KERNEL_WRITE | Tlb.USER_WRITE);
    expect(m.ram[FRAME]).toBe(0x55);
    expect(m.fault()).toBe('');
  });

  const cases: [string, { pde?: number; pte?: number; cpl?: number; wp?: boolean; write?: boolean }, string][] = [
    ['no table', { pde: 0 }, 'PF(0)'],
    ['no table, user write', { pde: 0, cpl: 3, write: true }, 'PF(6)'],
    ['not present', { pte: FRAME }, 'PF(0)'],
    ['not present, write', { pte: FRAME, write: true }, 'PF(2)'],
    ['user reads supervisor page', { pte: FRAME | PT.P | PT.RW, cpl: 3 }, 'PF(5)'],
    ['user reads under a supervisor directory', { pde: TABLE | PT.P | PT.RW, cpl: 3 }, 'PF(5)'],
    ['user writes supervisor page', { pte: FRAME | PT.P | PT.RW, cpl: 3, write: true }, 'PF(7)'],
    ['user writes read-only page', { pte: FRAME | PT.P | PT.US, cpl: 3, write: true }, 'PF(7)'],
    ['user writes under a read-only directory', { pde: TABLE | PT.P | PT.US, cpl: 3, write: true }, 'PF(7)'],
    ['user writes read-only page, WP off', { pte: FRAME | PT.P | PT.US, cpl: 3, wp: false, write: true }, 'PF(7)'],
    ['kernel writes read-only page, WP on', { pte: FRAME | PT.P | PT.US, write: true }, 'PF(3)'],
    ['kernel writes read-only page, WP off', { pte: FRAME | PT.P | PT.US, wp: false, write: true }, ''],
    ['kernel reads supervisor page', { pte: FRAME | PT.P }, ''],
    ['user reads user page', { pte: FRAME | PT.P | PT.US, cpl: 3 }, ''],
    ['user writes user page', { cpl: 3, write: true }, ''],
  ];
  test.each(cases)('%s', (_name, { pde = TABLE | ALL, pte = FRAME | ALL, cpl = 0, wp = true, write = false }, expected) => {
    m.setPhys32(DIRECTORY + 4, pde);
    m.setPhys32(TABLE, pte);
    m.call.movToCr(m.cpu, 0, CR0.PE | CR0.PG | (wp ? CR0.WP : 0));
    m.setCpl(cpl);
    // A read of the supervisor first must not lend its rights to anybody.
    m.call.sysLoad16(m.cpu, LINEAR);
    m.fault();
    m.set('cr2', 0);
    if (write) m.call.store8(m.cpu, LINEAR + 5, 1);
    else m.call.load8(m.cpu, LINEAR + 5);
    expect(m.fault()).toBe(expected);
    expect(m.get('cr2')).toBe(expected ? LINEAR + 5 : 0);
    expect((m.phys32(TABLE) & PT.D) !== 0).toBe(write && expected === '');
  });

  test('a write fault that was not allowed leaves A and D alone', () => {
    map(LINEAR, FRAME, PT.P | PT.US);
    m.call.store32(m.cpu, LINEAR, 1);
    expect(m.fault()).toBe('PF(3)');
    expect(m.phys32(TABLE)).toBe(FRAME | PT.P | PT.US);
  });

  test('PS means nothing without CR4.PSE', () => {
    m.setPhys32(DIRECTORY + 4, TABLE | ALL | PT.PS);
    expect(m.call.load32(m.cpu, LINEAR + 0x123) >>> 0).toBe(0xdeadbeef);
  });

  test('invlpg and MOV CR3 make a changed entry seen; nothing else does', () => {
    m.call.load8(m.cpu, LINEAR);
    map(LINEAR, FRAME + 0x1000, ALL);
    m.setPhys32(FRAME + 0x1000, 0x77);
    expect(m.call.load8(m.cpu, LINEAR)).not.toBe(0x77);
    m.call.invlpg(m.cpu, LINEAR + 0xfff);
    expect(m.call.load8(m.cpu, LINEAR)).toBe(0x77);
    map(LINEAR, FRAME, ALL);
    m.call.movToCr(m.cpu, 3, DIRECTORY);
    m.setPhys32(FRAME, 0x66);
    expect(m.call.load8(m.cpu, LINEAR)).toBe(0x66);
  });

  test('global entries outlive MOV CR3 but not a change of CR4.PGE', () => {
    m.call.movToCr(m.cpu, 4, CR4.PGE);
    map(LINEAR, FRAME, ALL | PT.G);
    m.call.load8(m.cpu, LINEAR);
    expect(m.tlb(LINEAR) & Tlb.GLOBAL).toBe(Tlb.GLOBAL);
    m.call.movToCr(m.cpu, 3, DIRECTORY);
    expect(m.tlb(LINEAR)).not.toBe(0);
    m.call.movToCr(m.cpu, 4, 0);
    expect(m.tlb(LINEAR)).toBe(0);
    m.call.load8(m.cpu, LINEAR);
    expect(m.tlb(LINEAR) & Tlb.GLOBAL).toBe(0);
  });

  test('an entry that stops being global is flushed by MOV CR3', () => {
    m.call.movToCr(m.cpu, 4, CR4.PGE);
    map(LINEAR, FRAME, ALL | PT.G);
    m.call.load8(m.cpu, LINEAR);
    map(LINEAR, FRAME, ALL);
    m.call.store8(m.cpu, LINEAR, 1);
    m.call.movToCr(m.cpu, 3, DIRECTORY);
    expect(m.tlb(LINEAR)).toBe(0);
  });

  test('more fills than the list holds', () => {
    m.call.movToCr(m.cpu, 4, CR4.PSE);
    for (let i = 2; i < 64; i++) m.setPhys32(DIRECTORY + i * 4, 0x800000 | ALL | PT.PS);
    let sum = 0;
    for (let page = 0; page < 20000; page++) sum |= m.call.load8(m.cpu, 0x800000 + page * 4096);
    expect(sum).toBe(0);
    m.call.movToCr(m.cpu, 3, DIRECTORY);
    for (let page = 0; page < 20000; page++) sum |= m.tlb(0x800000 + page * 4096);
    expect(sum).toBe(0);
    expect(m.get('tlbListCount')).toBe(0);
  });
});

describe('4 MiB pages', () => {
  beforeEach(() => {
    m.call.movToCr(m.cpu, 4, CR4.PSE);
    m.setPhys32(DIRECTORY + 3 * 4, 0x400000 | ALL | PT.PS);
    m.call.movToCr(m.cpu, 3, DIRECTORY);
    m.call.movToCr(m.cpu, 0, CR0.PE | CR0.PG);
  });

  test('maps, sets A and D in the directory', () => {
    m.setPhys32(0x612344, 0xabcdef01);
    expect(m.call.load32(m.cpu, 0xe12344) >>> 0).toBe(0xabcdef01);
    expect(m.phys32(DIRECTORY + 12) & (PT.A | PT.D)).toBe(PT.A);
    m.call.store32(m.cpu, 0xe12344, 7);
    expect(m.phys32(DIRECTORY + 12) & (PT.A | PT.D)).toBe(PT.A | PT.D);
    expect(m.phys32(0x612344)).toBe(7);
  });

  test('invlpg of one address drops every piece', () => {
    for (const at of [0xc00000, 0xd55000, 0xfff000]) m.call.load8(m.cpu, at);
    m.call.invlpg(m.cpu, 0xd00000);
    for (const at of [0xc00000, 0xd55000, 0xfff000]) expect(m.tlb(at)).toBe(0);
  });

  test('reserved bits 21..13 fault', () => {
    m.setPhys32(DIRECTORY + 12, 0x400000 | 0x2000 | ALL | PT.PS);
    m.call.load8(m.cpu, 0xc00000);
    expect(m.fault()).toBe('PF(9)');
  });
});

describe('PAE', () => {
  const PDPT = 0x100020;
  const PD = 0x101000;
  const PTAB = 0x102000;
  const NX = 1n << 63n;
  const all = BigInt(ALL);
  const pte = (value: bigint) => m.setPhys64(PTAB, value);

  beforeEach(() => {
    m.setPhys64(PDPT, BigInt(PD | 1));
    m.setPhys64(PD + 2 * 8, BigInt(PTAB) | all);
    m.setPhys64(PD + 3 * 8, BigInt(0x600000 | PT.PS) | all);
    pte(BigInt(FRAME) | all);
    m.call.movToCr(m.cpu, 4, CR4.PAE);
    m.call.movToCr(m.cpu, 3, PDPT);
    m.call.movToCr(m.cpu, 0, CR0.PE | CR0.PG | CR0.WP);
  });

  const efer = (value: number) => {
    m.setGpr(Gpr.ECX, 0xc0000080);
    m.setGpr(Gpr.EAX, value);
    m.setGpr(Gpr.EDX, 0);
    m.call.wrmsr(m.cpu);
  };

  test('4 KiB and 2 MiB pages, A and D', () => {
    m.call.store32(m.cpu, LINEAR + 8, 0x1234);
    expect(m.phys32(FRAME + 8)).toBe(0x1234);
    expect(m.phys64(PTAB)).toBe(BigInt(FRAME | ALL | PT.A | PT.D));
    expect(m.phys64(PD + 16)).toBe(BigInt(PTAB | ALL | PT.A));
    m.call.store32(m.cpu, 0x7abcd0, 0x5678);
    expect(m.phys32(0x7abcd0)).toBe(0x5678);
    expect(m.tlb(0x7abcd0) & Tlb.LARGE).toBe(Tlb.LARGE);
  });

  test.each([
    ['absent PDPTE', 0x40000000, 0, 'PF(0)'],
    ['absent PDE', 0x00800000, 0, 'PF(0)'],
  ])('%s', (_name, linear, _x, expected) => {
    m.call.load8(m.cpu, linear);
    expect(m.fault()).toBe(expected);
  });

  test('bits above MAXPHYADDR, and NX without NXE, are reserved', () => {
    pte(BigInt(FRAME) | all | (1n << 36n));
    m.call.load8(m.cpu, LINEAR);
    expect(m.fault()).toBe('PF(9)');
    pte(BigInt(FRAME) | all | NX);
    m.call.store8(m.cpu, LINEAR, 1);
    expect(m.fault()).toBe('PF(11)');
    m.setPhys64(PD + 24, BigInt(0x602000 | PT.PS) | all);
    m.call.load8(m.cpu, 0x600000);
    expect(m.fault()).toBe('PF(9)');
  });

  test('NX stops fetches only, and only then the error code has I', () => {
    efer(0x800);
    expect(m.fault()).toBe('');
    pte(BigInt(FRAME) | all | NX);
    m.call.load8(m.cpu, LINEAR);
    expect(m.fault()).toBe('');
    m.call.translateExec(m.cpu, LINEAR);
    expect(m.fault()).toBe('PF(17)');
    m.setCpl(3);
    m.call.translateExec(m.cpu, LINEAR);
    expect(m.fault()).toBe('PF(21)');
    pte(BigInt(FRAME) | all);
    expect(m.call.translateExec(m.cpu, LINEAR + 3)).toBe(FRAME + 3);
    m.setCpl(0);
    m.call.translateExec(m.cpu, 0x00800000);
    expect(m.fault()).toBe('PF(16)');
  });

  test('a fetch has no I without NXE', () => {
    m.call.translateExec(m.cpu, 0x00800000);
    expect(m.fault()).toBe('PF(0)');
    expect(m.get('cr2')).toBe(0x00800000);
  });

  test('PDPTEs are loaded by MOV CR3 only, and checked', () => {
    m.setPhys64(PDPT, 0n);
    m.call.load8(m.cpu, LINEAR);
    expect(m.fault()).toBe('');
    m.setPhys64(PDPT + 8, 3n);
    m.call.movToCr(m.cpu, 3, PDPT);
    expect(m.fault()).toBe('GP(0)');
    m.call.movToCr(m.cpu, 0, CR0.PE);
    m.call.movToCr(m.cpu, 0, CR0.PE | CR0.PG);
    expect(m.fault()).toBe('GP(0)');
    expect(m.get('cr0') & CR0.PG).toBe(0);
  });
});
