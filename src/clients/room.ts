// Room of clients in a machine's memory: how much one wants, where it is, and what may lie in it.

/** The machine, as a client may know it where its hooks are called. */
export interface MachineFacts {
  readonly cpus: number;
  readonly ramBytes: number;
}

/** Bytes that a client has in the machine's memory, all 0 when it is attached: of each CPU, and of all together. */
export interface Room {
  readonly cpu?: number;
  readonly shared?: number;
}

/** Where a client's room is: that of a CPU from the start of its state on, that of all by its address. */
export interface Placed {
  readonly cpu: number;
  readonly shared: number;
}

/** A ring of records in the room of each CPU: where it is there, records (a power of two), and words of 32 bits in one. It takes RING_HEAD bytes and those of its records. */
export interface Ring {
  readonly offset: number;
  readonly records: number;
  readonly words: number;
}
/** Bytes in front of a ring's records, which count how many there have been. */
export const RING_HEAD = 16;
/** Bytes of a ring. */
export const ringBytes = ({ records, words }: Omit<Ring, 'offset'>): number => RING_HEAD + records * words * 4;

/** Where a shadow is (ClientBuilder.checkShadow). */
export interface Shadow {
  /** In the room of all CPUs: limit / 8 + 1 bytes. */
  readonly shadow: number;
  readonly origin: number;
  readonly limit: number;
  /** In the room of each CPU. */
  readonly inside: number;
}
