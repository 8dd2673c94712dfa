// The requests of a disk that are with its backend: how many there may be, and whether one of them writes.

export class Flight {
  readonly #most: number;
  #count = 0;
  /** Of the device, when these began: a reset makes another one. */
  #epoch = 0;
  #writes = 0;
  #written: PromiseWithResolvers<void> | undefined;
  #landed: PromiseWithResolvers<void> | undefined;

  constructor(most: number) {
    this.#most = most;
  }

  /** Whether another one may begin. What began before a reset is waited for: an old write must not come behind a new one. */
  hasRoom(epoch: number): boolean {
    return this.#count === 0 || (epoch === this.#epoch && this.#count < this.#most);
  }

  /** One begins; to be called when it has ended. */
  begin(epoch: number, writes: boolean): () => void {
    this.#epoch = epoch;
    this.#count++;
    if (writes) this.#writes++;
    return () => {
      if (--this.#count === 0) {
        this.#landed?.resolve();
        this.#landed = undefined;
      }
      if (!writes || --this.#writes > 0) return;
      this.#written?.resolve();
      this.#written = undefined;
    };
  }

  /** Resolves when there is none; undefined: now. */
  landed(): Promise<void> | undefined {
    if (this.#count === 0) return undefined;
    this.#landed ??= Promise.withResolvers<void>();
    return this.#landed.promise;
  }

  /** Resolves when nothing is being written; undefined: now. */
  written(): Promise<void> | undefined {
    if (this.#writes === 0) return undefined;
    this.#written ??= Promise.withResolvers<void>();
    return this.#written.promise;
  }
}
