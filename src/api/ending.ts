// How a run ended, for people.

/** How a run ended. */
export type RunResult =
  /** The guest switched the machine off (ACPI S5). */
  | { readonly kind: 'power-off' }
  /** The guest asked for a reset: a run ends there. `cause`: it sent an INIT to the boot CPU, and there is no ROM that this would start. */
  | { readonly kind: 'reset'; readonly cause?: 'INIT' }
  /** No CPU can ever run again: HLT with interrupts off. */
  | { readonly kind: 'halted' }
  /** A write to the isa-debug-exit port. */
  | { readonly kind: 'debug-exit'; readonly value: number }
  /** stop() was called. */
  | { readonly kind: 'stopped'; readonly reason: string }
  /** A fault while a double fault was delivered. `dump` is the state for people to read: registers, last code, reason. */
  | { readonly kind: 'triple-fault'; readonly dump: string }
  /** An error of ours. */
  | { readonly kind: 'internal-error'; readonly message: string; readonly dump: string };

/** A sentence; where something failed, the state of the machine in the lines behind it. */
export function describeEnd(result: RunResult): string {
  switch (result.kind) {
    case 'power-off':
      return 'the guest powered off';
    case 'reset':
      return result.cause === 'INIT' ? 'the guest sent an INIT to its boot CPU, which is a reset' : 'the guest asked for a reset';
    case 'halted':
      return 'the guest halted with interrupts off: it can never run again';
    case 'debug-exit':
      return `the guest wrote ${result.value} to the debug-exit port`;
    case 'stopped':
      return result.reason;
    case 'triple-fault':
      return `triple fault\n${result.dump.trimEnd()}`;
    case 'internal-error':
      return `internal error: ${result.message}\n${result.dump.trimEnd()}`;
  }
}
