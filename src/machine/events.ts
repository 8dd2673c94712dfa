// A machine's events: EventTarget, with the machine's types, that knows which events anybody has asked for.
import type { MachineEventTarget } from '../api/debug.ts';

class Target extends EventTarget {
  readonly #heard = new Set<string>();

  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: AddEventListenerOptions | boolean,
  ): void {
    this.#heard.add(type);
    super.addEventListener(type, listener, options);
  }

  /** Whether somebody has ever listened for it. */
  protected hears(type: string): boolean {
    return this.#heard.has(type);
  }
}

export const MachineEvents = Target as unknown as new () => MachineEventTarget & {
  dispatchEvent(event: Event): boolean;
  hears(type: string): boolean;
};
