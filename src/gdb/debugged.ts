// What the stub needs of a machine: what any program has, and a little of what is inside.
import type { MachineHandle } from '../api/options.ts';
import type { SharedMemory } from '../cpu/state.ts';

export interface Debugged {
  readonly machine: Pick<
    MachineHandle,
    | 'cpus'
    | 'state'
    | 'pause'
    | 'resume'
    | 'step'
    | 'canGoBack'
    | 'stepBack'
    | 'runBack'
    | 'setBreakpoint'
    | 'setWatchpoint'
    | 'reset'
    | 'stop'
    | 'stats'
    | 'regions'
    | 'inspectRegion'
    | 'loadGuestSymbols'
    | 'symbol'
    | 'symbolAt'
    | 'addEventListener'
    | 'removeEventListener'
  >;
  readonly shared: SharedMemory;
  /** Registers were written, other than by their names. */
  readonly changed: () => void;
  /** The state of a CPU as text for people. */
  readonly dump: (cpu: number) => string;
}
