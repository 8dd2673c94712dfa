// The A20 gate: one shared word that the keyboard controller and port 0x92 both drive. On at power-on, as firmware and
// multiboot leave it; whoever translates addresses may ask for it.
import type { SharedWord } from '../layout/view.ts';

export class A20 {
  readonly #word: SharedWord;

  /** `word` is 1 while address line 20 is passed on. */
  constructor(word: SharedWord) {
    this.#word = word;
  }

  get enabled(): boolean {
    return this.#word.load() !== 0;
  }

  set(enabled: boolean): void {
    this.#word.store(enabled ? 1 : 0);
  }
}
