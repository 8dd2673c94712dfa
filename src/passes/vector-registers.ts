// Where a loop works on xmm registers, the region has them in locals, as it has the general ones: accesses to their places in the CPU's state become operations on
// registers. Outside of loops that would only be more to load and store at the region's ends.
import { effectsOf, type Op, type OpOf } from '../ir/operations.ts';
import { mapBlocks, type RegionIr } from '../ir/region.ts';
import type { Type } from '../ir/types.ts';
import { CODE_XMMS, Cpu } from '../layout/cpu.ts';
import { loopDepths } from './address-bases.ts';
import { placeOf } from './state-accesses.ts';

const START = Cpu.at.xmm;
const BYTES = 16;
const END = START + CODE_XMMS * BYTES;
/** Bytes of a value that is a whole register, or a lane of one. */
const WIDTH: Partial<Record<Type, number>> = { i32: 4, i64: 8, v128: BYTES };

/** The register, and the lane, that an access is for; undefined: it is for something else, `unclear`: for a part of one that is no lane, or nobody knows where. */
function registerOf(ops: readonly Op[], op: OpOf<'ldstate' | 'ststate'>): { xmm: number; lane?: number } | 'unclear' | undefined {
  const at = placeOf(ops, op);
  if (at === undefined) {
    const { within } = op as OpOf<'ststate'>;
    return within?.every((place) => place.end <= START || place.at >= END) ? undefined : 'unclear';
  }
  if (at + op.bytes <= START || at >= END) return undefined;
  const type = op.kind === 'ldstate' ? op.type : (ops[op.value] as { type: Type }).type;
  const from = (at - START) % BYTES;
  if (WIDTH[type] !== op.bytes || from % op.bytes !== 0) return 'unclear';
  const xmm = (at - START - from) / BYTES;
  return type === 'v128' ? { xmm } : { xmm, lane: from / op.bytes };
}

/** Whether an operation sees xmm registers in memory, or perhaps does. */
function seesMemory(op: Op, ops: readonly Op[]): boolean {
  if (op.kind === 'helper') return effectsOf(op).vectors === true;
  return op.kind === 'ststate' && registerOf(ops, op) === 'unclear';
}

function inRegisters(ops: readonly Op[]): readonly Op[] {
  let out: Op[] | undefined;
  for (let i = 0; i < ops.length; i++) {
    const op = ops[i]!;
    if (op.kind !== 'ldstate' && op.kind !== 'ststate') continue;
    const register = registerOf(ops, op);
    if (register === undefined || register === 'unclear') continue;
    out ??= ops.slice();
    out[i] = op.kind === 'ldstate' ? { kind: 'getx', type: op.type, ...register } : { kind: 'setx', ...register, value: op.value };
  }
  return out ?? ops;
}

export function vectorRegisters(ir: RegionIr): RegionIr {
  const { flow, blocks } = ir;
  if (flow.loops.size === 0) return ir;
  const depth = loopDepths(flow);
  let worth = false;
  for (const n of flow.order) {
    const { ops } = blocks.get(n)!;
    for (let i = 0; i < ops.length; i++) {
      const op = ops[i]!;
      if (seesMemory(op, ops)) return ir;
      if (op.kind !== 'ldstate' && op.kind !== 'ststate') continue;
      const register = registerOf(ops, op);
      if (register === 'unclear') {
        // A load that is not known to be elsewhere.
        if (placeOf(ops, op) !== undefined) return ir;
      } else if (register !== undefined && depth.get(n)! > 0) worth = true;
    }
  }
  return worth ? mapBlocks(ir, inRegisters) : ir;
}
