// How a run ended, for people.
import type { RunResult } from './options.ts';

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
