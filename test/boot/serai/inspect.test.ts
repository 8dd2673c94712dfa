// A kernel that was stopped, looked at from outside: serai, built with its symbols and with frame pointers.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { build, whyNot } from '../../../guests/serai.ts';
import { Machine, MiB } from '../../../src/api/index.ts';
import { readElf } from '../../../src/machine/boot/elf.ts';

const reason = whyNot();
const WAIT = { timeoutMs: 300_000 };
const BANNER = 'serai: %u CPUs';

describe.skipIf(reason !== undefined)(`serai at its prompt${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let kernel: Buffer;
  let machine: Machine;

  beforeAll(async () => {
    kernel = build({ STRIP: '', CC: 'gcc -fno-omit-frame-pointer' });
    machine = await Machine.create({ kernel, memoryBytes: 32 * MiB, cpus: 2, lockstep: { paced: false, seed: 3 } });
    const run = machine.run();
    await machine.console.until('serai> ', WAIT);
    machine.stop('to be looked at');
    expect(await run).toEqual({ kind: 'stopped', reason: 'to be looked at' });
  }, 480_000);
  afterAll(() => machine?.close());

  /** Names of the functions that have not returned, the innermost first. */
  const stack = (cpu: number) => machine.cpus[cpu]!.backtrace().map(({ symbol }) => symbol?.replace(/\+0x.*/, ''));

  it('both CPUs idle, in the functions that the kernel came there by', () => {
    expect(stack(0)).toEqual(['sched_run_idle', 'kernel_main', 'high']);
    expect(stack(1).slice(0, 2)).toEqual(['sched_run_idle', 'smp_enter']);
    const { eip, cpl, cs } = machine.cpus[0]!.registers;
    expect(machine.symbolAt(eip)).toMatch(/^sched_run_idle\+0x/);
    expect(eip - machine.symbol('sched_run_idle')!).toBeLessThan(0x100);
    expect([cpl, cs & 3]).toEqual([0, 0]);
  });

  it('memory by the CPUs’ page tables has what the kernel’s file has', () => {
    const text = readElf(kernel).segments.find(({ data }) => Buffer.from(data).includes(BANNER))!;
    const at = text.virtual + Buffer.from(text.data).indexOf(BANNER);
    for (const cpu of machine.cpus) {
      expect(Buffer.from(cpu.memory.read(at, BANNER.length)).toString()).toBe(BANNER);
      expect(Buffer.compare(cpu.memory.read(text.virtual, text.data.length), text.data)).toBe(0);
      expect(cpu.translate(at)?.physical).toBe(at - text.virtual + text.physical);
    }
    expect(machine.symbol('no_such_name')).toBeUndefined();
    expect(machine.symbolAt(machine.symbol('benches')! + 4)).toBe('benches+0x4');
  });

  it('the code at EIP is HLT’s neighbour', async () => {
    const cpu = machine.cpus[0]!;
    const code = await cpu.disassemble(cpu.registers.eip - 1, 2);
    expect(code[0]?.text).toBe('hlt');
    expect(code[1]?.address).toBe(cpu.registers.eip);
  });

  it('a null pointer leads nowhere', () => {
    expect(machine.cpus[0]!.translate(0)).toBeUndefined();
    expect(() => machine.cpus[0]!.memory.read(0, 4)).toThrow(expect.objectContaining({ code: 'BAD_ADDRESS', where: '0x0' }));
  });
});
