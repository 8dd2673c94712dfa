// Where a channel's output leaves the machine: a callback of the user, who may ask to be given no more for a while. What that holds back
// stays where it is bounded (a ring in shared memory, the guest's own buffers), so the guest waits as for a slow line.

/**
 * Takes what a guest sends on a channel. Where it returns a promise (any thenable), it gets no more of that channel until the promise
 * settles, and the guest waits meanwhile; a rejection is as good as a throw. Anything else that it returns is ignored. A run that is
 * stopped waits for nobody: what its devices had accepted by then comes at once.
 */
export type Receiver<T> = (value: T) => unknown;

/** What the outlets of a machine share. */
export class Outlets {
  /** The CPUs run on this very thread, in turn (lockstep), and cannot wait in a turn: what a turn sends is kept, and no other begins before it is taken. */
  readonly keeps: boolean;
  readonly #onFailure: (error: unknown) => void;
  readonly #all: Outlet<unknown>[] = [];
  #idle: PromiseWithResolvers<void> | undefined;
  /** What is watched and has not settled. */
  #watched = 0;
  #hurried = false;
  /** What the guest sends now it has sent before: nobody gets it. */
  muted = false;

  constructor(keeps = false, onFailure: (error: unknown) => void = () => {}) {
    this.keeps = keeps;
    this.#onFailure = onFailure;
  }

  /** `onReady`: the receiver takes more again (never where `keeps` holds: everything was given already). */
  add<T>(receive: Receiver<T> | undefined, onReady: () => void): Outlet<T> {
    const outlet = new Outlet<T>(this, receive, () => {
      if (!this.keeps) onReady();
      this.#lookIdle();
    });
    this.#all.push(outlet as Outlet<unknown>);
    return outlet;
  }

  /** An answer that a device waits for: until it is there, the machine waits as for a receiver. A rejection is as good as a receiver's throw. */
  watch(answer: Promise<unknown>): void {
    this.#watched++;
    void answer
      .catch((error: unknown) => this.failed(error))
      .then(() => {
        this.#watched--;
        this.#lookIdle();
      });
  }

  #lookIdle(): void {
    if (this.busy) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  get busy(): boolean {
    return this.#watched > 0 || this.#all.some((outlet) => outlet.busy);
  }

  /** Resolves when no receiver asks to wait, and no answer is waited for; undefined: now. */
  idle(): Promise<void> | undefined {
    if (!this.busy) return undefined;
    this.#idle ??= Promise.withResolvers<void>();
    return this.#idle.promise;
  }

  get hurried(): boolean {
    return this.#hurried;
  }

  /** From here on nobody is waited for. */
  hurry(): void {
    if (this.#hurried) return;
    this.#hurried = true;
    for (const outlet of this.#all) outlet.hurry();
  }

  failed(error: unknown): void {
    this.#onFailure(error);
  }
}

/** One channel's. On the host thread. */
export class Outlet<T> {
  readonly #shared: Outlets;
  readonly #receive: Receiver<T> | undefined;
  readonly #onReady: () => void;
  readonly #kept: T[] = [];
  /** Promises that have not settled: more than one only in a hurry. */
  #promises = 0;

  constructor(shared: Outlets, receive: Receiver<T> | undefined, onReady: () => void) {
    this.#shared = shared;
    this.#receive = receive;
    this.#onReady = onReady;
  }

  /** The receiver has asked to wait. */
  get busy(): boolean {
    return this.#promises > 0 || this.#kept.length > 0;
  }

  /** Whether a device may take more from its guest. */
  get ready(): boolean {
    return this.#shared.keeps || !this.busy;
  }

  /** Whether what a device has accepted from its guest is to be given now. */
  get open(): boolean {
    return this.ready || this.#shared.hurried;
  }

  /** Hands it over, behind what is kept. Throws what the receiver throws. */
  give(value: T): void {
    if (this.#shared.muted) return;
    if (this.busy && !this.#shared.hurried) this.#kept.push(value);
    else this.#hand(value);
  }

  /** Hands over what is kept, until the receiver asks to wait; in a hurry, all of it. */
  #giveKept(): void {
    try {
      while (this.#kept.length > 0 && (this.#promises === 0 || this.#shared.hurried)) this.#hand(this.#kept.shift()!);
    } catch (error) {
      this.#shared.failed(error);
    }
  }

  /** What was held back behind a promise comes now: here, and in the device. */
  hurry(): void {
    if (!this.busy) return;
    this.#giveKept();
    this.#onReady();
  }

  #hand(value: T): void {
    const answer = this.#receive?.(value);
    if (!isThenable(answer)) return;
    this.#promises++;
    void Promise.resolve(answer)
      .catch((error: unknown) => this.#shared.failed(error))
      .then(() => this.#settled());
  }

  #settled(): void {
    this.#promises--;
    this.#giveKept();
    if (!this.busy) this.#onReady();
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
