// The client coverage: which code was run, and by which edges. As a map for fuzzers (format=map), as a tracefile of lcov (format=lcov), or as text by function.
import { DragomanError } from '../api/errors.ts';
import { straightEnd } from '../decode/straight.ts';
import { host } from '../host/node.ts';
import { type LineTable, readLines } from '../inspect/dwarf-lines.ts';
import { ElfFile } from '../inspect/elf-file.ts';
import { readElfSymbols } from '../inspect/elf-symbols.ts';
import { nearestOf, type SymbolTable } from '../machine/report/symbols.ts';
import type { Client, OptionTexts } from './client.ts';
import { CodeMarks, type Marks } from './code-marks.ts';
import { clearMap, countEdge, MAP_BYTES, readMap } from './edge-map.ts';
import { type Covered, tracefile } from './lcov.ts';
import type { ClientView } from './view.ts';

/** What it reports with format=map. */
export interface EdgeReport {
  /** Places of the map that are not 0: edges, but for those that share one. */
  readonly edges: number;
}

/** What it reports else. */
export interface CoverageReport {
  /** Places at which blocks begin that were run. */
  readonly blocks: number;
  /** Conditional branches that went both ways, and that went one. */
  readonly branches: { readonly both: number; readonly one: number };
  /** Where the kernel's functions are known. */
  readonly functions?: { readonly run: number; readonly all: number };
  /** Pages with code that was run; and such that there was no room for: what ran there is missing. */
  readonly pages: number;
  readonly lostPages: number;
}

const FORMATS = ['text', 'lcov', 'map'] as const;
type Format = (typeof FORMATS)[number];

/** Kinds of marks: a block begins here; the conditional branch here was taken, was not. */
const BLOCK = 0;
const TAKEN = 1;
const NOT_TAKEN = 2;
/** Pages of code that have marks: 16 MiB of code. */
const CODE_PAGES = 4096;

/** A file of the kernel's, as far as it can be used. */
interface KernelFile {
  readonly name: string;
  readonly code: SymbolTable;
  readonly elf: ElfFile;
  readonly lines: () => LineTable | undefined;
}

export default function coverage({ file, format = 'text', elf: path }: OptionTexts): Client {
  if (!FORMATS.includes(format as Format)) throw new Error(`'${format}' is no format: ${FORMATS.join(', ')}`);
  return format === 'map' ? edges(file) : blocks(file, format as Format, path);
}

/** Where nothing can be written, that is told before the run. */
function makeFile(file: string | undefined): void {
  if (file !== undefined) host.writeFileNow(file, new Uint8Array());
}

function edges(file: string | undefined): Client {
  const write = (view: ClientView) => {
    if (file !== undefined) host.writeFileNow(file, readMap(view));
  };
  return {
    room: { cpu: MAP_BYTES },
    branch: countEdge,
    attached: () => makeFile(file),
    report: (view): EdgeReport => ({ edges: readMap(view).filter((hits) => hits !== 0).length }),
    ask(view, question) {
      if (question === 'map') return readMap(view);
      if (question === 'clear') return clearMap(view);
      throw new DragomanError('BAD_OPTION', `coverage:format=map knows of no '${question}': map or clear`, 'ask');
    },
    detached: write,
    ended: write,
  };
}

function blocks(file: string | undefined, format: Format, path: string | undefined): Client {
  const marks = new CodeMarks(3, CODE_PAGES);
  // Read when it is first asked for: on threads of CPUs never.
  let known: KernelFile | null | undefined;
  const kernelOf = (view: ClientView) => (known ??= kernelFile(view, path)) ?? undefined;
  const textIn = (wanted: string, view: ClientView): string => {
    const found = marks.read(view);
    const kernel = kernelOf(view);
    if (wanted === 'text') return listing(found, view, kernel);
    if (kernel === undefined)
      throw new DragomanError(
        'BAD_OPTION',
        "coverage:format=lcov needs the kernel's ELF file with its names: coverage:elf=FILE",
        'clients',
      );
    return tracefile(kernel.lines(), kernel.code, coveredBy(found, kernel.elf), kernel.name);
  };
  const write = (view: ClientView) => {
    if (file !== undefined) host.writeFileNow(file, new TextEncoder().encode(textIn(format, view)));
  };
  return {
    room: { shared: marks.bytes },
    block: (b, at) => marks.mark(b, at.eip(), BLOCK),
    branch(b, at) {
      if (at.kind === 'conditional') marks.mark(b, at.eip(), b.sub(b.const(NOT_TAKEN), at.taken()), true);
    },
    called: (view, call) => marks.called(view, call),
    attached(view) {
      // What is missing is told before the run.
      if (file !== undefined) textIn(format, view);
      makeFile(file);
    },
    report(view): CoverageReport {
      const found = marks.read(view);
      const branches = branchesOf(found);
      const both = branches.filter(({ taken, fellThrough }) => taken && fellThrough).length;
      const starts = found.of(BLOCK);
      const code = kernelOf(view)?.code;
      const run = code && new Set(starts.map((block) => nearestOf(code, block)?.address).filter((address) => address !== undefined));
      return {
        blocks: starts.length,
        branches: { both, one: branches.length - both },
        ...(code && { functions: { run: run!.size, all: new Set(code.addresses).size } }),
        pages: found.pages,
        lostPages: found.lostPages,
      };
    },
    ask(view, question) {
      if (question === 'clear') return marks.clear(view);
      if (question === 'text' || question === 'lcov') return textIn(question, view);
      throw new DragomanError('BAD_OPTION', `coverage knows of no '${question}': text, lcov or clear`, 'ask');
    },
    detached: write,
    ended: write,
  };
}

/** The file that was asked for, else the one that the machine has as its kernel; null: there is none with names. Of one that was asked for, what is wrong with it is thrown. */
function kernelFile({ kernel }: ClientView, path: string | undefined): KernelFile | null {
  const bytes = path === undefined ? kernel : host.readFileNow(path);
  if (bytes === undefined) return null;
  try {
    const name = path ?? 'kernel';
    const { code } = readElfSymbols(bytes, name);
    let lines: { readonly table: LineTable | undefined } | undefined;
    return { name, code, elf: new ElfFile(bytes, name), lines: () => (lines ??= { table: readLines(bytes, name) }).table };
  } catch (error) {
    if (path !== undefined || !(error instanceof DragomanError)) throw error;
    return null;
  }
}

function branchesOf(found: Marks): Covered['branches'] {
  const [taken, fellThrough] = [new Set(found.of(TAKEN)), new Set(found.of(NOT_TAKEN))];
  return [...new Set([...taken, ...fellThrough])]
    .sort((a, b) => a - b)
    .map((at) => ({ at, taken: taken.has(at), fellThrough: fellThrough.has(at) }));
}

/** A block was run to the first instruction that leads elsewhere, by what the file has there. */
function coveredBy(found: Marks, elf: ElfFile): Covered {
  const code = elf.sections.filter(({ isCode, size }) => isCode && size > 0);
  const starts = found.of(BLOCK);
  const pieces: [number, number][] = [];
  for (const start of starts) {
    const last = pieces.at(-1);
    if (last !== undefined && start < last[1]) continue;
    const section = code.find(({ address, size }) => start >= address && start < address + size);
    const bytes = section && elf.bytesOf(section);
    if (bytes === undefined) continue;
    const end = straightEnd(bytes.subarray(start - section!.address), start);
    if (last?.[1] === start) last[1] = end;
    else if (end > start) pieces.push([start, end]);
  }
  return { blocks: starts, pieces, branches: branchesOf(found) };
}

/** A line for each function: its address and name, blocks, and conditional branches that went both ways and one. */
function listing(found: Marks, view: ClientView, kernel: KernelFile | undefined): string {
  const functions = new Map<string, { first: number; blocks: number; both: number; one: number }>();
  const at = (address: number) => {
    const named = kernel && nearestOf(kernel.code, address);
    const name = named?.name ?? view.symbolAt(address)?.replace(/\+0x[0-9a-f]+$/, '') ?? `page 0x${((address & -4096) >>> 0).toString(16)}`;
    let entry = functions.get(name);
    if (entry === undefined) functions.set(name, (entry = { first: named?.address ?? address, blocks: 0, both: 0, one: 0 }));
    return entry;
  };
  for (const block of found.of(BLOCK)) at(block).blocks++;
  for (const { at: address, taken, fellThrough } of branchesOf(found)) at(address)[taken && fellThrough ? 'both' : 'one']++;
  const lines = [...functions]
    .sort(([, a], [, b]) => a.first - b.first)
    .map(([name, { first, blocks, both, one }]) => `${first.toString(16).padStart(8, '0')} ${name}: ${blocks} ${both} ${one}\n`);
  const lost = found.lostPages > 0 ? `# ${found.lostPages} pages of code are missing: there was no room for them\n` : '';
  return `# address function: blocks, conditional branches that went both ways, that went one\n${lost}${lines.join('')}`;
}
