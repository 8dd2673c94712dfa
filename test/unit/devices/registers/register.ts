// Registers as data sheets have them, and a runner that writes patterns to each and looks which bits stick. The tables are beside this file,
// one for each device; what a register does beside keeping its bits has a test of its own in effects-*.test.ts.
import { describe, expect, it } from 'vitest';
import { type Bench, bench } from '../harness.ts';

/** One register. Each bit of its width is of exactly one kind. */
export interface Register {
  readonly name: string;
  /** Where the data sheet describes it. */
  readonly source: string;
  readonly width: 8 | 16 | 32;
  /** What it reads as before anybody writes: the data sheet's value, or, where `firmware` says so, what firmware leaves. */
  readonly reset: number;
  readonly firmware?: string;
  /** Bits that read as they were written. */
  readonly rw?: number;
  /** Bits that the device alone changes. */
  readonly ro?: number;
  /** Bits of status that a write of 1 clears. */
  readonly w1c?: number;
  /** Bits that are written for their effect, and read as at reset. */
  readonly wo?: number;
  /** Bits without a meaning: they read as at reset whatever is written. */
  readonly reserved?: number;
  /** What a write, or a read, does beside that. */
  readonly effect?: string;
  /** Values that are not written here, as they would change the register by what they do. */
  readonly avoid?: (value: number) => boolean;
  readonly read: (b: Bench) => number;
  /** Undefined: nothing can be written there. */
  readonly write?: (b: Bench, value: number) => void;
  /** How the value at reset is read where that is another place. */
  readonly readReset?: (b: Bench) => number;
}

export const mask = (width: number): number => (width === 32 ? 0xffffffff : (1 << width) - 1);

function patterns(width: number): number[] {
  const all = mask(width);
  const walking = Array.from({ length: width }, (_, bit) => (1 << bit) >>> 0);
  return [0, all, 0x55555555 & all, (0xaaaaaaaa & all) >>> 0, ...walking, ...walking.map((bit) => (all & ~bit) >>> 0), 0];
}

const hex = (value: number) => `0x${(value >>> 0).toString(16)}`;

/** What is not as the table has it: the value at reset (without `reset` not where firmware sets it), then each pattern that does not stick as it should. */
export function mismatches(register: Register, b: Bench, reset = true): string[] {
  const { rw = 0, w1c = 0, width, avoid, read, write } = register;
  const wrong: string[] = [];
  const first = (register.readReset ?? read)(b);
  if (first !== register.reset && (reset || register.firmware === undefined))
    wrong.push(`${hex(first)} at reset, not ${hex(register.reset)}`);
  if (write === undefined) return wrong;
  for (const value of patterns(width)) {
    if (avoid?.(value)) continue;
    write(b, value);
    const wanted = ((value & rw) | (register.reset & ~rw & ~w1c)) >>> 0;
    const got = read(b);
    if (got !== wanted) wrong.push(`${hex(got)} after a write of ${hex(value)}, not ${hex(wanted)}`);
  }
  return wrong;
}

/** The tests of a device's table. */
export function checkRegisters(device: string, registers: readonly Register[]): void {
  describe(device, () => {
    it.each(registers)('$name ($source)', (register) => {
      const { width, rw = 0, ro = 0, w1c = 0, wo = 0, reserved = 0, read, write } = register;
      const kinds = [rw, ro, w1c, wo, reserved];
      expect(
        kinds.reduce((sum, kind) => sum + kind, 0),
        'each bit is of one kind',
      ).toBe(mask(width));
      expect(kinds.reduce((all, kind) => (all | kind) >>> 0, 0)).toBe(mask(width));
      if (write === undefined) expect(rw | w1c | wo).toBe(0);
      const b = bench(2);
      const other = onOtherThread(b);
      expect(mismatches(register, b)).toEqual([]);
      expect(hex(read(other)), 'on another thread').toBe(hex(read(b)));
    });
  });
}

/** Accesses of the same bench through another thread's view of the devices. */
function onOtherThread(b: Bench): Bench {
  const pc = b.attach();
  return {
    ...b,
    pc,
    in: (port, size = 1) => pc.portIn(0, port, size),
    out: (port, value, size = 1) => pc.portOut(0, port, size, value),
    read: (address, cpu = 0) => pc.mmioRead(cpu, address, 4),
    write: (address, value, cpu = 0) => pc.mmioWrite(cpu, address, 4, value),
  };
}
