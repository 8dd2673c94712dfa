// The engines' own promises, on both: the guard against endless runs, exceptions seen without delivery, a stop before an instruction, interrupts from outside.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { engineNames, openEngine, type TestEngine } from '../harness/engine.ts';

const CODE = 0x20000;
const STACK = 0x30000;
const IDT = 0x40000;
const HANDLER = 0x21000;
const GDT = 0x41000;
const IF = 0x200;
/** A guard for runs that must end by themselves, however busy the machine is. */
const MANY = 8_000_000;

for (const name of engineNames) {
  describe(name, () => {
    let engine: TestEngine;
    beforeAll(async () => {
      engine = await openEngine(name);
    });
    afterAll(() => engine.close?.());

    /** Flat, with a GDT and an IDT whose gates all lead to HANDLER. */
    function load(code: readonly number[], handler: readonly number[] = [0xf4]): void {
      engine.reset();
      const gdt = new DataView(new ArrayBuffer(24));
      gdt.setBigUint64(8, 0x00cf9b000000ffffn, true);
      gdt.setBigUint64(16, 0x00cf93000000ffffn, true);
      engine.writeMemory(GDT, new Uint8Array(gdt.buffer));
      for (let n = 0; n < 64; n++) {
        const gate = [HANDLER & 0xff, (HANDLER >> 8) & 0xff, 8, 0, 0, 0x8e, HANDLER >> 16, 0];
        engine.writeMemory(IDT + n * 8, Uint8Array.from(gate));
      }
      engine.writeMemory(CODE, Uint8Array.from(code));
      engine.writeMemory(HANDLER, Uint8Array.from(handler));
      const gpr = new Uint32Array(8);
      gpr[4] = STACK;
      engine.setState({ eip: CODE, gpr, gdt: { base: GDT, limit: 23 }, idt: { base: IDT, limit: 511 } });
    }

    describe('the guard ends', () => {
      const limit = { limitMs: 300 };
      test('a jump to itself', () => {
        load([0xeb, 0xfe]);
        expect(engine.run(limit).reason).toBe('limit');
        expect(engine.getState().eip).toBe(CODE);
      });
      test('a loop of several blocks', () => {
        load([0x40, 0x75, 0x01, 0x43, 0xeb, 0xfa]);
        expect(engine.run(limit).reason).toBe('limit');
      });
      test('a loop through RET', () => {
        load([0x68, 0, 0, 2, 0, 0xc3]);
        expect(engine.run(limit).reason).toBe('limit');
      });
      test('a handler that faults for ever', () => {
        // mov esp, STACK; ud2
        load([0x0f, 0x0b], [0xbc, 0, 0, 3, 0, 0x0f, 0x0b]);
        expect(engine.run(limit).reason).toBe('limit');
      });
      test('single steps through a loop', () => {
        load([0x68, 2, 1, 0, 0, 0x9d, 0xeb, 0xfe], [0xcf]);
        expect(engine.run(limit).reason).toBe('limit');
      });
      test('and the next run is not disturbed', () => {
        load([0xeb, 0xfe]);
        engine.run(limit);
        load([0x40, 0xf4]);
        expect(engine.run({ maxInstructions: MANY }).reason).toBe('halted');
        expect(engine.getState().gpr[0]).toBe(1);
      });
    });

    test.each<[string, number[], number, number | undefined, number]>([
      ['UD2', [0x40, 0x0f, 0x0b], 6, undefined, 1],
      ['INT3 is a trap', [0x40, 0xcc], 3, undefined, 2],
      ['INT n is one', [0x40, 0xcd, 0x31], 0x31, undefined, 3],
      ['INTO', [0xb0, 0x7f, 0xfe, 0xc0, 0xce], 4, undefined, 5],
      ['DIV by 0', [0x40, 0xf7, 0xf3], 0, undefined, 1],
      ['a selector beyond the GDT', [0x66, 0xb8, 0x80, 0, 0x8e, 0xd8], 13, 0x80, 4],
      ['a single step', [0x68, 2, 1, 0, 0, 0x9d, 0x90, 0x90], 1, undefined, 7],
    ])("faults: 'stop': %s", (_name, code, vector, error, eip) => {
      load(code);
      expect(engine.run({ faults: 'stop', maxInstructions: MANY })).toEqual({
        reason: 'fault',
        vector,
        ...(error === undefined ? {} : { error }),
      });
      expect(engine.getState().eip - CODE).toBe(eip);
      expect(engine.getState().gpr[4]).toBe(STACK);
    });

    test('untilEip, also at CPL 3', () => {
      for (const cpl of [0, 3]) {
        load([0x40, 0x40, 0x40]);
        const { segments } = engine.getState();
        for (const s of segments.slice(0, 6)) {
          s.selector |= cpl;
          s.access |= cpl << 13;
        }
        engine.setState({ segments, cpl });
        expect(engine.run({ untilEip: CODE + 2, maxInstructions: MANY }).reason).toBe('reached');
        expect([engine.getState().eip, engine.getState().gpr[0]]).toEqual([CODE + 2, 2]);
      }
    });

    test('an interrupt from outside ends a loop without an end', () => {
      // On a busy host the thread may hardly run before the interrupt comes.
      for (const afterMs of [30, 300, 3000]) {
        load([0x40, 0xeb, 0xfd]);
        engine.setState({ eflags: IF });
        expect(engine.run({ interrupt: { vector: 0x30, afterMs }, maxInstructions: MANY }).reason).toBe('halted');
        expect(engine.getState().eip).toBe(HANDLER + 1);
        const frame = new DataView(engine.readMemory(STACK - 12, 12).buffer);
        expect(frame.getUint32(0, true)).toBe(CODE);
        if (engine.getState().gpr[0]! > 1000) break;
      }
      expect(engine.getState().gpr[0]).toBeGreaterThan(1000);
    });
  });
}
