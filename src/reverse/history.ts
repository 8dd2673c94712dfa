// What a lockstep machine has been through: checkpoints now and then, the inputs that its devices got, and where it stands in that. Behind a way back it is in its past: going on, it comes through the same again up to
// where it was, with the inputs of then, and prints nothing that it has printed already. A new input there, or a change from outside, makes another future of it: what came behind is dropped.
import type { Outlets } from '../devices/outlet.ts';
import type { InputKind } from '../machine/inputs.ts';
import { type Checkpoint, type Checkpointed, dropCheckpoint, executedAt, forget, putCheckpoint, takeCheckpoint } from './checkpoint.ts';
import { ownBytes } from './pages.ts';
import { compare, type Position } from './position.ts';

/** An input, and before which turn devices got it, at which time of the machine's clock. */
export interface PastInput {
  readonly turn: number;
  readonly ns: number;
  readonly kind: InputKind;
  readonly bytes: Uint8Array;
}

export interface HistoryOptions {
  readonly machine: Checkpointed;
  readonly outlets: Outlets;
  readonly memoryBytes: number;
  readonly every: number;
  /** The past is over: the machine's clock is another one than that of who waits for it. */
  readonly onPresent: () => void;
}

export class History {
  readonly machine: Checkpointed;
  readonly #options: HistoryOptions;
  readonly #checkpoints: Checkpoint[] = [];
  readonly #inputs: PastInput[] = [];
  /** Inputs that devices have got. */
  #taken = 0;
  /** Where the machine was when it went back; undefined: it is not in its past. */
  #present: (Position & { readonly executed: number }) | undefined;
  /** In the past: the last checkpoint that it has come through. */
  #at = 0;
  /** Where CPUs have forgotten all that they knew, whatever became of the checkpoints; and which of these places is the next. */
  readonly #forgets: Position[] = [];
  #forget = 0;
  /** Instructions after which the next checkpoint is taken. */
  #due = 0;
  #bytes = 0;
  /** Somebody has changed the machine from outside since it last went on. */
  #changed = false;

  constructor(options: HistoryOptions) {
    this.#options = options;
    this.machine = options.machine;
  }

  get position(): Position {
    const { lockstep, clock } = this.machine;
    return { turn: lockstep.turns, done: lockstep.done, ns: clock.now(), inputs: this.#taken };
  }

  get checkpoints(): readonly Checkpoint[] {
    return this.#checkpoints;
  }
  /** Bytes of pages of all checkpoints. */
  get bytes(): number {
    return this.#bytes;
  }

  get inPast(): boolean {
    return this.#present !== undefined;
  }

  /** It is in the past, and comes through more of it. */
  get isBeforePresent(): boolean {
    return this.#present !== undefined && compare(this.position, this.#present) < 0;
  }

  /** Where the machine was when it went back; where it is, where it did not. */
  get present(): Position {
    return this.#present ?? this.position;
  }

  /** Instructions of all CPUs since power-on: at the first checkpoint, now, and in the present. */
  get span(): { readonly first: number; readonly at: number; readonly last: number } {
    const at = this.machine.lockstep.executed;
    const [oldest] = this.#checkpoints;
    return { first: oldest === undefined ? at : executedAt(oldest), at, last: this.#present?.executed ?? at };
  }

  /** The run begins, or goes on behind a rest. */
  goesOn(): void {
    if (!this.#changed && this.#checkpoints.length > 0) return;
    if (this.inPast) this.fork();
    this.#take(true);
    this.#changed = false;
  }

  /** The machine was changed from outside. */
  changed(): void {
    this.#changed = true;
  }

  /** Before a turn that is none of the past: takes a checkpoint where it is time for one. */
  look(): void {
    if (this.machine.lockstep.executed >= this.#due) this.#take(false);
  }

  /** Devices get an input of now. */
  note(kind: InputKind, bytes: Uint8Array): void {
    const { turn, ns } = this.position;
    this.#inputs.push({ turn, ns, kind, bytes });
    this.#taken = this.#inputs.length;
  }

  /** The next input of the past, up to a position; undefined: none before that. It is taken by take(). */
  next(until = this.#stop): PastInput | undefined {
    return until !== undefined && this.#taken < until.inputs ? this.#inputs[this.#taken] : undefined;
  }
  take(): void {
    this.#taken++;
  }

  /** The machine has come through some of its past: where it was changed from outside, it is again. Whether the past is over now. */
  arrives(): boolean {
    if (this.#present === undefined) return false;
    for (let stop = this.#nextBreak; stop !== undefined && compare(this.position, stop.position) >= 0; stop = this.#nextBreak) {
      this.#at = this.#checkpoints.indexOf(stop);
      putCheckpoint(this.machine, stop);
      this.stopAhead();
    }
    if (compare(this.position, this.#present) < 0) return false;
    this.#leave();
    return true;
  }

  /** Between turns of the past: CPUs forget what they forgot here. */
  passes(): void {
    const now = this.position;
    while (this.#forget < this.#forgets.length && compare(this.#forgets[this.#forget]!, now) <= 0)
      if (this.#forgets[this.#forget++]!.turn === now.turn) forget(this.machine.lockstep);
  }

  /** What the clock may jump to while all CPUs wait, in the past: no further than to the next input, or to the end of the past. Infinity: nothing of that is known. */
  waitsUntil(until: number, end = this.#stop): number {
    const { turns } = this.machine.lockstep;
    const next = this.next(end);
    const input = next?.turn === turns ? next.ns : Number.POSITIVE_INFINITY;
    const stop = end?.turn === turns && end.done === 0 ? end.ns : Number.POSITIVE_INFINITY;
    return Math.min(until, input, stop);
  }

  /** The machine goes another way from here: what came behind is dropped. */
  fork(): void {
    const now = this.position;
    while (this.#checkpoints.length > this.#at + 1 && compare(this.#checkpoints.at(-1)!.position, now) >= 0)
      this.#drop(this.#checkpoints.length - 1);
    this.#forgets.length = this.#forget;
    this.#inputs.length = this.#taken;
    this.#leave();
  }

  /** The machine goes back to a checkpoint. */
  goTo(checkpoint: Checkpoint): void {
    this.#present ??= { ...this.position, executed: this.machine.lockstep.executed };
    this.#options.outlets.muted = true;
    // What was changed and not gone on from is lost.
    this.#changed = false;
    putCheckpoint(this.machine, checkpoint);
    this.#taken = checkpoint.position.inputs;
    this.#at = this.#checkpoints.indexOf(checkpoint);
    this.#forget = this.#forgets.findIndex((position) => compare(position, checkpoint.position) > 0);
    if (this.#forget < 0) this.#forget = this.#forgets.length;
    this.stopAhead();
  }

  get #nextBreak(): Checkpoint | undefined {
    return this.#checkpoints.find(({ isBreak }, n) => n > this.#at && isBreak);
  }
  /** As far as the past follows from where the machine is. */
  get #stop(): Position | undefined {
    return this.#present && (this.#nextBreak?.position ?? this.#present);
  }

  /** Turns are made as far as the past goes. */
  stopAhead(): void {
    const end = this.#stop;
    this.machine.lockstep.limit = end === undefined || end.done === 0 ? undefined : { kind: 'turn', turn: end.turn, done: end.done };
  }

  /** All is given back. */
  close(): void {
    for (const checkpoint of this.#checkpoints.splice(0)) dropCheckpoint(checkpoint);
    this.#bytes = 0;
  }

  #leave(): void {
    this.#present = undefined;
    this.#options.outlets.muted = false;
    this.stopAhead();
    this.#setDue();
    this.#options.onPresent();
  }

  #setDue(): void {
    this.#due = (this.#checkpoints.length > 0 ? executedAt(this.#checkpoints.at(-1)!) : 0) + this.#options.every;
  }

  #take(isBreak: boolean): void {
    const before = this.#checkpoints.at(-1);
    const checkpoint = takeCheckpoint(this.machine, this.position, isBreak, before);
    this.#checkpoints.push(checkpoint);
    this.#forgets.push(checkpoint.position);
    this.#forget = this.#forgets.length;
    this.#bytes += ownBytes(checkpoint.pages, before?.pages, undefined);
    this.#setDue();
    while (this.#bytes > this.#options.memoryBytes && this.#checkpoints.length > 2) this.#drop(this.#leastNeeded());
  }

  /** The checkpoint without which the way between its neighbours is shortest for how long ago they are; the oldest where all others are needed. Neither the last one, nor one that a break is behind. */
  #leastNeeded(): number {
    const at = (n: number) => executedAt(this.#checkpoints[n]!);
    const now = at(this.#checkpoints.length - 1);
    let [least, cost] = [0, Number.POSITIVE_INFINITY];
    for (let n = 1; n < this.#checkpoints.length - 1; n++) {
      if (this.#checkpoints[n]!.isBreak) continue;
      const way = (at(n + 1) - at(n - 1)) / (now - at(n - 1) + 1);
      if (way < cost) [least, cost] = [n, way];
    }
    return least;
  }

  #drop(n: number): void {
    const [checkpoint] = this.#checkpoints.splice(n, 1) as [Checkpoint];
    this.#bytes -= ownBytes(checkpoint.pages, this.#checkpoints[n - 1]?.pages, this.#checkpoints[n]?.pages);
    dropCheckpoint(checkpoint);
  }
}
