// Where hooks of instruments are called: a region, an instruction, an access of guest memory, a branch, a way into the kernel or out of it.

import type { Value } from '../ir/types.ts';
import { Mode } from '../layout/cpu.ts';
import type { Form } from '../lift/form.ts';

/** CPL 0 to 2, and CPL 3. */
export type Level = 'kernel' | 'user';
/** That of code of a mode. */
export const codeLevel = (mode: number): Level => ((mode & Mode.USER) !== 0 ? 'user' : 'kernel');

/** An instruction that code is made for. What its functions give are values at that place, made there by who calls. */
export interface InstructionPlace {
  /** 'runtime': an access that a function of the runtime has made (runtime-places.ts). */
  readonly engine: 'interpreter' | 'region' | 'runtime';
  readonly level: Level;
  /** Its form: mnemonic, kinds and sizes of operands. Which registers and numbers it has is not known where a handler is made. */
  readonly form: Form;
  /** Its EIP, and that behind it (i32): offsets in CS, in flat code linear addresses. */
  eip(): Value;
  next(): Value;
  /** 1; 0 where a region has begun the instruction and left it to the interpreter, which does it from its start (i32). */
  fresh(): Value;
  /** A general register as it is at this place (i32). */
  register(number: number): Value;
}

/** An access of guest memory, which has been made. */
export interface AccessPlace extends InstructionPlace {
  /** Linear address of its first byte (i32). */
  readonly address: Value;
  /** How many bytes, where that is known: 1 to 16. undefined: a run of a string instruction, of any number. */
  readonly size: number | undefined;
  /** The same as a value (i32); of a run 0, too. */
  readonly bytes: Value;
  /** Both: an instruction that reads what it then writes, which comes here once, behind its store. */
  readonly reads: boolean;
  readonly writes: boolean;
  /** As one, for all CPUs (LOCK, XCHG). */
  readonly locked: boolean;
  /** Where its first byte is in guest RAM, which is its physical address (i32); the number of bytes of RAM: it is not in RAM, or this cannot be known without a look at the page tables. */
  ramOffset(): Value;
}

/** A branch, which is about to be made: behind all else that its instruction does. */
export interface BranchPlace extends InstructionPlace {
  /** 'far': to other segments or another privilege level, as INT n, IRET, SYSENTER and far jumps do. */
  readonly kind: 'conditional' | 'jump' | 'call' | 'return' | 'far';
  /** It leads where its instruction says, whatever registers and memory hold. */
  readonly direct: boolean;
  /** Whether control goes there and not on behind it: 0 or 1 (i32). */
  taken(): Value;
  /** EIP of where it leads where it is taken (i32); undefined of 'far'. */
  target(): Value | undefined;
  /** EIP of where control goes now (i32); undefined of 'far'. */
  to(): Value | undefined;
}

/** Code of the guest's, by linear address: from `eip` to below `end`. */
export interface CodePiece {
  readonly eip: number;
  readonly end: number;
  readonly instructions: number;
}

/** The start of a region: a function of WebAssembly that has been made of blocks, and is entered. */
export interface RegionPlace {
  readonly level: Level;
  /** EIP of where it begins. */
  readonly entry: number;
  /** Its blocks, by their EIPs: each once, however often it stands in the region, and none twice. A callee that was grown into its caller has its own. */
  readonly blocks: readonly CodePiece[];
  /** Of all of them together. */
  readonly bytes: number;
  readonly instructions: number;
}

/** A CPU comes into the kernel from CPL 3, or goes there: on the way, what it comes to is not entered yet. */
export interface CrossingPlace {
  readonly to: Level;
  /** What the kernel is entered by (i32): CrossedBy; 0 of a way out, and of an instruction without a vector. */
  by(): Value;
  /** Which exception or interrupt, or INT n (i32); else 0. */
  vector(): Value;
  /** EIP of the instruction that was interrupted, or is INT n (i32); else 0. */
  eip(): Value;
  /** A general register (i32); ESP may be that of either side. */
  register(number: number): Value;
}
