// The code cache as programs see it: which regions are translated now, where the CPUs are among them, and what one of them is made of.
import type { EncoderName } from '../emit/module/builder.ts';
import type { Relaxation } from './relax.ts';

/** A region: basic blocks of a guest's code that are one function of WebAssembly. What is said of it never changes. */
export interface CodeRegion {
  /** Whole numbers from 1 on, never used again. It is gone when the region is: made anew, dropped with all others, or its code has changed (should the code come back as it was, so does the region). */
  readonly id: number;
  /** Guest physical address of its first byte. */
  readonly physical: number;
  /** EIP of its entry: in flat code (nearly all of it) its linear address. Where `floats`, the offset in its page. */
  readonly address: number;
  /** Flat code of programs, which each process maps where it likes: it is one region for all of them and has no linear address. */
  readonly floats: boolean;
  readonly level: 'kernel' | 'user';
  /** Default size of operands. */
  readonly bits: 16 | 32;
  /** 'name' or 'name+0x1f' of its entry, where names are known (Machine.loadSymbols). Only of code that does not float. */
  readonly symbol: string | undefined;
  /** Guest physical addresses of the code that it was made from: pairs of a first byte and the byte behind the last, in their order, each on one page. */
  readonly ranges: readonly number[];
  /** How many bytes that are. */
  readonly codeBytes: number;
  /** Guest instructions, and basic blocks; those of copies of callees count. */
  readonly instructions: number;
  readonly blocks: number;
  /** Bytes of its function in WebAssembly. */
  readonly wasmBytes: number;
  readonly encoder: EncoderName;
  /** Another run had made it (option codeCache). */
  readonly fromCache: boolean;
  /** The CPU that alone has it (without the relaxation `shared`); undefined: all have. */
  readonly cpu: number | undefined;
  /** What its code relies on (docs/relaxations.md), of what decides about code. */
  readonly relaxations: readonly Relaxation[];
  /** Physical addresses of code on its page that it goes on to by a constant table slot: those of other regions, where these are translated already, or will be. */
  readonly links: readonly number[];
  /** Physical addresses of the small functions of which it has a copy in the place of a call. */
  readonly callees: readonly number[];
}

/** Where a CPU was when it last said so: some milliseconds ago where it runs, now where it stands still. */
export interface CpuPlace {
  readonly cpu: number;
  /** Linear. */
  readonly address: number;
  /** The region that this is in; undefined: in none, so the interpreter runs it (or it waits). */
  readonly region: number | undefined;
}

/** How often a region was found to be where a CPU is. */
export interface RegionHeat {
  readonly id: number;
  /** So far. */
  readonly samples: number;
}

/** What Machine.regions() gives. */
export interface CodeRegions {
  /** For `since` of the next call. */
  readonly generation: number;
  /** `regions` are all that there are: nothing of before holds any more. */
  readonly whole: boolean;
  /** Those that came since the generation that was asked for, in the order in which they were made. */
  readonly regions: readonly CodeRegion[];
  /** Ids of those that went since then. */
  readonly gone: readonly number[];
  readonly cpus: readonly CpuPlace[];
  /**
   * Of the regions that were sampled since then. A call of regions() samples: where each CPU has looked at its pending word, or entered code by a slow way, since the call before (the last 16 such places at the most). No
   * translated code counts anything for it.
   */
  readonly heat: readonly RegionHeat[];
}

export interface RegionsOptions {
  /** The generation of an answer of before: only what has changed since then is wanted. Default, or one that is too old: all. */
  readonly since?: number | undefined;
}

/** An instruction of a region. */
export interface RegionInstruction {
  /** As CodeRegion.address says. */
  readonly address: number;
  readonly physical: number;
  readonly bytes: Uint8Array;
  /** Intel syntax. */
  readonly text: string;
  /** Number of its basic block, from 0 on in the order of addresses. */
  readonly block: number;
  /** It is of a copied callee. */
  readonly inlined: boolean;
}

/** A line of text. */
export interface RegionLine {
  readonly text: string;
  /** What it is of: an index of RegionCode.instructions; undefined: of none, or of all. */
  readonly instruction: number | undefined;
}

/** What is made of a region's guest code. */
export interface RegionCode {
  readonly instructions: readonly RegionInstruction[];
  /** The intermediate representation (docs/ir.md) behind all passes. */
  readonly ir: readonly RegionLine[];
  /** The function that is given to the encoder, in WebAssembly's text format but for branch hints and type names. */
  readonly wasm: readonly RegionLine[];
  readonly counts: RegionCounts;
}

export interface RegionCounts {
  /** Guest instructions that are translated, copies of callees among them. */
  readonly instructions: number;
  /** Operations of the IR. */
  readonly operations: number;
  /** Operators of WebAssembly. */
  readonly expressions: number;
  /** Bytes of the function as the encoder `direct` writes it, whichever wrote the one that runs: so they can be compared. */
  readonly wasmBytes: number;
}

/** What a region would be without a relaxation. */
export interface RelaxationEffect {
  readonly relaxation: Relaxation;
  /** It decides about code; the others (entries, holes, segments) each CPU goes by while it runs, so they leave the code as it is. */
  readonly ofCode: boolean;
  /** The region relies on it. */
  readonly inForce: boolean;
  /** The same code without it; undefined where it is not in force, or decides about no code. */
  readonly without: RegionCode | undefined;
  /** Whether that is another function. */
  readonly changes: boolean;
}

/** A region in full. */
export interface InspectedRegion extends RegionCode {
  readonly region: CodeRegion;
  /** All relaxations that there are. */
  readonly relaxations: readonly RelaxationEffect[];
}
