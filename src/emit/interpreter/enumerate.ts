// All instruction forms there are: found by decoding every opcode that iced-x86's table has of announced instructions, with every prefix and kind of operand,
// through the same decoder that runs later, so that no form can be met at run time that has no handler.
import { decode, Patterns, UNDEFINED } from '../../decode/decoder.ts';
import { announcedOpcodes } from '../../decode/opcodes.ts';
import { Mode } from '../../layout/cpu.ts';
import type { Form } from '../../lift/form.ts';
import type { LiftSpec } from '../../lift/lifter.ts';

const PREFIXES: readonly (readonly number[])[] = [
  [],
  [0x66],
  [0xf2],
  [0xf3],
  [0x66, 0xf2],
  [0x66, 0xf3],
  [0x67],
  [0x67, 0x66],
  [0x67, 0xf2],
  [0x67, 0xf3],
  [0x67, 0x66, 0xf2],
  [0x67, 0x66, 0xf3],
  [0x64],
  [0x64, 0x66],
  [0x64, 0xf2],
  [0x64, 0xf3],
  [0x64, 0x66, 0xf2],
  [0x64, 0x66, 0xf3],
  [0xf0],
  [0xf0, 0x66],
  [0xf0, 0x67],
  [0xf0, 0x67, 0x66],
  [0xf0, 0x64],
  [0xf0, 0x64, 0x66],
];
const MODES = [Mode.CODE32 | Mode.FLAT, Mode.CODE32, 0];

/** In the order of the one-byte opcodes, each followed by that behind 0F; then the longer maps. */
const place = (bytes: readonly number[]): number => (bytes.length > 2 ? bytes[1]! << 16 : 0) + bytes.at(-1)! * 4 + bytes.length;

/** A form, and an instruction that has it. */
export interface KnownForm {
  readonly form: Form;
  readonly spec: LiftSpec;
  /** Mode bits that it was decoded by, and its bytes. */
  readonly mode: number;
  readonly code: Uint8Array;
}

/**
 * Every form of every instruction that CPUID announces, by key: each opcode of iced's table with each prefix and kind of operand. Throws where an announced
 * instruction has no lift.
 */
export function enumerateForms(): Map<string, KnownForm> {
  const forms = new Map<string, KnownForm>();
  const withoutLift = new Set<string>();
  const bytes = new Uint8Array(15);
  // By iced-x86 alone: there is no book yet.
  const known = new Map(MODES.map((mode) => [mode, new Patterns()]));
  const consider = (opcode: readonly number[], mode: number, prefix: readonly number[], modrm: number) => {
    bytes.fill(0);
    bytes.set(prefix);
    bytes.set(opcode, prefix.length);
    bytes[prefix.length + opcode.length] = modrm;
    const x = decode(bytes, 0, mode, known.get(mode));
    if (x.form === UNDEFINED) return;
    if (x.spec === undefined) withoutLift.add(x.form.mnemonic);
    else if (!forms.has(x.key)) forms.set(x.key, { form: x.form, spec: x.spec, mode, code: bytes.slice(0, x.length) });
  };
  const opcodes = [...announcedOpcodes()].sort((a, b) => place(a.bytes) - place(b.bytes));
  for (const mode of MODES)
    for (const prefix of PREFIXES)
      for (const { bytes: opcode, dense } of opcodes) {
        // The register field selects instructions in groups.
        for (let reg = 0; reg < 8; reg++) {
          consider(opcode, mode, prefix, reg << 3);
          for (let low = 0; low < (dense ? 8 : 1); low++) consider(opcode, mode, prefix, 0xc0 | (reg << 3) | low);
        }
      }
  if (withoutLift.size > 0) throw new Error(`instructions that CPUID announces have no lift: ${[...withoutLift].join(', ')}`);
  return forms;
}
