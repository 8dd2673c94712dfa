// What the session's machine did from tick to tick, for as long as a component is there: its last minute.
import { useComputed, useSignal, useSignalEffect } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { type ActivityShares, activityBetween, type Machine, type MachineActivity } from '../../../src/api/index.ts';
import type { Session } from '../app/session.ts';

/** Looks that are kept: a minute of them. */
export const MOST_LOOKS = 240;

export interface Look {
  /** Milliseconds, by the page's clock. */
  readonly at: number;
  readonly shares: ActivityShares;
}

export interface Watched {
  readonly machine: Machine;
  /** The last look. */
  readonly now: MachineActivity;
  /** The oldest first. */
  readonly looks: readonly Look[];
}

/** Calls `look` at each tick with the machine there is; its result is what the component shows. */
export function useAtTicks<T>(session: Session, look: (machine: Machine, before: T | undefined) => T): T | undefined {
  const seen = useSignal<{ readonly machine: Machine; readonly value: T } | undefined>(undefined);
  const latest = useRef(look);
  latest.current = look;
  useSignalEffect(() => {
    void session.tick.value;
    const machine = session.machine.value;
    const before = seen.peek();
    seen.value = machine && { machine, value: latest.current(machine, before?.machine === machine ? before.value : undefined) };
  });
  return useComputed(() => seen.value?.value).value;
}

/** Undefined where there is no machine. Time in which its clock stood still is left out. */
export function useWatched(session: Session): Watched | undefined {
  return useAtTicks<Watched>(session, (machine, before) => {
    const now = machine.activity();
    if (before === undefined) return { machine, now, looks: [] };
    const shares = activityBetween(before.now, now);
    if (shares.ms === 0) return { ...before, now };
    return { machine, now, looks: [...before.looks.slice(1 - MOST_LOOKS), { at: performance.now(), shares }] };
  });
}
