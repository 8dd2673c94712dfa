// Finding decoded blocks, the jump caches, and port input and output.
import { beforeEach, describe, expect, test } from 'vitest';
import { Eflags, Exit, Mode } from '../../../src/layout/cpu.ts';
import { BLOCK_HASH_ENTRIES, BlockHead, FETCHED_ENTRIES, JUMP_WAYS, JumpEntry, jumpIndex } from '../../../src/layout/memory.ts';
import { CODE, CR0, CR4, Gpr, type Machine, machine, PT, putBlock, Seg } from './machine.ts';

/** Without paging. */
const FLAT = Mode.CODE32 | Mode.FLAT | Mode.PHYSICAL;
let m: Machine;
beforeEach(async () => {
  m = await machine();
});

const block = (at: number, fields: Parameters<typeof putBlock>[2]): number => putBlock(m, at, fields);

function jump(user: boolean, eip: number) {
  return entry(user, jumpIndex(eip));
}
function entry(user: boolean, index: number) {
  const at = m.get(user ? 'jumpUser' : 'jumpKernel') + index * JumpEntry.size;
  return Object.fromEntries(Object.entries(JumpEntry.at).map(([k, o]) => [k, m.view.getUint32(at + o, true)])) as Record<
    keyof typeof JumpEntry.at,
    number
  >;
}

describe('blocks', () => {
  test('matched by physical address, EIP and mode', () => {
    m.set('eip', 0x5678);
    expect(m.call.lookup(m.cpu)).toBe(0);
    expect(m.get('exit')).toBe(Exit.LOOKUP);
    block(0, { eip: 0x5678, phys: 0x5678, mode: FLAT | Mode.USER });
    block(64, { eip: 0x4678, phys: 0x5678, mode: FLAT });
    expect(m.call.findBlock(m.cpu)).toBe(0);
    const head = block(128, { eip: 0x5678, phys: 0x5678, mode: FLAT, handler: 42 });
    expect(m.call.lookup(m.cpu)).toBe(head);
    expect(jump(false, 0x5678)).toEqual({ eip: 0x5678, gen: m.get('jumpKernelGen'), func: 42, arg: head });
    m.view.setUint32(head + BlockHead.at.region, 99, true);
    m.call.lookup(m.cpu);
    expect(jump(false, 0x5678)).toEqual({ eip: 0x5678, gen: m.get('jumpKernelGen'), func: 99, arg: 99 });
    m.setCpl(3);
    expect(m.call.lookup(m.cpu)).toBe(m.get('arena'));
    expect(jump(true, 0x5678)).toMatchObject({ eip: 0x5678, func: 11, arg: m.get('arena') });
  });

  describe('of one entry of the jump cache', () => {
    const FIRST = 0x5678;
    const INDEX = jumpIndex(FIRST);
    /** All of the same entry. */
    const sharing = [FIRST];
    for (let eip = FIRST + 1; sharing.length <= JUMP_WAYS; eip++) if (jumpIndex(eip) === INDEX) sharing.push(eip);
    const [, SECOND, THIRD, FOURTH, LAST] = sharing as [number, number, number, number, number];
    /** Those whose own entries are beside it. */
    const beside = [1, 2, 3].map((way) => FIRST ^ way);
    const look = (eip: number) => {
      m.set('eip', eip);
      m.set('exit', 0);
      return m.call.lookup(m.cpu);
    };
    const known = () =>
      Array.from({ length: JUMP_WAYS }, (_, way) => entry(m.get('mode') === (FLAT | Mode.USER), INDEX ^ way))
        .filter(({ gen }) => gen !== 0)
        .map(({ eip }) => eip);
    const forgetBlocks = () => {
      for (let k = 0; k < BLOCK_HASH_ENTRIES; k++) m.view.setUint32(m.get('blockHash') + 4 * k, 0, true);
    };
    const isFound = (eip: number) => look(eip) === 1 && m.get('exit') === 0 && jump(m.get('mode') === (FLAT | Mode.USER), eip).eip === eip;
    beforeEach(() => {
      [...sharing, ...beside].forEach((eip, k) => {
        for (const user of [0, Mode.USER]) block((2 * k + user / Mode.USER) * 64, { eip, phys: eip, mode: FLAT | user, handler: 40 + k });
      });
    });

    test.each([0, 3])('all are found without a look at the blocks, at CPL %i, each where it was sought first', (cpl) => {
      m.setCpl(cpl);
      expect(new Set(sharing.map(jumpIndex))).toEqual(new Set([INDEX]));
      for (const eip of [FIRST, SECOND, THIRD, FOURTH]) look(eip);
      expect(known()).toEqual([FOURTH, FIRST, SECOND, THIRD]);
      forgetBlocks();
      for (const [k, eip] of [FIRST, SECOND, THIRD, FOURTH, FIRST].entries()) {
        expect(isFound(eip)).toBe(true);
        expect(jump(cpl === 3, eip)).toMatchObject({ func: 40 + (k % 4) });
      }
      expect([look(LAST), m.get('exit')]).toEqual([0, Exit.LOOKUP]);
    });

    test('one more takes the place of another one that waits', () => {
      for (const eip of sharing) look(eip);
      expect(known()).toEqual([LAST, FIRST, SECOND, FOURTH]);
    });

    test('nobody waits where another one has its own entry', () => {
      for (const eip of [...beside, FIRST, SECOND, FIRST]) look(eip);
      expect(known()).toEqual([FIRST, ...beside]);
    });

    test('who waits where another one belongs goes elsewhere when that one comes', () => {
      for (const eip of [FIRST, SECOND, beside[0]!]) look(eip);
      expect(known()).toEqual([SECOND, beside[0], FIRST]);
      forgetBlocks();
      expect(isFound(FIRST)).toBe(true);
    });

    test('what was known before the caches became stale is found by nobody', () => {
      for (const eip of [FIRST, SECOND]) look(eip);
      m.setSeg(Seg.CS, 0x10000, 0xfffff, CODE);
      m.setSeg(Seg.CS, 0, 0xfffff, CODE);
      forgetBlocks();
      expect([look(FIRST), m.get('exit')]).toEqual([0, Exit.LOOKUP]);
    });
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

  describe('INVLPG', () => {
    const DIRECTORY = 0x100000;
    const TABLE = 0x101000;
    /** Entries of the pages at 400000H, with code at their first byte. */
    const pte = (page: number) => TABLE + (page & 1023) * 4;
    const gens = () => [m.get('jumpKernelGen'), m.get('jumpUserGen')];

    beforeEach(() => {
      m.setPhys32(DIRECTORY + 4, TABLE | PT.P | PT.RW | PT.US);
      for (const page of [0x400, 0x401, 0x402]) m.setPhys32(pte(page), (page << 12) | PT.P | PT.RW | PT.US);
      // The page tables themselves, through a large page.
      m.setPhys32(DIRECTORY, PT.P | PT.RW | PT.PS);
      m.call.movToCr(m.cpu, 4, CR4.PSE);
      m.call.movToCr(m.cpu, 3, DIRECTORY);
      m.call.movToCr(m.cpu, 0, CR0.PE | CR0.PG);
      m.setCpl(3);
      m.set('eip', 0x400000);
      block(0, { eip: 0x400000, phys: 0x400000, mode: m.get('mode') });
      m.call.lookup(m.cpu);
      m.setCpl(0);
    });

    test('spares the jump caches where they know no code of the page', () => {
      const before = gens();
      for (const page of [0x401, 0x402, 0x800, 0x400 + FETCHED_ENTRIES]) m.call.invlpg(m.cpu, page << 12);
      expect(gens()).toEqual(before);
    });

    test('spares them where the page is mapped as it was', () => {
      const before = gens();
      m.setPhys32(pte(0x400), 0x400000 | PT.P | PT.US | PT.A);
      m.call.invlpg(m.cpu, 0x400000);
      expect(gens()).toEqual(before);
    });

    test.each([
      ['not at all', 0],
      ['elsewhere', 0x500000 | PT.P | PT.US | PT.A],
      ['for the kernel alone', 0x400000 | PT.P | PT.A],
      ['and has not been used since', 0x400000 | PT.P | PT.US],
    ])('makes the one stale that knows code of a page that is mapped %s', (_, entry) => {
      const [kernel, user] = gens() as [number, number];
      m.setPhys32(pte(0x400), entry);
      m.call.invlpg(m.cpu, 0x400123);
      expect(gens()).toEqual([kernel, user + 1]);
      // A walk that only looks sets nothing.
      expect(m.phys32(pte(0x400))).toBe(entry);
      m.call.invlpg(m.cpu, 0x400123);
      expect(gens()).toEqual([kernel, user + 1]);
    });

    test('makes it stale where the table has no place for all pages', () => {
      const pages = Array.from({ length: FETCHED_ENTRIES + 100 }, (_, k) => 0x800 + k);
      for (const page of pages) {
        m.setPhys32(DIRECTORY + (page >>> 10) * 4, TABLE | PT.P | PT.RW | PT.US);
        m.setPhys32(pte(page), 0x500000 | PT.P | PT.RW | PT.US);
      }
      m.setCpl(3);
      pages.forEach((page, k) => {
        block(64 * (k + 1), { eip: page << 12, phys: 0x500000, mode: m.get('mode') });
      });
      for (const page of [pages[0]!, pages[777]!, pages[1500]!, pages.at(-1)!]) {
        for (const each of pages) {
          m.set('eip', each << 12);
          m.call.lookup(m.cpu);
        }
        const user = m.get('jumpUserGen');
        m.setCpl(0);
        m.setPhys32(pte(page), 0);
        m.call.invlpg(m.cpu, page << 12);
        expect(m.get('jumpUserGen')).toBe(user + 1);
        m.setPhys32(pte(page), 0x500000 | PT.P | PT.RW | PT.US);
        m.setCpl(3);
      }
    });

    test('makes it stale where the page was mapped anew without one', () => {
      m.setCpl(3);
      const user = m.get('jumpUserGen');
      m.call.flushNonGlobal(m.cpu);
      m.setPhys32(pte(0x400), 0x500000 | PT.P | PT.US);
      block(64, { eip: 0x400000, phys: 0x500000, mode: m.get('mode') });
      m.call.lookup(m.cpu);
      expect(m.get('jumpUserGen')).toBe(user + 1);
    });

    test('of a large page makes it stale wherever in the page its code is', () => {
      m.set('eip', 0x5678);
      block(64, { eip: 0x5678, phys: 0x5678, mode: m.get('mode') });
      m.call.lookup(m.cpu);
      const [kernel, user] = gens() as [number, number];
      m.call.invlpg(m.cpu, 0x9000);
      expect(gens()).toEqual([kernel + 1, user]);
      m.call.invlpg(m.cpu, 0x9000);
      expect(gens()).toEqual([kernel + 1, user]);
    });

    test('of the second page of a block counts as well', () => {
      m.setCpl(3);
      m.set('eip', 0x401ffe);
      block(64, { eip: 0x401ffe, phys: 0x401ffe, mode: m.get('mode'), lastPage: 0x402 });
      m.call.lookup(m.cpu);
      m.setCpl(0);
      const user = m.get('jumpUserGen');
      m.setPhys32(pte(0x402), 0x500000 | PT.P | PT.US | PT.A);
      m.call.invlpg(m.cpu, 0x402000);
      expect(m.get('jumpUserGen')).toBe(user + 1);
    });

    test('a breakpoint on a page counts as its INVLPG', () => {
      const user = m.get('jumpUserGen');
      m.call.movToDr(m.cpu, 0, 0x401000);
      m.call.movToDr(m.cpu, 7, 1);
      expect(m.get('jumpUserGen')).toBe(user);
      m.call.movToDr(m.cpu, 0, 0x400800);
      expect(m.get('jumpUserGen')).toBe(user + 1);
    });
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
