// The walk of the page tables for whoever inspects a machine: against the CPU's own walk, over random tables; and that it leaves no trace.
import { describe, expect, it } from 'vitest';
import { PhysicalMemory } from '../../../src/cpu/physical.ts';
import { CpuState } from '../../../src/inspect/cpu-state.ts';
import { isMapped, walk } from '../../../src/inspect/page-walk.ts';
import { Cpu, Vector } from '../../../src/layout/cpu.ts';
import { RAM, Tlb } from '../../../src/layout/memory.ts';
import { Cr0, Cr4 } from '../../../src/layout/system.ts';
import { type Still, still } from './still.ts';

const TOP = 0x100000;
const DIRECTORY = 0x101000;
const TABLES = 0x104000;
const TABLES_END = TABLES + 8 * 4096;
const FRAMES = 0x200000;
const EFER_NXE = 0x800n;

function random(seed: number) {
  let state = seed >>> 0;
  return (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** The CPU's walk by its instructions: an access at a privilege level, with an empty TLB. Undefined: a page fault; else the word of the TLB. */
function access({ vcpu }: Still, linear: number, kind: 'read' | 'write' | 'fetch', cpl: number): number | undefined {
  const runtime = vcpu.instance.runtime as unknown as Record<string, (...args: number[]) => number>;
  vcpu.set(Cpu.at.cpl, cpl);
  runtime.updateMode!(vcpu.base);
  runtime.flush!(vcpu.base);
  let physical: number | undefined;
  if (kind === 'read') runtime.load8!(vcpu.base, linear);
  else if (kind === 'write') runtime.store8!(vcpu.base, linear, 0x5a);
  else physical = runtime.translateExec!(vcpu.base, linear) >>> 0;
  const fault = vcpu.get(Cpu.at.fault);
  vcpu.set(Cpu.at.fault, 0);
  vcpu.set(Cpu.at.cpl, 0);
  runtime.updateMode!(vcpu.base);
  if (fault !== 0) {
    expect(fault & 0xff).toBe(Vector.PF);
    return undefined;
  }
  return physical ?? vcpu.shared.i32[(vcpu.get(Cpu.at.tlb) + (linear >>> 12) * 4) >> 2]! >>> 0;
}

/** The same in the words of a Translation. */
function model(s: Still, linear: number): object | undefined {
  const read = access(s, linear, 'read', 0);
  if (read === undefined) return undefined;
  const pae = (s.vcpu.get(Cpu.at.cr4) & Cr4.PAE) !== 0;
  const large = (read & Tlb.LARGE) !== 0;
  return {
    physical: (linear + (read & 0xfffff000) - RAM) >>> 0,
    pageSize: !large ? 4096 : pae ? 0x200000 : 0x400000,
    writable: access(s, linear, 'write', 0) !== undefined,
    user: access(s, linear, 'read', 3) !== undefined,
    executable: access(s, linear, 'fetch', 0) !== undefined,
    global: (read & Tlb.GLOBAL) !== 0,
  };
}

describe.each([
  ['two levels', 0, false],
  ['two levels, 4 MiB pages', Cr4.PSE, false],
  ['two levels, 4 MiB pages, global pages', Cr4.PSE | Cr4.PGE, false],
  ['PAE', Cr4.PAE, false],
  ['PAE, global pages, NX', Cr4.PAE | Cr4.PGE, true],
] as const)('%s', (name, cr4, nxe) => {
  it('is what the CPU does, and leaves no trace', () => {
    const pick = random(name.length * 7919);
    const s = still();
    const { view, vcpu } = s;
    const pae = (cr4 & Cr4.PAE) !== 0;
    const bytes = pae ? 8 : 4;
    const perTable = 4096 / bytes;
    const flags = () =>
      (pick(8) ? 1 : 0) | (pick(4) ? 2 : 0) | (pick(4) ? 4 : 0) | (pick(2) ? 0x60 : 0) | (pick(2) ? 0x100 : 0) | (pick(8) ? 0 : 0x1000);
    const high = () => (pae && pick(5) === 0 ? 1n << 63n : 0n) | (pae && pick(20) === 0 ? 1n << BigInt(32 + pick(31)) : 0n);
    const setEntry = (at: number, value: number) => {
      if (pae) view.setBigUint64(at, BigInt(value >>> 0) | high(), true);
      else view.setUint32(at, value, true);
    };
    const { registers } = s.cpu;
    // Four directories, the first of which is always there; without PAE one of four entries.
    for (let n = 0; n < 4; n++)
      if (pae) view.setBigUint64(TOP + n * 8, n === 0 || pick(4) ? BigInt((DIRECTORY + (n % 3) * 4096) | 1) : 0n, true);
    if (nxe) vcpu.shared.i32[(vcpu.base + Cpu.at.msr) >> 2] = Number(EFER_NXE);
    registers.cr4 = cr4;
    registers.cr3 = TOP;
    registers.cr0 = (Cr0.PE | Cr0.PG | Cr0.WP) >>> 0;
    const state = new CpuState(vcpu.shared, vcpu.instance.runtime, 0);
    const memory = new PhysicalMemory(vcpu.shared);
    const seen = { mapped: 0, absent: 0, large: 0, global: 0, executable: 0, reserved: 0 };
    const level = pae ? 0x200000 : 0x400000;
    for (let round = 0; round < 3000; round++) {
      const [directory, table, index] = [pick(3), pick(4), pick(4)];
      const at = pae ? DIRECTORY + directory * 4096 + table * 8 : TOP + table * 4;
      const page =
        pick(3) === 0
          ? (pick(3) * level) | flags() | 0x80 | (pick(10) ? 0 : 0x2000 << pick(8))
          : (TABLES + pick(8) * 4096) | (flags() & ~0x1000);
      setEntry(at, page);
      setEntry(
        TABLES + pick(8) * 4096 + (pick(2) ? index : perTable - 1 - index) * bytes,
        (FRAMES + pick(16) * 4096) | (flags() & ~0x1000),
      );
      const quarter = pae ? pick(4) * 0x40000000 : 0;
      const linear = quarter + table * level + (pick(2) ? index : perTable - 1 - index) * 4096 + pick(4096);
      const before = s.ram.slice(TOP, TABLES_END);
      const tlb = vcpu.get(Cpu.at.tlbListCount) + vcpu.get(Cpu.at.tlbGlobalCount);
      const found = walk(state, memory, linear);
      expect(Buffer.compare(s.ram.subarray(TOP, TABLES_END), before)).toBe(0);
      expect(vcpu.get(Cpu.at.tlbListCount) + vcpu.get(Cpu.at.tlbGlobalCount)).toBe(tlb);
      const expected = model(s, linear);
      expect(isMapped(found) ? found : undefined, `round ${round}: ${linear.toString(16)}`).toEqual(expected);
      if (!isMapped(found)) {
        seen.absent++;
        if (found.because.includes('reserved')) seen.reserved++;
      } else {
        seen.mapped++;
        if (found.pageSize > 4096) seen.large++;
        if (found.global) seen.global++;
        if (!found.executable) seen.executable++;
      }
    }
    expect(Math.min(seen.mapped, seen.absent)).toBeGreaterThan(300);
    expect(seen.large > 100).toBe(pae || (cr4 & Cr4.PSE) !== 0);
    expect(seen.global > 100).toBe((cr4 & Cr4.PGE) !== 0);
    expect(seen.executable > 100).toBe(nxe);
    expect(seen.reserved > 20).toBe(pae || (cr4 & Cr4.PSE) !== 0);
  });
});

it('without paging an address is itself', () => {
  expect(still().cpu.translate(0xfee01234)).toEqual({
    physical: 0xfee01234,
    pageSize: 2 ** 32,
    writable: true,
    user: true,
    executable: true,
    global: false,
  });
});

it('PAE goes by the registers that were loaded with CR3, not by what is in memory since', () => {
  const s = still();
  s.view.setBigUint64(TOP, BigInt(DIRECTORY | 1), true);
  s.view.setBigUint64(DIRECTORY, 0x400083n, true);
  const { registers } = s.cpu;
  registers.cr4 = Cr4.PAE;
  registers.cr3 = TOP;
  registers.cr0 = (Cr0.PE | Cr0.PG) >>> 0;
  s.view.setBigUint64(TOP, 0n, true);
  expect(s.cpu.translate(0x1234)?.physical).toBe(0x401234);
  registers.cr3 = TOP;
  expect(s.cpu.translate(0x1234)).toBeUndefined();
});
