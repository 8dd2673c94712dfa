// The breakpoints and watchpoints that gdb set, by its own types (GDB manual, "Packets", Z).
import type { Breakpoint, BreakpointHit } from '../api/debug.ts';
import { DragomanError } from '../api/errors.ts';
import type { Debugged } from './debugged.ts';

/** By the digit behind Z: what a stop reply calls it, and the accesses that it is for (undefined: the instruction). */
const TYPES = [
  { reason: 'swbreak', access: undefined },
  { reason: 'hwbreak', access: undefined },
  { reason: 'watch', access: 'write' },
  { reason: 'rwatch', access: 'read' },
  { reason: 'awatch', access: 'readwrite' },
] as const;

interface Point {
  readonly key: string;
  readonly type: (typeof TYPES)[number];
  readonly breakpoint: Breakpoint;
}

/** A CPU that stopped at one of them. */
export interface Met {
  readonly cpu: number;
  readonly key: string;
  /** Of the instruction, or of the data's first byte. */
  readonly address: number;
  readonly isCode: boolean;
  /** As a stop reply has it. */
  readonly reason: string;
}

export class Points {
  readonly #machine: Debugged['machine'];
  readonly #points = new Map<string, Point>();
  /** gdb took them away, and may bring them back at once. */
  readonly #leaving = new Set<string>();

  constructor(machine: Debugged['machine']) {
    this.#machine = machine;
  }

  /** Throws DragomanError. The same twice is once. */
  async set(type: number, address: number, length: number): Promise<void> {
    const kind = TYPES[type];
    if (kind === undefined) throw new DragomanError('NOT_SUPPORTED', `points of type ${type}`);
    const key = `${type},${address},${kind.access === undefined ? 0 : length}`;
    if (this.#leaving.delete(key) || this.#points.has(key)) return;
    const breakpoint = await (kind.access === undefined
      ? this.#machine.setBreakpoint(address)
      : this.#machine.setWatchpoint(address, { length, access: kind.access }));
    this.#points.set(key, { key, type: kind, breakpoint });
  }

  /**
   * Whenever a CPU stops, gdb takes all of them away, to step it past its own, and then sets them again. In lockstep the other CPUs run on meanwhile, and are to meet theirs: so they go for good only
   * with settle().
   */
  remove(type: number, address: number, length: number): void {
    const key = `${type},${address},${TYPES[type]?.access === undefined ? 0 : length}`;
    if (this.#points.has(key)) this.#leaving.add(key);
  }

  async settle(): Promise<void> {
    for (const key of [...this.#leaving]) await this.#drop(key);
  }

  async clear(): Promise<void> {
    for (const key of [...this.#points.keys()]) await this.#drop(key);
  }

  async #drop(key: string): Promise<void> {
    const point = this.#points.get(key);
    this.#points.delete(key);
    this.#leaving.delete(key);
    await point?.breakpoint.remove();
  }

  /** Whether gdb has it set. */
  has(key: string): boolean {
    return this.#points.has(key) && !this.#leaving.has(key);
  }

  /** Undefined: somebody else's. */
  met({ cpu, breakpoint }: BreakpointHit): Met | undefined {
    const point = [...this.#points.values()].find((one) => one.breakpoint === breakpoint);
    if (point === undefined) return undefined;
    const { address } = breakpoint;
    const { reason, access } = point.type;
    const isCode = access === undefined;
    return { cpu, key: point.key, address, isCode, reason: isCode ? `${reason}:;` : `${reason}:${address.toString(16)};` };
  }
}
