// How a thread is made to rest while its machine is paused: a word of shared memory (Rest) that both ends know. The thread looks at it at its safe points alone.
import { Rest } from '../../layout/cpu.ts';
import { SharedWord } from '../../layout/view.ts';

/** The thread's end. */
export class Resting {
  readonly #word: SharedWord;
  readonly #stopped: () => boolean;

  /** `stopped`: the run has ended; that is so before the host lets its threads go for good. */
  constructor(i32: Int32Array, index: number, stopped: () => boolean) {
    this.#word = new SharedWord(i32, index);
    this.#stopped = stopped;
  }

  /** Whether the host asks for it. */
  get asked(): boolean {
    return this.#word.load() !== Rest.RUNS;
  }

  /** Rests until the host lets it go, if it asks for it; else at once where `begin` is given, which is called as soon as the host may look. */
  rest(begin?: () => void): void {
    if (begin !== undefined) this.#word.store(Rest.RESTS);
    else if (this.#word.compareExchange(Rest.ASKED, Rest.RESTS) !== Rest.ASKED) return;
    begin?.();
    do {
      this.#word.notify();
      while (this.#word.load() === Rest.RESTS && !this.#stopped()) this.#word.wait(Rest.RESTS);
      // It may be asked again before it woke.
    } while (this.#word.compareExchange(Rest.ASKED, Rest.RESTS) === Rest.ASKED && !this.#stopped());
  }
}

/** The host's end. */
export class Rests {
  readonly #i32: Int32Array;
  readonly #index: number;

  constructor(i32: Int32Array, index: number) {
    this.#i32 = i32;
    this.#index = index;
  }

  get rests(): boolean {
    return Atomics.load(this.#i32, this.#index) === Rest.RESTS;
  }

  /** Asks a thread that runs to rest. False: it has been asked already, or it rests. The thread is woken by its own means. */
  ask(): boolean {
    return Atomics.compareExchange(this.#i32, this.#index, Rest.RUNS, Rest.ASKED) === Rest.RUNS;
  }

  /** Resolves when it rests. */
  async reached(): Promise<void> {
    for (let value = Atomics.load(this.#i32, this.#index); value !== Rest.RESTS; value = Atomics.load(this.#i32, this.#index)) {
      const wait = Atomics.waitAsync(this.#i32, this.#index, value);
      if (wait.async) await wait.value;
    }
  }

  /** Lets it go. */
  end(): void {
    Atomics.store(this.#i32, this.#index, Rest.RUNS);
    Atomics.notify(this.#i32, this.#index);
  }
}
