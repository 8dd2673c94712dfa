// What a sample of the client flame finds: whole and broken chains of frames, functions without a frame yet, and that nothing of the guest changes by it.
import { beforeEach, describe, expect, test } from 'vitest';
import { Cpu } from '../../../src/layout/cpu.ts';
import { FLAME_COUNT_SHIFT, FLAME_DEPTH, FLAME_RECORDS, FlameInfo, FlameRecord } from '../../../src/layout/flame.ts';
import { CpuArea } from '../../../src/layout/memory.ts';
import { CODE, CR0, Gpr, type Machine, machine, PT, Seg } from './machine.ts';

const DIRECTORY = 0x100000;
const TABLES = { low: 0x101000, kernel: 0x102000 };
const EIP = 0xc0010000;
/** A page of stack, and another; pages that are not mapped are behind both. */
const STACK = 0xc0020000;
const OTHER = 0xc0030000;
/** Of the user, who can read it. */
const USER = 0x00030000;
const USER_AT = 0x330000;
const USED = PT.P | PT.RW | PT.A | PT.D;
const physical = (linear: number) => (linear & 0x0fffffff) >>> 0;

let m: Machine;
const write = (linear: number, ...words: number[]) => words.forEach((word, n) => m.setPhys32(physical(linear) + 4 * n, word));
const map = (linear: number, bits: number) => m.setPhys32(TABLES.kernel + ((linear >>> 12) & 0x3ff) * 4, physical(linear) | bits);
const code = (linear: number, ...bytes: number[]) => m.ram.set(bytes, physical(linear));

beforeEach(async () => {
  m = await machine();
  m.setPhys32(DIRECTORY, TABLES.low | USED | PT.US);
  m.setPhys32(DIRECTORY + (0xc0000000 >>> 22) * 4, TABLES.kernel | USED);
  for (const page of [EIP - 0x1000, EIP, EIP + 0x1000, STACK, OTHER]) map(page, USED);
  m.setPhys32(TABLES.low + (USER >>> 12) * 4, USER_AT | USED | PT.US);
  m.call.movToCr!(m.cpu, 3, DIRECTORY);
  m.call.movToCr!(m.cpu, 0, CR0.PE | CR0.PG | CR0.WP);
  m.setSeg(Seg.CS, 0, 0xffffffff, CODE, 0x60);
  m.set('stackMask', 0xffffffff);
  m.set('eip', EIP);
  m.setGpr(Gpr.ESP, STACK + 0x10);
  m.setGpr(Gpr.EBP, STACK + 0x100);
  code(EIP, 0x90);
});

/** Takes a sample: what the ring has of it. */
function sampled() {
  const head = m.get('flameHead');
  m.call.sample!(m.cpu, 5n, 6n);
  expect(m.get('flameHead')).toBe(head + 1);
  const at = m.cpu + CpuArea.at.flame + (head % FLAME_RECORDS) * FlameRecord.size;
  const word = (offset: number) => m.view.getUint32(at + offset, true);
  const info = word(FlameRecord.at.info);
  return {
    eip: word(FlameRecord.at.eip),
    above: word(FlameRecord.at.above),
    cpl: info & FlameInfo.CPL,
    cut: (info & FlameInfo.CUT) !== 0,
    frames: Array.from({ length: info >>> FLAME_COUNT_SHIFT }, (_, n) => word(FlameRecord.at.frames + 4 * n)),
  };
}
const frames = () => sampled().frames;

describe('a chain of frames', () => {
  test('is followed to where it ends', () => {
    write(STACK + 0x100, STACK + 0x200, 0xc0011111);
    write(STACK + 0x200, STACK + 0x300, 0xc0012222);
    write(STACK + 0x300, 0, 0xc0013333);
    expect(sampled()).toEqual({ eip: EIP, above: 0, cpl: 0, cut: false, frames: [0xc0011111, 0xc0012222, 0xc0013333] });
    // Nobody is to be come back to.
    write(STACK + 0x204, 0);
    expect(frames()).toEqual([0xc0011111]);
  });

  test('that is too long is cut', () => {
    for (let n = 0; n < 100; n++) write(STACK + 0x100 + 8 * n, STACK + 0x108 + 8 * n, 0xc0010000 + n + 1);
    const { cut, frames: found } = sampled();
    expect([cut, found.length, found.at(-1)]).toEqual([true, FLAME_DEPTH, 0xc0010000 + FLAME_DEPTH]);
  });

  test('that is a loop ends', () => {
    write(STACK + 0x100, STACK + 0x100, 0xc0011111);
    expect(frames()).toEqual([0xc0011111]);
    write(STACK + 0x100, STACK + 0x200, 0xc0011111);
    write(STACK + 0x200, STACK + 0x100, 0xc0012222);
    expect(frames()).toEqual([0xc0011111, 0xc0012222]);
    // Over two stacks, a few times around.
    write(STACK + 0x100, OTHER, 0xc0011111);
    write(OTHER, STACK + 0x100, 0xc0012222);
    expect(frames().length).toBeLessThan(10);
  });

  test('may go on in the stack of what was interrupted, further down', () => {
    m.setGpr(Gpr.EBP, OTHER + 0x80);
    write(OTHER + 0x80, STACK + 0x200, 0xc0011111);
    write(STACK + 0x200, 0, 0xc0012222);
    expect(frames()).toEqual([0xc0011111, 0xc0012222]);
  });

  test.each([
    ['not aligned', STACK + 0x102],
    ['not mapped', STACK + 0x5000],
    ['beyond a page that is', STACK + 0xffc],
    ['the user’s', USER + 0x10],
  ])('ends where it is %s', (_what, ebp) => {
    write(STACK + 0x100, ebp, 0xc0011111);
    m.setPhys32(USER_AT + 0x10, 0);
    m.setPhys32(USER_AT + 0x14, 0x08041111);
    expect(frames()).toEqual([0xc0011111]);
    m.setGpr(Gpr.EBP, ebp);
    expect(frames()).toEqual([]);
    expect(m.fault()).toBe('');
  });

  test('of the user is the user’s alone', () => {
    m.setCpl(3);
    m.setPhys32(USER_AT + 0x10, STACK + 0x100);
    m.setPhys32(USER_AT + 0x14, 0x08041111);
    write(STACK + 0x100, 0, 0xc0011111);
    m.setGpr(Gpr.ESP, USER);
    m.setGpr(Gpr.EBP, USER + 0x10);
    expect(sampled()).toMatchObject({ cpl: 3, frames: [0x08041111] });
  });

  test('of a kernel that shares its pages with the user is followed', () => {
    m.setPhys32(USER_AT + 0x10, 0);
    m.setPhys32(USER_AT + 0x14, 0x00011111);
    m.setGpr(Gpr.ESP, USER);
    m.setGpr(Gpr.EBP, USER + 0x10);
    expect(frames()).toEqual([0x00011111]);
  });

  test('goes on where Linux says that something was interrupted', () => {
    const registers = STACK + 0x140;
    write(STACK + 0x100, registers & 0x7fffffff, 0xc0011111);
    write(registers + 0x14, STACK + 0x300);
    write(registers + 0x30, 0xc0014444, 0x60);
    write(STACK + 0x300, 0, 0xc0013333);
    expect(frames()).toEqual([0xc0011111, 0xc0014444, 0xc0013333]);
    // That was the user.
    write(registers + 0x34, 0x73);
    expect(frames()).toEqual([0xc0011111]);
  });
});

describe('a function without a frame of its own', () => {
  beforeEach(() => {
    write(STACK + 0x10, 0xc0015555, 0xc0016666);
    write(STACK + 0x100, 0, 0xc0011111);
  });

  test.each([
    ['at its first instruction', [0x55, 0x89, 0xe5], 0xc0015555],
    ['at a tracer’s room before that', [0x3e, 0x8d, 0x74, 0x26, 0x00, 0x55], 0xc0015555],
    ['at ENDBR32 and the like', [0xf3, 0x0f, 0x1e, 0xfb, 0x0f, 0x1f, 0x44, 0x00, 0x00, 0x55], 0xc0015555],
    ['at its RET', [0xc3], 0xc0015555],
    ['in its middle', [0x90, 0x55], 0],
  ])('%s', (_where, bytes, above) => {
    code(EIP, ...bytes);
    expect(sampled()).toMatchObject({ above, frames: [0xc0011111] });
  });

  test('behind its first instruction', () => {
    for (const move of [
      [0x89, 0xe5],
      [0x8b, 0xec],
    ]) {
      code(EIP - 1, 0x55, ...move);
      expect(sampled()).toMatchObject({ above: 0xc0016666, frames: [0xc0011111] });
      code(EIP - 1, 0x90);
      expect(sampled()).toMatchObject({ above: 0, frames: [0xc0011111] });
    }
  });
});

test('nothing of the guest changes', () => {
  write(STACK + 0x100, OTHER, 0xc0011111);
  write(OTHER, 0, 0xc0012222);
  // Not used so far.
  map(OTHER, PT.P | PT.RW);
  const before = m.ram.slice();
  const state = () => new Uint8Array(m.memory.buffer).slice(m.cpu, m.cpu + Cpu.at.flameHead);
  const cpu = state();
  expect(frames()).toEqual([0xc0011111]);
  expect(m.ram.every((byte, n) => byte === before[n])).toBe(true);
  expect(state()).toEqual(cpu);
  expect(m.tlb(STACK)).toBe(0);
});

test('16-bit code has no frames', () => {
  m.setSeg(Seg.CS, 0x10000, 0xffff, CODE & ~0x400000);
  m.set('eip', 0x10);
  write(STACK + 0x100, 0, 0xc0011111);
  expect(sampled()).toMatchObject({ eip: 0x10010, frames: [] });
});

test('a ring that is full counts what it loses', () => {
  for (let n = 0; n < FLAME_RECORDS + 3; n++) m.call.sample!(m.cpu, 0n, 0n);
  expect([m.get('flameHead'), m.get('flameLost')]).toEqual([FLAME_RECORDS, 3]);
  m.set('flameTail', 1);
  m.call.sample!(m.cpu, 0n, 0n);
  const last = m.cpu + CpuArea.at.flame + FlameRecord.at.lost;
  expect([m.get('flameHead'), m.get('flameLost'), m.view.getUint32(last, true)]).toEqual([FLAME_RECORDS + 1, 3, 3]);
});
