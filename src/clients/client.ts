// What a client is (docs/clients.md): an object whose hooks add operations to the guest's code where that is made, and which reports what they found. One definition serves both engines.
import type { AccessPlace, BranchPlace, CrossingPlace, InstructionPlace, Level, RegionPlace } from '../instrument/hooks.ts';
import type { BlockStart } from '../instrument/instrument.ts';
import type { ClientBuilder } from './builder.ts';
import type { MachineFacts, Room } from './room.ts';
import type { ClientView } from './view.ts';

export type { AccessPlace, BranchPlace, CodePiece, CrossingPlace, InstructionPlace, Level, RegionPlace } from '../instrument/hooks.ts';
export type { Form, FormOperand, OperandKind } from '../lift/form.ts';
export type { ClientBuilder, Touched } from './builder.ts';
export type { MachineFacts, Ring, Room, Shadow } from './room.ts';
export type { ClientView } from './view.ts';

/** The start of a block of guest instructions. */
export interface BlockPlace extends Pick<BlockStart, 'engine' | 'eip' | 'instructions'> {
  readonly level: Level;
}

/** EIPs (linear addresses, in flat code) from the first to below the second. */
export type Range = readonly [from: number, to: number];

/** A call of a client's function. */
export interface Call {
  /** The CPU's index. */
  readonly cpu: number;
  readonly number: number;
  /** Five, of which those that it did not give are 0. */
  readonly values: readonly number[];
  /** Where it asked for exact state (then ClientView.register has the general registers); else both are 0. */
  readonly eip: number;
  readonly eflags: number;
}

/** A way into the kernel, or out of it. */
export interface Crossing {
  readonly cpu: number;
  readonly to: Level;
  /** By which exception or interrupt the kernel is entered, and where (`by`: 'instruction' is INT n and its like); undefined: by an instruction without a vector, as SYSENTER. */
  readonly delivery: { readonly vector: number; readonly eip: number; readonly by: 'exception' | 'interrupt' | 'instruction' } | undefined;
}

/**
 * A client. Its hooks are called where code is made, on any thread and as often as code is made anew: they must add the same wherever they are called, and may keep nothing. What the code
 * finds is in the client's room.
 */
export interface Client {
  /** Code of which level it is for; undefined: of both. Where its request says so, that counts. */
  readonly level?: Level | undefined;
  /** Code at which EIPs; undefined: at any. A block is where it begins. */
  readonly ranges?: readonly Range[] | undefined;
  readonly room?: Room;
  /** Each callIf of its hooks is a callExactIf: `called` finds all of the CPU's state, and code that it looks at is made so that this is as the guest would have it. */
  readonly exactState?: boolean;
  /** It cuts CPUs' turns in lockstep (ClientView.cutTurn): the run is another one than without it, and none that a recording could be of. */
  readonly cutsTurns?: boolean;
  /** Adds to the start of a region, which is translated code: what is done each time that it is entered. The interpreter has none. */
  region?(b: ClientBuilder, at: RegionPlace): void;
  /** Adds to the start of a block. */
  block?(b: ClientBuilder, at: BlockPlace): void;
  /** Adds to the start of an instruction. */
  instruction?(b: ClientBuilder, at: InstructionPlace): void;
  /** Adds behind an access of guest memory. */
  access?(b: ClientBuilder, at: AccessPlace): void;
  /** Adds in front of a branch. */
  branch?(b: ClientBuilder, at: BranchPlace): void;
  /** Adds to each way from CPL 3 into the kernel, or out of it: in one of the two, as `at.to` says. Of code of any level and at any EIP. */
  crossing?(b: ClientBuilder, at: CrossingPlace): void;
  /** ClientBuilder.callIf, on the CPU's thread, in the middle of an instruction: of the guest's state it may read what `view` gives and nothing else. It may not throw. */
  called?(view: ClientView, call: Call): void;
  /** The CPU comes into the kernel (from CPL 3), or leaves it; on its thread, in the middle of that. It may not throw. */
  crossed?(view: ClientView, crossing: Crossing): void;
  /** On the thread of the machine's user, while no CPU runs: before the first of its code, and behind the last. */
  attached?(view: ClientView): void;
  detached?(view: ClientView): void;
  /** What it has found by now: what JSON can say. On the thread of the machine's user, while CPUs run. */
  report(view: ClientView): unknown;
  /** The run has ended with the client attached; on the thread of the machine's user. What it throws, run() rejects with. */
  ended?(view: ClientView): void;
  /** AttachedClient.ask, as report(). Throws a DragomanError for what it does not know. */
  ask?(view: ClientView, question: string): unknown;
}

/** Options of a client, as texts. */
export type OptionTexts = Readonly<Record<string, string>>;

/** What a client's module exports as `default`. Called on each thread that makes code. Throws an Error for options that it does not know. */
export type MakeClient = (options: OptionTexts, machine: MachineFacts) => Client;
