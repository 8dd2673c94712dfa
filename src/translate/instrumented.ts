// The pass that gives a region its instruments (instrument/instrument.ts): behind all others, so that what these make of the guest's own
// operations stays as it is.
import { atStart, type BlockStart, type Instrument, throughOperations } from '../instrument/instrument.ts';
import { eipOf } from '../ir/blocks.ts';
import type { Builder } from '../ir/builder.ts';
import type { RegionBlock, RegionIr } from '../ir/region.ts';

const startOf = (b: Builder, { id, instructions }: RegionBlock, mode: number): BlockStart => ({
  engine: 'region',
  eip: () => b.const(eipOf(id)),
  instructions: () => b.const(instructions),
  mode,
});

/** `ir` with what the instruments add, in their order, to each block that has instructions. */
export function instrumented(ir: RegionIr, instruments: readonly Instrument[]): RegionIr {
  const blocks = new Map<number, RegionBlock>();
  for (const [id, block] of ir.blocks) {
    let ops = throughOperations(block.ops, instruments);
    if (block.instructions > 0)
      ops = atStart(ops, (b) => {
        for (const instrument of instruments) instrument.block?.(b, startOf(b, block, ir.mode));
      });
    blocks.set(id, { ...block, ops });
  }
  return { ...ir, blocks };
}
