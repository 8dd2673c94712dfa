// Guest bytes -> one decoded instruction: its form and its leaves. What was decoded before, here or by the build (book.ts), is read again; the rest iced-x86 is asked for.
import { codeLimit, Mode } from '../layout/cpu.ts';
import { Asking } from './asked.ts';
import { type Book, bookOf } from './book.ts';
import { type Instruction, LONGEST, undefinedInstruction } from './instruction.ts';
import { Known } from './known.ts';
import type { Pattern } from './pattern.ts';
import { Siblings } from './siblings.ts';

export { type Flow, type Instruction, LONGEST, type Memory, UNDEFINED } from './instruction.ts';

/** Whether all of the instruction, and where a direct jump of it leads, is inside the limit of CS. */
export function insideLimit(x: Instruction, mode: number): boolean {
  const limit = codeLimit(mode);
  return limit === 0xffffffff || (x.eip + x.length - 1 <= limit && (x.target === undefined || x.target <= limit));
}

/** What is known of one kind of code. */
export class Patterns {
  readonly list = new Known<Pattern>();
  readonly siblings: Siblings;
  private readonly book: (() => Book | undefined) | undefined;

  /** `book`: of such code. */
  constructor(book?: () => Book | undefined) {
    this.book = book;
    this.siblings = new Siblings(book);
  }

  /** That of the instruction at `at`, if that is all there. */
  find(bytes: Uint8Array, at: number): Pattern | undefined {
    const known = this.list.find(bytes, at);
    if (known !== undefined) return at + known.length <= bytes.length ? known : undefined;
    const found = this.siblings.find(bytes, at, LONGEST) ?? this.book?.()?.find(bytes, at);
    if (found === undefined || at + found.length > bytes.length) return undefined;
    this.list.add(bytes, at, found.fixed, found);
    return found;
  }

  /** Forgets what was learned. */
  forget(): void {
    this.list.forget();
    this.siblings.forget();
  }
}

/** The bits of Mode that an instruction depends on, and by these bits what was decoded before. */
export const MODE = Mode.CODE32 | Mode.FLAT;
const known = Array.from({ length: MODE + 1 }, (_, mode) => new Patterns(() => bookOf(mode)));

/** Decodes instructions of one run of bytes, in any order. */
export class CodeReader {
  private readonly bytes: Uint8Array;
  private readonly mode: number;
  private readonly known: Patterns;
  /** Made where something is not known. */
  private asking: Asking | undefined;

  /** `mode`: Mode bits; `patterns`: those known of code of this mode. */
  constructor(bytes: Uint8Array, mode: number, patterns = known[mode & MODE]!) {
    this.bytes = bytes;
    this.mode = mode;
    this.known = patterns;
  }

  /** That of the instruction at `offset`, where it is known and the instruction is all there. */
  patternAt(offset: number): Pattern | undefined {
    return this.known.find(this.bytes, offset);
  }

  /** Whether the instruction at `offset` is known, and not all there. */
  private isCutOff(offset: number): boolean {
    const left = this.bytes.length - offset;
    if (left >= LONGEST) return false;
    // What a decoder wants behind bytes that it has read does not depend on what comes there.
    const bytes = new Uint8Array(LONGEST);
    bytes.set(this.bytes.subarray(offset));
    const pattern = this.known.find(bytes, 0);
    return pattern !== undefined && pattern.length > left;
  }

  /** The instruction at `offset` in the bytes, which lies at `eip`. */
  at(offset: number, eip: number): Instruction {
    const pattern = this.patternAt(offset);
    if (pattern !== undefined) return pattern.read(this.bytes, offset, eip);
    if (this.isCutOff(offset)) return undefinedInstruction(eip, this.bytes.length - offset, true, 0);
    this.asking ??= new Asking(this.bytes, this.mode);
    const { x, pattern: found, sources } = this.asking.at(offset, eip);
    if (found !== undefined) {
      this.known.list.add(this.bytes, offset, found.fixed, found);
      if (sources !== undefined) this.known.siblings.add(this.bytes, offset, x, found, sources);
    }
    return x;
  }

  free(): void {
    this.asking?.free();
  }
}

/** Decodes the instruction at the start of `bytes`, which lies at `eip`; `mode` are Mode bits. `patterns`: as of a CodeReader. */
export function decode(bytes: Uint8Array, eip: number, mode: number, patterns?: Patterns): Instruction {
  const reader = new CodeReader(bytes.length > LONGEST ? bytes.subarray(0, LONGEST) : bytes, mode, patterns);
  const x = reader.at(0, eip);
  reader.free();
  return x;
}
