// Control and debug registers, MSRs, CPUID, HLT, flags.
import { beforeEach, describe, expect, test } from 'vitest';
import { createMemory, resetCpu } from '../../../src/cpu/state.ts';
import { Cpu, Eflags, Exit, GPR_STRIDE, Step, Watch } from '../../../src/layout/cpu.ts';
import { cpuBase, planMemory } from '../../../src/layout/memory.ts';
import { CR0, CR4, Gpr, type Machine, machine } from './machine.ts';

let m: Machine;
beforeEach(async () => {
  m = await machine();
});

const msr = (index: number) => {
  m.setGpr(Gpr.ECX, index);
  m.call.rdmsr(m.cpu);
  return m.fault() || (BigInt(m.gpr(Gpr.EDX)) << 32n) | BigInt(m.gpr(Gpr.EAX));
};
const setMsr = (index: number, value: bigint) => {
  m.setGpr(Gpr.ECX, index);
  m.setGpr(Gpr.EAX, Number(value & 0xffffffffn));
  m.setGpr(Gpr.EDX, Number(value >> 32n));
  m.call.wrmsr(m.cpu);
  return m.fault();
};

test('all that is privileged asks for CPL 0', () => {
  m.setCpl(3);
  const calls: [string, ...number[]][] = [
    ['movToCr', 0, 1],
    ['movFromCr', 3],
    ['movToDr', 7, 0],
    ['movFromDr', 6],
    ['clts'],
    ['lmsw', 1],
    ['invlpg', 0],
    ['rdmsr'],
    ['wrmsr'],
    ['wbinvd'],
    ['hlt'],
  ];
  for (const [name, ...args] of calls) {
    m.call[name]!(m.cpu, ...args);
    expect(m.fault(), name).toBe('GP(0)');
  }
  expect(m.get('halted')).toBe(0);
  m.call.smsw(m.cpu);
  m.call.cpuid(m.cpu);
  m.call.rdtsc(m.cpu);
  expect(m.fault()).toBe('');
});

describe('control registers', () => {
  test('combinations that are not allowed', () => {
    const bad: [number, number, string][] = [
      [0, CR0.PG, 'GP(0)'],
      [0, (0x20000000 | CR0.PE) >>> 0, 'GP(0)'],
      [4, 1, 'GP(0)'],
      [4, 0x800, 'GP(0)'],
      [1, 0, 'UD'],
      [5, 0, 'UD'],
      [8, 0, 'UD'],
    ];
    for (const [n, value, fault] of bad) {
      m.call.movToCr(m.cpu, n, value);
      expect(m.fault(), `CR${n} = ${value.toString(16)}`).toBe(fault);
    }
    expect(m.get('cr0')).toBe(CR0.PE);
    expect(m.get('cr4')).toBe(0);
    m.call.movToCr(m.cpu, 2, 0x1234);
    expect(m.call.movFromCr(m.cpu, 2)).toBe(0x1234);
  });

  test('lmsw sets PE but does not clear it', () => {
    m.call.lmsw(m.cpu, 0xfff0 | CR0.TS);
    expect(m.get('cr0') & 0xf).toBe(CR0.PE | CR0.TS);
    m.call.lmsw(m.cpu, 0);
    expect(m.get('cr0') & 0xf).toBe(CR0.PE);
    expect(m.call.smsw(m.cpu)).toBe(0x11);
  });

  test('traps of x87 and SSE', () => {
    const traps = () => [m.get('fpuTrap') !== 0, m.get('sseTrap')];
    m.call.updateFpuTraps(m.cpu);
    expect(traps()).toEqual([false, 1]);
    m.call.movToCr(m.cpu, 4, CR4.OSFXSR);
    expect(traps()).toEqual([false, 0]);
    m.call.movToCr(m.cpu, 0, CR0.PE | CR0.TS);
    expect(traps()).toEqual([true, 2]);
    m.call.clts(m.cpu);
    expect(traps()).toEqual([false, 0]);
    m.call.movToCr(m.cpu, 0, CR0.PE | CR0.EM);
    expect(traps()).toEqual([true, 1]);
  });

  test('MOV CR3 spares the kernel jump cache unless it has local pages', () => {
    const gens = () => [m.get('jumpKernelGen'), m.get('jumpUserGen')];
    const before = gens();
    m.call.movToCr(m.cpu, 3, 0x1000);
    expect(gens()).toEqual([before[0], before[1]! + 1]);
    m.set('jumpKernelLocal', 1);
    m.call.movToCr(m.cpu, 3, 0x1000);
    expect(gens()).toEqual([before[0]! + 1, before[1]! + 2]);
    expect(m.get('jumpKernelLocal')).toBe(0);
    m.set('jumpKernelGen', 0xffffffff);
    m.call.flushJumps(m.cpu);
    expect(m.get('jumpKernelGen')).toBe(1);
  });
});

test('debug registers: aliases, fixed bits, general detect', () => {
  const dr = (n: number) => m.view.getUint32(m.cpu + Cpu.at.dr + n * 4, true);
  m.call.movToDr(m.cpu, 4, 0);
  expect(dr(6)).toBe(0xffff0ff0);
  m.call.movToDr(m.cpu, 5, 1);
  expect(dr(7)).toBe(0x401);
  expect([m.get('step'), m.get('watch')]).toEqual([0, Watch.CODE]);
  m.call.movToDr(m.cpu, 7, 0x2000);
  expect(m.get('watch')).toBe(0);
  m.call.movFromDr(m.cpu, 0);
  expect(m.fault()).toBe('DB');
  expect(dr(6)).toBe(0xffff2ff0);
  expect(dr(7)).toBe(0x400);
  m.call.movToCr(m.cpu, 4, CR4.DE);
  m.call.movFromDr(m.cpu, 4);
  expect(m.fault()).toBe('UD');
});

test('MSRs', () => {
  expect(msr(0x277)).toBe(0x0007040600070406n);
  expect(setMsr(0x277, 0x0007010500070106n)).toBe('');
  expect(msr(0x277)).toBe(0x0007010500070106n);
  expect(setMsr(0x277, 2n)).toBe('GP(0)');
  for (const index of [0x174, 0x175, 0x176]) {
    expect(setMsr(index, BigInt(index * 3))).toBe('');
    expect(msr(index)).toBe(BigInt(index * 3));
  }
  expect(setMsr(0xc0000080, 0x800n)).toBe('');
  expect(msr(0xc0000080)).toBe(0x800n);
  expect(setMsr(0xc0000080, 0x900n)).toBe('GP(0)');
  expect(msr(0x48)).toBe('GP(0)');
  m.set('apicBase', 0xfee00900);
  expect(setMsr(0x1b, 0xfee00100n)).toBe('');
  expect(m.calls).toEqual([{ name: 'setApicBase', args: [0xfee00100] }]);
  for (const value of [0xfee01900n, 0xfee00d00n, 0x1fee00900n, 0xfee00901n])
    expect(setMsr(0x1b, value), 'moved, x2APIC, reserved').toBe('GP(0)');
  expect([msr(0x1b), m.calls.length]).toEqual([0xfee00100n, 1]);
  expect(msr(0xfe)).toBe(0n);
  expect(msr(0x1a0)).toBe(0x1801n);
  m.host.tsc = 1000n;
  expect(msr(0x10)).toBe(1000n);
  setMsr(0x10, 50n);
  m.host.tsc = 0x100000000n;
  expect(msr(0x10)).toBe(0x100000000n - 950n);
  m.call.rdtsc(m.cpu);
  expect([m.gpr(Gpr.EDX), m.gpr(Gpr.EAX)]).toEqual([0, 0x100000000 - 950]);
  m.call.movToCr(m.cpu, 4, CR4.TSD);
  m.setCpl(3);
  m.call.rdtsc(m.cpu);
  expect(m.fault()).toBe('GP(0)');
});

test('CPUID', () => {
  const leaf = (n: number) => {
    m.setGpr(Gpr.EAX, n);
    m.setGpr(Gpr.ECX, 0);
    m.call.cpuid(m.cpu);
    return [Gpr.EAX, Gpr.EBX, Gpr.ECX, Gpr.EDX].map(m.gpr);
  };
  const text = (words: number[]) => Buffer.from(Uint32Array.from(words).buffer).toString('latin1').replaceAll('\0', '');
  const [max, b, c, d] = leaf(0);
  expect(max).toBe(0x16);
  expect(leaf(7)[1], 'TSC_ADJUST').toBe(2);
  expect(leaf(6)[0]! & 4, 'ARAT').toBe(4);
  expect(text([b!, d!, c!])).toBe('GenuineIntel');
  expect(text([...leaf(0x80000002), ...leaf(0x80000003), ...leaf(0x80000004)])).toBe('Dragoman virtual CPU');
  m.set('apicId', 5);
  expect(leaf(1)[1]! >>> 24).toBe(5);
  expect(leaf(1)[3]! & 0x200).toBe(0);
  m.set('apicBase', 0xfee00800);
  expect(leaf(1)[3]! & 0x200).toBe(0x200);
  expect(leaf(0x80000001)[3]).toBe(1 << 20);
  expect(leaf(3)).toEqual([0, 0, 0, 0]);
  // No hypervisor is told: its leaves would change what kernels do, and the frequency is in the processor's own.
  expect(leaf(1)[2]! >>> 31).toBe(0);
});

test('CPUID tells the frequency of the time-stamp counter, to the hertz', () => {
  const leaf = (n: number) => {
    m.setGpr(Gpr.EAX, n);
    m.call.cpuid(m.cpu);
    return [Gpr.EAX, Gpr.EBX, Gpr.ECX].map(m.gpr) as [number, number, number];
  };
  const [denominator, numerator, crystal] = leaf(0x15);
  expect((crystal * numerator) / denominator).toBe(1e9);
  expect(leaf(0x16)).toEqual([1000, 1000, 1000]);
  m.host.tsc = 5_000_000_000n;
  expect(msr(0x10), 'a nanosecond a tick').toBe(5_000_000_000n);
});

test('CPUID names the processor that EDX does behind a reset', () => {
  const shared = createMemory(planMemory(1, 2 << 20));
  resetCpu(shared, 0);
  const edx = shared.i32[(cpuBase(shared.plan, 0) + Cpu.at.gpr + Gpr.EDX * GPR_STRIDE) >> 2];
  m.setGpr(Gpr.EAX, 1);
  m.call.cpuid(m.cpu);
  expect([m.gpr(Gpr.EAX), edx]).toEqual([0x106ca, 0x106ca]);
});

test('machine check: the bank that CPUID and MCG_CAP tell of is there, and has no error', () => {
  m.setGpr(Gpr.EAX, 1);
  m.call.cpuid(m.cpu);
  const announced = m.gpr(Gpr.EDX);
  expect([(announced >>> 7) & 1, (announced >>> 14) & 1], 'MCE, MCA').toEqual([1, 1]);
  m.call.movToCr(m.cpu, 4, 0x40);
  expect(m.fault()).toBe('');
  expect(msr(0x179)).toBe(1n);
  // As a kernel begins: all errors of the bank on, and the old ones cleared.
  expect([setMsr(0x400, 0xffffffffffffffffn), msr(0x400)]).toEqual(['', 0xffffffffffffffffn]);
  expect([setMsr(0x401, 0n), msr(0x401)]).toEqual(['', 0n]);
  expect([setMsr(0x17a, 4n), msr(0x17a), setMsr(0x17a, 0n), msr(0x17a)]).toEqual(['', 4n, '', 0n]);
  for (const [index, value] of [
    [0x401, 1n],
    [0x179, 1n],
    [0x17a, 8n],
    [0x17b, 1n],
    [0x404, 0n],
  ] as const)
    expect(setMsr(index, value), index.toString(16)).toBe('GP(0)');
});

test('CPUID: all CPUs are cores of one package', () => {
  const leaf = (n: number, index = 0) => {
    m.setGpr(Gpr.EAX, n);
    m.setGpr(Gpr.ECX, index);
    m.call.cpuid(m.cpu);
    return [Gpr.EAX, Gpr.EBX, Gpr.ECX, Gpr.EDX].map((r) => m.gpr(r) >>> 0) as [number, number, number, number];
  };
  const HTT = 1 << 28;
  for (const [cpus, identifiers] of [
    [1, 1],
    [2, 2],
    [3, 4],
    [16, 16],
    [33, 64],
  ] as const) {
    m.control('cpuCount', cpus);
    expect((leaf(1)[1] >>> 16) & 0xff).toBe(identifiers);
    expect(leaf(1)[3] & HTT).toBe(cpus > 1 ? HTT : 0);
    expect(leaf(4)[0] >>> 26).toBe(identifiers - 1);
    m.set('apicId', cpus - 1);
    expect([0, 1, 2].map((level) => leaf(0xb, level))).toEqual([
      [0, 1, 0x100, cpus - 1],
      [Math.log2(identifiers), cpus, 0x201, cpus - 1],
      [0, 0, 2, cpus - 1],
    ]);
  }
  // Type and level; size in KiB: ways, partitions, line, sets.
  const caches = [0, 1, 2].map((index) => {
    const [a, b, c] = leaf(4, index);
    return [a & 31, (a >>> 5) & 7, (((b >>> 22) + 1) * (((b >>> 12) & 0x3ff) + 1) * ((b & 0xfff) + 1) * (c + 1)) / 1024];
  });
  expect(caches).toEqual([
    [1, 1, 32],
    [2, 1, 32],
    [3, 2, 512],
  ]);
  expect(leaf(4, 3)).toEqual([0, 0, 0, 0]);
});

test('HLT', () => {
  m.call.hlt(m.cpu);
  expect([m.get('halted'), m.get('exit')]).toEqual([1, Exit.HALT]);
});

test('flags: every combination of the six there and back, and masks', () => {
  const bits = [Eflags.CF, Eflags.PF, Eflags.AF, Eflags.ZF, Eflags.SF, Eflags.OF];
  for (let i = 0; i < 64; i++) {
    const value = bits.reduce((v, bit, k) => v | (i & (1 << k) ? bit : 0), Eflags.ONE | Eflags.IF);
    m.call.writeFlags(m.cpu, value, -1);
    expect(m.call.readFlags(m.cpu)).toBe(value);
    expect(m.get('eflags') & Eflags.ARITH).toBe(0);
    for (const bit of bits) {
      m.call.writeFlags(m.cpu, ~value, bit);
      expect(m.call.readFlags(m.cpu)).toBe(value ^ bit);
      m.call.writeFlags(m.cpu, value, bit);
    }
  }
  m.call.writeFlags(m.cpu, Eflags.TF, Eflags.TF);
  expect(m.get('step')).toBe(Step.TF);
  m.call.writeFlags(m.cpu, 0, Eflags.TF);
  expect(m.get('step')).toBe(0);
});
