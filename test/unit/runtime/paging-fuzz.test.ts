// Random page tables, changes, flushes and accesses, against a walk written straight from the manual (SDM vol. 3, ch. 4).
import { expect, test } from 'vitest';
import { CR0, CR4, Gpr, type Machine, machine, PT } from './machine.ts';

const TOP = 0x100000;
const DIRECTORY = 0x101000;
const TABLES = 0x102000;
const FRAMES = 0x200000;

function random(seed: number) {
  let state = seed >>> 0;
  return (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

interface Access {
  readonly write: boolean;
  readonly user: boolean;
  readonly exec?: boolean;
}

/** Physical address or the error code of the #PF, with accessed and dirty bits set as a CPU would. */
function walkModel(m: Machine, linear: number, access: Access): { phys: number } | { error: number } {
  const pae = (m.get('cr4') & CR4.PAE) !== 0;
  const nxe = pae && m.get('msr') !== 0;
  const bits = pae ? 9 : 10;
  const bytes = pae ? 8 : 4;
  const read = (at: number) => (pae ? m.phys64(at) : BigInt(m.phys32(at)));
  const write = (at: number, value: bigint) => (pae ? m.setPhys64(at, value) : m.setPhys32(at, Number(value)));
  const code = (access.write ? 2 : 0) | (access.user ? 4 : 0) | (access.exec && nxe ? 16 : 0);
  let table = pae ? Number(m.phys64(TOP) & 0xfffff000n) : TOP;
  let rights = PT.RW | PT.US;
  let noExec = false;
  const seen: { at: number; entry: bigint }[] = [];
  for (let level = 1; level >= 0; level--) {
    const shift = 12 + level * bits;
    const at = table + ((linear >>> shift) & (2 ** bits - 1)) * bytes;
    const entry = read(at);
    const low = Number(entry & 0xffffffffn);
    if (!(low & PT.P)) return { error: code };
    const large = level === 1 && (low & PT.PS) !== 0 && (pae || (m.get('cr4') & CR4.PSE) !== 0);
    const reserved = pae ? (entry >> 32n) & (nxe ? 0x7fffffffn : 0xffffffffn) : 0n;
    const mask = pae ? 0x1fe000 : 0x3fe000;
    if (reserved || (large && low & mask)) return { error: code | 9 };
    rights &= low;
    noExec ||= nxe && entry >> 63n === 1n;
    seen.push({ at, entry });
    table = (low & 0xfffff000) >>> 0;
    if (large || level === 0) {
      const wp = (m.get('cr0') & CR0.WP) !== 0;
      if (access.user && !(rights & PT.US)) return { error: code | 1 };
      if (access.write && !(rights & PT.RW) && (access.user || wp)) return { error: code | 1 };
      if (access.exec && noExec) return { error: code | 1 };
      for (const { at: where, entry: old } of seen) {
        const dirty = access.write && where === at ? PT.D : 0;
        write(where, old | BigInt(PT.A | dirty));
      }
      const offset = 2 ** (large ? shift : 12);
      return { phys: Math.floor(((low >>> 12) * 4096) / offset) * offset + (linear % offset) };
    }
  }
  throw new Error('unreachable');
}

/** The access done on a model of RAM: the fault as text, or the value that was read. */
function accessModel(m: Machine, linear: number, size: number, access: Access, value: bigint): string | bigint {
  const pages = (linear & 0xfff) + size > 4096 ? [linear, (linear & ~0xfff) + 4096] : [linear];
  const phys: number[] = [];
  for (const page of pages) {
    const r = walkModel(m, page, access);
    if ('error' in r) return `PF(${r.error}) at ${page.toString(16)}`;
    phys.push(r.phys);
  }
  let result = 0n;
  for (let i = 0; i < size; i++) {
    const first = 4096 - (linear & 0xfff);
    const at = i < first ? phys[0]! + i : phys[1]! + (i - first);
    if (access.write) m.ram[at] = Number((value >> BigInt(8 * i)) & 0xffn);
    else result |= BigInt(m.ram[at]!) << BigInt(8 * i);
  }
  return result;
}

/** The same through the runtime. */
function accessRuntime(m: Machine, linear: number, size: number, access: Access, value: bigint): string | bigint {
  let result = 0n;
  if (access.write) m.call[`store${size * 8}`]!(m.cpu, linear, size === 8 ? value : Number(value & 0xffffffffn));
  else result = BigInt.asUintN(64, BigInt(size === 8 ? m.call.load64(m.cpu, linear) : m.call[`load${size * 8}`]!(m.cpu, linear) >>> 0));
  const fault = m.fault();
  return fault ? `${fault} at ${m.get('cr2').toString(16)}` : result;
}

test.each([
  ['two levels', 0, 1],
  ['two levels, 4 MiB pages', CR4.PSE, 2],
  ['two levels, global pages', CR4.PSE | CR4.PGE, 3],
  ['PAE', CR4.PAE, 4],
  ['PAE, global pages, NX', CR4.PAE | CR4.PGE, 5],
])('%s', async (_name, cr4, seed) => {
  const pick = random(seed * 7919);
  const real = await machine(8 << 20);
  const model = await machine(8 << 20);
  const both = [real, model];
  const pae = (cr4 & CR4.PAE) !== 0;
  const bytes = pae ? 8 : 4;
  const perTable = pae ? 512 : 1024;
  const nx = pae && (cr4 & CR4.PGE) !== 0;

  const flags = () =>
    (pick(8) ? PT.P : 0) | (pick(4) ? PT.RW : 0) | (pick(4) ? PT.US : 0) | (pick(3) ? 0 : PT.G) | (pick(4) ? 0 : PT.A | PT.D);
  const high = () => (nx && pick(6) === 0 ? 1n << 63n : 0n) | (pae && pick(40) === 0 ? 1n << BigInt(32 + pick(32)) : 0n);
  const setEntry = (at: number, value: number) => {
    const wide = BigInt(value >>> 0) | high();
    for (const m of both) pae ? m.setPhys64(at, wide) : m.setPhys32(at, value);
  };
  const setTable = (i: number) => setEntry(DIRECTORY_AT + i * bytes, (TABLES + i * 4096) | flags());
  const DIRECTORY_AT = pae ? DIRECTORY : TOP;
  /** Four directory entries are used, with four pages at the start and at the end of each. */
  const page = () => (pick(2) ? pick(3) : perTable - 1 - pick(3));
  const largeBytes = perTable * 4096;
  const setPage = (table: number, index: number) => setEntry(TABLES + table * 4096 + index * bytes, (FRAMES + pick(8) * 4096) | flags());
  /** Runs `change` on both at CPL 0. */
  const asKernel = (change: (m: Machine) => void) => {
    for (const m of both) {
      const cpl = m.get('cpl');
      m.setCpl(0);
      change(m);
      m.setCpl(cpl);
      expect(m.fault()).toBe('');
    }
  };
  const flushAll = () =>
    asKernel((m) => {
      m.call.movToCr(m.cpu, 4, cr4 ^ CR4.PGE);
      m.call.movToCr(m.cpu, 4, cr4);
    });

  for (const m of both) {
    if (pae) m.setPhys64(TOP, BigInt(DIRECTORY | 1));
    m.call.movToCr(m.cpu, 4, cr4);
    m.call.movToCr(m.cpu, 3, TOP);
    m.call.movToCr(m.cpu, 0, CR0.PE | CR0.PG);
    if (nx) {
      m.setGpr(Gpr.ECX, 0xc0000080);
      m.setGpr(Gpr.EAX, 0x800);
      m.call.wrmsr(m.cpu);
    }
    expect(m.fault()).toBe('');
  }
  for (let i = 0; i < 4; i++) {
    setTable(i);
    for (const index of [0, 1, 2, perTable - 3, perTable - 2, perTable - 1]) setPage(i, index);
  }
  let faults = 0;
  let successes = 0;
  for (let round = 0; round < 20000; round++) {
    const table = pick(4);
    const index = page();
    const linear = table * largeBytes + index * 4096;
    const what = pick(40);
    if (what === 0) {
      // A directory entry: a table or a large page.
      const large = pick(3) === 0;
      if (large) setEntry(DIRECTORY_AT + table * bytes, (pick(2) * largeBytes) | flags() | PT.PS | (pick(20) ? 0 : 0x2000));
      else setTable(table);
      flushAll();
    } else if (what < 4) {
      setPage(table, index);
      const within = linear + pick(4096);
      asKernel((m) => m.call.invlpg!(m.cpu, within));
    } else if (what === 4) {
      const cpl = pick(2) * 3;
      for (const m of both) m.setCpl(cpl);
    } else if (what === 5) {
      const wp = pick(2) ? CR0.WP : 0;
      asKernel((m) => m.call.movToCr!(m.cpu, 0, CR0.PE | CR0.PG | wp));
    } else if (what < 10) {
      const user = real.get('cpl') === 3;
      const at = linear + pick(4096);
      const expected = walkModel(model, at, { write: false, user, exec: true });
      const phys = real.call.translateExec(real.cpu, at) >>> 0;
      const fault = real.fault();
      expect(fault || phys, `fetch ${at.toString(16)}`).toBe('error' in expected ? `PF(${expected.error})` : expected.phys);
    } else {
      const size = [1, 2, 4, 8][pick(4)]!;
      const offset = pick(3) ? pick(4096 - size) : 4096 - 1 - pick(size);
      const access = { write: pick(2) === 0, user: real.get('cpl') === 3 };
      const value = BigInt(pick(2 ** 32)) * 0x100000001n;
      const at = linear + offset;
      // The last page of the fourth table is followed by nothing.
      const expected = accessModel(model, at, size, access, value);
      const got = accessRuntime(real, at, size, access, value);
      if (typeof expected === 'string') faults++;
      else successes++;
      expect(got, `round ${round}: ${access.write ? 'write' : 'read'} ${size} at ${at.toString(16)}`).toBe(expected);
    }
    if (round % 500 === 499) expect(Buffer.compare(real.ram, model.ram), `RAM after round ${round}`).toBe(0);
  }
  expect(faults).toBeGreaterThan(1000);
  expect(successes).toBeGreaterThan(1000);
});
