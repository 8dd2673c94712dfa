// Samples of the client flame (docs/clients.md) as a CPU leaves them in its ring (CpuArea.flame): where it was, and who called that (wasm/engine/sample.ts).
import { array, struct, u32, u64 } from './struct.ts';

/** Return addresses of a sample at the most. */
export const FLAME_DEPTH = 54;
/** Samples in a ring; a power of two. */
export const FLAME_RECORDS = 1024;

export const FlameRecord = struct({
  /** Linear address of the next instruction. */
  eip: u32,
  /** Where the function that has not made its frame yet returns to; 0: it has. */
  above: u32,
  cr3: u32,
  /** Privilege level, FlameInfo, and from bit 16 on how many `frames` there are. */
  info: u32,
  /** Nanoseconds that it stands for; 0: as many as there are from one sample to the next. */
  ns: u64,
  /** Nanoseconds that the CPU has waited in HLT so far. */
  idleNs: u64,
  /** Samples so far that found the ring full, modulo 2^32. */
  lost: u32,
  unused: u32,
  /** Linear return addresses, the innermost first. */
  frames: array(FLAME_DEPTH, u32),
});
export const FlameInfo = {
  CPL: 3,
  /** There are more frames than are kept. */
  CUT: 4,
} as const;
export const FLAME_COUNT_SHIFT = 16;
