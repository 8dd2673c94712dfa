// How those who type are told to wait: any amount of input is taken at any time, but somebody who has more of it than memory had better not give it all at once.

/** So many bytes may wait for a guest before who sends them is asked to wait. */
export const INPUT_BUFFER = 64 * 1024;

export class InputFlow {
  readonly #waiting: () => number;
  #room: PromiseWithResolvers<void> | undefined;

  /** `waiting`: bytes that the guest has not taken. Infinity: nobody will take any, for now. */
  constructor(waiting: () => number) {
    this.#waiting = waiting;
  }

  /** A promise where more than INPUT_BUFFER bytes wait: it resolves when half of that or less do. */
  room(): Promise<void> | undefined {
    if (this.#waiting() <= INPUT_BUFFER) return undefined;
    this.#room ??= Promise.withResolvers<void>();
    return this.#room.promise;
  }

  /** To be called when some of it was taken. */
  drained(): void {
    if (this.#room === undefined || this.#waiting() > INPUT_BUFFER / 2) return;
    this.#room.resolve();
    this.#room = undefined;
  }
}
