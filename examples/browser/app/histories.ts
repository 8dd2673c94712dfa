// What is seen of the session's machine from tick to tick, whether a panel shows it or not: a panel that is opened later shows what came before. As much as a plot shows, of each thing that somebody has asked for.
import { effect, type ReadonlySignal, signal } from '@preact/signals';
import { type ActivityShares, activityBetween, type Machine, type MachineActivity } from '../../../src/api/index.ts';
import type { Session } from './session.ts';

/** Looks that are kept: a minute of them. */
export const MOST_LOOKS = 240;

/** Behind the others, the newest; as many as are kept. */
export const withLook = <T>(looks: readonly T[], look: T): readonly T[] => [...looks.slice(1 - MOST_LOOKS), look];

/** One look at a machine; `before`: what the look at the same machine before it gave. */
export type LookAt<T> = (session: Session, machine: Machine, before: T | undefined) => T;

const known = new WeakMap<Session, Map<LookAt<unknown>, ReadonlySignal<unknown>>>();

function begin<T>(session: Session, look: LookAt<T>): ReadonlySignal<T | undefined> {
  const seen = signal<T | undefined>(undefined);
  let last: Machine | undefined;
  effect(() => {
    void session.tick.value;
    const machine = session.machine.value;
    const before = machine === last ? seen.peek() : undefined;
    last = machine;
    seen.value = machine && look(session, machine, before);
  });
  return seen;
}

/** What `look`, of which there is one, makes of the session's machine: from the first time on that somebody asks for it, and anew with each machine. Undefined where there is none. */
export function historyOf<T>(session: Session, look: LookAt<T>): ReadonlySignal<T | undefined> {
  let histories = known.get(session);
  if (histories === undefined) known.set(session, (histories = new Map()));
  let history = histories.get(look as LookAt<unknown>);
  if (history === undefined) histories.set(look as LookAt<unknown>, (history = begin(session, look)));
  return history as ReadonlySignal<T | undefined>;
}

export interface ActivityLook {
  /** Milliseconds, by the page's clock. */
  readonly at: number;
  readonly shares: ActivityShares;
}

export interface WatchedActivity {
  readonly machine: Machine;
  /** The last look. */
  readonly now: MachineActivity;
  /** The oldest first. */
  readonly looks: readonly ActivityLook[];
}

/** What the CPUs do. Time in which the machine's clock stood still is left out. */
export const activity: LookAt<WatchedActivity> = (_, machine, before) => {
  const now = machine.activity();
  if (before === undefined) return { machine, now, looks: [] };
  const shares = activityBetween(before.now, now);
  if (shares.ms === 0) return { ...before, now };
  return { machine, now, looks: withLook(before.looks, { at: performance.now(), shares }) };
};
