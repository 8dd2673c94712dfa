// The way of a region, from guest instructions to all that emission must know: grown (grow.ts), lifted, passed through what makes it
// shorter, instrumented where somebody asks (once more, without what loses flags, where an instrument wants the CPU's state), analysed. A pass takes a region and gives one; an analysis says something of the last of them. Knows no Wasm.

import type { Instrument } from '../instrument/instrument.ts';
import type { BlockId } from '../ir/blocks.ts';
import type { Op } from '../ir/operations.ts';
import { mapBlocks, type RegionIr } from '../ir/region.ts';
import { Mode } from '../layout/cpu.ts';
import { cachedBases, cachedStack, switchesStacks } from '../passes/address-bases.ts';
import { dropDeadFlags } from '../passes/dead-flags.ts';
import { dirtyRegisters } from '../passes/dirty-registers.ts';
import { deadAtInstructions, liveFlags } from '../passes/flag-liveness.ts';
import { flagShapes, type Shapes } from '../passes/flag-shapes.ts';
import { dropPassedChecks } from '../passes/passed-checks.ts';
import { stackAccesses } from '../passes/stack-accesses.ts';
import { dropStateAccesses } from '../passes/state-accesses.ts';
import { vectorRegisters } from '../passes/vector-registers.ts';
import { runtime } from '../runtime/abi.ts';
import type { Region } from './grow.ts';
import { instrumented, regionStart } from './instrumented.ts';
import { liftRegion } from './lift.ts';
import { copyLoops } from './loops.ts';
import { verifyRegion } from './verify.ts';

const NONE: ReadonlySet<Op> = new Set();

/** `precise`: a fault's frame has the flags as its instruction found them. */
export type Pass = (ir: RegionIr, precise: boolean) => RegionIr;

/** All passes, in their order. */
export const PASSES = {
  'state-accesses': (ir) => mapBlocks(ir, dropStateAccesses),
  'passed-checks': dropPassedChecks,
  'stack-accesses': stackAccesses,
  'vector-registers': vectorRegisters,
  'dead-flags': (ir, precise) => mapBlocks(ir, (ops) => dropDeadFlags(ops, precise)),
  loops: copyLoops,
} as const satisfies Record<string, Pass>;
export type PassName = keyof typeof PASSES;

/** What is asked of a translation. */
export interface Demands {
  /** What sees or steers the guest (instrument/). */
  readonly instruments?: readonly Instrument[];
  /** Where the kernel's direct map begins (Control.directOrigin); undefined: none is known, or nothing may rely on it. */
  readonly directOrigin?: number | undefined;
  /** Accesses of the kernel's stack in the direct map are looked for once, together (the relaxation `stack`). Only with instruments that allow for it. */
  readonly stack?: boolean;
  /** A fault in code of the kernel finds in its frame the flags that its instruction found, even if nobody needs them to go on. Default: true. */
  readonly precise?: boolean;
  /** Bytes of guest RAM, for instruments that want to know where accesses are. */
  readonly ramBytes?: number;
  /** Loops may have unchecked copies; else their blocks stand once. Default: true. */
  readonly copies?: boolean;
  /** Verify the region behind each pass. */
  readonly verify?: boolean;
}

/** A region as it is emitted, and what is known of it. */
export interface Translation {
  readonly ir: RegionIr;
  /** What instruments want done each time that it is entered: no loads, no stores, no terminator. */
  readonly start: readonly Op[];
  /** In which form the flags arrive at each block, and leave it. */
  readonly shapes: Shapes;
  /** Instructions at whose start the flags need not be made for a fault. */
  readonly deadFlags: ReadonlySet<Op>;
  /** What addresses are relative to whose page is worth locals, and whether something is stored through it. */
  readonly bases: ReadonlyMap<string, boolean>;
  /** Registers that may differ from memory at the start of each block, a bit for each (passes/dirty-registers.ts). */
  readonly dirty: ReadonlyMap<BlockId, number>;
}

/** Whether accesses of a region are looked for in the kernel's direct map. */
export const reliesOnMap = ({ mode }: RegionIr, directOrigin: number | undefined): directOrigin is number =>
  directOrigin !== undefined && (mode & Mode.USER) === 0;

/** Entries of kernels push onto stacks that are not in their direct map, and go to one that is: there the stack's page is remembered. */
const stackBeside = (ir: RegionIr): Map<string, boolean> => (switchesStacks(ir) ? cachedStack(ir) : new Map());

/** Whether an instrument calls somebody who gets the CPU's state as it is there, flags too. */
const asksForState = ({ blocks }: RegionIr): boolean =>
  [...blocks.values()].some(({ ops }) => ops.some((op) => op.kind === 'helper' && op.name === runtime.clientCallExact.name));

export function translate(region: Region, demands: Demands = {}): Translation {
  const translation = translateOnce(region, demands, false);
  // What nobody but a fault could see was dropped before that was known.
  const { instruments = [] } = demands;
  return instruments.length > 0 && asksForState(translation.ir) ? translateOnce(region, demands, true) : translation;
}

/** `exact`: flags are made where they are set, whoever looks at them. */
function translateOnce(
  region: Region,
  { instruments = [], directOrigin, stack = false, precise: wanted = true, copies = true, ramBytes = 0, verify = false }: Demands,
  exact: boolean,
): Translation {
  const precise = exact || wanted || (region.mode & Mode.USER) !== 0;
  let ir = liftRegion(region);
  if (verify) verifyRegion(ir, 'the lift');
  const once = !copies || instruments.some(({ stops }) => stops);
  const through = (name: string, pass: Pass) => {
    ir = pass(ir, precise);
    if (verify) verifyRegion(ir, name);
  };
  const without = new Set<string>();
  if (once) without.add('loops');
  if (exact) without.add('dead-flags');
  if (!stack || !instruments.every(({ repeats }) => repeats) || !reliesOnMap(ir, directOrigin)) without.add('stack-accesses');
  for (const [name, pass] of Object.entries<Pass>(PASSES)) if (!without.has(name)) through(name, pass);
  if (instruments.length > 0) {
    const origin = reliesOnMap(ir, directOrigin) ? directOrigin : undefined;
    through('instruments', (last) => instrumented(last, instruments, region, { ramBytes, directOrigin: origin }));
  }
  const live = liveFlags(ir, precise);
  return {
    ir,
    start: regionStart(region, instruments),
    shapes: flagShapes(ir, live),
    deadFlags: precise ? NONE : deadAtInstructions(ir, live),
    bases: reliesOnMap(ir, directOrigin) ? stackBeside(ir) : cachedBases(ir),
    dirty: dirtyRegisters(ir),
  };
}
