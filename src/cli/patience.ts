// How long a run waits for those who read its output: for ever, unless somebody has asked it to end.

/** A reader that takes nothing for so long, once somebody wants the run to end, is not waited for. */
const GRACE_MS = 1000;

export class Patience {
  readonly #hurry = Promise.withResolvers<void>();

  /** Somebody wants the run to end. */
  hurry(): void {
    this.#hurry.resolve();
  }

  /** Waits for `done`; once somebody is in a hurry, only while `left` (of bytes) gets less. */
  async wait(done: Promise<void>, left: () => number): Promise<void> {
    let finished = false;
    const finish = done.then(() => {
      finished = true;
    });
    await Promise.race([finish, this.#hurry.promise]);
    for (let before = Number.POSITIVE_INFINITY; !finished && left() < before; ) {
      before = left();
      let timer: ReturnType<typeof setTimeout> | undefined;
      const grace = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, GRACE_MS);
      });
      await Promise.race([finish, grace]);
      clearTimeout(timer);
    }
  }
}
