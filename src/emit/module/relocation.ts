// Functions that can be moved from module to module: a module taken apart, and modules put together from such parts. What a function has of its module (numbers of
// imports, its own number) and of its machine (table slots, the constants of indirect calls) is found in the binary, whichever encoder wrote it, and written anew.
// So is, where that is asked for, what it has of the place of its kernel: constants that are addresses near its own, and entries of the jump cache for these.
import { CpuArea, DIRECT_START, JUMP_ENTRIES, JumpEntry, jumpIndex, RAM } from '../../layout/memory.ts';
import { CODE_TYPE, HINTS, type ImportedFunction } from './builder.ts';
import { ByteWriter } from './bytes.ts';
import { CODE_SECTION, CodeReader, PREAMBLE_BYTES } from './code-reader.ts';
import { DirectBuilder } from './direct.ts';
import type { Hint } from './hints.ts';
import { exportsAt, importsAt, Section } from './sections.ts';

/** What a relocation is: with its value, the number that is written. */
const Kind = {
  /** A call of an import, by its index in `calls`. */
  IMPORT: 0,
  /** A call of the function itself. */
  SELF: 1,
  /** A table slot, by the offset that stands for it. */
  SLOT: 2,
  /** An address, or one less the origin of the direct map, by its distance from the region's start. */
  ADDRESS: 3,
  /** Offset of a word of a jump cache entry in the CPU's area: distance of its EIP from the region's start, times the words of an entry, and which of them. */
  ENTRY: 4,
} as const;
/** Numbers of a relocation: offset in the code, kind, value. */
const WORDS = 3;
const ENTRY_WORDS = JumpEntry.size / 4;

/** Kernels that move do so by multiples of this (Linux: CONFIG_PHYSICAL_ALIGN), and an address of the kernel is less than REACH behind such a multiple below the region's start. */
const GRAIN = 1 << 24;
const REACH = 2 * GRAIN;

/** Where the direct map begins in the host's memory: a constant in each access to it, and no address. */
const DIRECT_HOST = RAM + DIRECT_START;

/** Where a region that may move with its kernel is. */
export interface Place {
  /** EIP of its page. */
  readonly start: number;
  /** Where the kernel's direct map begins, which does not move: addresses in it are counted from there as well. */
  readonly origin: number | undefined;
}

/** Whether a constant in code of the page at `start` may be an address of the same kernel. */
export function isNear(start: number, value: number): boolean {
  const distance = (value >>> 0) - Math.floor(start / GRAIN) * GRAIN;
  return distance >= 0 && distance < REACH;
}

export interface RelocatableCode {
  /** Locals and body, without the numbers that are written anew. */
  readonly code: Uint8Array;
  /** The imports that it calls: 'module.name'. */
  readonly calls: readonly string[];
  /** Where a number belongs, and which: WORDS numbers each, in order of their offsets. */
  readonly relocations: readonly number[];
  /** Of branches: their offsets, and (in the lowest bit) what is known of their conditions (Hint). */
  readonly hints: readonly number[];
  /** The place of the kernel may be in it in a way that is not known: it can not be moved with its kernel. */
  readonly fixed: boolean;
}

const CALL = 0x10;
const CALL_INDIRECT = 0x11;
const RETURN_CALL = 0x12;
const RETURN_CALL_INDIRECT = 0x13;
const LOCAL_GET = 0x20;
const I32_LOAD = 0x28;
const I32_CONST = 0x41;

function hintsAt(reader: CodeReader): Map<number, Hint[]> {
  const found = new Map<number, Hint[]>();
  for (let left = reader.unsigned(); left > 0; left--) {
    const hints: Hint[] = [];
    found.set(reader.unsigned(), hints);
    for (let count = reader.unsigned(); count > 0; count--) {
      const at = reader.unsigned();
      reader.unsigned(); // the length of what follows
      hints.push({ at, likely: reader.unsigned() });
    }
  }
  return found;
}

/**
 * The functions of a module by the names of their exports. `offsetOf`: what is to be kept for a table slot, a number from 0 on. `placeOf`: of a function
 * that may move with its kernel, where it is.
 */
export function takeApart(
  binary: Uint8Array,
  offsetOf: (slot: number) => number,
  placeOf: (name: string) => Place | undefined = () => undefined,
): Map<string, RelocatableCode> {
  const reader = new CodeReader(binary, PREAMBLE_BYTES);
  let imports: string[] = [];
  let names = new Map<number, string>();
  let hints = new Map<number, Hint[]>();
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
        const name = names.get(own)!;
        parts.set(name, relocatable(binary, start, start + bytes, imports, own, hints.get(own) ?? [], offsetOf, placeOf(name)));
        reader.at = start + bytes;
      }
    reader.at = end;
  }
  return parts;
}

/** The EIPs near `region` in the code of a function whose entries of the jump cache are known by them: by the index of the entry; undefined where two have the same. */
function knownEntries(binary: Uint8Array, start: number, end: number, region: number): Map<number, number | undefined> {
  const known = new Map<number, number | undefined>();
  const value = new CodeReader(binary, start);
  const reader = new CodeReader(binary, start);
  reader.skipLocals();
  reader.walk(end, (opcode, at) => {
    if (opcode !== I32_CONST) return;
    value.at = at + 1;
    const eip = value.signed() >>> 0;
    if (!isNear(region, eip)) return;
    const index = jumpIndex(eip);
    known.set(index, known.has(index) && known.get(index) !== eip ? undefined : eip);
  });
  return known;
}

function relocatable(
  binary: Uint8Array,
  start: number,
  end: number,
  imports: readonly string[],
  own: number,
  hinted: readonly Hint[],
  offsetOf: (slot: number) => number,
  place: Place | undefined,
): RelocatableCode {
  const code = new ByteWriter(end - start);
  const calls: string[] = [];
  const relocations: number[] = [];
  const hints: number[] = [];
  let fixed = place === undefined;
  const value = new CodeReader(binary, start);
  let copied = start;
  const copyTo = (at: number) => {
    for (let hint = hinted[hints.length]; hint !== undefined && hint.at + start < at; hint = hinted[hints.length])
      hints.push(((hint.at + start - copied + code.at) << 1) | hint.likely);
    code.copy(binary.subarray(copied, at));
    copied = at;
  };
  /** What stands from `from` to `to` is left out. */
  const relocate = (from: number, to: number, kind: number, n: number) => {
    copyTo(from);
    copied = to;
    relocations.push(code.at, kind, n);
  };
  const call = (at: number) => {
    value.at = at;
    const index = value.unsigned();
    if (index === own) return relocate(at, value.at, Kind.SELF, 0);
    const name = imports[index];
    if (name === undefined) throw new Error('a region calls another one of its module');
    const known = calls.indexOf(name);
    relocate(at, value.at, Kind.IMPORT, known < 0 ? calls.push(name) - 1 : known);
  };
  const slot = (at: number): number => {
    value.at = at + 1;
    const n = value.signed();
    relocate(at + 1, value.at, Kind.SLOT, offsetOf(n));
    return n;
  };
  const entries = place === undefined ? undefined : knownEntries(binary, start, end, place.start);
  const address = (at: number) => {
    value.at = at + 1;
    const n = value.signed() >>> 0;
    const { start, origin } = place!;
    if (isNear(start, n) || (origin !== undefined && n !== DIRECT_HOST && isNear(start, n + origin)))
      relocate(at + 1, value.at, Kind.ADDRESS, (n - start) | 0);
  };
  const load = (at: number) => {
    value.at = at + 1;
    value.unsigned();
    const from = value.at;
    const offset = value.unsigned() - CpuArea.at.jumpKernel;
    if (offset < 0 || offset >= JUMP_ENTRIES * JumpEntry.size) return;
    const index = Math.floor(offset / JumpEntry.size);
    const eip = entries!.get(index);
    // Where the entry is computed, the first one is named.
    if (index === 0 && !entries!.has(0)) return;
    if (index === 0 || eip === undefined) fixed = true;
    else relocate(from, value.at, Kind.ENTRY, (eip - place!.start) * ENTRY_WORDS + ((offset % JumpEntry.size) >> 2));
  };
  const reader = new CodeReader(binary, start);
  reader.skipLocals();
  // The last three instructions: a slot is the first operand of its call and the last one, with the CPU in between. No slot is as large as an address of a kernel.
  let first = -1;
  let second = -1;
  let third = -1;
  reader.walk(end, (opcode, at) => {
    if (opcode === CALL || opcode === RETURN_CALL) call(at + 1);
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
    } else if (entries !== undefined) {
      if (opcode === I32_CONST) address(at);
      else if (opcode === I32_LOAD) load(at);
    }
    first = second;
    second = third;
    third = at;
  });
  copyTo(end);
  return { code: code.done(), calls, relocations, hints, fixed };
}

/** How many times a table slot is named. */
export function slotsIn({ relocations }: RelocatableCode): number {
  let count = 0;
  for (let k = 1; k < relocations.length; k += WORDS) if (relocations[k] === Kind.SLOT) count++;
  return count;
}

/** A function of the module to come: its name, its code, the table slot that an offset stands for, and the address that its addresses count from. */
export interface Part {
  readonly name: string;
  readonly code: RelocatableCode;
  readonly slotAt: (offset: number) => number;
  readonly start: number;
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
  parts.forEach(({ name, code: { code, calls, relocations, hints }, slotAt, start }, k) => {
    w.at = 0;
    const moved: Hint[] = [];
    let from = 0;
    let hint = 0;
    const copyTo = (end: number) => {
      for (; hint < hints.length && hints[hint]! >>> 1 < end; hint++)
        moved.push({ at: (hints[hint]! >>> 1) - from + w.at, likely: hints[hint]! & 1 });
      w.copy(code.subarray(from, end));
      from = end;
    };
    for (let r = 0; r < relocations.length; r += WORDS) {
      copyTo(relocations[r]!);
      const n = relocations[r + 2]!;
      switch (relocations[r + 1]) {
        case Kind.IMPORT:
          w.unsigned(imports.get(calls[n]!)!);
          break;
        case Kind.SELF:
          w.unsigned(imports.size + k);
          break;
        case Kind.SLOT:
          w.signed(slotAt(n));
          break;
        case Kind.ADDRESS:
          w.signed((start + n) | 0);
          break;
        case Kind.ENTRY: {
          const eip = (start + Math.floor(n / ENTRY_WORDS)) >>> 0;
          w.unsigned(CpuArea.at.jumpKernel + jumpIndex(eip) * JumpEntry.size + (n & (ENTRY_WORDS - 1)) * 4);
        }
      }
    }
    copyTo(code.length);
    builder.addCode(name, CODE_TYPE, w.done(), moved);
  });
  return builder.finish();
}
