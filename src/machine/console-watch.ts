// Who else than its reader wants to know what the guest prints: clients that are asked for a part of the run, and listeners for events.
import { ConsoleEvent, PanicEvent } from '../api/debug.ts';
import type { Receiver } from '../devices/outlet.ts';
import type { ConsolePart } from './console-part.ts';
import { PanicWatch } from './panic-watch.ts';

export interface ConsoleListeners {
  dispatchEvent(event: Event): boolean;
  /** Whether somebody has ever listened for an event. */
  hears(type: string): boolean;
}

/** `receive`, behind the others. `parts`: of the clients that there are. */
export function watchedConsole(
  receive: Receiver<Uint8Array>,
  parts: readonly (Pick<ConsolePart, 'watches' | 'see'> | undefined)[],
  listeners: ConsoleListeners,
): Receiver<Uint8Array> {
  const panics = new PanicWatch();
  const watching = parts.filter((part) => part?.watches);
  return (bytes) => {
    for (const part of watching) part!.see(bytes);
    if (listeners.hears('console')) listeners.dispatchEvent(new ConsoleEvent(bytes.slice()));
    if (listeners.hears('panic')) for (const line of panics.push(bytes)) listeners.dispatchEvent(new PanicEvent(line));
    return receive(bytes);
  };
}
