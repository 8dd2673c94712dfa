// The guest's serial console for tests: waits for what is printed, and runs commands in its shell.
import type { MachineHandle } from '../../src/api/options.ts';

export class GuestConsole {
  /** All that was printed so far. */
  text = '';
  #machine: MachineHandle | undefined;
  #wake: () => void = () => {};
  #ended: string | undefined;
  #commands = 0;

  readonly onConsole = (bytes: Uint8Array): void => {
    this.text += Buffer.from(bytes).toString('latin1');
    this.#wake();
  };

  /** The machine whose console this is. Its end ends all waiting. */
  attach(machine: MachineHandle, run: Promise<unknown>): void {
    this.#machine = machine;
    const end = (result: unknown) => {
      this.#ended = JSON.stringify(result);
      this.#wake();
    };
    run.then(end, end);
  }

  /** Waits until `what` is printed behind position `from`; returns the position behind it. */
  async waitFor(what: string, ms: number, from = 0): Promise<number> {
    const deadline = performance.now() + ms;
    for (;;) {
      const at = this.text.indexOf(what, from);
      if (at >= 0) return at + what.length;
      const left = deadline - performance.now();
      const because = this.#ended !== undefined ? `the run ended (${this.#ended})` : `nothing after ${ms / 1000} s`;
      if (this.#ended !== undefined || left <= 0)
        throw new Error(`no '${what}': ${because}; the console ends in:\n${this.text.slice(-1500)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Runs a line in the shell; returns what it printed, trimmed. */
  async command(line: string, ms: number): Promise<string> {
    const n = ++this.#commands;
    // The echo of what is typed holds the sums, not their results.
    const from = this.text.length;
    this.#machine!.sendInput(Buffer.from(`echo "<$((1000+${n}))"; ${line}; echo "$((1000+${n}))>"\n`));
    const start = await this.waitFor(`<${1000 + n}`, ms, from);
    const end = await this.waitFor(`${1000 + n}>`, ms, start);
    return this.text
      .slice(start, end - `${1000 + n}>`.length)
      .replaceAll('\r', '')
      .trim();
  }
}
