// Branch hints for a binary whose writer knows none: where its branches are, and a section for what is known of them.
import { HINTS } from './builder.ts';
import { ByteWriter } from './bytes.ts';
import { CODE_SECTION, CodeReader, PREAMBLE_BYTES } from './code-reader.ts';

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

/** What is known of a branch: `at` which of a function's it is (`if` and `br_if`, in order; or where it stands in its code), and whether its condition nearly always holds (1) or hardly ever (0). */
export interface Hint {
  readonly at: number;
  readonly likely: number;
}

/** Of a function: what is known of its branches, and how many it has. */
export interface Branches {
  readonly hints: readonly Hint[];
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
  const hinted = functions.filter(({ hints }) => hints.length > 0).length;
  section.text(HINTS);
  section.unsigned(hinted);
  const count = reader.unsigned();
  if (count !== functions.length) throw new Error(`the binary has ${count} functions instead of ${functions.length}`);
  functions.forEach((f, k) => {
    const size = reader.unsigned();
    const start = reader.at;
    if (f.hints.length > 0) {
      const branches = branchesOf(reader, start, start + size);
      if (branches.length !== f.count) throw new Error(`a function has ${branches.length} branches instead of ${f.count}`);
      section.unsigned(imports + k);
      section.unsigned(f.hints.length);
      for (const { at, likely } of f.hints) {
        section.unsigned(branches[at]!);
        section.byte(1);
        section.byte(likely);
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
