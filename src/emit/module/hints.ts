// Branch hints for a binary whose writer knows none: where its branches are, and a section for those that hardly ever go.
import { HINTS } from './builder.ts';
import { ByteWriter } from './bytes.ts';
import { CODE_SECTION, CodeReader, PREAMBLE_BYTES } from './code-reader.ts';

const UNLIKELY = 0;
const IF = 0x04;
const BR_IF = 0x0d;

/** Offsets of the `if` and `br_if` of the function whose locals are at `start`, in order, from there on. */
function branchesOf(reader: CodeReader, start: number, end: number): number[] {
  const found: number[] = [];
  reader.at = start;
  reader.skipLocals();
  reader.walk(end, (opcode, at) => {
    if (opcode === IF || opcode === BR_IF) found.push(at - start);
  });
  return found;
}

/** Of a function: which of its branches (`if` and `br_if`, in order) are unlikely, and how many it has. */
export interface Branches {
  readonly unlikely: readonly number[];
  readonly count: number;
}

/**
 * The binary with hints. `functions`: of its own functions, in order; `imports`: how many come before them. Sections of others behind the code
 * are lost. Throws where a function has another number of branches than is said.
 */
export function withHints(binary: Uint8Array, imports: number, functions: readonly Branches[]): Uint8Array {
  let at = PREAMBLE_BYTES;
  const reader = new CodeReader(binary, at);
  for (;;) {
    if (at >= binary.length) return binary;
    reader.at = at + 1;
    const size = reader.unsigned();
    if (binary[at] === CODE_SECTION) break;
    at = reader.at + size;
  }
  const section = new ByteWriter();
  const hinted = functions.filter(({ unlikely }) => unlikely.length > 0).length;
  section.text(HINTS);
  section.unsigned(hinted);
  const count = reader.unsigned();
  if (count !== functions.length) throw new Error(`the binary has ${count} functions instead of ${functions.length}`);
  functions.forEach((f, k) => {
    const size = reader.unsigned();
    const start = reader.at;
    if (f.unlikely.length > 0) {
      const branches = branchesOf(reader, start, start + size);
      if (branches.length !== f.count) throw new Error(`a function has ${branches.length} branches instead of ${f.count}`);
      section.unsigned(imports + k);
      section.unsigned(f.unlikely.length);
      for (const branch of f.unlikely) {
        section.unsigned(branches[branch]!);
        section.byte(1);
        section.byte(UNLIKELY);
      }
    }
    reader.at = start + size;
  });
  const out = new ByteWriter(binary.length + section.at + 8);
  out.copy(binary.subarray(0, at));
  out.byte(0);
  out.unsigned(section.at);
  out.copy(section.done());
  out.copy(binary.subarray(at, reader.at));
  return out.done();
}
