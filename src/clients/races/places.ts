// The client races: where things are in its room, and what a word says of an access.

/** Bits of a word that says what an access is; above them how many bytes it has. */
export const Kind = { READS: 1, WRITES: 2, LOCKED: 4, USER: 8 } as const;
export const BYTES_SHIFT = 16;

/** Offsets in a CPU's room. */
export const OfCpu = {
  /** Accesses left before the next sample, less one; below 0: now. */
  count: 0,
  /** Of the sequence that distances are drawn from; 0: not begun. */
  seed: 4,
  /** The last load but of returns and POP: where in RAM, and its EIP. */
  lastLoad: 8,
  lastEip: 12,
  /** 1 where this CPU's watch is to be taken away at its next access. */
  open: 16,
  windows: 20,
  /** In lockstep: what was left of the turn when it was armed. */
  left: 32,
  /** EIP of the last load that was found to wait. */
  waitedEip: 36,
  /** Conflicts over words that are meant for it, and those that found no room in the table. */
  flags: 24,
  lost: 28,
  table: 64,
} as const;
/** Entries of the table of a CPU, and words in one: EIPs, kinds and CPUs of the watched access and of the one that met it, an address in RAM, how often. */
export const ENTRIES = 512;
export const ENTRY_WORDS = 8;
export const CPU_ROOM = OfCpu.table + ENTRIES * ENTRY_WORDS * 4;

/** Bits of the shadow's byte for eight bytes of RAM: its first and second word are meant for several CPUs; somebody watches there. */
export const Mark = { FLAG: 1, ARMED: 0x80 } as const;

/** A CPU's watch: a version, odd while it is armed; where in RAM, bytes, EIP, kind; in lockstep instructions that the CPU had executed and had left of its turn. */
export const WATCH_WORDS = 16;
/** EIPs of loads with a PAUSE behind them that are known. */
export const WAITS = 255;

/** Offsets in the room of all CPUs; `words` and behind it are of 32 bits. */
export function ofAll(ramBytes: number, cpus: number): { readonly words: number; readonly waits: number; readonly bytes: number } {
  const words = Math.ceil((ramBytes / 8 + 2) / 64) * 64;
  const waits = cpus * WATCH_WORDS;
  return { words, waits, bytes: words + (waits + WAITS + 1) * 4 };
}
