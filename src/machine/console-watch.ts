// Who else than its reader wants to know what the guest prints: the client prof, and listeners for events.
import { ConsoleEvent, PanicEvent } from '../api/debug.ts';
import type { Receiver } from '../devices/outlet.ts';
import { PanicWatch } from './panic-watch.ts';
import type { ProfWatch } from './prof-watch.ts';

export interface ConsoleListeners {
  dispatchEvent(event: Event): boolean;
  /** Whether somebody has ever listened for an event. */
  hears(type: string): boolean;
}

/** `receive`, behind the others. */
export function watchedConsole(
  receive: Receiver<Uint8Array>,
  prof: ProfWatch | undefined,
  listeners: ConsoleListeners,
): Receiver<Uint8Array> {
  const panics = new PanicWatch();
  return (bytes) => {
    if (prof?.watches) prof.see(bytes);
    if (listeners.hears('console')) listeners.dispatchEvent(new ConsoleEvent(bytes.slice()));
    if (listeners.hears('panic')) for (const line of panics.push(bytes)) listeners.dispatchEvent(new PanicEvent(line));
    return receive(bytes);
  };
}
