// Bytes for the guest that its device has no room for yet. Host thread only.

export class Backlog {
  readonly #pieces: Uint8Array[] = [];
  readonly #onTaken: (() => void) | undefined;
  #length = 0;

  /** `onTaken`: some were taken. */
  constructor(onTaken?: () => void) {
    this.#onTaken = onTaken;
  }

  get length(): number {
    return this.#length;
  }

  /** A copy of what waits. */
  get bytes(): Uint8Array {
    const all = new Uint8Array(this.#length);
    let at = 0;
    for (const piece of this.#pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }

  /** Nothing waits any more. */
  clear(): void {
    this.#pieces.length = 0;
    this.#length = 0;
  }

  /** Puts a copy behind what waits. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#pieces.push(bytes.slice());
    this.#length += bytes.length;
  }

  /** Offers what waits, piece by piece, to `take`, which says how many bytes of it it took, until it takes less than it is offered. */
  drain(take: (bytes: Uint8Array) => number): void {
    const before = this.#length;
    for (let piece = this.#pieces[0]; piece !== undefined; piece = this.#pieces[0]) {
      const taken = take(piece);
      this.#length -= taken;
      if (taken < piece.length) {
        this.#pieces[0] = piece.subarray(taken);
        break;
      }
      this.#pieces.shift();
    }
    if (this.#length < before) this.#onTaken?.();
  }
}
