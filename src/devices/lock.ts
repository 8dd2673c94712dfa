// The device lock: a mutex over two shared words that any thread may take, and take again while it holds it.
// All device code and all shared device state is under it.

const FREE = 0;
const HELD = 1;
/** Held, and somebody may sleep on the word. */
const CONTENDED = 2;
/** For about as long as it takes to sleep and wake (15 microseconds): two CPUs whose timers run out at once want the lock at once. */
const SPINS = 1000;

const WORD_STATE = 0;
const WORD_OWNER = 1;

/** Words a lock needs. */
export const LOCK_WORDS = 2;

/** One thread's handle of the lock. A thread makes exactly one. */
export class DeviceLock {
  readonly #words: Int32Array;
  readonly #thread: number;
  readonly #mayWait: boolean;
  #depth = 0;

  /** `thread`: a number other than 0 that no other thread has; `mayWait`: false on a browser's main thread, where Atomics.wait throws. */
  constructor(words: Int32Array, thread: number, mayWait: boolean) {
    this.#words = words;
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
    if (Atomics.compareExchange(this.#words, WORD_STATE, FREE, HELD) !== FREE) this.#enterSlowly();
    Atomics.store(this.#words, WORD_OWNER, this.#thread);
    this.#depth = 1;
  }

  /** Takes the lock only if nobody has it. */
  tryEnter(): boolean {
    if (this.#depth > 0) {
      this.#depth++;
      return true;
    }
    if (Atomics.compareExchange(this.#words, WORD_STATE, FREE, HELD) !== FREE) return false;
    Atomics.store(this.#words, WORD_OWNER, this.#thread);
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
    return Atomics.load(this.#words, WORD_OWNER);
  }

  #free(): void {
    Atomics.store(this.#words, WORD_OWNER, 0);
    if (Atomics.exchange(this.#words, WORD_STATE, FREE) === CONTENDED) Atomics.notify(this.#words, WORD_STATE, 1);
  }

  #enterSlowly(): void {
    const words = this.#words;
    for (let i = 0; i < SPINS; i++) {
      if (Atomics.load(words, WORD_STATE) === FREE && Atomics.compareExchange(words, WORD_STATE, FREE, HELD) === FREE) return;
    }
    if (this.#mayWait) {
      while (Atomics.exchange(words, WORD_STATE, CONTENDED) !== FREE) Atomics.wait(words, WORD_STATE, CONTENDED);
    } else {
      while (Atomics.compareExchange(words, WORD_STATE, FREE, HELD) !== FREE);
    }
  }
}
