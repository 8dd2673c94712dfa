// All lifts in one table, by mnemonic.
import { lifts as arith } from './arith.ts';
import { lifts as bcd } from './bcd.ts';
import { lifts as bit } from './bit.ts';
import { lifts as control } from './control.ts';
import { lifts as data } from './data.ts';
import type { LiftSpec, LiftTable } from './lifter.ts';
import { lifts as logic } from './logic.ts';
import { lifts as mmx } from './mmx.ts';
import { lifts as segment } from './segment.ts';
import { lifts as shift } from './shift.ts';
import { lifts as sse } from './sse.ts';
import { lifts as shared } from './sse-shared-names.ts';
import { lifts as stack } from './stack.ts';
import { lifts as string } from './string.ts';
import { lifts as system } from './system.ts';
import { lifts as transfer } from './transfer.ts';
import { lifts as x87 } from './x87.ts';

const FAMILIES: Record<string, LiftTable> = {
  arith,
  bcd,
  bit,
  control,
  data,
  logic,
  segment,
  shift,
  stack,
  string,
  system,
  transfer,
  mmx,
  sse,
  x87,
};

function merge(families: Record<string, LiftTable>): ReadonlyMap<string, LiftSpec> {
  const all = new Map<string, LiftSpec>();
  for (const [family, table] of Object.entries(families))
    for (const [mnemonic, lift] of Object.entries(table)) {
      if (all.has(mnemonic)) throw new Error(`two lifts of ${mnemonic}, one in ${family}`);
      all.set(mnemonic, typeof lift === 'function' ? { lift } : lift);
    }
  return all;
}

/** The lift of each mnemonic (as iced-x86 names it, in lower case). */
export const LIFTS: ReadonlyMap<string, LiftSpec> = merge(FAMILIES);

/** Lifts of SSE2 instructions that share their mnemonic with a string instruction. */
const SHARED = merge({ shared });

/**
 * The lift of an instruction; what LIFTS alone cannot say depends on the operands: MOVSD and CMPSD have two meanings, MOV ends its
 * block where it loads a control or debug register.
 */
export function liftOf(mnemonic: string, ops: readonly { readonly kind: string }[]): LiftSpec | undefined {
  if (SHARED.has(mnemonic) && !ops.some((op) => op.kind === 'str')) return SHARED.get(mnemonic);
  const spec = LIFTS.get(mnemonic);
  const to = ops[0]?.kind;
  if (spec && (to === 'cr' || to === 'dr') && mnemonic === 'mov') return { ...spec, dispatches: true };
  return spec;
}
