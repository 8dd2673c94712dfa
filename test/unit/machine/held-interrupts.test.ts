// Interrupts that a CPU cannot take yet: polls do not see them, and a device may withdraw them. Where they are taken in the end: test/guest/interrupts-held.asm,
// test/smp/nmi.test.ts.
import { describe, expect, it } from 'vitest';
import { Machine, MiB } from '../../../src/api/index.ts';
import type { Vcpu } from '../../../src/cpu/vcpu.ts';
import { Cpu, PENDING_HELD_SHIFT, Pending } from '../../../src/layout/cpu.ts';
import { openEngine } from '../../harness/engine.ts';
import { bench } from '../devices/harness.ts';
import { kernel, le32, out } from './programs.ts';

const held = (bits: number) => bits << PENDING_HELD_SHIFT;
const CODE = 0x20000;
const PORT = 0x80;
/** mov ecx, n; outer: mov edx, 2; inner: dec edx; jnz inner; dec ecx; jnz outer */
const loops = (n: number) => `b9${le32(n)} ba02000000 4a 75fd 49 75f5`;
const bytes = (...code: string[]) => Buffer.from(code.join('').replaceAll(' ', ''), 'hex');

describe.each(['interpreter', 'jit'] as const)('%s', (name) => {
  it('looks once at an interrupt that waits while IF is clear', async () => {
    const engine = await openEngine(name);
    const { cpu } = engine as unknown as { cpu: Vcpu };
    /** How often the runtime was asked in a loop of `n` turns behind the interrupt. (It notes the block; the loops' heads alternate.) */
    const looks = (n: number) => {
      engine.reset();
      engine.writeMemory(CODE, bytes(out(PORT, 0), loops(n), 'f4'));
      engine.setState({ eip: CODE });
      const before = cpu.get(Cpu.at.lastBlockCount);
      expect(engine.run({ interrupt: { vector: 0x30, port: PORT }, maxInstructions: 8_000_000 }).reason).toBe('halted');
      expect(cpu.get(Cpu.at.pending)).toBe(held(Pending.INTR));
      return cpu.get(Cpu.at.lastBlockCount) - before;
    };
    expect(looks(10_000)).toBe(looks(10));
    engine.close?.();
  });

  it.each([
    ['is not taken where its device withdrew it', out(0x21, 0xff), { kind: 'debug-exit', value: 5 }],
    ['is taken where it did not: no handler is there', '', { kind: 'triple-fault' }],
  ])('an interrupt that waited %s', async (_what, withdraw, result) => {
    // The timer's, soon; once the 8259 has it, loops with IF clear: in al, 0x20; test al, 1; jz in. Then sti; nop; nop; cli.
    const raise = [out(0x43, 0x30), out(0x40, 0xff), out(0x40, 0), 'e420 a801 74fa'];
    const code = kernel(...raise, loops(100), withdraw, 'fb 90 90 fa', out(0xf4, 5));
    const machine = await Machine.create({ engine: name, kernel: code, memoryBytes: 4 * MiB, debugExitPort: 0xf4, lockstep: { seed: 3 } });
    expect(await machine.run()).toMatchObject(result);
  });
});

it('what a CPU holds is withdrawn, and counts as an NMI that waits', () => {
  const b = bench(1);
  const word = b.memory.length - 64;
  const LAPIC = 0xfee00000;
  b.out(0x21, 0xfe);
  b.advance(60e6);
  expect(b.pending(0)).toBe(Pending.INTR);
  b.memory[word] = held(Pending.INTR | Pending.NMI);
  b.out(0x21, 0xff);
  expect(b.pending(0)).toBe(held(Pending.NMI));
  b.write(LAPIC + 0x300, 0x44400);
  expect(b.pending(0)).toBe(held(Pending.NMI) | Pending.NMI_AGAIN);
});
