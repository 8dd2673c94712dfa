// Finding decoded blocks, the jump caches, and port input and output.
import { beforeEach, describe, expect, test } from 'vitest';
import { Eflags, Exit } from '../../src/layout/cpu.ts';
import { BlockHead, JUMP_ENTRIES, JumpEntry } from '../../src/layout/memory.ts';
import { CODE, CR0, CR4, Gpr, type Machine, MiB, machine, PT, Seg } from './machine.ts';

let m: Machine;
beforeEach(async () => {
  m = await machine();
});

/** Puts a block into the arena and the hash table. */
function block(
  at: number,
  fields: { eip: number; phys: number; mode: number; lastPage?: number; handler?: number; region?: number },
): number {
  const head = m.get('arena') + at;
  const slot = m.get('blockHash') + m.call.blockHashIndex(fields.phys, fields.eip, fields.mode) * 4;
  const all = { lastPage: fields.phys >>> 12, handler: 11, ...fields, hashNext: m.view.getUint32(slot, true) };
  for (const [name, value] of Object.entries(all)) m.view.setUint32(head + BlockHead.at[name as keyof typeof BlockHead.at], value, true);
  m.view.setUint32(slot, head, true);
  return head;
}

function jump(user: boolean, eip: number) {
  const at = m.get(user ? 'jumpUser' : 'jumpKernel') + ((eip ^ (eip >>> 12)) & (JUMP_ENTRIES - 1)) * JumpEntry.size;
  return Object.fromEntries(Object.entries(JumpEntry.at).map(([k, o]) => [k, m.view.getUint32(at + o, true)]));
}

describe('blocks', () => {
  test('matched by physical address, EIP and mode', () => {
    m.set('eip', 0x5678);
    expect(m.call.lookup(m.cpu)).toBe(0);
    expect(m.get('exit')).toBe(Exit.LOOKUP);
    block(0, { eip: 0x5678, phys: 0x5678, mode: 7 });
    block(64, { eip: 0x4678, phys: 0x5678, mode: 3 });
    expect(m.call.findBlock(m.cpu)).toBe(0);
    const head = block(128, { eip: 0x5678, phys: 0x5678, mode: 3, handler: 42 });
    expect(m.call.lookup(m.cpu)).toBe(head);
    expect(jump(false, 0x5678)).toEqual({ eip: 0x5678, gen: m.get('jumpKernelGen'), func: 42, arg: head });
    m.view.setUint32(head + BlockHead.at.region, 99, true);
    m.call.lookup(m.cpu);
    expect(jump(false, 0x5678)).toEqual({ eip: 0x5678, gen: m.get('jumpKernelGen'), func: 99, arg: 99 });
    m.setCpl(3);
    expect(m.call.lookup(m.cpu)).toBe(m.get('arena'));
    expect(jump(true, 0x5678)).toMatchObject({ eip: 0x5678, func: 11, arg: m.get('arena') });
  });

  test('EIP is an offset in CS', () => {
    m.setSeg(Seg.CS, 0x10000, 0xfffff, CODE);
    m.set('eip', 0x20);
    const head = block(0, { eip: 0x20, phys: 0x10020, mode: m.get('mode') });
    expect(m.call.findBlock(m.cpu)).toBe(head);
  });

  test('the last byte of the linear space is an address like any other', () => {
    m.set('eip', 0xffffffff);
    const head = block(0, { eip: 0xffffffff, phys: 0xffffffff, mode: m.get('mode') });
    expect(m.call.findBlock(m.cpu)).toBe(head);
    expect(m.call.translateExec(m.cpu, 0xffffffff) >>> 0).toBe(0xffffffff);
    expect(m.fault()).toBe('');
  });

  test('a change of CS.base makes the jump caches stale', () => {
    const gen = m.get('jumpKernelGen');
    m.setSeg(Seg.CS, 0x10000, 0xfffff, CODE);
    const next = m.get('jumpKernelGen');
    expect(next).not.toBe(gen);
    m.setSeg(Seg.CS, 0x20000, 0xfffff, CODE);
    expect(m.get('jumpKernelGen')).not.toBe(next);
  });

  test('the second page of a block must be mapped where it was', () => {
    m.setPhys32(0x100000 + 4, 0x101000 | 7);
    m.setPhys32(0x101000, 0x300000 | 7);
    m.setPhys32(0x101004, 0x500000 | 7);
    m.call.movToCr(m.cpu, 4, CR4.PGE);
    m.call.movToCr(m.cpu, 3, 0x100000);
    m.call.movToCr(m.cpu, 0, CR0.PE | CR0.PG);
    m.set('eip', 0x400ffe);
    const head = block(0, { eip: 0x400ffe, phys: 0x300ffe, mode: 3, lastPage: 0x500 });
    expect(m.call.findBlock(m.cpu)).toBe(head);
    m.setPhys32(0x101004, 0x600000 | 7);
    m.call.invlpg(m.cpu, 0x401000);
    expect(m.call.findBlock(m.cpu)).toBe(0);
    m.set('cr2', 0x99);
    m.setPhys32(0x101004, 0);
    m.call.invlpg(m.cpu, 0x401000);
    expect(m.call.findBlock(m.cpu)).toBe(0);
    expect(m.fault()).toBe('');
    expect(m.get('cr2')).toBe(0x99);
    m.setPhys32(0x101004, 0x500000 | 7 | PT.G);
    m.setPhys32(0x101000, 0x300000 | 7 | PT.G);
    m.call.invlpg(m.cpu, 0x400000);
    expect(m.call.lookup(m.cpu)).toBe(head);
    expect(m.get('jumpKernelLocal')).toBe(0);
    m.setPhys32(0x101004, 0x500000 | 7);
    m.call.lookup(m.cpu);
    expect(m.get('jumpKernelLocal')).toBe(1);
    m.setPhys32(0x101000, 0);
    m.call.invlpg(m.cpu, 0x400000);
    expect(m.call.lookup(m.cpu)).toBe(0);
    expect(m.fault()).toBe('PF(0)');
  });

  test('INVLPG spares a jump cache that knows nothing thereabouts', () => {
    m.call.flushJumps(m.cpu);
    m.set('eip', 0x5678);
    block(0, { eip: 0x5678, phys: 0x5678, mode: 3 });
    m.call.lookup(m.cpu);
    const gen = m.get('jumpKernelGen');
    m.call.invlpg(m.cpu, 8 * MiB);
    expect(m.get('jumpKernelGen')).toBe(gen);
    m.call.invlpg(m.cpu, 0x9000);
    expect(m.get('jumpKernelGen')).toBe(gen + 1);
    m.call.invlpg(m.cpu, 0x9000);
    expect(m.get('jumpKernelGen')).toBe(gen + 1);
  });
});

describe('ports', () => {
  const TSS = 0x8000;
  const MAP = 0x68;

  beforeEach(() => {
    m.host.portInValue = (port) => (port << 8) | 0xa5;
  });

  test('the kernel may, zero-extended and masked', () => {
    expect(m.call.portIn(m.cpu, 0x10071, 1)).toBe(0xa5);
    m.call.portOut(m.cpu, 0x80, 2, 0x12345678);
    expect(m.calls).toEqual([
      { name: 'portIn', args: [0x71, 1] },
      { name: 'portOut', args: [0x80, 2, 0x5678] },
    ]);
  });

  test('the user asks the I/O permission bitmap', () => {
    const attempt = (port: number, size: number) => {
      m.call.portIn(m.cpu, port, size);
      return m.fault() || 'ok';
    };
    m.setCpl(3);
    expect(attempt(0x80, 1)).toBe('GP(0)');
    m.setSeg(Seg.TR, TSS, MAP + 0x40, 0x8b00);
    m.ram[TSS + 102] = MAP;
    m.ram.fill(0xff, TSS + MAP, TSS + MAP + 0x41);
    m.ram[TSS + MAP + 0x10] = 0b11111110;
    m.ram[TSS + MAP + 0x11] = 0b11110000;
    expect(attempt(0x80, 1)).toBe('ok');
    expect(attempt(0x80, 2)).toBe('GP(0)');
    expect(attempt(0x88, 4)).toBe('ok');
    expect(attempt(0x89, 4)).toBe('GP(0)');
    m.ram[TSS + MAP + 0x3f] = 0;
    expect(attempt(0x1f8, 4)).toBe('ok');
    m.ram[TSS + MAP + 0x40] = 0;
    expect(attempt(0x200, 1)).toBe('GP(0)'); // the second byte is behind the limit
    m.set('eflags', Eflags.IOPL | 2);
    expect(attempt(0x81, 1)).toBe('ok');
    m.set('eflags', Eflags.IOPL | Eflags.VM | 2);
    expect(attempt(0x81, 1)).toBe('GP(0)');
    m.setSeg(Seg.TR, TSS, MAP + 0x40, 0x8300); // a 16-bit TSS has no bitmap
    expect(attempt(0x80, 1)).toBe('GP(0)');
  });

  test('INS and OUTS', () => {
    m.setGpr(Gpr.EDX, 0x1f0);
    m.setGpr(Gpr.ECX, 3);
    m.setGpr(Gpr.EDI, 0x3000);
    expect(m.call.ins(m.cpu, 2, -1, 1)).toBe(0);
    expect([...m.ram.subarray(0x3000, 0x3007)]).toEqual([0xa5, 0xf0, 0xa5, 0xf0, 0xa5, 0xf0, 0]);
    expect([m.gpr(Gpr.ECX), m.gpr(Gpr.EDI)]).toEqual([0, 0x3006]);
    m.calls.length = 0;
    m.setGpr(Gpr.ECX, 2);
    m.setGpr(Gpr.ESI, 0x3001);
    m.set('eflags', Eflags.DF | 2);
    expect(m.call.outs(m.cpu, 1, -1, m.seg(Seg.DS), 1)).toBe(0);
    expect(m.calls.map((c) => c.args)).toEqual([
      [0x1f0, 1, 0xf0],
      [0x1f0, 1, 0xa5],
    ]);
    expect(m.gpr(Gpr.ESI)).toBe(0x2fff);
    m.setSeg(Seg.ES, 0, 0xfff, 0x00409300);
    m.calls.length = 0;
    m.call.ins(m.cpu, 4, -1, 0);
    expect(m.fault()).toBe('GP(0)');
    expect(m.calls).toEqual([]);
    m.host.onPortOut = () => m.set('pending', 1);
    m.setGpr(Gpr.ECX, 5);
    expect(m.call.outs(m.cpu, 1, -1, m.seg(Seg.DS), 1)).toBe(1);
    expect(m.gpr(Gpr.ECX)).toBe(4);
  });
});
