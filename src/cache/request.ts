// What a translator is asked for: code at a place, in a mode, for all CPUs or one.

export interface Request {
  readonly phys: number;
  readonly eip: number;
  readonly mode: number;
  /** Index of the CPU that alone gets the region (without the relaxation `shared`); undefined: all get it. */
  readonly owner?: number | undefined;
}
