// Loads, stores, segments: page crossing, devices, ROM, pages with code, limits.
import { beforeEach, describe, expect, test } from 'vitest';
import { Cpu, codeLimit, FAULT_BAIL, Mode, SegCache } from '../../../src/layout/cpu.ts';
import { CODE_MAP_COUNT, CODE_MAP_PAGES, CONTROL, Control, RAM, ROM, ROM_BYTES, Tlb } from '../../../src/layout/memory.ts';
import { type Exported, runtime } from '../../../src/runtime/abi.ts';
import { CODE, CR0, DATA, type Machine, MiB, machine, PT, Seg } from './machine.ts';

let m: Machine;
beforeEach(async () => {
  m = await machine();
});

const DIRECTORY = 0x100000;
const TABLE = 0x101000;
const CR0_AM = 0x40000;
const ALL = PT.P | PT.RW | PT.US;

/** Paging on: linear 0x400000 and up to the given frames (0: not present). */
function paged(frames: readonly number[], bits: number = ALL) {
  m.setPhys32(DIRECTORY + 4, TABLE | ALL);
  frames.forEach((frame, i) => {
    m.setPhys32(TABLE + i * 4, frame ? frame | bits : 0);
  });
  m.call.movToCr(m.cpu, 3, DIRECTORY);
  m.call.movToCr(m.cpu, 0, CR0.PE | CR0.PG | CR0.WP);
}

test('every width, aligned and crossing into another frame', () => {
  paged([0x300000, 0x200000]);
  for (const [width, value] of [
    [8, 0x9a],
    [16, 0xbcde],
    [32, 0x89abcdef],
  ] as const) {
    for (const at of [0x400010, 0x400fff, 0x400ffe, 0x400ffd]) {
      m.call[`store${width}`]!(m.cpu, at, value);
      expect(m.call[`load${width}`]!(m.cpu, at) >>> 0).toBe(value);
      for (let i = 0; i < width / 8; i++) {
        const linear = at + i;
        const phys = linear < 0x401000 ? 0x300000 + (linear & 0xfff) : 0x200000 + (linear & 0xfff);
        expect(m.ram[phys]).toBe((value >>> (8 * i)) & 0xff);
      }
    }
  }
  for (let at = 0x400ff5; at < 0x401004; at++) {
    const value = 0x0123456789abcdefn ^ BigInt(at);
    m.call.store64(m.cpu, at, value);
    expect(BigInt.asUintN(64, m.call.load64(m.cpu, at))).toBe(value);
  }
});

test('a crossing access whose second page faults does nothing, and CR2 is the second page', () => {
  paged([0x300000, 0]);
  m.call.store32(m.cpu, 0x400ffe, -1);
  expect(m.fault()).toBe('PF(2)');
  expect(m.get('cr2')).toBe(0x401000);
  expect(m.phys32(0x300ffc)).toBe(0);
  m.call.load64(m.cpu, 0x400ffa);
  expect(m.fault()).toBe('PF(0)');
  expect(m.call.probeWrite(m.cpu, 0x400ff0, 16)).toBe(0);
  expect(m.call.probeWrite(m.cpu, 0x400ff1, 16)).toBe(1);
  expect(m.fault()).toBe('PF(2)');
  m.call.store128(m.cpu, 0x400ff8, m.cpu);
  expect(m.fault()).toBe('PF(2)');
  expect(m.phys32(0x300ff8)).toBe(0);
});

const WAYS = Object.values<Exported>(runtime).filter((f) => 'gives' in f && f.gives === 'fault' && !f.params.includes('v128'));
test.each(WAYS)('$name gives Cpu.fault', ({ name, params }) => {
  paged([0x300000, 0]);
  const args = params.slice(2, -1).map((type) => (type === 'i64' ? 0n : 0));
  const give = (at: number) => m.call[name]!(m.cpu, at, ...args, 0x77) >>> 0;
  expect(give(0x400008)).toBe(0);
  expect(give(0x401008)).toBe(m.get('fault'));
  expect(m.fault()).toMatch(/^PF/);
});

test('128 bits', () => {
  paged([0x300000, 0x200000]);
  const host = RAM + 0x500000;
  for (let i = 0; i < 16; i++) m.ram[0x500000 + i] = i + 1;
  m.call.store128(m.cpu, 0x400ff9, host);
  expect([...m.ram.subarray(0x300ff9, 0x301000)]).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect([...m.ram.subarray(0x200000, 0x200009)]).toEqual([8, 9, 10, 11, 12, 13, 14, 15, 16]);
  m.call.load128(m.cpu, 0x400ff9, host + 32);
  expect([...m.ram.subarray(0x500020, 0x500030)]).toEqual([...m.ram.subarray(0x500000, 0x500010)]);
});

test('user rights by CPL, supervisor rights by sysLoad', () => {
  paged([0x300000], PT.P | PT.RW);
  m.setCpl(3);
  m.call.load32(m.cpu, 0x400000);
  expect(m.fault()).toBe('PF(5)');
  m.call.sysStore32(m.cpu, 0x400000, 5);
  expect(m.fault()).toBe('');
  m.call.store32(m.cpu, 0x400000, 6);
  expect(m.fault()).toBe('PF(7)');
});

test('slow paths store EIP; rmw asks for write rights', () => {
  paged([0x300000], PT.P | PT.US);
  m.set('loaded', 1);
  expect([m.call.slowLoad32(m.cpu, 0x400000, 0x1111), m.get('loaded')]).toEqual([0, 0]);
  expect(m.get('eip')).toBe(0x1111);
  expect(m.fault()).toBe('');
  for (const name of ['slowRmw8', 'slowRmw16', 'slowRmw32', 'slowRmw64', 'regionRmw32']) {
    const fault = m.call[name]!(m.cpu, 0x400000, 0x2222);
    expect(fault).toBe(m.get('fault'));
    expect(m.fault()).toBe('PF(3)');
  }
  paged([0x300000]);
  m.setPhys32(0x300000, 77);
  expect([m.call.slowRmw32(m.cpu, 0x400000, 0x2222), m.get('loaded')]).toEqual([0, 77]);
  expect(m.phys32(TABLE) & PT.D).toBe(PT.D);
});

describe('devices and ROM', () => {
  test('video memory below the text and the space above RAM are devices; the text is RAM', () => {
    m.host.mmioReadValue = (phys, size) => (phys === 0xb7ffe ? 0x0741 : size);
    expect(m.call.load16(m.cpu, 0xb7ffe)).toBe(0x0741);
    for (const address of [0xb8000, 0xbfffc]) {
      m.call.store32(m.cpu, address, 0x07420741);
      expect(m.call.load16(m.cpu, address + 2)).toBe(0x0742);
      expect(m.tlb(address)).not.toBe(0);
    }
    m.call.store32(m.cpu, 0xfee000b0, 9);
    m.call.store64(m.cpu, 0xfed00000, 0x0000000200000001n);
    m.call.load8(m.cpu, 16 * MiB);
    expect(m.calls).toEqual([
      { name: 'mmioRead', args: [0xb7ffe, 2] },
      { name: 'mmioWrite', args: [0xfee000b0, 4, 9] },
      { name: 'mmioWrite', args: [0xfed00000, 4, 1] },
      { name: 'mmioWrite', args: [0xfed00004, 4, 2] },
      { name: 'mmioRead', args: [16 * MiB, 1] },
    ]);
    expect(m.tlb(0xfee00000)).toBe(0);
  });

  test('a store that runs from RAM into a device', () => {
    m.call.store32(m.cpu, 0x9fffe, 0x44332211);
    expect([m.ram[0x9fffe], m.ram[0x9ffff]]).toEqual([0x11, 0x22]);
    expect(m.calls).toEqual([
      { name: 'mmioWrite', args: [0xa0000, 1, 0x33] },
      { name: 'mmioWrite', args: [0xa0001, 1, 0x44] },
    ]);
  });

  test('ROM below 1 MiB and 4 GiB is read-only', () => {
    m.control('romBytes', 256 * 1024);
    m.view.setUint32(ROM + ROM_BYTES - 16, 0xcafef00d, true);
    m.view.setUint32(ROM + ROM_BYTES - 256 * 1024, 0x1234, true);
    m.view.setUint32(ROM + ROM_BYTES - 128 * 1024, 0x5678, true);
    expect(m.call.load32(m.cpu, 0xffff0) >>> 0).toBe(0xcafef00d);
    expect(m.call.load32(m.cpu, 0xfffffff0) >>> 0).toBe(0xcafef00d);
    expect(m.call.load32(m.cpu, 0xfffc0000)).toBe(0x1234);
    expect(m.call.load32(m.cpu, 0xe0000)).toBe(0x5678);
    m.call.store32(m.cpu, 0xffff0, 1);
    m.call.store32(m.cpu, 0xfffffff0, 1);
    expect(m.call.load32(m.cpu, 0xffff0) >>> 0).toBe(0xcafef00d);
    expect(m.call.load32(m.cpu, 0xfffffff0) >>> 0).toBe(0xcafef00d);
    expect(m.calls).toEqual([]);
    m.call.store32(m.cpu, 0xdfffc, 3);
    expect(m.phys32(0xdfffc)).toBe(3);
  });
});

describe('pages with code', () => {
  const CODE_WRITE = Tlb.CODE_KERNEL_WRITE | Tlb.CODE_USER_WRITE;

  test('a store to code from the interpreter goes through and is told to the code cache', () => {
    m.call.store32(m.cpu, 0x5000, 1);
    expect(m.tlb(0x5000) & Tlb.KERNEL_WRITE).toBe(Tlb.KERNEL_WRITE);
    m.markCode(0x5000);
    expect(m.tlb(0x5000) & (Tlb.KERNEL_WRITE | Tlb.USER_WRITE | CODE_WRITE)).toBe(CODE_WRITE);
    m.call.slowStore32(m.cpu, 0x5008, 2, 0);
    expect(m.phys32(0x5008)).toBe(2);
    expect(m.calls).toEqual([{ name: 'invalidateCode', args: [0x5008, 4] }]);
    m.call.store32(m.cpu, 0x500c, 3);
    expect(m.calls).toHaveLength(1);
    expect(m.tlb(0x5000) & (Tlb.KERNEL_WRITE | CODE_WRITE)).toBe(Tlb.KERNEL_WRITE);
  });

  test.each([0x5000, 0x500f, 0x501f, 0x5020, 0x57f1, 0x5ff0, 0x5fff])(
    'of a page with code, a store that does not touch it is no affair of the code cache (code at %x)',
    (code) => {
      m.markCode(code, 1);
      for (let at = 0x5000; at < 0x6000; at += 4) {
        m.call.store32(m.cpu, at, at);
        expect(m.phys32(at)).toBe(at);
        const hits = at <= code && code < at + 4;
        expect(m.calls.splice(0)).toEqual(hits ? [{ name: 'invalidateCode', args: [at, 4] }] : []);
        if (hits) m.markCode(code, 1);
      }
      expect(m.tlb(0x5000) & (Tlb.KERNEL_WRITE | Tlb.USER_WRITE | CODE_WRITE)).toBe(CODE_WRITE);
      for (const at of [code - 4, code - 3, code, code + 1]) {
        if (at < 0x5000 || at > 0x5ffc) continue;
        m.call.store32(m.cpu, at, -1);
        const hits = at <= code && code < at + 4;
        expect(m.calls.splice(0)).toEqual(hits ? [{ name: 'invalidateCode', args: [at, 4] }] : []);
        if (hits) m.markCode(code, 1);
      }
    },
  );

  test('a page for which no code map is free is code as a whole, until one is free again', () => {
    const next = CONTROL + Control.at.codeMapNext;
    m.markCode(0x5000, 4);
    m.setWord(next, CODE_MAP_COUNT);
    // All maps are of the page with code at 5000H.
    for (let k = 0; k < CODE_MAP_COUNT; k++) m.setWord(CODE_MAP_PAGES + k * 4, 5);
    m.markCode(0x7000, 4);
    m.call.store32(m.cpu, 0x7800, 1);
    expect(m.calls.splice(0)).toEqual([{ name: 'invalidateCode', args: [0x7800, 4] }]);
    // The page at 5000H becomes data: its map is given away.
    m.call.store32(m.cpu, 0x5000, 1);
    m.calls.splice(0);
    m.markCode(0x7000, 4);
    m.call.store32(m.cpu, 0x7800, 2);
    expect(m.calls).toEqual([]);
    m.call.store32(m.cpu, 0x7000, 2);
    expect(m.calls).toHaveLength(1);
  });

  test('a store to code from a region is left undone, one beside code is done', () => {
    m.markCode(0x5000, 4);
    m.markCode(0x5ffe, 2);
    for (const at of [0x5000, 0x4ffe, 0x5ffe]) {
      m.call.regionStore32(m.cpu, at, -1, 0x77);
      expect(m.get('fault')).toBe(FAULT_BAIL);
      expect(m.get('eip')).toBe(0x77);
      m.set('fault', 0);
      m.call.regionRmw32(m.cpu, at, 0x77);
      expect(m.get('fault')).toBe(FAULT_BAIL);
      m.set('fault', 0);
      expect(m.phys32(at)).toBe(0);
    }
    for (const at of [0x5004, 0x5ffa, 0x6000]) {
      m.call.regionRmw32(m.cpu, at, 0x77);
      m.call.regionStore32(m.cpu, at, 4, 0);
      expect([m.get('fault'), m.phys32(at)]).toEqual([0, 4]);
    }
    expect(m.calls).toEqual([]);
  });

  test.each([1, 2])("every store of translated code beside code is done, and none that touches it is a region's (%i CPUs)", (cpus) => {
    const code = [0x5000, 0x501f, 0x5020, 0x57f1, 0x5fff];
    for (const at of code) m.markCode(at, 1);
    m.call.load8(m.cpu, 0x5000);
    m.control('cpuCount', cpus);
    const wrong: unknown[] = [];
    for (const bytes of [1, 2, 4, 8])
      for (let at = 0x4ff8; at < 0x6008; at++) {
        const hits = code.some((x) => x >= at && x < at + bytes);
        const bits = bytes * 8;
        const value = (n: number) => (bytes === 8 ? 0x0101010101010101n * BigInt(n) : 0x01010101 * n);
        m.ram.fill(1, at, at + bytes);
        m.call[`regionRmw${bits}`]!(m.cpu, at, 0x77);
        const read = m.get('loaded') & 0xff;
        const [fault, host] = [m.get('fault'), m.get('rmwHost')];
        m.set('fault', 0);
        m.call[`regionStore${bits}`]!(m.cpu, at, value(2), 0x77);
        const stored = [...m.ram.subarray(at, at + bytes)].every((x) => x === (hits ? 1 : 2));
        // The store may be made where the load was, unless somebody else could decode that in between.
        const mayStore = host === 0 || (!hits && cpus === 1 && host === RAM + at);
        const bails = hits ? FAULT_BAIL : 0;
        if (fault !== bails || m.get('fault') !== bails || (!hits && read !== 1) || !stored || !mayStore) wrong.push([at, bytes]);
        m.set('fault', 0);
      }
    expect(wrong).toEqual([]);
    expect(m.calls).toEqual([]);
    m.call.slowRmw32(m.cpu, 0x5004, 0x77);
    expect(m.get('rmwHost')).toBe(cpus === 1 ? RAM + 0x5004 : 0);
    m.call.slowStore32(m.cpu, 0x501d, 3, 0x77);
    expect(m.calls).toEqual([{ name: 'invalidateCode', args: [0x501d, 4] }]);
  });

  test('a loop that stores beside code may do so without looking, and who enters code asks it to stop', () => {
    const free = (at: number, bytes: number) => m.call.hostBesideCode(m.cpu, at, bytes);
    m.markCode(0x5040, 3);
    m.call.load8(m.cpu, 0x5000);
    m.call.load8(m.cpu, 0x6000);
    expect([
      free(0x5000, 64),
      free(0x5000, 65),
      free(0x5042, 4),
      free(0x5043, 4),
      free(0x5043, 256),
      free(0x5fff, 1),
      free(0x5ffe, 4),
    ]).toEqual([RAM + 0x5000, 0, 0, RAM + 0x5043, RAM + 0x5043, RAM + 0x5fff, 0]);
    // What has no code is left to the TLB.
    expect(free(0x6000, 4)).toBe(0);
    const owner = () => m.view.getUint32(CODE_MAP_PAGES, true);
    expect(owner()).toBe(5);
    m.control('cpuCount', 2);
    m.control('stop', 1); // nobody waits for the other CPU, which does not run
    expect(free(0x5043, 4)).toBe(RAM + 0x5043);
    expect(owner()).toBe((0x80000000 | 5) >>> 0);
    const parked: number[] = [];
    for (const before of [0, 1]) {
      m.set('parked', before);
      free(0x5043, 4);
      m.call.awaitStores(m.cpu, 0x5000);
      parked.push(m.get('parked'), owner());
    }
    expect(parked).toEqual([0, 5, 1, 5]);
    free(0x5043, 4);
    m.call.markCode(m.cpu, 0x5044, 1);
    expect([owner(), free(0x5043, 4)]).toEqual([5, 0]);
  });

  test('beside code as well the rights, the alignment and the data breakpoints are looked at', () => {
    const EFLAGS_AC = 1 << 18;
    paged([0x300000, 0x301000], PT.P | PT.RW);
    paged([0x300000, 0x301000, 0x302000]);
    m.setPhys32(TABLE, 0x300000 | PT.P | PT.RW);
    m.setPhys32(TABLE + 4, 0x301000 | PT.P | PT.US);
    for (const at of [0x300000, 0x301000, 0x302000]) m.markCode(at, 4);
    const store = (at: number) => {
      m.call.load32(m.cpu, at & -4);
      m.fault();
      m.call.regionRmw32(m.cpu, at, 0x77);
      const rmw = m.get('fault') === FAULT_BAIL ? 'bails' : m.fault();
      m.set('fault', 0);
      m.call.regionStore32(m.cpu, at, 5, 0x77);
      const faults = m.get('fault') === FAULT_BAIL ? 'bails' : m.fault();
      m.set('fault', 0);
      return rmw === faults ? faults : [rmw, faults];
    };
    expect([store(0x400100), store(0x401100), store(0x402100)]).toEqual(['', 'PF(3)', '']);
    m.call.movToCr(m.cpu, 0, m.get('cr0') | CR0_AM);
    m.setCpl(3);
    expect([store(0x400100), store(0x401100), store(0x402100)]).toEqual(['PF(7)', 'PF(7)', '']);
    expect(store(0x402101)).toBe('');
    m.set('eflags', EFLAGS_AC);
    m.setCpl(3);
    expect([store(0x402100), store(0x402101)]).toEqual(['', 'AC(0)']);
    m.set('eflags', 0);
    m.setCpl(3);
    // DR0: four bytes at 402200H, written.
    m.view.setUint32(m.cpu + Cpu.at.dr, 0x402200, true);
    m.view.setUint32(m.cpu + Cpu.at.dr + 28, 0x000d0001, true);
    m.call.updateBreakpoints(m.cpu);
    expect([store(0x402100), store(0x402200), store(0x4021fe)]).toEqual(['', 'bails', 'bails']);
  });

  test('a locked access is atomic in aligned RAM without code alone', () => {
    m.markCode(0x5000, 4);
    const host = (linear: number, region = 0) => m.call.lockedHost(m.cpu, linear, 4, region, 0x77);
    expect([host(0x5000), host(0x5004), host(0x6004), host(0x6005), host(0x6ffe)]).toEqual([0, RAM + 0x5004, RAM + 0x6004, 0, 0]);
    expect(m.get('fault')).toBe(0);
    expect(host(0x4ffe, 1)).toBe(0);
    expect(m.get('fault')).toBe(FAULT_BAIL);
    expect(m.get('eip')).toBe(0x77);
  });
});

describe('segments', () => {
  const linear = (seg: number, offset: number, bytes: number, write = 0) => {
    const at = m.call.segLinear(m.cpu, m.seg(seg), offset, bytes, write) >>> 0;
    return m.fault() || at;
  };

  test('expand-up limits', () => {
    m.setSeg(Seg.DS, 0x1000, 0xfff, DATA);
    expect(linear(Seg.DS, 0xffc, 4)).toBe(0x1ffc);
    expect(linear(Seg.DS, 0xffd, 4)).toBe('GP(0)');
    expect(linear(Seg.DS, 0xfffffffe, 4)).toBe('GP(0)');
    expect(linear(Seg.DS, 0xff0, 17)).toBe('GP(0)');
    expect(m.view.getUint32(m.seg(Seg.DS) + SegCache.at.topRead, true)).toBe(0xff0);
    m.setSeg(Seg.SS, 0, 0xfff, DATA);
    expect(linear(Seg.SS, 0x1000, 1)).toBe('SS(0)');
  });

  test('expand-down limits', () => {
    m.setSeg(Seg.DS, 0, 0xfff, 0x00c09700);
    expect(linear(Seg.DS, 0xfff, 1)).toBe('GP(0)');
    expect(linear(Seg.DS, 0x1000, 4)).toBe(0x1000);
    expect(linear(Seg.DS, 0xfffffffc, 4)).toBe(0xfffffffc);
    expect(linear(Seg.DS, 0xfffffffd, 4)).toBe('GP(0)');
    m.setSeg(Seg.DS, 0, 0xfff, 0x00009700);
    expect(linear(Seg.DS, 0xfffc, 4)).toBe(0xfffc);
    expect(linear(Seg.DS, 0xfffd, 4)).toBe('GP(0)');
  });

  test('kinds', () => {
    m.setSeg(Seg.DS, 0, 0xffffffff, 0x00c09100); // read-only data
    expect(linear(Seg.DS, 0, 4)).toBe(0);
    expect(linear(Seg.DS, 0, 4, 1)).toBe('GP(0)');
    m.setSeg(Seg.ES, 0, 0xffffffff, 0x00c09900); // execute-only code
    expect(linear(Seg.ES, 0, 4)).toBe('GP(0)');
    expect(linear(Seg.CS, 4, 4)).toBe(4);
    expect(linear(Seg.CS, 4, 4, 1)).toBe('GP(0)');
    m.setSeg(Seg.DS, 0, 0, 0, 0); // null
    expect(linear(Seg.DS, 0, 1)).toBe('GP(0)');
    m.set('cr0', 0); // real mode: limits only
    m.setSeg(Seg.DS, 0x100, 0xffff, 0);
    expect(linear(Seg.DS, 0xfffe, 2, 1)).toBe(0x100fe);
    expect(linear(Seg.DS, 0xffff, 2, 1)).toBe('GP(0)');
  });

  test('mode bits', () => {
    const { CODE32, FLAT, PHYSICAL, USER } = Mode;
    expect(m.get('mode')).toBe(CODE32 | FLAT | PHYSICAL);
    const gen = m.get('jumpKernelGen');
    m.setSeg(Seg.ES, 0, 0xffffffff, DATA);
    expect(m.get('jumpKernelGen')).toBe(gen);
    m.setSeg(Seg.ES, 0x10, 0xffffffff, DATA);
    expect(m.get('mode')).toBe(CODE32 | PHYSICAL);
    expect(m.get('jumpKernelGen')).not.toBe(gen);
    m.setSeg(Seg.ES, 0, 0xffffffff, DATA);
    m.setCpl(3);
    expect(m.get('mode')).toBe(CODE32 | FLAT | USER | PHYSICAL);
    m.setSeg(Seg.CS, 0, 0xffff, CODE & ~0x400000);
    expect(m.get('mode') & 0xff).toBe(USER | PHYSICAL);
    expect(codeLimit(m.get('mode'))).toBe(0xffff);
    m.setSeg(Seg.CS, 0, 0x12345fff, CODE);
    expect(codeLimit(m.get('mode'))).toBe(0x12345fff);
    m.setSeg(Seg.CS, 0, 0, CODE);
    expect(codeLimit(m.get('mode'))).toBe(0);
    m.setSeg(Seg.SS, 0, 0xffff, DATA & ~0x400000);
    expect(m.get('stackMask')).toBe(0xffff);
  });
});
