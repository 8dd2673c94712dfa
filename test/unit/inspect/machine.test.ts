// Inspection of whole machines: before their run and behind it, on threads and in lockstep; not while they run.
import { describe, expect, it } from 'vitest';
import { type CpuHandle, DragomanError, Machine, type MachineOptions, MiB } from '../../../src/api/index.ts';
import { errorOf } from '../loaders/images.ts';
import { CLI_HLT, ENTRY, kernel, le32, SPIN } from '../machine/programs.ts';

const open = (code: string, options: Partial<MachineOptions> = {}) =>
  Machine.create({ kernel: kernel(code), memoryBytes: 16 * MiB, ...options });

describe.each<[string, Partial<MachineOptions>]>([
  ['threads', {}],
  ['the interpreter', { engine: 'interpreter' }],
  ['lockstep', { lockstep: { paced: false } }],
])('%s', (_name, options) => {
  // mov ecx, 5000; again: add eax, 2; dec ecx; jnz again; cli; hlt
  const CODE = `b9${le32(5000)} 83c002 49 75fa ${CLI_HLT}`;

  it('what is written before the run is what the guest starts with', async () => {
    await using machine = await open(CODE, options);
    const { registers, memory } = machine.cpus[0]!;
    expect([registers.eip, registers.eax, registers.cs, registers.cr0]).toEqual([ENTRY, 0x2badb002, 8, 0x11]);
    expect((await machine.cpus[0]!.disassemble(undefined, 2)).map(({ text }) => text)).toEqual(['mov ecx, 0x1388', 'add eax, 2']);
    expect(Buffer.from(memory.read(ENTRY, 5)).toString('hex')).toBe(`b9${le32(5000)}`);
    memory.write(ENTRY + 1, Uint8Array.of(3, 0));
    registers.eax = 0x10000000;
    expect(await machine.run()).toEqual({ kind: 'halted' });
    // Behind the run.
    expect([registers.eax, registers.ecx, registers.eip]).toEqual([0x10000006, 0, ENTRY + 13]);
    expect(registers.eflags).toBe(0x46);
    expect([...machine.memory.physical.read(ENTRY + 11, 2)]).toEqual([0xfa, 0xf4]);
    expect(machine.symbol('anything')).toBeUndefined();
    machine.loadSymbols(`${(ENTRY + 5).toString(16).padStart(8, '0')} T loop\n`);
    expect([machine.symbol('loop'), machine.symbolAt(ENTRY + 7), machine.symbolAt(ENTRY)]).toEqual([ENTRY + 5, 'loop+0x2', undefined]);
    expect(machine.cpus[0]!.backtrace(1)).toEqual([{ address: ENTRY + 13, symbol: 'loop+0x8', frame: 0 }]);
  });

  it('a machine that runs is left alone', async () => {
    await using machine = await open(SPIN, options);
    const cpu = machine.cpus[0]!;
    const { registers } = cpu;
    const calls: (() => unknown)[] = [
      () => registers.eax,
      () => (registers.eip = 0),
      () => registers.segments,
      () => registers.msr(0x10),
      () => cpu.memory.read(0, 1),
      () => cpu.memory.write(0, Uint8Array.of(1)),
      () => cpu.translate(0),
      () => cpu.backtrace(),
      () => machine.memory.physical.read(0, 1),
      () => machine.memory.physical.write(0, Uint8Array.of(1)),
    ];
    for (const call of calls) call();
    registers.eip = ENTRY;
    const run = machine.run();
    for (const call of calls) expect(errorOf(call).code).toBe('BAD_STATE');
    await expect(cpu.disassemble()).rejects.toMatchObject({ code: 'BAD_STATE' });
    machine.stop('enough');
    // Its threads may not be gone yet.
    for (const call of calls) expect(errorOf(call).code).toBe('BAD_STATE');
    expect(await run).toEqual({ kind: 'stopped', reason: 'enough' });
    expect(registers.eip).toBe(ENTRY);
    for (const call of calls) call();
  });
});

it('a callback cannot look at the machine that calls it', async () => {
  const found: unknown[] = [];
  const holder: { machine?: Machine } = {};
  await using machine = await open(`b041 66bae900 ee ${CLI_HLT}`, {
    lockstep: { paced: false },
    onDebugConsole: () => void found.push(errorOf(() => holder.machine!.cpus[0]!.registers.eax).code),
  });
  holder.machine = machine;
  await machine.run();
  expect(found).toEqual(['BAD_STATE']);
});

it('there is a handle for each CPU', async () => {
  await using machine = await open(CLI_HLT, { cpus: 3 });
  expect(machine.cpus.map(({ index }) => index)).toEqual([0, 1, 2]);
  const edx = (cpu: CpuHandle) => cpu.registers.edx;
  machine.cpus[1]!.registers.edx = 7;
  expect(machine.cpus.map(edx)[1]).toBe(7);
  expect(machine.cpus.map(edx)[2]).not.toBe(7);
  expect(machine.cpus[2]!.registers.eip).toBe(0xfff0);
});

it('symbols are those of the option', async () => {
  await using machine = await open(CLI_HLT, { symbols: '00100020 T entry\n00100100 D words\n' });
  expect([machine.symbol('entry'), machine.symbol('words'), machine.symbolAt(0x100104)]).toEqual([0x100020, 0x100100, 'words+0x4']);
  for (const bad of [1, undefined, null] as unknown as string[]) expect(errorOf(() => machine.symbol(bad))).toBeInstanceOf(DragomanError);
  for (const bad of ['1', -1, undefined] as unknown as number[]) expect(errorOf(() => machine.symbolAt(bad)).code).toBe('BAD_OPTION');
});
