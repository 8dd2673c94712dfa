// All instruction forms there are: found by decoding every opcode with every prefix and kind of operand, through the
// same decoder that runs later, so that no form can be met at run time that has no handler.
import { decode } from '../decode/decoder.ts';
import { Mode } from '../layout/cpu.ts';
import type { Form } from '../lift/form.ts';
import type { LiftSpec } from '../lift/lifter.ts';

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

/** Every form that has a lift, by key. */
export function enumerateForms(): Map<string, { form: Form; spec: LiftSpec }> {
  const forms = new Map<string, { form: Form; spec: LiftSpec }>();
  const bytes = new Uint8Array(15);
  const consider = (opcode: readonly number[], mode: number, prefix: readonly number[], modrm: number) => {
    bytes.fill(0);
    bytes.set(prefix);
    bytes.set(opcode, prefix.length);
    bytes[prefix.length + opcode.length] = modrm;
    const x = decode(bytes, 0, mode);
    if (x.spec !== undefined && !forms.has(x.key)) forms.set(x.key, { form: x.form, spec: x.spec });
  };
  const skip = new Set([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x0f]);
  const opcodes: number[][] = [];
  for (let o = 0; o < 256; o++) {
    if (!skip.has(o)) opcodes.push([o]);
    if (o !== 0x38 && o !== 0x3a) opcodes.push([0x0f, o]);
  }
  for (const mode of MODES)
    for (const prefix of PREFIXES)
      for (const opcode of opcodes) {
        // The register field selects instructions in groups; the low three bits matter for x87 and 0F 01 and 0F AE.
        const dense =
          (opcode.length === 1 && opcode[0]! >= 0xd8 && opcode[0]! <= 0xdf) ||
          (opcode.length === 2 && (opcode[1] === 1 || opcode[1] === 0x1e || opcode[1] === 0xae));
        for (let reg = 0; reg < 8; reg++) {
          consider(opcode, mode, prefix, reg << 3);
          for (let low = 0; low < (dense ? 8 : 1); low++) consider(opcode, mode, prefix, 0xc0 | (reg << 3) | low);
        }
      }
  return forms;
}
