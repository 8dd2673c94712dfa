// The cases of test/ir/*.ir: a region as text, as it is printed, and behind `--- NAME` what the pass, the analysis or the instrument of that name makes of it.
import { INSTRUMENTS } from '../../src/instrument/index.ts';
import { printBlock } from '../../src/ir/blocks.ts';
import type { RegionIr } from '../../src/ir/region.ts';
import { CODE_XMMS, Gpr } from '../../src/layout/cpu.ts';
import { cachedBases } from '../../src/passes/address-bases.ts';
import { dirtyRegisters } from '../../src/passes/dirty-registers.ts';
import { liveFlags } from '../../src/passes/flag-liveness.ts';
import { flagShapes, type Shape, type Source } from '../../src/passes/flag-shapes.ts';
import { instrumented } from '../../src/translate/instrumented.ts';
import { PASSES, type Pass } from '../../src/translate/pipeline.ts';
import { printRegion, readRegion } from '../../src/translate/text.ts';
import { verifyRegion } from '../../src/translate/verify.ts';

const REGISTERS = Object.keys(Gpr).map((name) => name.toLowerCase());
const lines = (list: readonly string[]) => list.map((text) => `${text}\n`).join('');
const inOrder = (ir: RegionIr, what: (id: number) => string) => lines(ir.flow.order.map((id) => `${printBlock(id)}: ${what(id)}`));

const sourceText = (source: Source | undefined) =>
  source === undefined ? '?' : 'reg' in source ? REGISTERS[source.reg]! : String(source.value);
function shapeText(shape: Shape): string {
  if (typeof shape === 'string') return shape;
  const { flag, width, maybe, a, b, r } = shape;
  return `${flag}${width} ${sourceText(a)}, ${sourceText(b)} -> ${sourceText(r)}${maybe ? ', or words' : ''}`;
}

/** What an analysis says, as text. */
const ANALYSES: Readonly<Record<string, (ir: RegionIr) => string>> = {
  structure(ir) {
    const { flow } = ir;
    const ways = (id: number) =>
      ir.blocks.get(id)!.next.map((to) => `${printBlock(to)}${flow.keeps(id, to) ? (flow.isBack(id, to) ? ' (back)' : '') : ' (outside)'}`);
    return inOrder(
      ir,
      (id) =>
        `${[flow.loops.has(id) ? 'loop' : '', flow.merges.has(id) ? 'merge' : '', `to ${ways(id).join(', ') || 'nowhere'}`].filter(Boolean).join(', ')}`,
    );
  },
  'flag-liveness': (ir) =>
    `${
      [...ir.flow.order]
        .filter((id) => liveFlags(ir).has(id))
        .map(printBlock)
        .join(' ') || 'none'
    }\n`,
  'flag-shapes'(ir) {
    const { before } = flagShapes(ir, liveFlags(ir));
    return inOrder(ir, (id) => shapeText(before.get(id)!));
  },
  'address-bases': (ir) => lines([...cachedBases(ir)].map(([base, writes]) => `${base}${writes ? ', written' : ''}`)) || 'none\n',
  'dirty-registers'(ir) {
    const dirty = dirtyRegisters(ir);
    const vectors = Array.from({ length: CODE_XMMS }, (_, xmm) => `xmm${xmm}`);
    return inOrder(ir, (id) => [...REGISTERS, ...vectors].filter((_, bit) => (dirty.get(id)! >> bit) & 1).join(' ') || 'none');
  },
};

function result(name: string, before: string): string {
  const ir = readRegion(before);
  verifyRegion(ir, 'the text');
  const instrument = INSTRUMENTS.get(name);
  const pass =
    instrument === undefined ? (PASSES as Readonly<Record<string, Pass>>)[name] : (was: RegionIr) => instrumented(was, [instrument]);
  if (pass === undefined) {
    const analysis = ANALYSES[name];
    if (analysis === undefined) throw new Error(`no pass, analysis or instrument ${name}`);
    return analysis(ir);
  }
  const after = pass(ir, true);
  verifyRegion(after, name);
  return printRegion(after);
}

export const KNOWN: readonly string[] = [...Object.keys(PASSES), ...Object.keys(ANALYSES), ...INSTRUMENTS.keys()];

export interface CaseText {
  readonly title: string;
  /** The case with what its passes give now. */
  readonly now: string;
  /** As it stands in the file. */
  readonly text: string;
  readonly passes: readonly string[];
}

/** The cases of a file, and what stands in front of them. */
export function cases(file: string): { head: string; list: CaseText[] } {
  const [head, ...texts] = file.split(/^(?==== )/m);
  const list = texts.map((text): CaseText => {
    const [title, rest] = [text.slice(4, text.indexOf('\n')), text.slice(text.indexOf('\n') + 1)];
    const [before, ...parts] = rest.split(/^--- /m);
    const passes = parts.map((part) => part.slice(0, part.indexOf('\n')));
    const behind = passes.map((name) => `--- ${name}\n${result(name, before!)}\n`).join('');
    return { title, text, passes, now: `=== ${title}\n${printRegion(readRegion(before!))}${behind}` };
  });
  return { head: head!, list };
}

/** A file of cases as it is to be. */
export function blessed(file: string): string {
  const { head, list } = cases(file);
  return `${(head + list.map(({ now }) => now).join('')).trimEnd()}\n`;
}
