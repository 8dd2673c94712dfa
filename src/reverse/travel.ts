// The ways back: to the last checkpoint before a place, and on from there to it. No breakpoint stops the machine on the way but where one is looked for.
import { DragomanError } from '../api/errors.ts';
import { host } from '../host/node.ts';
import { Cpu, DebugStop } from '../layout/cpu.ts';
import { Control, controlWord, cpuBase } from '../layout/memory.ts';
import type { Inputs } from '../machine/inputs.ts';
import type { Limit } from '../machine/lockstep/lockstep.ts';
import { type Checkpoint, executedAt } from './checkpoint.ts';
import type { History } from './history.ts';
import { compare, type Position } from './position.ts';

/** The event loop has its turn so often. */
const WORK_MS = 20;

/** A CPU that met a breakpoint on the way. */
export interface PassedStop {
  readonly cpu: number;
  /** Its place in the table of breakpoints (DebugPoints.at). */
  readonly point: number;
  readonly isCode: boolean;
}

export interface TravelOptions {
  readonly history: History;
  /** Of the devices. */
  readonly inputs: Inputs;
  /** Lets a CPU go past the breakpoint that it stopped at. */
  readonly pass: (cpu: number) => void;
}

export class Travel {
  readonly #options: TravelOptions;
  #ended = false;

  constructor(options: TravelOptions) {
    this.#options = options;
  }

  /** Ends the way that is being gone: the machine stands where it has come to. */
  end(): void {
    this.#ended = true;
  }

  /** `count` instructions of a CPU back, or to the beginning; how many it were. */
  async step(cpu: number, count: number): Promise<number> {
    const { history } = this.#options;
    const { lockstep } = history.machine;
    const from = lockstep.count(cpu);
    const checkpoints = history.checkpoints;
    const to = Math.max(from - count, checkpoints[0]!.cpus[cpu]!.count);
    const now = history.position;
    // At a checkpoint itself the CPU may have come to this count long before.
    const start = checkpoints.findLast(({ cpus, position }) => cpus[cpu]!.count < to && compare(position, now) <= 0);
    history.goTo(start ?? checkpoints[0]!);
    this.#ended = false;
    if (start !== undefined) await this.#withoutPoints(() => this.#go(now, { kind: 'count', cpu, count: to }, () => true));
    return from - lockstep.count(cpu);
  }

  /** To where all CPUs together had executed `count` instructions, at the nearer end of the history for what is beyond; where that is. Nothing where the machine is there. */
  async goTo(count: number): Promise<number> {
    const { history } = this.#options;
    const { lockstep } = history.machine;
    const { first, last } = history.span;
    const to = Math.min(Math.max(count, first), last);
    if (to === lockstep.executed) return to;
    const end = history.present;
    // At the end itself there may be several positions with as many instructions: it is the last of them.
    const isBefore = to === last ? () => true : (checkpoint: Checkpoint) => executedAt(checkpoint) < to;
    const start = history.checkpoints.findLast((checkpoint) => isBefore(checkpoint) && compare(checkpoint.position, end) <= 0);
    history.goTo(start ?? history.checkpoints[0]!);
    this.#ended = false;
    if (start !== undefined)
      await this.#withoutPoints(() => this.#go(end, to === last ? undefined : { kind: 'total', count: to }, () => true));
    history.arrives();
    return lockstep.executed;
  }

  /**
   * To the last breakpoint that was met before now: at one on an instruction the CPU has Cpu.debugStop set as when it met it, and before the instruction that made the access to data it stands again. What
   * was met there; undefined: nothing since the beginning, where the machine is now (or where end() has left it).
   */
  async run(): Promise<PassedStop | undefined> {
    const { history } = this.#options;
    let end = history.position;
    this.#ended = false;
    for (const checkpoint of history.checkpoints.filter(({ position }) => compare(position, end) < 0).reverse()) {
      history.goTo(checkpoint);
      const stops: (PassedStop & { readonly count: number })[] = [];
      await this.#go(end, undefined, (stop) => {
        stops.push({ ...stop, count: history.machine.lockstep.count(stop.cpu) });
        return true;
      });
      if (this.#ended) return undefined;
      const last = stops.at(-1);
      if (last !== undefined) {
        history.goTo(checkpoint);
        if (last.isCode) await this.#go(end, undefined, () => stops.pop() !== undefined && stops.length > 0);
        else await this.#withoutPoints(() => this.#go(end, { kind: 'count', cpu: last.cpu, count: last.count - 1 }, () => true));
        return this.#ended ? undefined : last;
      }
      end = checkpoint.position;
    }
    history.goTo(history.checkpoints[0]!);
    return undefined;
  }

  /** Makes turns up to a position, or to a limit before it. `onStop`: a CPU met a breakpoint; whether it goes on. */
  async #go(end: Position, limit: Limit | undefined, onStop: (stop: PassedStop) => boolean): Promise<void> {
    const { history } = this.#options;
    const { lockstep } = history.machine;
    lockstep.limit = limit ?? (end.done === 0 ? undefined : { kind: 'turn', turn: end.turn, done: end.done });
    try {
      while (!this.#ended && !this.#work(end, onStop)) await new Promise<void>((resolve) => host.soon(resolve));
    } finally {
      history.stopAhead();
    }
  }

  /** Some milliseconds of turns. Whether it is there. */
  #work(end: Position, onStop: (stop: PassedStop) => boolean): boolean {
    const { history, inputs, pass } = this.#options;
    const { lockstep, clock } = history.machine;
    for (const until = performance.now() + WORK_MS; performance.now() < until; ) {
      if (!lockstep.isInTurn) {
        if (compare(history.position, end) >= 0) return true;
        history.passes();
        for (let next = history.next(end); next !== undefined && isDue(next, history.position); next = history.next(end)) {
          inputs.push(next.kind, next.bytes);
          history.take();
        }
        if (compare(history.position, end) >= 0) return true;
      }
      const turn = lockstep.turn();
      switch (turn.kind) {
        case 'ran':
          break;
        case 'limit':
          return true;
        case 'idle': {
          const to = history.waitsUntil(turn.until, end);
          if (to === Number.POSITIVE_INFINITY) throw lost();
          clock.jump(to);
          break;
        }
        case 'debug': {
          const stop = this.#stop();
          if (!onStop(stop)) return true;
          pass(stop.cpu);
          break;
        }
        default:
          throw lost();
      }
    }
    return false;
  }

  /** The CPU that stopped. */
  #stop(): PassedStop {
    const { shared } = this.#options.history.machine;
    const word = (cpu: number, offset: number) => shared.i32[(cpuBase(shared.plan, cpu) + offset) >> 2]!;
    for (let cpu = 0; cpu < shared.plan.cpuCount; cpu++) {
      const why = word(cpu, Cpu.at.debugStop);
      if (why === DebugStop.CODE || why === DebugStop.DATA)
        return { cpu, point: word(cpu, Cpu.at.debugPoint), isCode: why === DebugStop.CODE };
    }
    throw lost();
  }

  /** `work` while there are no breakpoints. */
  async #withoutPoints(work: () => Promise<void>): Promise<void> {
    const { shared, lockstep } = this.#options.history.machine;
    const count = shared.i32[controlWord(Control.at.debugCount)]!;
    const set = (points: number) => {
      shared.i32[controlWord(Control.at.debugCount)] = points;
      shared.i32[controlWord(Control.at.debugChanges)]!++;
      for (const cpu of lockstep.cpus) cpu.takeDebugChanges();
    };
    if (count > 0) set(0);
    try {
      await work();
    } finally {
      if (count > 0) set(count);
    }
  }
}

const isDue = ({ turn, ns }: { readonly turn: number; readonly ns: number }, now: Position): boolean =>
  turn < now.turn || (turn === now.turn && ns <= now.ns);

const lost = (): DragomanError =>
  new DragomanError('INTERNAL', 'the way back does not fit what was: the machine did not come through the same');
