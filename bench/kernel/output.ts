// What kbench (guests/kbench) prints on its console, as figures, each line with the instant when the host saw it.

/** A part of a row's time, by the guest's clock. */
export interface Slice {
  readonly nanoseconds: number;
  readonly operations: number;
}

export interface RowRun {
  readonly name: string;
  readonly slices: readonly Slice[];
  /** When it began, by the guest's clock and by the host's. */
  readonly guestFromMs: number;
  readonly hostFromMs: number;
  /** What it took, by either. */
  readonly guestMs: number;
  readonly hostMs: number;
}

export interface KbenchOutput {
  readonly rows: readonly RowRun[];
  /** Why rows have no figures, by name. */
  readonly failed: ReadonlyMap<string, string>;
  /** What else rows said of themselves, by name and by key. */
  readonly also: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Whether all rows had their turn. */
  readonly done: boolean;
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

/** Takes the console's bytes as they come. */
export class KbenchReader {
  #partial = '';
  #running: { readonly name: string; readonly guestMs: number; readonly hostMs: number } | undefined;
  readonly #rows: RowRun[] = [];
  readonly #failed = new Map<string, string>();
  readonly #also: Record<string, Record<string, number>> = {};
  #done = false;
  /** The last lines that are not kbench's: what a kernel says that fails. */
  #other: string[] = [];

  /** `nowMs`: the host's clock. */
  take(text: string, nowMs: number): void {
    const lines = (this.#partial + text).replaceAll('\r', '').split('\n');
    this.#partial = lines.pop()!;
    for (const line of lines) this.#line(line, nowMs);
  }

  #line(line: string, nowMs: number): void {
    // Firmware leaves escape sequences in front of the first line.
    const [, words] = /kbench: (.*)$/.exec(line) ?? [];
    if (words === undefined) {
      if (line.trim() !== '') this.#other = [...this.#other.slice(-4), line.trim()];
      return;
    }
    const [, failed, why] = /^(\S+) failed: (.*)$/.exec(words) ?? [];
    const [, of, key, value] = /^also (\S+) (\S+) (-?\d+(?:\.\d+)?)$/.exec(words) ?? [];
    const [, begun, clock] = /^begin (\S+) (\d+)$/.exec(words) ?? [];
    const [, name, figures] = /^(\S+)((?: \d+ \d+)+)$/.exec(words) ?? [];
    if (words === 'done') this.#done = true;
    else if (failed !== undefined) this.#failed.set(failed, why!);
    else if (of !== undefined && of === this.#running?.name) (this.#also[of] ??= {})[key!] = Number(value);
    else if (begun !== undefined) this.#running = { name: begun, guestMs: Number(clock) / 1e6, hostMs: nowMs };
    else if (name !== undefined && name === this.#running?.name) {
      const numbers = figures!.trim().split(' ').map(Number);
      const slices = Array.from({ length: numbers.length / 2 }, (_, k) => ({
        nanoseconds: numbers[2 * k]!,
        operations: numbers[2 * k + 1]!,
      }));
      const guestMs = sum(slices.map(({ nanoseconds }) => nanoseconds)) / 1e6;
      const { guestMs: guestFromMs, hostMs: hostFromMs } = this.#running;
      this.#rows.push({ name, slices, guestFromMs, hostFromMs, guestMs, hostMs: nowMs - hostFromMs });
    } else this.#other.push(line);
  }

  /** The row that runs now. */
  get running(): string | undefined {
    return this.#running?.name;
  }
  get done(): boolean {
    return this.#done;
  }
  /** What else was printed last. */
  get other(): string {
    return [...this.#other, this.#partial].join(' | ').slice(-300);
  }
  get output(): KbenchOutput {
    return { rows: this.#rows, failed: this.#failed, also: this.#also, done: this.#done };
  }
}
