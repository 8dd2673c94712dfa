// Lockstep machines that can go back: what their users may say of it.

/** Instructions between two checkpoints. */
export const CHECKPOINT_EVERY = 20_000_000;
/** Bytes of checkpoints. */
export const CHECKPOINT_MEMORY = 512 * 1024 * 1024;

export interface ReverseOptions {
  /** Bytes that checkpoints may take of the host's memory, at least so that two are kept: when they are more, some of the older ones are dropped, so that the further back, the fewer there are. Default: CHECKPOINT_MEMORY. */
  readonly memoryBytes?: number | undefined;
  /** Instructions between two checkpoints, of all CPUs together: to go back, the machine runs up to so many again. 10,000 to 2^40. Default: CHECKPOINT_EVERY. */
  readonly every?: number | undefined;
}
