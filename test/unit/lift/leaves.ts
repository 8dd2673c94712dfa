// IR of one decoded instruction, as the JIT lifts it.
import type { Instruction } from '../../../src/decode/decoder.ts';
import { decode } from '../../../src/decode/decoder.ts';
import { Builder } from '../../../src/ir/builder.ts';
import type { Code } from '../../../src/ir/operations.ts';
import { Mode } from '../../../src/layout/cpu.ts';
import { Lifter } from '../../../src/lift/lifter.ts';
import { RegionLeaves } from '../../../src/lift/region-leaves.ts';

export function lift(i: Instruction): Code {
  if (i.spec === undefined) throw new Error(`no lift of ${i.form.mnemonic}`);
  const b = new Builder();
  i.spec.lift(new Lifter(b, i.form, new RegionLeaves(b, i)));
  return b.code;
}

/** Of the instruction in `hex`, at 0x1000. */
export const liftBytes = (hex: string, mode: number = Mode.CODE32 | Mode.FLAT): Code =>
  lift(decode(Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex')), 0x1000, mode));
