// What the session's machine does from tick to tick, for as long as a component is there. What is to be kept when it is gone: app/histories.ts.
import { useComputed, useSignal, useSignalEffect } from '@preact/signals';
import { useRef } from 'preact/hooks';
import type { Machine } from '../../../src/api/index.ts';
import type { Session } from '../app/session.ts';

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
