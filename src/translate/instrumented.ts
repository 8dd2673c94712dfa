// The pass that gives a region its instruments (instrument/instrument.ts): behind all others, so that what these make of the guest's own
// operations stays as it is.

import type { Instruction } from '../decode/instruction.ts';
import { hasHooks, type Weaving, woven } from '../instrument/hooks.ts';
import { atStart, type BlockStart, type Instrument, throughOperations } from '../instrument/instrument.ts';
import { type CodePiece, codeLevel, type Level, type RegionPlace } from '../instrument/places.ts';
import { eipOf } from '../ir/blocks.ts';
import { Builder } from '../ir/builder.ts';
import type { Op } from '../ir/operations.ts';
import type { RegionBlock, RegionIr } from '../ir/region.ts';
import { floats } from '../layout/cpu.ts';
import { eipAt } from '../lift/region-leaves.ts';
import type { Region } from './grow.ts';

const startOf = (b: Builder, { id, instructions }: RegionBlock, mode: number): BlockStart => ({
  engine: 'region',
  eip: () => (floats(mode) ? eipAt(b, b.const(eipOf(id))) : b.const(eipOf(id))),
  instructions: () => b.const(instructions),
  mode,
});

/** Instructions of a region by their EIPs. */
const instructionsOf = ({ blocks }: Region): Map<number, Instruction> =>
  new Map([...blocks.values()].flatMap(({ instructions }) => instructions.map((x) => [x.eip, x])));

/** What the instruments add in front of a region, each time that it is entered. */
export function regionStart(region: Region, instruments: readonly Instrument[]): readonly Op[] {
  const level = codeLevel(region.mode);
  const here = instruments.filter((one) => one.region !== undefined && one.covers?.(level, region.entry) !== false);
  if (here.length === 0) return [];
  const b = new Builder();
  const place = placeOf(region, level);
  for (const instrument of here) instrument.region!(b, place);
  return b.code.ops;
}

function placeOf({ entry, blocks: all }: Region, level: Level): RegionPlace {
  const blocks = new Map<number, CodePiece>();
  for (const { eip, end, instructions } of all.values()) blocks.set(eip, { eip, end, instructions: instructions.length });
  const list = [...blocks.values()].sort((a, b) => a.eip - b.eip);
  const sum = (of: (piece: CodePiece) => number) => list.reduce((total, piece) => total + of(piece), 0);
  return { level, entry, blocks: list, bytes: sum(({ eip, end }) => end - eip), instructions: sum(({ instructions }) => instructions) };
}

/** `ir`, which `region` became, with what the instruments add, in their order, to each block that has instructions. `ramBytes`, `directOrigin`: see Weaving. */
export function instrumented(
  ir: RegionIr,
  instruments: readonly Instrument[],
  region?: Region,
  { ramBytes, directOrigin }: Pick<Weaving, 'ramBytes' | 'directOrigin'> = { ramBytes: 0 },
): RegionIr {
  const level = codeLevel(ir.mode);
  const known = region !== undefined && instruments.some(hasHooks) ? instructionsOf(region) : undefined;
  const weaving: Weaving = { engine: 'region', level, ramBytes, directOrigin, instruction: (eip) => known!.get(eip!)! };
  const blocks = new Map<number, RegionBlock>();
  for (const [id, block] of ir.blocks) {
    let ops = throughOperations(block.ops, instruments);
    ops = woven(ops, instruments, weaving);
    if (block.instructions > 0)
      ops = atStart(ops, (b) => {
        for (const instrument of instruments)
          if (instrument.covers?.(level, eipOf(id)) !== false) instrument.block?.(b, startOf(b, block, ir.mode));
      });
    blocks.set(id, { ...block, ops });
  }
  return { ...ir, blocks };
}
