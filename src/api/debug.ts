// A machine that is paused, and what stops it: states, breakpoints, events, as users of the API have them.
import type { RunResult } from './ending.ts';

/** 'created': run() was not called yet; 'paused': no CPU runs, and the guest's clock stands still. */
export type MachineState = 'created' | 'running' | 'paused' | 'ended';

/** What a point of Machine.watch() is for. */
export type WatchAccess = 'write' | 'read' | 'readwrite';

export interface WatchOptions {
  /** Bytes from the address on; 1 to 4096. Default: 4. */
  readonly length?: number | undefined;
  /** Default: 'write'. */
  readonly access?: WatchAccess | undefined;
}

/** A breakpoint on an instruction, or on accesses to data, of all CPUs and in all address spaces. */
export interface Breakpoint {
  readonly kind: 'code' | 'data';
  /** Linear. */
  readonly address: number;
  /** Bytes; 1 for an instruction, which is met at its first. */
  readonly length: number;
  /** Undefined: of an instruction. */
  readonly access: WatchAccess | undefined;
  /** How often it stopped a CPU. */
  readonly hits: number;
  /** Takes it away; pauses the machine for that where it runs. */
  remove(): Promise<void>;
}

/** A CPU that stopped at a breakpoint: before the instruction, or behind the one that made the access. */
export interface BreakpointHit {
  readonly cpu: number;
  readonly breakpoint: Breakpoint;
}

/** Why a machine was paused. 'start': MachineOptions.paused. */
export type PauseReason = 'start' | 'asked' | 'breakpoint';

/** No CPU runs any more. `hits`: those that stopped at breakpoints, of which there may be several. */
export class PausedEvent extends Event {
  readonly reason: PauseReason;
  readonly hits: readonly BreakpointHit[];
  constructor(reason: PauseReason, hits: readonly BreakpointHit[]) {
    super('paused');
    this.reason = reason;
    this.hits = hits;
  }
}

/** For each of PausedEvent.hits, before that. */
export class BreakpointEvent extends Event {
  readonly cpu: number;
  readonly breakpoint: Breakpoint;
  constructor({ cpu, breakpoint }: BreakpointHit) {
    super('breakpoint');
    this.cpu = cpu;
    this.breakpoint = breakpoint;
  }
}

/** The guest sent bytes through its first serial port. */
export class ConsoleEvent extends Event {
  readonly bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    super('console');
    this.bytes = bytes;
  }
}

/** The guest's kernel says that it cannot go on; `text` is its line. */
export class PanicEvent extends Event {
  readonly text: string;
  constructor(text: string) {
    super('panic');
    this.text = text;
  }
}

/** The run has ended, and all that the guest had sent is handed over. */
export class EndEvent extends Event {
  readonly result: RunResult;
  constructor(result: RunResult) {
    super('end');
    this.result = result;
  }
}

/** Events of a machine by their names. */
export interface MachineEvents {
  readonly paused: PausedEvent;
  readonly resumed: Event;
  /** Machine.reset() has reset it. */
  readonly reset: Event;
  readonly breakpoint: BreakpointEvent;
  readonly console: ConsoleEvent;
  readonly panic: PanicEvent;
  readonly end: EndEvent;
}

/** EventTarget with the types of a machine's events. */
export interface MachineEventTarget {
  addEventListener<K extends keyof MachineEvents>(
    type: K,
    listener: ((event: MachineEvents[K]) => void) | null,
    options?: AddEventListenerOptions | boolean,
  ): void;
  removeEventListener<K extends keyof MachineEvents>(
    type: K,
    listener: ((event: MachineEvents[K]) => void) | null,
    options?: EventListenerOptions | boolean,
  ): void;
}

/** So many breakpoints there may be at once; one on data counts for each aligned 8 bytes (or less) that it covers. */
export { DEBUG_POINTS as MOST_BREAKPOINTS } from '../layout/memory.ts';
