// Disassembly and backtraces of a CPU that stands still.
import { describe, expect, it } from 'vitest';
import { Cr0, Cr4 } from '../../../src/layout/system.ts';
import { ENGINES, RAM_BYTES, still } from './still.ts';

const texts = (all: readonly { address: number; text: string; length: number }[]) =>
  all.map(({ address, text, length }) => [address, text, length]);

describe('disassembly', () => {
  it('is of the next instruction, or of any', async () => {
    const s = still();
    s.put(0x1000, 'b878563412 e8f6ffffff 0f0b ffff');
    const { cpu } = s;
    expect(texts(await cpu.disassemble())).toEqual([[0x1000, 'mov eax, 0x12345678', 5]]);
    const all = await cpu.disassemble(0x1000, 4);
    expect(texts(all)).toEqual([
      [0x1000, 'mov eax, 0x12345678', 5],
      [0x1005, 'call 0x00001000', 5],
      [0x100a, 'ud2', 2],
      [0x100c, '(bad)', 2],
    ]);
    expect(Buffer.from(all[0]!.bytes).toString('hex')).toBe('b878563412');
  });

  it('is of 16 bits where the code is, and has targets in CS', async () => {
    const s = still();
    s.vcpu.reset();
    const { registers } = s.cpu;
    registers.cs = 0x100;
    registers.eip = 0x20;
    s.put(0x1020, 'b83412 ebfb');
    expect(texts(await s.cpu.disassemble(undefined, 2))).toEqual([
      [0x1020, 'mov ax, 0x1234', 3],
      [0x1023, 'jmp short 0x0020', 2],
    ]);
  });

  it('ends where memory does, and at an instruction that is cut off', async () => {
    const s = still();
    s.put(RAM_BYTES - 4, '90 b80102');
    expect(texts(await s.cpu.disassemble(RAM_BYTES - 4, 10))).toEqual([[RAM_BYTES - 4, 'nop', 1]]);
    expect(await s.cpu.disassemble(RAM_BYTES, 10)).toEqual([]);
    s.view.setUint32(0x10000, 0x11003, true);
    s.view.setUint32(0x11000 + 4, 0x1003, true);
    s.put(0x1ffc, '40 41 b801');
    s.cpu.registers.cr3 = 0x10000;
    s.cpu.registers.cr0 = (Cr0.PE | Cr0.PG) >>> 0;
    expect(texts(await s.cpu.disassemble(0x1ffc, 10))).toEqual([
      [0x1ffc, 'inc eax', 1],
      [0x1ffd, 'inc ecx', 1],
    ]);
    await expect(s.cpu.disassemble(0x1000, 0)).rejects.toMatchObject({ code: 'BAD_OPTION', where: 'count' });
    await expect(s.cpu.disassemble(-1)).rejects.toMatchObject({ code: 'BAD_OPTION', where: 'address' });
  });

  it('shows memory as it was', async () => {
    const s = still();
    s.put(0x1000, '40');
    const shown = s.cpu.disassemble();
    s.memory.physical.write(0x1000, Uint8Array.of(0x48));
    expect((await shown)[0]?.text).toBe('inc eax');
  });
});

describe.each(ENGINES)('backtraces: %s', (engine) => {
  // outer: push ebp; mov ebp, esp; call inner; leave; ret. inner: push ebp; mov ebp, esp; hlt; leave; ret. start: xor ebp, ebp; call outer; hlt
  const CODE = '55 89e5 e803000000 c9 c3 90 55 89e5 f4 c9 c3 31ed e8e6ffffff f4';
  const called = () => {
    const s = still(engine);
    s.put(0x1000, CODE.replaceAll(' ', ''));
    s.symbols.load('00001000 T outer\n0000100b T inner\n00001011 T start\n');
    s.cpu.registers.eip = 0x1011;
    s.run();
    return s;
  };

  it('name the functions that have not returned', () => {
    const { cpu } = called();
    expect(cpu.backtrace()).toEqual([
      { address: 0x100f, symbol: 'inner+0x4', frame: 0x7ff0 },
      { address: 0x1008, symbol: 'outer+0x8', frame: 0x7ff8 },
      { address: 0x1018, symbol: 'start+0x7', frame: 0 },
    ]);
    expect(cpu.backtrace(2)).toHaveLength(2);
    expect(() => cpu.backtrace(0)).toThrow(expect.objectContaining({ code: 'BAD_OPTION', where: 'most' }));
  });

  it('end where the chain does not ascend, or leaves memory', () => {
    const s = called();
    const frames = (saved: number, at = 0x7ff0) => {
      s.view.setUint32(at, saved, true);
      return s.cpu.backtrace().map(({ address }) => address);
    };
    // To itself, downwards, to what is no memory, and to the end of memory.
    expect(frames(0x7ff0)).toEqual([0x100f, 0x1008]);
    expect(frames(0x7000)).toEqual([0x100f, 0x1008]);
    expect(frames(0xfee00000)).toEqual([0x100f, 0x1008]);
    expect(frames(RAM_BYTES - 4)).toEqual([0x100f, 0x1008]);
    expect(frames(0xfffffffc)).toEqual([0x100f, 0x1008]);
    expect(frames(0x7ff8)).toEqual([0x100f, 0x1008, 0x1018]);
    s.cpu.registers.ebp = 0xfffffff8;
    expect(s.cpu.backtrace().map(({ address }) => address)).toEqual([0x100f]);
  });

  it('have no more frames than they are asked for', () => {
    const s = called();
    for (let n = 0; n < 1000; n++) {
      s.view.setUint32(0x100000 + n * 8, 0x100008 + n * 8, true);
      s.view.setUint32(0x100004 + n * 8, 0x1008, true);
    }
    s.cpu.registers.ebp = 0x100000;
    expect(s.cpu.backtrace()).toHaveLength(64);
    expect(s.cpu.backtrace(500)).toHaveLength(500);
    expect(s.cpu.backtrace(5000)).toHaveLength(1001);
  });
});

it('a backtrace goes by 16-bit frames where the code has them', () => {
  const s = still();
  s.vcpu.reset();
  const { registers } = s.cpu;
  registers.cs = 0x100;
  registers.ss = 0x2000;
  // push bp; mov bp, sp; call +1; hlt; push bp; mov bp, sp; hlt
  s.put(0x1000, '31ed e80100 f4 55 89e5 f4');
  registers.esp = 0x800;
  registers.eip = 0;
  s.run();
  expect(s.cpu.backtrace()).toEqual([
    { address: 0x100a, symbol: undefined, frame: 0x207fc },
    { address: 0x1005, symbol: undefined, frame: 0x20000 },
  ]);
  expect(Cr4.PSE).toBe(0x10);
});
