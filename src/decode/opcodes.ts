// iced-x86's table of all opcodes: which instructions this processor has (those whose features CPUID announces), and how each is encoded.
import { Code, CodeExt, EncodingKind, OpCodeOperandKind, OpCodeTableKind } from 'iced-x86';
import { isAnnounced } from './asked.ts';

/** Opcode bytes, with those of their map, that announced instructions of 16- and 32-bit code have. */
export interface Opcode {
  readonly bytes: readonly number[];
  /** All of ModRM tells instructions apart; else its register field does, and whether there is a memory operand. */
  readonly dense: boolean;
  /** iced's numbers of the instructions. */
  readonly codes: readonly number[];
}

const MAPS = new Map<number, readonly number[]>([
  [OpCodeTableKind.Normal, []],
  [OpCodeTableKind.T0F, [0x0f]],
  [OpCodeTableKind.T0F38, [0x0f, 0x38]],
  [OpCodeTableKind.T0F3A, [0x0f, 0x3a]],
]);
/** The low three bits of the opcode are a register. */
const IN_OPCODE = new Set<number>([OpCodeOperandKind.r8_opcode, OpCodeOperandKind.r16_opcode, OpCodeOperandKind.r32_opcode]);

/** What one line of the table says: its opcodes, and whether they go on in ModRM. undefined: it is none of ours. */
function line(code: number): { readonly opcodes: readonly (readonly number[])[]; readonly dense: boolean } | undefined {
  const op = CodeExt.opCode(code);
  try {
    // With a WAIT before it, it is two instructions.
    if (!op.isInstruction || op.fwait || op.encoding !== EncodingKind.Legacy || !(op.mode16 || op.mode32)) return undefined;
    const map = MAPS.get(op.table);
    if (map === undefined) throw new Error(`${op.opCodeString} is announced, and in a map that is not known here`);
    const first = op.opCodeLength === 2 ? op.opCode >>> 8 : op.opCode;
    const inOpcode = Array.from({ length: op.opCount }, (_, k) => op.opKind(k)).some((kind) => IN_OPCODE.has(kind));
    const opcodes = Array.from({ length: inOpcode ? 8 : 1 }, (_, n) => [...map, first + n]);
    return { opcodes, dense: op.opCodeLength === 2 || op.rmGroupIndex >= 0 };
  } finally {
    op.free();
  }
}

/** All opcodes that announced instructions have. */
export function announcedOpcodes(): readonly Opcode[] {
  const found = new Map<string, { bytes: readonly number[]; dense: boolean; codes: number[] }>();
  for (const code of Object.values(Code)) {
    if (typeof code !== 'number' || !isAnnounced(code)) continue;
    const { opcodes, dense } = line(code) ?? { opcodes: [], dense: false };
    for (const bytes of opcodes) {
      const one = found.get(bytes.join()) ?? { bytes, dense: false, codes: [] };
      found.set(bytes.join(), one);
      one.dense ||= dense;
      one.codes.push(code);
    }
  }
  return [...found.values()];
}
