// A region as text: each block under its name, then its loops' copies. What is written by hand has blocks alone, the first of which is
// the entry.
import { type BlockId, eipOf, printBlock, readBlock } from '../ir/blocks.ts';
import type { Group, LoopCopy } from '../ir/loop-copy.ts';
import type { Op } from '../ir/operations.ts';
import { printLines } from '../ir/print.ts';
import { read } from '../ir/read.ts';
import { type RegionBlock, type RegionIr, regionBlock, reshaped } from '../ir/region.ts';
import { writeOp } from '../ir/text.ts';
import { Gpr, Mode } from '../layout/cpu.ts';

const REGISTERS = Object.keys(Gpr).map((name) => name.toLowerCase());

function sum(terms: ReadonlyMap<number, number>, constant: number): string {
  const parts = [...terms].map(([reg, k]) => `${k === 1 ? '' : `${k}*`}${REGISTERS[reg]}`);
  return [...parts, ...(constant !== 0 || parts.length === 0 ? [String(constant)] : [])].join(' + ');
}

/** "eax + 4, 8 bytes, written, + 4 in each pass". */
export const printGroup = ({ terms, lo, span, writes, step, stepTerms }: Group): string =>
  `${sum(terms, lo)}, ${span} bytes${writes ? ', written' : ''}, + ${sum(stepTerms, step)} in each pass`;

function printLoop({ original, head, guard, unrolled, strides }: LoopCopy, k: number): string {
  const groups = strides.groups.map((group, g) => `  group ${g}: ${printGroup(group)}\n`).join('');
  const bounds = [...strides.bounds].map(([reg, { lo, hi }]) => `  ${REGISTERS[reg]} from ${lo} to ${hi}\n`).join('');
  const where = `${printBlock(original)}, guard ${printBlock(guard)}, copy ${printBlock(head)}`;
  return `loop ${k}: ${where}, ${unrolled} passes in one\n${groups}${bounds}`;
}

function printHead({ id, cold, copy }: RegionBlock): string {
  return `${printBlock(id)}:${cold ? ' cold' : ''}${copy === undefined ? '' : ` of loop ${copy}`}`;
}

/** A line of a region. `eip`: of the instruction that it is of, as the region knows it; undefined: of none. */
export interface RegionLine {
  readonly text: string;
  readonly eip: number | undefined;
}

/** A region, its blocks in their order. `textOf`: what an instruction is for people. */
export function regionLines(ir: RegionIr, textOf?: (eip: number) => string | undefined): RegionLine[] {
  const lines: RegionLine[] = [];
  const add = (text: string, eip?: number) => lines.push({ text, eip });
  if (ir.blocks.keys().next().value !== ir.entry) add(`entry ${printBlock(ir.entry)}`);
  for (const reach of ir.reaches ?? []) add(`begins with ${writeOp(reach, String)}`);
  for (const block of ir.blocks.values()) {
    add(printHead(block));
    let eip: number | undefined;
    const named = (op: Op): Op => (op.kind === 'insn' && textOf !== undefined ? { ...op, text: textOf(op.eip) } : op);
    for (const { op, text } of printLines({ ops: block.ops.map(named) })) {
      if (op.kind === 'insn') eip = op.eip;
      add(`  ${text}`, eip);
    }
  }
  ir.loops.forEach((loop, k) => {
    for (const text of printLoop(loop, k).trimEnd().split('\n')) add(text);
  });
  return lines;
}

/** The same as text. */
export const printRegion = (ir: RegionIr): string =>
  regionLines(ir)
    .map(({ text }) => `${text}\n`)
    .join('');

/** A region from blocks as text. Throws an error that names the line. */
export function readRegion(text: string, mode: number = Mode.CODE32 | Mode.FLAT): RegionIr {
  const blocks = new Map<BlockId, RegionBlock>();
  const parts = text.split(/^(0x[0-9a-f]+(?:@\d+)?):\n/m);
  if (parts[0]!.replace(/^;.*$/gm, '').trim() !== '') throw new Error(`a region begins with the name of a block: "${parts[0]!.trim()}"`);
  for (let i = 1; i < parts.length; i += 2) {
    const { ops } = read(parts[i + 1]!);
    const id = readBlock(parts[i]!);
    blocks.set(id, regionBlock({ id, instructions: ops.filter((op) => op.kind === 'insn').length, ops }));
  }
  const entry = blocks.keys().next().value;
  if (entry === undefined) throw new Error('a region without blocks');
  return reshaped({ eip: eipOf(entry), phys: eipOf(entry), mode, entry, blocks, loops: [] });
}
