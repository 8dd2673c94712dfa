// Functions that can be moved from module to module: a module taken apart, and modules put together from such parts. What a function has of its module (numbers of
// imports, its own number) and of its machine (table slots, the constants of indirect calls) is found in the binary, whichever encoder wrote it, and written anew.
import { CODE_TYPE, HINTS, type ImportedFunction } from './builder.ts';
import { ByteWriter } from './bytes.ts';
import { CODE_SECTION, CodeReader, PREAMBLE_BYTES } from './code-reader.ts';
import { DirectBuilder } from './direct.ts';

/** What is meant by a relocation: a call of the function itself; an import, by its index in `calls`; or a table slot: SLOT for place 0, SLOT - 1 for place 1 ... */
const SELF = -1;
const SLOT = -2;
/** Numbers of a relocation: offset in the code, what is meant. */
const WORDS = 2;

export interface RelocatableCode {
  /** Locals and body, without the numbers that are written anew. */
  readonly code: Uint8Array;
  /** The imports that it calls: 'module.name'. */
  readonly calls: readonly string[];
  /** Where a number belongs, and which: WORDS numbers each, in order of their offsets. */
  readonly relocations: readonly number[];
  /** Offsets of unlikely branches. */
  readonly hints: readonly number[];
}

const Section = { CUSTOM: 0, IMPORT: 2, EXPORT: 7 } as const;
const FUNCTION = 0;
const TABLE = 1;
const MEMORY = 2;
const CALL = 0x10;
const CALL_INDIRECT = 0x11;
const RETURN_CALL = 0x12;
const RETURN_CALL_INDIRECT = 0x13;
const LOCAL_GET = 0x20;
const I32_CONST = 0x41;

/** 'module.name' of the functions that are imported. */
function importsAt(reader: CodeReader): string[] {
  const found: string[] = [];
  for (let left = reader.unsigned(); left > 0; left--) {
    const module = reader.text();
    const name = reader.text();
    const kind = reader.byte();
    if (kind === FUNCTION) {
      reader.unsigned();
      found.push(`${module}.${name}`);
    } else if (kind === TABLE) {
      reader.byte();
      if (reader.byte() & 1) reader.unsigned();
      reader.unsigned();
    } else if (kind === MEMORY) {
      if (reader.byte() & 1) reader.unsigned();
      reader.unsigned();
    } else throw new Error(`no import of kind ${kind} is expected`);
  }
  return found;
}

function exportsAt(reader: CodeReader): Map<number, string> {
  const found = new Map<number, string>();
  for (let left = reader.unsigned(); left > 0; left--) {
    const name = reader.text();
    const kind = reader.byte();
    const index = reader.unsigned();
    if (kind === FUNCTION) found.set(index, name);
  }
  return found;
}

function hintsAt(reader: CodeReader): Map<number, number[]> {
  const found = new Map<number, number[]>();
  for (let left = reader.unsigned(); left > 0; left--) {
    const offsets: number[] = [];
    found.set(reader.unsigned(), offsets);
    for (let count = reader.unsigned(); count > 0; count--) {
      offsets.push(reader.unsigned());
      reader.at += 2;
    }
  }
  return found;
}

/** The functions of a module by the names of their exports. `placeOf`: what is to be kept in the place of a table slot, a number from 0 on. */
export function takeApart(binary: Uint8Array, placeOf: (slot: number) => number): Map<string, RelocatableCode> {
  const reader = new CodeReader(binary, PREAMBLE_BYTES);
  let imports: string[] = [];
  let names = new Map<number, string>();
  let hints = new Map<number, number[]>();
  const parts = new Map<string, RelocatableCode>();
  while (reader.at < binary.length) {
    const id = reader.byte();
    const size = reader.unsigned();
    const end = reader.at + size;
    if (id === Section.IMPORT) imports = importsAt(reader);
    else if (id === Section.EXPORT) names = exportsAt(reader);
    else if (id === Section.CUSTOM && reader.text() === HINTS) hints = hintsAt(reader);
    else if (id === CODE_SECTION)
      for (let left = reader.unsigned(), own = imports.length; left > 0; left--, own++) {
        const bytes = reader.unsigned();
        const start = reader.at;
        parts.set(names.get(own)!, relocatable(binary, start, start + bytes, imports, own, hints.get(own) ?? [], placeOf));
        reader.at = start + bytes;
      }
    reader.at = end;
  }
  return parts;
}

function relocatable(
  binary: Uint8Array,
  start: number,
  end: number,
  imports: readonly string[],
  own: number,
  hinted: readonly number[],
  placeOf: (slot: number) => number,
): RelocatableCode {
  const code = new ByteWriter(end - start);
  const calls: string[] = [];
  const relocations: number[] = [];
  const hints: number[] = [];
  const value = new CodeReader(binary, start);
  let copied = start;
  const copyTo = (at: number) => {
    while (hints.length < hinted.length && hinted[hints.length]! + start < at) hints.push(hinted[hints.length]! + start - copied + code.at);
    code.copy(binary.subarray(copied, at));
    copied = at;
  };
  /** The number at `at`, which `read` reads, is left out. */
  const relocate = (at: number, read: () => number, whatOf: (n: number) => number): number => {
    copyTo(at);
    value.at = at;
    const n = read();
    copied = value.at;
    const what = whatOf(n);
    relocations.push(code.at, what);
    return what;
  };
  const calledAt = (index: number): number => {
    if (index === own) return SELF;
    const name = imports[index];
    if (name === undefined) throw new Error('a region calls another one of its module');
    const known = calls.indexOf(name);
    return known < 0 ? calls.push(name) - 1 : known;
  };
  const unsigned = () => value.unsigned();
  const signed = () => value.signed();
  const slot = (constant: number): number => relocate(constant + 1, signed, (n) => SLOT - placeOf(n));
  const reader = new CodeReader(binary, start);
  reader.skipLocals();
  // The last three instructions: a slot is the first operand of its call and the last one, with the CPU in between.
  let first = -1;
  let second = -1;
  let third = -1;
  reader.walk(end, (opcode, at) => {
    if (opcode === CALL || opcode === RETURN_CALL) relocate(at + 1, unsigned, calledAt);
    else if (opcode === CALL_INDIRECT || opcode === RETURN_CALL_INDIRECT) {
      if (third >= 0 && binary[third] === I32_CONST) {
        if (binary[first] !== I32_CONST || binary[second] !== LOCAL_GET || slot(first) !== slot(third))
          throw new Error('a call of a table slot has other operands than are expected');
      }
      // The type of what is in the table, which has number 0 where parts are put together.
      copyTo(at + 1);
      value.at = at + 1;
      value.unsigned();
      copied = value.at;
      code.byte(0);
    }
    first = second;
    second = third;
    third = at;
  });
  copyTo(end);
  return { code: code.done(), calls, relocations, hints };
}

/** How many times a table slot is named. */
export function slotsIn({ relocations }: RelocatableCode): number {
  let count = 0;
  for (let k = 1; k < relocations.length; k += WORDS) if (relocations[k]! <= SLOT) count++;
  return count;
}

/** A function of the module to come: its name, its code, and the table slot that stands for a place. */
export interface Part {
  readonly name: string;
  readonly code: RelocatableCode;
  readonly slotAt: (place: number) => number;
}

/** One module of functions from several. `importOf`: what an import is. */
export function putTogether(parts: readonly Part[], importOf: (name: string) => ImportedFunction): Uint8Array {
  const builder = new DirectBuilder();
  const imports = new Map<string, number>();
  for (const { code } of parts)
    for (const name of code.calls)
      if (!imports.has(name)) {
        imports.set(name, imports.size);
        builder.addImport(importOf(name));
      }
  const w = new ByteWriter();
  parts.forEach(({ name, code: { code, calls, relocations, hints }, slotAt }, k) => {
    w.at = 0;
    const moved: number[] = [];
    let from = 0;
    let hint = 0;
    const copyTo = (end: number) => {
      for (; hint < hints.length && hints[hint]! < end; hint++) moved.push(hints[hint]! - from + w.at);
      w.copy(code.subarray(from, end));
      from = end;
    };
    for (let r = 0; r < relocations.length; r += WORDS) {
      const at = relocations[r]!;
      copyTo(at);
      const what = relocations[r + 1]!;
      if (what <= SLOT) w.signed(slotAt(SLOT - what));
      else w.unsigned(what === SELF ? imports.size + k : imports.get(calls[what]!)!);
    }
    copyTo(code.length);
    builder.addCode(name, CODE_TYPE, w.done(), moved);
  });
  return builder.finish();
}
