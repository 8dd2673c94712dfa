// Registers of a CPU that stands still: what is read, what a write has to set going, and what is refused.
import { describe, expect, it } from 'vitest';
import type { CpuRegisters } from '../../../src/api/inspect.ts';
import { Cpu, Eflags, PENDING_HELD_SHIFT, Pending, Shadow, Step } from '../../../src/layout/cpu.ts';
import { errorOf } from '../loaders/images.ts';
import { ENGINES, placeGdt, still } from './still.ts';

const HLT = 'f4';
const NUMBERS = [
  ...['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi', 'eip', 'eflags', 'cr0', 'cr2', 'cr3', 'cr4'],
  ...['dr0', 'dr1', 'dr2', 'dr3', 'dr6', 'dr7', 'cs', 'ss', 'ds', 'es', 'fs', 'gs', 'fcw', 'fsw', 'ftw', 'mxcsr', 'cpl'],
] as (keyof CpuRegisters)[];

describe.each(ENGINES)('%s', (engine) => {
  it('are those that the guest has', () => {
    const s = still(engine);
    // mov eax, 0x89abcdef; mov ecx, 2 ... mov edi, 7; hlt
    s.put(0x1000, `b8efcdab89 b902000000 ba03000000 bb04000000 bd05000000 be06000000 bf07000000 ${HLT}`);
    s.run();
    const { eax, ecx, edx, ebx, esp, ebp, esi, edi, eip, cs, ss, cpl, cr0 } = s.cpu.registers;
    expect([eax, ecx, edx, ebx, esp, ebp, esi, edi, eip]).toEqual([0x89abcdef, 2, 3, 4, 0x8000, 5, 6, 7, 0x1024]);
    expect([cs, ss, cpl, cr0]).toEqual([8, 0x10, 0, 0x11]);
  });

  it('that are written are those that the guest goes on with', () => {
    const s = still(engine);
    // hlt; push eax; push ecx; push edx; push ebx; push esp; push ebp; push esi; push edi; hlt
    s.put(0x1000, `${HLT} 50 51 52 53 54 55 56 57 ${HLT}`);
    s.run();
    const { registers } = s.cpu;
    const values = { eax: 0xffffffff, ecx: 0x80000000, edx: 2, ebx: 3, esp: 0x7000, ebp: 5, esi: 6, edi: 7 };
    Object.assign(registers, values);
    registers.eip = 0x1001;
    s.run();
    expect([1, 2, 3, 4, 5, 6, 7, 8].map((n) => s.view.getUint32(0x7000 - 4 * n, true))).toEqual([
      ...[0xffffffff, 0x80000000, 2, 3],
      ...[0x7000 - 16, 5, 6, 7],
    ]);
  });

  it('eflags: the lazy flags, and those that were written decide branches', () => {
    const s = still(engine);
    // mov al, 0x80; sub al, 1 (OF, AF, PF clear: 0x7f has 7 bits); hlt; jc +1; hlt; nop; jo +1; hlt; mov ebx, 1; hlt
    s.put(0x1000, `b080 2c01 ${HLT} 7201 ${HLT} 7001 ${HLT} bb01000000 ${HLT}`);
    s.run();
    const { registers } = s.cpu;
    expect(registers.eflags).toBe(Eflags.ONE | Eflags.OF | Eflags.AF);
    registers.eflags = Eflags.CF | Eflags.OF | Eflags.DF;
    expect(registers.eflags).toBe(Eflags.ONE | Eflags.CF | Eflags.OF | Eflags.DF);
    registers.eip = 0x1005;
    s.run();
    expect(registers.ebx).toBe(1);
  });

  it('eip: the CPU leaves HLT, and an address that was decoded under another state is looked up', () => {
    const s = still(engine);
    // inc eax; hlt
    s.put(0x1000, `40 ${HLT}`);
    for (let n = 1; n <= 3; n++) {
      s.cpu.registers.eip = 0x1000;
      s.run();
      expect([s.cpu.registers.eax, s.vcpu.get(Cpu.at.halted)]).toEqual([n, 1]);
    }
  });

  it('eflags.IF: an interrupt that was held is taken', () => {
    const s = still(engine);
    placeGdt(s);
    // inc eax; hlt; nop; hlt; handler: mov ebx, 7; hlt
    s.put(0x1000, `40 ${HLT} 90 ${HLT} bb07000000 ${HLT}`);
    s.vcpu.set(Cpu.at.idtBase, 0x3000);
    s.vcpu.set(Cpu.at.idtLimit, 0x7ff);
    s.view.setBigUint64(0x3000 + 0x30 * 8, 0x00008e0000081004n, true);
    const pending = (s.vcpu.base + Cpu.at.pending) >> 2;
    Atomics.or(s.vcpu.shared.i32, pending, Pending.INTR);
    s.run();
    const held = () => s.vcpu.shared.i32[pending]! >>> PENDING_HELD_SHIFT;
    expect([s.cpu.registers.eax, s.cpu.registers.ebx, held()]).toEqual([1, 0, Pending.INTR]);
    s.cpu.registers.eip = 0x1002;
    s.cpu.registers.eflags |= Eflags.IF;
    expect(held()).toBe(0);
    s.run();
    expect(s.cpu.registers.ebx).toBe(7);
  });

  it('eflags.TF: a trap behind the next instruction, which eip calls off', () => {
    const s = still(engine);
    placeGdt(s);
    // inc eax; inc ecx; hlt; handler of #DB: mov ebx, [esp]; hlt
    s.put(0x1000, `40 41 ${HLT} 8b1c24 ${HLT}`);
    s.vcpu.set(Cpu.at.idtBase, 0x3000);
    s.vcpu.set(Cpu.at.idtLimit, 0x7ff);
    s.view.setBigUint64(0x3000 + 8, 0x00008e0000081003n, true);
    s.cpu.registers.eflags |= Eflags.TF;
    s.run();
    const { registers } = s.cpu;
    expect([registers.eax, registers.ecx, registers.ebx, registers.dr6 & 0x4000]).toEqual([1, 0, 0x1001, 0x4000]);
    registers.eflags &= ~Eflags.TF;
    registers.eip = 0x1000;
    s.run();
    expect([registers.eax, registers.ecx, registers.eip]).toEqual([2, 1, 0x1003]);
  });

  it('dr7: breakpoints on data and code count from the next instruction on', () => {
    const s = still(engine);
    placeGdt(s);
    // again: mov [0x5000], eax; inc ecx; hlt; handler of #DB: mov ebx, [esp]; hlt
    s.put(0x1000, `a300500000 41 ${HLT} 8b1c24 ${HLT}`);
    s.vcpu.set(Cpu.at.idtBase, 0x3000);
    s.vcpu.set(Cpu.at.idtLimit, 0x7ff);
    s.view.setBigUint64(0x3000 + 8, 0x00008e0000081007n, true);
    const { registers } = s.cpu;
    s.run();
    expect([registers.ebx, registers.ecx]).toEqual([0, 1]);
    // Writes of four bytes at 0x5000; then code at 0x1005.
    for (const [address, dr7, behind] of [
      [0x5000, 0xd0001, 0x1005],
      [0x1005, 1, 0x1005],
    ] as const) {
      registers.dr0 = address;
      registers.dr7 = dr7;
      expect(registers.dr7).toBe(dr7 | 0x400);
      registers.ebx = 0;
      registers.ecx = 0;
      registers.eip = 0x1000;
      s.run();
      expect([registers.ebx, registers.ecx, registers.dr6 & 0xf]).toEqual([behind, 0, 1]);
    }
    registers.dr7 = 0;
    registers.eip = 0x1000;
    s.run();
    expect(registers.ecx).toBe(1);
  });

  it('cr3 and cr0: the guest goes on by other tables', () => {
    const s = still(engine);
    // mov eax, [0x400000]; hlt
    s.put(0x1000, `a100004000 ${HLT}`);
    const ALL = 7;
    for (const [directory, frame] of [
      [0x10000, 0x800000],
      [0x20000, 0xc00000],
    ] as const) {
      s.view.setUint32(directory, 0x83, true);
      s.view.setUint32(directory + 4, (frame + 0x10000) | ALL, true);
      s.view.setUint32(frame + 0x10000, frame | ALL, true);
      s.view.setUint32(frame, frame, true);
    }
    const { registers } = s.cpu;
    registers.cr4 = 0x10;
    registers.cr3 = 0x10000;
    registers.cr0 = 0x80000011;
    s.run();
    expect(registers.eax).toBe(0x800000);
    registers.cr3 = 0x20000;
    registers.eip = 0x1000;
    s.run();
    expect(registers.eax).toBe(0xc00000);
    registers.cr0 = 0x11;
    registers.eip = 0x1000;
    s.run();
    expect(registers.eax).toBe(0);
  });

  it('segments: descriptors are loaded, checked and used', () => {
    const s = still(engine);
    placeGdt(s);
    // mov eax, [0x10]; hlt
    s.put(0x1000, `a110000000 ${HLT}`);
    s.view.setUint32(0x5010, 0xcafe, true);
    const { registers } = s.cpu;
    registers.ds = 0x28;
    expect(registers.segments.ds).toEqual({ selector: 0x28, base: 0x5000, limit: 0xff, access: 0x409300 });
    s.run();
    expect(registers.eax).toBe(0xcafe);
    const before = registers.segments;
    for (const [name, selector, message] of [
      ['ds', 0x30, '#NP(0x30)'],
      ['es', 0x38, '#GP(0x38)'],
      ['ss', 0, '#GP(0x0)'],
      ['ss', 0x23, '#GP(0x20)'],
    ] as const) {
      const error = errorOf(() => (registers[name] = selector));
      expect([error.code, error.where, error.message]).toEqual(['BAD_OPTION', name, `${name}: the processor answers ${message}`]);
    }
    expect(registers.segments).toEqual(before);
    expect(s.vcpu.get(Cpu.at.fault)).toBe(0);
    expect(errorOf(() => (registers.cs = 0x10)).code).toBe('NOT_SUPPORTED');
    registers.cs = 8;
    registers.ds = 0;
    expect(registers.segments.ds).toEqual({ selector: 0, base: 0, limit: 0, access: 0 });
  });

  it('segments in real mode are made of their selectors', () => {
    const s = still(engine);
    s.put(0x12345, 'a1 1000 f4');
    s.view.setUint16(0x20010, 0xbeef, true);
    s.vcpu.reset();
    const { registers } = s.cpu;
    registers.cs = 0x1234;
    registers.ds = 0x2000;
    registers.eip = 5;
    expect(registers.segments.cs).toMatchObject({ selector: 0x1234, base: 0x12340 });
    s.run();
    expect(registers.eax).toBe(0xbeef);
  });

  it('x87: numbers, bytes and words', () => {
    const s = still(engine);
    // fninit; fldpi; fld1; hlt; fxch; fstp qword [0x5000]; fstp qword [0x5008]; hlt
    s.put(0x1000, `dbe3 d9eb d9e8 ${HLT} d9c9 dd1d00500000 dd1d08500000 ${HLT}`);
    s.run();
    const { registers } = s.cpu;
    expect([registers.st0, registers.st1, registers.fcw, registers.fsw, registers.ftw]).toEqual([1, Math.PI, 0x37f, 6 << 11, 0xc0]);
    expect(Buffer.from(registers.st1Bytes).toString('hex')).toBe('35c26821a2da0fc90040');
    registers.st0 = -0.1;
    registers.st1Bytes = Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0xc0, 0xff, 0xbf]);
    expect(registers.st1).toBe(-1.5);
    registers.eip = 0x1007;
    s.run();
    expect([s.view.getFloat64(0x5000, true), s.view.getFloat64(0x5008, true)]).toEqual([-1.5, -0.1]);
    expect([registers.fsw, registers.ftw]).toEqual([0, 0]);
    registers.fsw = 0x3841;
    // Nothing unmasked: neither ES nor B. Unmasked they follow.
    expect(registers.fsw).toBe(0x3841);
    registers.fcw = 0x37e;
    expect(registers.fsw).toBe(0xb8c1);
    registers.st2 = 2;
    expect(registers.ftw).toBe(2);
  });

  it('SSE: xmm registers and mxcsr', () => {
    const s = still(engine);
    // movups xmm1, [0x5000]; hlt; movups [0x5010], xmm7; hlt
    s.put(0x1000, `0f100d00500000 ${HLT} 0f113d10500000 ${HLT}`);
    const bytes = Uint8Array.from({ length: 16 }, (_, n) => 0xf0 - n);
    s.ram.set(bytes, 0x5000);
    s.cpu.registers.cr4 = 0x200;
    s.run();
    const { registers } = s.cpu;
    expect(registers.xmm1).toEqual(bytes);
    registers.xmm1.fill(0);
    expect(registers.xmm1).toEqual(bytes);
    registers.xmm7 = bytes.toReversed();
    registers.mxcsr = 0x1fa5;
    registers.eip = 0x1008;
    s.run();
    expect([...s.ram.subarray(0x5010, 0x5020)]).toEqual([...bytes].reverse());
    expect(registers.mxcsr).toBe(0x1fa5);
    expect(errorOf(() => (registers.xmm7 = bytes.subarray(1)))).toMatchObject({ code: 'BAD_OPTION', where: 'xmm7' });
  });
});

it('what was to come of the last instruction does not come behind a write of eip', () => {
  const s = still();
  s.put(0x1000, `40 ${HLT}`);
  for (const [field, value] of [
    ['shadow', Shadow.STI],
    ['stepArmed', 3],
    ['step', Step.ARMED | Step.TRAP | Step.FORCED],
    ['debugPending', 1],
    ['fault', 0x106],
  ] as const)
    s.vcpu.set(Cpu.at[field], value);
  s.cpu.registers.eip = 0x1000;
  const left = (['shadow', 'stepArmed', 'debugPending', 'fault'] as const).map((field) => s.vcpu.get(Cpu.at[field]));
  expect([...left, s.vcpu.get(Cpu.at.step)]).toEqual([0, 0, 0, 0, Step.FORCED | Step.LOOKUP]);
});

it('a CPU that waits for its start-up IPI goes on to wait', () => {
  const s = still();
  s.vcpu.set(Cpu.at.awaitsStartup, 1);
  s.vcpu.set(Cpu.at.halted, 1);
  s.cpu.registers.eip = 0x1000;
  expect(s.vcpu.get(Cpu.at.halted)).toBe(1);
});

it('control registers are written at any privilege level, and keep the mode', () => {
  const s = still();
  s.vcpu.set(Cpu.at.cpl, 3);
  s.vcpu.refresh();
  const mode = s.vcpu.get(Cpu.at.mode);
  const { registers } = s.cpu;
  registers.cr4 = 0x10;
  registers.cr2 = 0x1234;
  registers.dr1 = 0x77;
  expect([registers.cpl, registers.cr4, registers.cr2, registers.dr1, s.vcpu.get(Cpu.at.mode)]).toEqual([3, 0x10, 0x1234, 0x77, mode]);
  expect(errorOf(() => (registers.cr0 = 0)).message).toContain('privilege level 0');
  expect(errorOf(() => (registers.cr4 = 0x8000_0000)).message).toBe('cr4: the processor answers #GP(0x0)');
  expect([registers.cr4, registers.cr2, registers.cpl]).toEqual([0x10, 0x1234, 3]);
  // PG without PE.
  s.vcpu.set(Cpu.at.cpl, 0);
  expect(errorOf(() => (registers.cr0 = 0x80000010)).message).toBe('cr0: the processor answers #GP(0x0)');
});

it('dr7.GD guards against the guest, not against who inspects it', () => {
  const { registers } = still().cpu;
  registers.dr7 = 0x2000;
  registers.dr3 = 5;
  expect([registers.dr3, registers.dr7, registers.dr6]).toEqual([5, 0x2400, 0xffff0ff0]);
  registers.dr7 = 0;
  expect(registers.dr7).toBe(0x400);
});

it.each(NUMBERS)('%s takes nothing but numbers of its width', (name) => {
  const { registers } = still().cpu;
  for (const value of [-1, 2 ** 32, 0.5, Number.NaN, '1', null, undefined, 1n, {}]) {
    const error = errorOf(() => ((registers as unknown as Record<string, unknown>)[name] = value));
    expect([error.code, error.where]).toEqual(['BAD_OPTION', name]);
  }
});

it.each(['st0', 'st7'] as const)('%s takes nothing but numbers', (name) => {
  const { registers } = still().cpu;
  for (const value of ['1', null, undefined, 1n])
    expect(errorOf(() => ((registers as unknown as Record<string, unknown>)[name] = value))).toMatchObject({
      code: 'BAD_OPTION',
      where: name,
    });
});

it('what cannot be written says so', () => {
  const { registers } = still().cpu;
  const loose = registers as unknown as Record<string, unknown>;
  expect(errorOf(() => (loose.cpl = 3)).code).toBe('NOT_SUPPORTED');
  expect(errorOf(() => (registers.eflags |= Eflags.VM)).code).toBe('NOT_SUPPORTED');
  for (const name of ['segments', 'gdtr', 'idtr', 'tsc', 'msr', 'eaz']) expect(() => (loose[name] = 1), name).toThrow(TypeError);
});

it('tables, model-specific registers and the time-stamp counter are read, and nothing changes', () => {
  const s = still();
  const { registers } = s.cpu;
  s.vcpu.set(Cpu.at.gdtBase, 0xf0000000);
  s.vcpu.set(Cpu.at.gdtLimit, 0x27);
  s.vcpu.set(Cpu.at.sysenterEip, 0xc1000000);
  s.vcpu.set(Cpu.at.cpl, 3);
  s.vcpu.refresh();
  const state = () => s.vcpu.shared.u8.slice(s.vcpu.base, s.vcpu.base + Cpu.size);
  const before = state();
  expect(registers.gdtr).toEqual({ base: 0xf0000000, limit: 0x27 });
  expect(registers.idtr).toEqual({ base: 0, limit: 0x3ff });
  expect(registers.segments.tr).toEqual({ selector: 0, base: 0, limit: 0xffff, access: 0x8b00 });
  expect(registers.msr(0x176)).toBe(0xc1000000n);
  expect(registers.msr(0x1b)).toBe(0xfee00900n);
  expect(registers.tsc).toBe(123_456_789_012n);
  expect(errorOf(() => registers.msr(0x12345))).toMatchObject({ code: 'BAD_OPTION', where: 'msr 0x12345' });
  expect(errorOf(() => registers.msr(-1)).code).toBe('BAD_OPTION');
  expect(Buffer.compare(before, state())).toBe(0);
});

it('a machine that runs refuses all of it', () => {
  const s = still();
  const { registers } = s.cpu;
  const names = Object.keys(Object.getOwnPropertyDescriptors(registers));
  expect(names.length).toBe(60);
  s.runs = true;
  for (const name of names)
    expect(() => (name === 'msr' ? registers.msr(0x10) : registers[name as keyof CpuRegisters]), name).toThrow('it runs');
  expect(() => (registers.eax = 1)).toThrow('it runs');
  s.runs = false;
  expect(registers.eax).toBe(0);
  expect(JSON.parse(JSON.stringify(registers))).toMatchObject({ eip: 0x1000, segments: { cs: { selector: 8 } } });
});
