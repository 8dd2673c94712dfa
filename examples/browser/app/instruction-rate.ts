// How many instructions the guest executes a second: counted by the machine itself (in lockstep), or by the client inscount, and what a thrown switch made of it.
import { effect } from '@preact/signals';
import type { Machine } from '../../../src/api/index.ts';
import { withLook } from './histories.ts';
import type { Session } from './session.ts';

/** What is compared with what was before a switch; what is between, the machine needs to make its code anew. */
const BEFORE_MS = 4000;
const SETTLES_MS = 2000;
const AFTER_MS = 4000;

export interface RateLook {
  /** Milliseconds, by the page's clock. */
  readonly at: number;
  /** Instructions a second; one array element, as plots take it. */
  readonly values: readonly [number];
}

/** A switch that was thrown. */
export interface Mark {
  readonly at: number;
  readonly text: string;
}

/** Mean rates before a switch and behind it; undefined: nobody looked then, or not yet. */
export interface MarkEffect extends Mark {
  readonly before: number | undefined;
  readonly after: number | undefined;
}

/** Undefined: nobody counts. */
export function instructionsOf(machine: Machine): number | undefined {
  const { instructions, clients } = machine.stats();
  if (instructions !== null) return instructions;
  const counted = clients?.inscount as { readonly kernel: number; readonly user: number } | undefined;
  return counted && counted.kernel + counted.user;
}

/** Of a machine. */
export class InstructionRate {
  looks: readonly RateLook[] = [];
  marks: readonly Mark[] = [];
  #last: { readonly at: number; readonly count: number } | undefined;

  /** Looks at a machine that runs. */
  look(machine: Machine, at: number): void {
    const count = instructionsOf(machine);
    const last = this.#last;
    this.#last = count === undefined ? undefined : { at, count };
    // Nobody counts, or another one than before.
    if (count === undefined || last === undefined || count < last.count) return;
    const rate = ((count - last.count) / (at - last.at)) * 1000;
    this.looks = withLook(this.looks, { at, values: [rate] });
  }

  /** The machine stood still since the last look, or nobody looked. */
  pause(): void {
    this.#last = undefined;
  }

  mark(text: string, at: number): void {
    this.marks = [...this.marks.slice(-20), { at, text }];
  }

  /** The newest first. */
  get effects(): readonly MarkEffect[] {
    return this.marks
      .map(({ at, text }, n) => {
        const earlier = this.marks[n - 1]?.at ?? 0;
        const next = this.marks[n + 1]?.at ?? Number.POSITIVE_INFINITY;
        const before = this.#mean(Math.max(at - BEFORE_MS, earlier + SETTLES_MS), at);
        const after = this.#mean(at + SETTLES_MS, Math.min(at + SETTLES_MS + AFTER_MS, next));
        return { at, text, before, after };
      })
      .reverse();
  }

  #mean(from: number, to: number): number | undefined {
    const values = this.looks.filter(({ at }) => at > from && at <= to).map(({ values: [rate] }) => rate);
    return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
  }
}

const known = new WeakMap<Machine, InstructionRate>();
/** That of a machine, for as long as there is one. */
export function rateOf(machine: Machine): InstructionRate {
  let rate = known.get(machine);
  if (rate === undefined) {
    rate = new InstructionRate();
    known.set(machine, rate);
  }
  return rate;
}

const followed = new WeakSet<Session>();
/** From now on the machines of a session are looked at at each tick, whether somebody shows their rate or not. */
export function followRate(session: Session): void {
  if (followed.has(session)) return;
  followed.add(session);
  effect(() => {
    void session.tick.value;
    const machine = session.machine.value;
    if (machine === undefined) return;
    const rate = rateOf(machine);
    if (session.state.value === 'running') rate.look(machine, performance.now());
    else rate.pause();
  });
}
