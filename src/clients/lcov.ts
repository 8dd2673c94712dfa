// What coverage found as a tracefile of lcov (geninfo(1)): for each source file its functions, lines and conditional branches, each with 1 where it was run and 0 where not. Without line numbers
// there is one file, whose lines are the kernel's functions in their order.
import { type LineTable, rowAt } from '../inspect/dwarf-lines.ts';
import { nearestOf, type SymbolTable } from '../machine/report/symbols.ts';

/** What was run. */
export interface Covered {
  /** Addresses where blocks begin, in order. */
  readonly blocks: readonly number[];
  /** Pieces of code, in order, from the first address to below the second; they do not meet. */
  readonly pieces: readonly (readonly [from: number, to: number])[];
  /** Conditional branches. */
  readonly branches: readonly Branch[];
}
export interface Branch {
  readonly at: number;
  readonly taken: boolean;
  readonly fellThrough: boolean;
}

const bit = (is: boolean): string => (is ? '1' : '0');
const count = (list: Iterable<boolean>): number => [...list].filter(Boolean).length;

interface SourceFile {
  /** By line: whether it was run. */
  readonly lines: Map<number, boolean>;
  readonly functions: { readonly name: string; readonly line: number; readonly run: boolean }[];
  readonly branches: { readonly line: number; readonly branch: Branch }[];
}

function record(path: string, { lines, functions, branches }: SourceFile): string[] {
  const met = new Map<number, number>();
  const branchLines = branches.flatMap(({ line, branch: { taken, fellThrough } }) => {
    const block = met.get(line) ?? 0;
    met.set(line, block + 1);
    return [`BRDA:${line},${block},0,${bit(taken)}`, `BRDA:${line},${block},1,${bit(fellThrough)}`];
  });
  return [
    'TN:',
    `SF:${path}`,
    ...functions.map(({ name, line }) => `FN:${line},${name}`),
    ...functions.map(({ name, run }) => `FNDA:${bit(run)},${name}`),
    `FNF:${functions.length}`,
    `FNH:${count(functions.map(({ run }) => run))}`,
    ...branchLines,
    `BRF:${branchLines.length}`,
    `BRH:${branchLines.filter((text) => text.endsWith(',1')).length}`,
    ...[...lines].sort(([a], [b]) => a - b).map(([line, run]) => `DA:${line},${bit(run)}`),
    `LF:${lines.size}`,
    `LH:${count(lines.values())}`,
    'end_of_record',
  ];
}

/** Names of functions in which a block of those begins, with all that there are: by their addresses. */
function functionsOf({ addresses, names }: SymbolTable, blocks: readonly number[]): { address: number; name: string; run: boolean }[] {
  const run = new Set(blocks.map((block) => nearestOf({ addresses, names }, block)?.address));
  return addresses.map((address, n) => ({ address, name: names[n]!, run: run.has(address) }));
}

function byLines(lines: LineTable, code: SymbolTable, { blocks, pieces, branches }: Covered): string[] {
  const files = new Map<number, SourceFile>();
  const fileOf = (row: number): SourceFile => {
    const index = lines.fileOf[row]!;
    let file = files.get(index);
    if (file === undefined) files.set(index, (file = { lines: new Map(), functions: [], branches: [] }));
    return file;
  };
  const { addresses } = lines;
  let piece = 0;
  for (let row = 0, next = 0; row < addresses.length; row++) {
    const line = lines.lines[row]!;
    const address = addresses[row]!;
    while (next < addresses.length && addresses[next]! <= address) next++;
    while (piece < pieces.length && pieces[piece]![1] <= address) piece++;
    if (line === 0) continue;
    const run = piece < pieces.length && pieces[piece]![0] < (addresses[next] ?? address + 1);
    const known = fileOf(row).lines;
    if (run ? known.has(line) || lines.statements[row] === 1 : lines.statements[row] === 1)
      known.set(line, run || known.get(line) === true);
  }
  for (const { address, name, run } of functionsOf(code, blocks)) {
    const row = rowAt(lines, address);
    if (row >= 0) fileOf(row).functions.push({ name, line: lines.lines[row]!, run });
  }
  for (const branch of branches) {
    const row = rowAt(lines, branch.at);
    if (row >= 0) fileOf(row).branches.push({ line: lines.lines[row]!, branch });
  }
  return [...files].flatMap(([index, file]) => record(lines.files[index]!, file));
}

/** A tracefile. `code`: the kernel's functions; without `lines`, `name` is what the one file is called. */
export function tracefile(lines: LineTable | undefined, code: SymbolTable, covered: Covered, name: string): string {
  if (lines !== undefined) return `${byLines(lines, code, covered).join('\n')}\n`;
  const functions = functionsOf(code, covered.blocks).map(({ name, run }, n) => ({ name, line: n + 1, run }));
  const file = { lines: new Map(functions.map(({ line, run }) => [line, run])), functions, branches: [] };
  return `${record(name, file).join('\n')}\n`;
}
