// What the build asked iced-x86 (scripts/build-book.ts): of each instruction of flat 32-bit code that CPUID announces, with the prefixes that compilers put before it, one, from which all others follow (siblings.ts, pattern.ts). So
// most threads never load iced-x86, which takes them 60 ms and V8's compilers 0.3 s of processor time.
import { bookText } from '../host/node-iced.ts';
import type { Form, FormOperand } from '../lift/form.ts';
import { type Instruction, LONGEST } from './instruction.ts';
import { Pattern } from './pattern.ts';
import { type Shape, shapeOf } from './shape.ts';
import type { MoreSiblings, Sibling, Source, Sources } from './siblings.ts';

/** A form: mnemonic, kinds and sizes of operands, sizes of operands and addresses, segmented, flat, rep, locked. */
type FormLine = readonly [mnemonic: string, ops: string, opsize: number, addrsize: number, bits: readonly (0 | 1)[], rep: number];

/** An instruction with its pattern. */
type Line = readonly [
  /** Number of the form. */
  form: number,
  /** iced's number. */
  code: number,
  length: number,
  values: readonly number[],
  farOffset: number,
  /** As Memory has it; none, or: base, index, scale, disp, seg. */
  memory: readonly number[],
  /** None, or one. */
  target: readonly number[],
  /** Place and size of the displacement, and of the immediate. */
  disp: readonly [at: number, size: number],
  imm: readonly [at: number, size: number],
  operand: number,
  mask: number,
  /** A letter of SOURCES for each operand, behind a G where it is one of a group; empty: it has no siblings. */
  sources: string,
];
const SOURCES: Readonly<Record<string, Source>> = { r: 'reg', m: 'rm', e: 'else' };
const GROUP = 'G';

/** One kind of code, as JSON: lines (each JSON again, so that what is not asked for costs little) by the keys of siblings, and by the bytes that are fixed. */
interface Chapter {
  readonly siblings: Readonly<Record<string, string>>;
  readonly fixed: Readonly<Record<string, string>>;
}

function formLine({ mnemonic, ops, opsize, addrsize, segmented, flat, rep, locked }: Form): FormLine {
  const bit = (is: boolean) => (is ? 1 : 0);
  return [
    ...([mnemonic, ops.map(({ kind, size }) => `${kind} ${size}`).join(), opsize, addrsize] as const),
    [segmented, flat, locked].map(bit),
    rep,
  ];
}

function formOf([mnemonic, ops, opsize, addrsize, [segmented, flat, locked], rep]: FormLine): Form {
  const operands = ops === '' ? [] : ops.split(',').map((text) => text.split(' ') as [FormOperand['kind'], string]);
  return {
    ...{ mnemonic, ops: operands.map(([kind, size]) => ({ kind, size: Number(size) })) },
    ...{ opsize: opsize as 2 | 4, addrsize: addrsize as 2 | 4, segmented: segmented === 1, flat: flat === 1 },
    ...{ rep: rep as Form['rep'], locked: locked === 1 },
  };
}

/** Bytes by which an instruction is known that has no siblings. */
export const fixedKey = (bytes: Uint8Array, at: number, count: number): string => bytes.subarray(at, at + count).join();

export class Book implements MoreSiblings {
  readonly #forms: (n: number) => Shape;
  readonly #chapter: Chapter;
  /** Bytes of the longest key. */
  readonly #longest: number;

  constructor(forms: (n: number) => Shape, chapter: Chapter) {
    this.#forms = forms;
    this.#chapter = chapter;
    this.#longest = Object.keys(chapter.fixed).reduce((most, key) => Math.max(most, key.split(',').length), 0);
  }

  #read(line: string): { readonly x: Instruction; readonly pattern: Pattern; readonly sources: string } {
    const [form, code, length, values, farOffset, memory, [target], disp, imm, operand, mask, sources] = JSON.parse(line) as Line;
    const [base, index, scale, offset, seg] = memory as [number, number, number, number, number];
    const x = {
      ...this.#forms(form),
      ...{ eip: 0, next: length, length, values, farOffset },
      memory: memory.length === 0 ? undefined : { base, index, scale, disp: offset, seg },
      ...{ target, truncated: false, code },
    };
    const field = ([at, size]: Line[7]) => ({ at, size });
    return { x, pattern: new Pattern(x, field(disp), field(imm), operand, mask), sources };
  }

  /** One of those that differ in what ModRM and SIB choose. */
  sibling(key: string): Sibling | undefined {
    const line = this.#chapter.siblings[key];
    if (line === undefined) return undefined;
    const { x, pattern, sources } = this.#read(line);
    const isGroup = sources.startsWith(GROUP);
    const operands = Array.from(isGroup ? sources.slice(1) : sources, (letter) => SOURCES[letter]!);
    return { x, pattern, sources: { operands, isGroup } };
  }

  /** The pattern of the instruction at `at`, where it has no siblings. */
  find(bytes: Uint8Array, at: number): Pattern | undefined {
    const most = Math.min(this.#longest, bytes.length - at, LONGEST);
    for (let count = 1; count <= most; count++) {
      const line = this.#chapter.fixed[fixedKey(bytes, at, count)];
      if (line !== undefined) return this.#read(line).pattern;
    }
    return undefined;
  }
}

/** What the build writes: the forms, then a chapter for each kind of code. */
export interface BookText {
  readonly forms: readonly Form[];
  /** By the bits of Mode that an instruction depends on. */
  readonly chapters: readonly (Chapter | null)[];
}
export const writeBook = ({ forms, chapters }: BookText): string =>
  [forms.map(formLine), ...chapters].map((line) => `${JSON.stringify(line)}\n`).join('');

/** Books by those bits of Mode; undefined where there is none. */
export function readBook(text: string): (mode: number) => Book | undefined {
  const lines = text.split('\n');
  const forms = JSON.parse(lines[0]!) as FormLine[];
  const shapes: Shape[] = [];
  const shape = (n: number) => (shapes[n] ??= shapeOf(formOf(forms[n]!)));
  const books = new Map<number, Book | undefined>();
  return (mode) => {
    if (!books.has(mode)) {
      const chapter = JSON.parse(lines[mode + 1]!) as Chapter | null;
      books.set(mode, chapter === null ? undefined : new Book(shape, chapter));
    }
    return books.get(mode);
  };
}

let read: ((mode: number) => Book | undefined) | undefined;

/** The thread's. */
export function bookOf(mode: number): Book | undefined {
  if (read === undefined) {
    const text = bookText();
    read = text === undefined ? () => undefined : readBook(text);
  }
  return read(mode);
}

const letters = Object.fromEntries(Object.entries(SOURCES).map(([letter, source]) => [source, letter]));

/** A line of the book. */
export function lineOf(form: number, x: Instruction, { disp, imm, operand, mask }: Pattern, sources: Sources | undefined): string {
  const { code, length, values, farOffset, memory, target } = x;
  const line: Line = [
    ...([form, code, length, values, farOffset] as const),
    memory === undefined ? [] : [memory.base, memory.index, memory.scale, memory.disp, memory.seg],
    target === undefined ? [] : [target],
    [disp.at, disp.size],
    [imm.at, imm.size],
    operand,
    mask,
    sources === undefined ? '' : `${sources.isGroup ? GROUP : ''}${sources.operands.map((source) => letters[source]).join('')}`,
  ];
  return JSON.stringify(line);
}
