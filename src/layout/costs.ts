// Where translated code and the interpreter lose time inside WebAssembly: ways of the runtime that are slow, counted and timed where instructions are counted.
import { struct, u64 } from './struct.ts';

/** What a way was taken for (wasm/engine/costs.ts). */
export const SlowPath = {
  /** A page walk and the entry of the TLB that comes of it. */
  TLB_MISS: 0,
  /** Exceptions: to their handlers. */
  FAULT: 1,
  INTERRUPT: 2,
  /** INT n, SYSENTER. */
  ENTRY: 3,
  /** IRET, SYSEXIT. */
  RETURN: 4,
  /** Far calls, jumps and returns. */
  FAR: 5,
  /** Loads of segment registers that no proof stands for. */
  SEGMENT: 6,
  /** Code by CS:EIP that is not in the jump cache. */
  LOOKUP: 7,
  /** Stores to pages with code. */
  CODE_STORE: 8,
  /** Waiting until the other CPUs stand still. */
  EXCLUSIVE: 9,
} as const;
export const SLOW_PATHS = 10;

/** Of so many times that a way is taken the first is timed: a look at the host's clock takes as long as some of them. A power of two. */
export const TIMED_EACH = 64;

/** How often a way was taken, and nanoseconds that those took that were timed. */
export const SlowCost = struct({ count: u64, ns: u64 });
