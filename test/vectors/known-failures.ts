// Recorded vectors that an engine is known to miss, each with its reason. An entry that matches no failure fails the test: remove it then.

export interface KnownFailure {
  engine?: 'interpreter' | 'jit';
  /** Mnemonic as iced-x86 names it, in lower case. */
  mnemonic?: string;
  group?: string;
  /** First differing field, as the report names it (for example "mxcsr-flags", "xmm1", "eflags", "fault"). */
  field?: string;
  reason: string;
}

export const knownFailures: KnownFailure[] = [];
