// The device lock: a mutex in shared memory that any thread may take, and take again while it holds it.
// All device code and all shared device state is under it.
import { shared32, struct } from '../layout/struct.ts';
import type { SharedWord, View } from '../layout/view.ts';

const FREE = 0;
const HELD = 1;
/** Held, and somebody may sleep on the word. */
const CONTENDED = 2;
/** For about as long as it takes to sleep and wake (15 microseconds): two CPUs whose timers run out at once want the lock at once. */
const SPINS = 1000;

export const LockState = struct({
  /** FREE, HELD or CONTENDED. */
  state: shared32,
  /** Number of the thread that holds it; 0: none. */
  owner: shared32,
});

/** One thread's handle of the lock. A thread makes exactly one. */
export class DeviceLock {
  readonly #state: SharedWord;
  readonly #owner: SharedWord;
  readonly #thread: number;
  readonly #mayWait: boolean;
  #depth = 0;

  /** `thread`: a number other than 0 that no other thread has; `mayWait`: false on a browser's main thread, where Atomics.wait throws. */
  constructor({ state, owner }: View<typeof LockState>, thread: number, mayWait: boolean) {
    this.#state = state;
    this.#owner = owner;
    this.#thread = thread;
    this.#mayWait = mayWait;
  }

  get held(): boolean {
    return this.#depth > 0;
  }

  enter(): void {
    if (this.#depth > 0) {
      this.#depth++;
      return;
    }
    if (this.#state.compareExchange(FREE, HELD) !== FREE) this.#enterSlowly();
    this.#owner.store(this.#thread);
    this.#depth = 1;
  }

  /** Takes the lock only if nobody has it. */
  tryEnter(): boolean {
    if (this.#depth > 0) {
      this.#depth++;
      return true;
    }
    if (this.#state.compareExchange(FREE, HELD) !== FREE) return false;
    this.#owner.store(this.#thread);
    this.#depth = 1;
    return true;
  }

  leave(): void {
    if (--this.#depth > 0) return;
    this.#free();
  }

  /** Gives the lock up altogether, however deep; the result goes to `retake`. For a device that must wait for another thread. */
  release(): number {
    const depth = this.#depth;
    this.#depth = 0;
    if (depth > 0) this.#free();
    return depth;
  }

  retake(depth: number): void {
    if (depth === 0) return;
    this.enter();
    this.#depth = depth;
  }

  /** Number of the thread that holds the lock, 0 for none: for diagnosis. */
  get owner(): number {
    return this.#owner.load();
  }

  #free(): void {
    this.#owner.store(0);
    if (this.#state.exchange(FREE) === CONTENDED) this.#state.notify(1);
  }

  #enterSlowly(): void {
    const state = this.#state;
    for (let i = 0; i < SPINS; i++) {
      if (state.load() === FREE && state.compareExchange(FREE, HELD) === FREE) return;
    }
    if (this.#mayWait) {
      while (state.exchange(CONTENDED) !== FREE) state.wait(CONTENDED);
    } else {
      while (state.compareExchange(FREE, HELD) !== FREE);
    }
  }
}
