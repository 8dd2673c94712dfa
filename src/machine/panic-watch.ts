// Looks for the line by which a guest's kernel says on its console that it cannot go on.

/** Linux, the BSDs, xv6, serai: 'Kernel panic - not syncing: ...', 'panic: ...', behind the time or the CPU in brackets maybe. */
const PANIC = /^(?:<\d+>)?(?:\[[^\]]*\]\s*)*(?:[a-z0-9]+: )?(?:kernel )?panic\b.*/i;
/** Characters of a line that are looked at. */
const LONGEST = 512;

const LATIN1 = new TextDecoder('latin1');

export class PanicWatch {
  #line = '';

  /** The lines that say so and end in `bytes`. */
  push(bytes: Uint8Array): string[] {
    const lines = (this.#line + LATIN1.decode(bytes)).split(/[\r\n]/);
    this.#line = lines.pop()!.slice(0, LONGEST);
    return lines.map((line) => line.slice(0, LONGEST)).filter((line) => PANIC.test(line));
  }
}
