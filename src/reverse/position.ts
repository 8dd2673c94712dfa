// Where a lockstep run stands. The same run comes through the same positions, and through each in the same state.

export interface Position {
  /** Turns that are done. */
  readonly turn: number;
  /** Units of the turn that is under way which are done; 0: none is. */
  readonly done: number;
  /** Of the machine's clock, nanoseconds: between turns it goes on where all CPUs wait. */
  readonly ns: number;
  /** Inputs that devices have got. */
  readonly inputs: number;
}

/** Less than 0: `a` is before `b`. */
export const compare = (a: Position, b: Position): number => a.turn - b.turn || a.done - b.done || a.ns - b.ns || a.inputs - b.inputs;
