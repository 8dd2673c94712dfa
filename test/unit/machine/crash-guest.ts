// A guest in 32-bit protected mode with handlers for two interrupts and none for exceptions, for what a crash leaves behind.
import type { TestEngine } from '../../harness/engine.ts';

export const CODE = 0x1000;
export const HANDLER = 0x3000;
const GDT = 0x4000;
const IDT = 0x5000;
const PAGES = 0x6000;
const STACK = 0x8000;
/** A write to this port raises INTERRUPT. */
export const PORT = 0x99;
export const INTERRUPT = 0x31;
export const SOFTWARE = 0x30;

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');

/** Runs `code` (hexadecimal) from CODE on to its end: a HLT or a crash. Both handlers are an IRET. */
export function runGuest(engine: TestEngine, code: string): ReturnType<TestEngine['run']> {
  engine.reset();
  engine.writeMemory(GDT, bytes('0000000000000000 ffff0000009bcf00 ffff00000093cf00'));
  for (const vector of [SOFTWARE, INTERRUPT]) engine.writeMemory(IDT + vector * 8, bytes('0030 0800 008e 0000'));
  // The first 4 MiB are mapped to themselves.
  engine.writeMemory(PAGES, bytes('83000000'));
  engine.writeMemory(CODE, bytes(code));
  engine.writeMemory(HANDLER, bytes('cf'));
  const gpr = new Uint32Array(8);
  gpr[4] = STACK;
  engine.setState({
    gpr,
    eip: CODE,
    gdt: { base: GDT, limit: 0x17 },
    idt: { base: IDT, limit: INTERRUPT * 8 + 7 },
    cr0: 0x80000011,
    cr3: PAGES,
    cr4: 0x10,
  });
  return engine.run({ interrupt: { vector: INTERRUPT, port: PORT }, limitMs: 10_000 });
}
