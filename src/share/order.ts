// The order of a guest's requests: those of one fid one after another as they came, those of different ones at once; and some alone, behind all before them and before all behind them.

export class Order {
  readonly #tails = new Map<number, Promise<unknown>>();
  readonly #open = new Set<Promise<unknown>>();
  /** The last one that was to be alone. */
  #gate: Promise<unknown> | undefined;

  /** Runs something when its turn comes. 'alone': with no other beside it. */
  run<T>(fids: readonly number[] | 'alone', work: () => Promise<T>): Promise<T> {
    const before = fids === 'alone' ? [...this.#open] : [this.#gate, ...fids.map((fid) => this.#tails.get(fid))];
    const done = Promise.all(before).then(work);
    const ended: Promise<unknown> = done.then(
      () => this.#ended(ended, fids),
      () => this.#ended(ended, fids),
    );
    this.#open.add(ended);
    if (fids === 'alone') this.#gate = ended;
    else for (const fid of fids) this.#tails.set(fid, ended);
    return done;
  }

  #ended(one: Promise<unknown>, fids: readonly number[] | 'alone'): void {
    this.#open.delete(one);
    if (this.#gate === one) this.#gate = undefined;
    if (fids !== 'alone') for (const fid of fids) if (this.#tails.get(fid) === one) this.#tails.delete(fid);
  }
}
