// What the dump of a crashed CPU tells of the code and the exceptions that came before.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engineNames, openEngine, type TestEngine } from '../../harness/engine.ts';
import { runGuest } from './crash-guest.ts';

const TITLES = ['last blocks and regions looked up or polled in, newest last:', 'last exceptions and interrupts, newest last:'] as const;

/** The blocks, and the deliveries by line. */
function history(dump: string): [blocks: string[], deliveries: string[]] {
  const lines = dump.trimEnd().split('\n');
  const [blocks, deliveries] = TITLES.map((title) => lines.indexOf(title));
  expect(Math.min(blocks, deliveries)).toBeGreaterThan(0);
  const rows = lines.slice(blocks + 1, deliveries).flatMap((line) => line.trim().split(' '));
  return [rows, lines.slice(deliveries + 1).map((line) => line.trim())];
}

describe.each(engineNames)('%s', (name) => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = await openEngine(name);
  });
  afterAll(() => engine.close?.());

  it('shows the blocks that led to a triple fault, and every step of that', () => {
    // mov ecx, 3; again: dec ecx; jnz again; mov eax, 0x1020; jmp eax; ... 0x1020: ud2
    expect(runGuest(engine, `b903000000 49 75fd b820100000 ffe0 ${'90'.repeat(17)} 0f0b`).reason).toBe('shutdown');
    const [blocks, deliveries] = history(engine.dump());
    const run = name === 'interpreter' ? ['00001000', '00001005', '00001008', '00001020'] : ['00001000', '00001020'];
    expect(blocks).toEqual(run);
    expect(deliveries).toEqual([
      'exception 06 (#UD) at 00001020',
      'exception 0d (#GP) error 0033 at 00001020',
      'exception 08 (#DF) error 0000 at 00001020',
      'exception 0d (#GP) error 0043 at 00001020: shutdown',
    ]);
  });

  it('shows page faults with CR2, and interrupts of both kinds', () => {
    // sti; int 0x30; out 0x99, al; mov eax, next; jmp eax; next: mov [0xc01234], eax
    expect(runGuest(engine, 'fb cd30 e699 b80c100000 ffe0 a33412c000').reason).toBe('shutdown');
    const [blocks, deliveries] = history(engine.dump());
    expect(blocks).toContain('00003000');
    expect(deliveries.slice(0, 3)).toEqual([
      'software interrupt 30 at 00001001',
      'interrupt 31 at 0000100c',
      'exception 0e (#PF) error 0002 at 0000100c CR2=00c01234',
    ]);
  });

  it('keeps the last sixteen of each', () => {
    // Forty jumps to the next instruction, by way of an indirect one so that each target is looked up; then int 0x30 twenty times; ud2.
    const jumps = Array.from({ length: 40 }, (_, n) => {
      const to = Buffer.alloc(4);
      to.writeUInt32LE(0x1000 + (n + 1) * 7);
      return `b8${to.toString('hex')}ffe0`;
    });
    expect(runGuest(engine, `${jumps.join('')}${'cd30'.repeat(20)}0f0b`).reason).toBe('shutdown');
    const [blocks, deliveries] = history(engine.dump());
    expect(blocks).toHaveLength(16);
    expect(deliveries).toHaveLength(16);
    expect(deliveries[0]).toBe(`software interrupt 30 at 0000${(0x1000 + 40 * 7 + 8 * 2).toString(16)}`);
    expect(deliveries[12]).toMatch(/^exception 06/);
  });

  it('shows all flags', () => {
    const flags = (eflags: number, code: string) => {
      engine.reset();
      engine.setState({ eflags });
      engine.writeMemory(0, Buffer.from(code, 'hex'));
      expect(engine.run().reason).toBe('shutdown');
      return /EFLAGS=([0-9a-f]{8}) \[(.*?)\] CPL/.exec(engine.dump())?.slice(1);
    };
    expect(flags(2, '0f0b')).toEqual(['00000002', '']);
    expect(flags(0x8d7, '0f0b')).toEqual(['000008d7', 'OF SF ZF AF PF CF']);
    for (const [bit, name] of [
      [1, 'CF'],
      [4, 'PF'],
      [0x10, 'AF'],
      [0x40, 'ZF'],
      [0x80, 'SF'],
      [0x400, 'DF'],
      [0x800, 'OF'],
    ] as const)
      expect(flags(2 | bit, '0f0b')).toEqual([(2 | bit).toString(16).padStart(8, '0'), name]);
    expect(flags(0x40202, '0f0b')).toEqual(['00040202', 'AC IF']);
    // mov eax, 0x80000000; sub eax, 1; ud2
    expect(flags(0x3002, 'b800000080 83e801 0f0b'.replaceAll(' ', ''))).toEqual(['00003816', 'IOPL=3 OF AF PF']);
  });

  it('says where nothing has happened', () => {
    engine.reset();
    expect(history(engine.dump())).toEqual([['none'], ['none']]);
  });
});
