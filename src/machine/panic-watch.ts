// Looks for the line by which a guest's kernel says on its console that it cannot go on.

/** Linux, the BSDs, xv6, serai: 'Kernel panic - not syncing: ...', 'panic: ...', behind the time or the CPU in brackets maybe. */
const PANIC = /^(?:<\d+>)?(?:\[[^\]]*\]\s*)*(?:[a-z0-9]+: )?(?:kernel )?panic\b.*/i;
/** Characters of a line that are looked at. */
const LONGEST = 512;

export class PanicWatch {
  #line = '';

  /** The lines that say so and end in `bytes`. */
  push(bytes: Uint8Array): string[] {
    const found: string[] = [];
    for (const byte of bytes) {
      if (byte === 10 || byte === 13) {
        if (PANIC.test(this.#line)) found.push(this.#line);
        this.#line = '';
      } else if (this.#line.length < LONGEST) this.#line += String.fromCharCode(byte);
    }
    return found;
  }
}
