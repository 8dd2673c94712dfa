// Who drives IRQ 0 and IRQ 8: the 8254 and the RTC, or, in the HPET's LegacyReplacement mode, its timers 0 and 1 instead (IA-PC HPET
// specification 1.0a, 2.3.5). A source that is not connected keeps its level for the time when it is again; edges that it had meanwhile are nobody's.
import { array, struct, u32 } from '../layout/struct.ts';
import type { View } from '../layout/view.ts';
import type { DeviceContext, IrqSink } from './device.ts';

/** Who drives the lines: elements of `levels`. */
const CHIPS = 0;
const HPET = 1;

const LegacyState = struct({
  /** 1: by the HPET. */
  replaced: u32,
  /** A bit for each line: of the old chips, of the HPET. */
  levels: array(2, u32),
});
const LINES = [0, 8];

/** As an IrqSink: the lines of the 8254 and the RTC. */
export class LegacyIrqs implements IrqSink {
  readonly #context: DeviceContext;
  readonly #s: View<typeof LegacyState>;
  readonly #sources: (() => void)[] = [];

  constructor(context: DeviceContext) {
    this.#context = context;
    this.#s = context.state(LegacyState);
  }

  /** `update` brings a chip's line to what it is now: while it has no deadlines, nobody did. */
  add(update: () => void): void {
    this.#sources.push(update);
  }

  /** True while what the old chips do is seen by nobody. */
  get replaced(): boolean {
    return this.#s.replaced !== 0;
  }

  setIrq(line: number, level: boolean): void {
    this.#set(CHIPS, line, level);
  }

  /** Drives a line for the HPET. */
  setReplacement(line: number, level: boolean): void {
    this.#set(HPET, line, level);
  }

  replace(on: boolean): void {
    if (on === this.replaced) return;
    // What came before belongs to who was connected.
    for (const update of this.#sources) update();
    this.#s.replaced = on ? 1 : 0;
    for (const line of LINES) this.#drive(line);
    // The old chips have had no deadlines.
    if (!on) this.#context.deadlineChanged?.(this.#context.clock.now());
  }

  #set(source: number, line: number, level: boolean): void {
    if (level) this.#s.levels[source] |= 1 << line;
    else this.#s.levels[source] &= ~(1 << line);
    this.#drive(line);
  }

  #drive(line: number): void {
    const levels = this.#s.levels[this.replaced ? HPET : CHIPS];
    this.#context.irq.setIrq(line, (levels & (1 << line)) !== 0);
  }
}
