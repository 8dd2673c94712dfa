// The seam for whoever wants to see or to steer what the guest runs: an instrument adds operations to the IR of each block, or changes
// those that are there. The same lines serve both engines: regions get them by a pass behind all others (translate/pipeline.ts), the
// interpreter by the head of its blocks (emit/interpreter/handlers.ts), of which there is one for each set of instruments. Without
// instruments neither emits a byte more.
import { Builder } from '../ir/builder.ts';
import { mapOperands, type Op } from '../ir/operations.ts';
import type { Value } from '../ir/types.ts';
import type { AccessPlace, BranchPlace, CrossingPlace, InstructionPlace, Level, RegionPlace } from './places.ts';

/** The start of a block of guest instructions. */
export interface BlockStart {
  readonly engine: 'interpreter' | 'region';
  /** EIP of its first instruction (i32). */
  eip(): Value;
  /** How many instructions it has (i32). */
  instructions(): Value;
  /** Mode bits of its code; undefined: those that the CPU has then. */
  readonly mode: number | undefined;
  /** Level of its code, where whoever gives it knows no mode but that. */
  readonly level?: Level;
}

export interface Instrument {
  readonly name: string;
  /** Adds to the start of each block. The CPU's registers and flags are those of its first instruction, which has not begun. */
  block?(b: Builder, start: BlockStart): void;
  /** Adds to the start of each instruction, behind what is added to its block. */
  instruction?(b: Builder, at: InstructionPlace): void;
  /** Adds behind each access of guest memory. */
  access?(b: Builder, at: AccessPlace): void;
  /** Adds in front of each branch. */
  branch?(b: Builder, at: BranchPlace): void;
  /** Adds to the start of a region: what is done each time that the region is entered. Regions alone have it, in front of their first block. */
  region?(b: Builder, at: RegionPlace): void;
  /** What the runtime does where a CPU comes from CPL 3, or goes there (clients alone: runtime-places.ts). */
  crossing?(b: Builder, at: CrossingPlace): void;
  /** Whether it wants anything of code of a level at an EIP; undefined: of some code of that level. Without it: of all. */
  covers?(level: Level, eip: number | undefined): boolean;
  /** EIPs that it wants something of, from the first to below the second; undefined: any. */
  readonly ranges?: readonly (readonly [from: number, to: number])[] | undefined;
  /** What an operation becomes, of the same type and effects. */
  operation?(op: Op): Op;
  /** The guest may be stopped at the start of each block: no copies of loops that make many passes without a look at anything. */
  readonly stops?: boolean;
  /** What it adds to a block may be done once more, where a region is left at its start to be run otherwise. */
  readonly repeats?: boolean;
  /** Ways from one piece of code to the next count themselves (emit/lower/transfer-counts.ts): the interpreter has handlers of its own for it (handlers-prof.wasm), whose heads all have it. */
  readonly transfers?: boolean;
}

/** The operations of a block, whose first one is the start of its first instruction, with those of `add` behind that. */
export function atStart(ops: readonly Op[], add: (b: Builder) => void): Op[] {
  const b = new Builder();
  b.push(ops[0]!);
  add(b);
  const out = b.code.ops;
  const by = out.length - 1;
  for (const op of ops.slice(1)) out.push(mapOperands(op, (v) => v + by));
  return out;
}

/** A list of operations as all of the instruments leave it, but for what they add to blocks. */
export function throughOperations(ops: readonly Op[], instruments: readonly Instrument[]): readonly Op[] {
  return instruments.reduce((list, { operation }) => (operation === undefined ? list : list.map(operation)), ops);
}
