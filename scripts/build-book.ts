// Writes build/patterns.txt: what iced-x86 says of the instructions that programs are made of (src/decode/book.ts).
import { type BookText, fixedKey, lineOf, writeBook } from '../src/decode/book.ts';
import { decode, type Instruction, LONGEST, MODE, Patterns, UNDEFINED } from '../src/decode/decoder.ts';
import { announcedOpcodes } from '../src/decode/opcodes.ts';
import { modrmAt, type Sources, siblingKey } from '../src/decode/siblings.ts';
import { Mode } from '../src/layout/cpu.ts';
import type { Form } from '../src/lift/form.ts';

/** That of kernels that are entered in 32-bit code, and of their programs. Who runs other code asks. */
const MODES = [Mode.CODE32 | Mode.FLAT];

type IsUsed = (x: Instruction, plain: Instruction) => boolean;

const INTEGER = ['r', 'm', 'i', 'j'];
const isInteger = ({ form }: Instruction): boolean => form.ops.every(({ kind }) => INTEGER.includes(kind));
const isJump = ({ form }: Instruction): boolean => /^(j|call|ret|loop)/.test(form.mnemonic);
const isNop = ({ form }: Instruction): boolean => form.mnemonic === 'nop';
const hasMemory = ({ memory }: Instruction): boolean => memory !== undefined;
const isLockable = ({ form: { mnemonic, ops } }: Instruction): boolean =>
  ops[0]?.kind === 'm' && /^(add|adc|and|or|sbb|sub|xor|inc|dec|neg|not|xadd|cmpxchg8?b?|xchg|bt[csr])$/.test(mnemonic);

/** What compilers and kernels put before an opcode, and where they do (`plain`: the instruction without the first of them); the rest is rare enough to be asked for. */
const PREFIXES: readonly (readonly [prefix: readonly number[], isUsed: IsUsed])[] = [
  [[], () => true],
  [[0x66], (x, plain) => x.code !== plain.code],
  [[0xf2], (x, plain) => x.code !== plain.code || x.form.rep !== 0],
  [[0xf3], (x, plain) => x.code !== plain.code || x.form.rep !== 0 || isJump(x)],
  [[0xf3, 0x66], ({ form }) => form.rep !== 0],
  [[0x66, 0xf3], ({ form }) => form.rep !== 0],
  [[0xf0], () => true],
  [[0xf0, 0x66], (x, plain) => x.code === plain.code],
  [[0x66, 0xf0], () => true],
  [[0x64], (x) => hasMemory(x) && isInteger(x)],
  [[0x65], (x) => hasMemory(x) && isInteger(x)],
  [[0x66, 0x64], (x, plain) => hasMemory(x) && isInteger(x) && x.code !== plain.code],
  [[0x64, 0x66], (x) => hasMemory(x) && isInteger(x) && x.form.opsize === 2],
  [[0x66, 0x65], (x, plain) => hasMemory(x) && isInteger(x) && x.code !== plain.code],
  [[0x65, 0x66], (x) => hasMemory(x) && isInteger(x) && x.form.opsize === 2],
  [[0x2e], (x) => isJump(x) || isNop(x)],
  // What was LOCK, where a kernel finds that it has one CPU; and LEA for nothing, as padding.
  [[0x3e], (x) => isJump(x) || isLockable(x) || x.form.mnemonic === 'lea'],
  [[0x3e, 0x66], isLockable],
  [[0x66, 0x3e], isLockable],
  [[0x66, 0x2e], isNop],
  [[0x66, 0x66], isNop],
];

/** The book of all announced instructions. */
export function bookOfAll(): string {
  const opcodes = announcedOpcodes();
  const forms: Form[] = [];
  const numbers = new Map<string, number>();
  const numberOf = (form: Form): number => {
    const text = JSON.stringify(form);
    const known = numbers.get(text);
    if (known !== undefined) return known;
    numbers.set(text, forms.length);
    return forms.push(form) - 1;
  };
  const chapterOf = (mode: number) => {
    const siblings: Record<string, string> = {};
    const fixed: Record<string, string> = {};
    const patterns = new Patterns();
    const bytes = new Uint8Array(LONGEST);
    const one = (code: Uint8Array): Instruction => {
      patterns.forget();
      return decode(code, 0, mode, patterns);
    };
    const consider = (prefix: readonly number[], isUsed: IsUsed, opcode: readonly number[], byte: number) => {
      bytes.fill(0);
      bytes.set(prefix);
      bytes.set(opcode, prefix.length);
      bytes[prefix.length + opcode.length] = byte;
      const { modrm } = modrmAt(bytes, 0);
      if ([false, true].some((isGroup) => siblings[siblingKey(bytes, 0, modrm, isGroup)] !== undefined)) return;
      for (let count = 1; count < LONGEST; count++) if (fixed[fixedKey(bytes, 0, count)] !== undefined) return;
      const plain = prefix.length === 0 ? undefined : one(bytes.subarray(1));
      const x = one(bytes);
      const pattern = patterns.list.find(bytes, 0);
      if (pattern === undefined || x.form === UNDEFINED || !isUsed(x, plain ?? x)) return;
      const line = (sources: Sources | undefined) => lineOf(numberOf(x.form), x, pattern, sources);
      const [sibling] = patterns.siblings.entries();
      if (sibling !== undefined) siblings[sibling[0]] = line(sibling[1].sources);
      // Numbers that are part of the pattern would be those of zeros alone.
      else if (pattern.fixed < x.length || !x.form.ops.some(({ kind }) => kind === 'i' || kind === 'far'))
        fixed[fixedKey(bytes, 0, pattern.fixed)] = line(undefined);
    };
    for (const [prefix, isUsed] of PREFIXES)
      for (const { bytes: opcode, dense } of opcodes)
        for (let reg = 0; reg < 8; reg++) {
          consider(prefix, isUsed, opcode, reg << 3);
          for (let low = 0; low < (dense ? 8 : 1); low++) consider(prefix, isUsed, opcode, 0xc0 | (reg << 3) | low);
        }
    return { siblings, fixed };
  };
  const chapters: BookText['chapters'] = Array.from({ length: MODE + 1 }, (_, mode) => (MODES.includes(mode) ? chapterOf(mode) : null));
  return writeBook({ forms, chapters });
}
