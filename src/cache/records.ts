// Writes decoded instructions as the interpreter's records, those of one CPU. What is fixed in a record is made once for each pattern, and copied from then on.
import type { SharedMemory } from '../cpu/state.ts';
import { type Instruction, insideLimit } from '../decode/decoder.ts';
import type { Pattern } from '../decode/pattern.ts';
import { FIRST_FORM, pseudoIndex } from '../emit/interpreter/table.ts';
import { Cpu, codeLimit, GPR_STRIDE, SegCache } from '../layout/cpu.ts';
import { ADDRESS16, Record, RecordPlace } from '../layout/memory.ts';
import { inMemory } from '../lift/form.ts';

/** Where a record has its operands that are not in memory; a far pointer has two numbers. */
const FIELDS = [Record.at.op0, Record.at.op1, RecordPlace.op2];
const WORDS = Record.size / 4;

/** What a pattern keeps: its record, of which the words with numbers are written anew. */
class Copy {
  readonly writer: RecordWriter;
  readonly words: Int32Array;
  /** The word with the immediate, or with where a branch leads. */
  readonly number: number;

  constructor(writer: RecordWriter, words: Int32Array, number: number) {
    this.writer = writer;
    this.words = words;
    this.number = number;
  }
}

export class RecordWriter {
  private readonly i32: Int32Array;
  private readonly cpu: number;
  private readonly handlers: ReadonlyMap<string, number>;

  /** `keys`: the handlers' forms. */
  constructor(shared: SharedMemory, cpu: number, keys: readonly string[]) {
    this.i32 = shared.i32;
    this.cpu = cpu;
    this.handlers = new Map(keys.map((key, i) => [key, FIRST_FORM + i]));
  }

  /** Writes a record. */
  write(at: number, x: Instruction, mode: number): void {
    const { i32, cpu } = this;
    const gprs = cpu + Cpu.at.gpr;
    i32.fill(0, at >> 2, (at + Record.size) >> 2);
    i32[(at + Record.at.handler) >> 2] = this.handlerOf(x, mode);
    i32[(at + Record.at.eip) >> 2] = x.eip;
    const { ops, addrsize } = x.form;
    let field = 0;
    for (let k = 0; k < ops.length; k++) {
      const { kind, size } = ops[k]!;
      if (inMemory(kind)) continue;
      const v = x.values[k]!;
      let value = v;
      if (kind === 'r') value = size === 1 && v > 3 ? gprs + (v - 4) * GPR_STRIDE + 1 : gprs + v * GPR_STRIDE;
      else if (kind === 'xmm') value = cpu + Cpu.at.xmm + v * 16;
      else if (kind === 'mm') value = cpu + Cpu.at.fpr + v * 16;
      else if (kind === 'j') value = x.target!;
      i32[(at + FIELDS[field++]!) >> 2] = value;
      if (kind === 'far') i32[(at + FIELDS[field++]!) >> 2] = x.farOffset;
    }
    const m = x.memory;
    let seg = 0;
    let scale = addrsize === 2 ? ADDRESS16 : 0;
    if (m !== undefined) {
      i32[(at + Record.at.base) >> 2] = m.base < 0 ? cpu + Cpu.at.zero : gprs + m.base * GPR_STRIDE;
      i32[(at + Record.at.index) >> 2] = m.index < 0 ? cpu + Cpu.at.zero : gprs + m.index * GPR_STRIDE;
      i32[(at + Record.at.disp) >> 2] = m.disp;
      seg = Cpu.at.seg + m.seg * SegCache.size;
      scale |= m.scale;
    }
    i32[(at + Record.at.scale) >> 2] =
      scale | (x.length << (8 * (Record.at.length - Record.at.scale))) | (seg << (8 * (Record.at.seg - Record.at.scale)));
  }

  /** Writes the record of the instruction at `from` in the bytes, which has this pattern, lies at `eip`, and is inside the limit of CS wherever it leads. */
  copy(at: number, pattern: Pattern, bytes: Uint8Array, from: number, eip: number, mode: number): void {
    const { i32 } = this;
    const word = at >> 2;
    let { kept } = pattern;
    if (!(kept instanceof Copy) || kept.writer !== this) {
      const x = pattern.read(bytes, from, eip);
      this.write(at, x, mode);
      const place = x.form.ops.slice(0, pattern.operand).filter(({ kind }) => !inMemory(kind)).length;
      pattern.kept = kept = new Copy(this, i32.slice(word, word + WORDS), FIELDS[place]! >> 2);
      return;
    }
    const { words, number } = kept as Copy;
    for (let k = 0; k < WORDS; k++) i32[word + k] = words[k]!;
    i32[word + (Record.at.eip >> 2)] = eip;
    if (pattern.disp.size > 0) i32[word + (Record.at.disp >> 2)] = pattern.dispIn(bytes, from);
    if (pattern.imm.size > 0) i32[word + number] = pattern.isBranch ? pattern.targetIn(bytes, from, eip) : pattern.immIn(bytes, from);
  }

  private handlerOf(x: Instruction, mode: number): number {
    if (x.truncated || (!insideLimit(x, mode) && x.flow !== 'conditional')) return pseudoIndex('protection');
    if (x.eip + x.length - 1 > codeLimit(mode)) return pseudoIndex('protection');
    if (x.spec === undefined) return pseudoIndex('undefined');
    return this.handlers.get(x.key) ?? pseudoIndex('unsupported');
  }
}
