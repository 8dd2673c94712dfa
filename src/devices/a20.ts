// The A20 gate: one shared word that the keyboard controller and port 0x92 both drive. On at power-on, as firmware and
// multiboot leave it; whoever translates addresses may ask for it.

export class A20 {
  readonly #words: Int32Array;
  readonly #index: number;

  /** `words[index]` is 1 while address line 20 is passed on. */
  constructor(words: Int32Array, index: number) {
    this.#words = words;
    this.#index = index;
  }

  get enabled(): boolean {
    return Atomics.load(this.#words, this.#index) !== 0;
  }

  set(enabled: boolean): void {
    Atomics.store(this.#words, this.#index, enabled ? 1 : 0);
  }
}
