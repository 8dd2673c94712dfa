// The 8254 timer and port 0x61. Channel 0 drives IRQ 0, channel 2 is read through port 0x61; channels 0 and 1 always have their gates up.
// IRQ 0 follows OUT, but that it is not deasserted where OUT falls for the second half of a period (mode 3): it falls as it rises again.
import { f64, records, struct, u32 } from '../layout/struct.ts';
import type { View } from '../layout/view.ts';
import type { Device, DeviceContext } from './device.ts';
import type { LegacyIrqs } from './legacy-irqs.ts';
import { CounterState, PitCounter } from './pit-counter.ts';

export { PIT_HZ } from './pit-counter.ts';

/** Port 0x61 bit 4 toggles at every refresh of the memory. */
const REFRESH_NS = 15085;

const CHANNELS = 3;
const PitState = struct({
  /** Bits 1 to 3 of port 0x61 (speaker, NMI masks). */
  system: u32,
  /** The next rise of channel 0's output. */
  next: f64,
  counters: records(CHANNELS, CounterState),
});
const SYSTEM_WRITABLE = 0x0e;

export class Pit implements Device {
  readonly name = 'pit';
  readonly mayBeEarly = true;
  readonly #context: DeviceContext;
  readonly #irqs: LegacyIrqs;
  readonly #s: View<typeof PitState>;
  readonly #counters: readonly PitCounter[];

  constructor(context: DeviceContext, irqs: LegacyIrqs) {
    this.#context = context;
    this.#irqs = irqs;
    this.#s = context.state(PitState);
    this.#counters = this.#s.counters.map((state) => new PitCounter(state));
    context.ports.map(0x40, CHANNELS, {
      read: (port) => this.#counters[port & 3].read(this.#clockNow()),
      write: (port, _size, value) => this.#write(port & 3, value),
    });
    context.ports.map(0x43, 1, { write: (_port, _size, value) => this.#control(value) });
    context.ports.map(0x61, 1, { read: () => this.#readSystem(), write: (_port, _size, value) => this.#writeSystem(value) });
    irqs.add(() => this.#update());
    if (context.isFirst) this.reset();
  }

  /** As firmware leaves it: channel 0 counts 65536 in mode 3 (18.2 Hz); the first edge comes with the output's next rise. */
  reset(): void {
    const now = this.#context.clock.now();
    this.#s.system = 0;
    for (let channel = 0; channel < CHANNELS; channel++) this.#counters[channel].reset(channel !== 2, now);
    this.#irqs.setIrq(0, false);
    this.#schedule(now);
  }

  nextDeadline(): number {
    return this.#irqs.replaced ? Number.POSITIVE_INFINITY : this.#s.next;
  }

  onTimer(now: number): void {
    if (now < this.#s.next) return;
    this.#irqs.setIrq(0, false);
    this.#irqs.setIrq(0, true);
    this.#schedule(now);
  }

  /** Replaced by the HPET, IRQ 0 follows OUT without an edge for each period. */
  #update(): void {
    const now = this.#context.clock.now();
    if (!this.#irqs.replaced) this.onTimer(now);
    else {
      this.#irqs.setIrq(0, this.#counters[0].output(now));
      this.#schedule(now);
    }
  }

  #schedule(now: number): void {
    this.#s.next = this.#counters[0].nextRise(now);
    if (this.#s.next !== Number.POSITIVE_INFINITY) this.#context.deadlineChanged?.(this.#s.next);
  }

  /** The time at which the guest looks at a counter, or starts one. */
  #clockNow(): number {
    this.#context.clock.timerRead?.();
    return this.#context.clock.now();
  }

  #control(value: number): void {
    const now = this.#clockNow();
    const select = value >> 6;
    if (select === 3) {
      this.#counters.forEach((counter, channel) => {
        if ((value & (2 << channel)) === 0) return;
        if ((value & 0x10) === 0) counter.latchStatus(now);
        if ((value & 0x20) === 0) counter.latchCount(now);
      });
      return;
    }
    const counter = this.#counters[select];
    const access = (value >> 4) & 3;
    if (access === 0) {
      counter.latchCount(now);
      return;
    }
    this.#change(select, now, () => counter.setMode(access, value & 15));
  }

  #write(channel: number, value: number): void {
    const now = this.#clockNow();
    this.#change(channel, now, () => this.#counters[channel].write(value, now));
  }

  /** A write to a channel; where it changes channel 0's output, IRQ 0 follows: mode 0 deasserts it, other modes assert it. */
  #change(channel: number, now: number, write: () => void): void {
    if (channel !== 0) {
      write();
      return;
    }
    // A tick that came just before the timekeeper did is not lost.
    this.onTimer(now);
    const counter = this.#counters[0];
    const before = counter.output(now);
    write();
    const output = counter.output(now);
    if (output !== before) this.#irqs.setIrq(0, output);
    this.#schedule(now);
  }

  #readSystem(): number {
    const now = this.#clockNow();
    const counter = this.#counters[2];
    const refresh = Math.floor(now / REFRESH_NS) & 1;
    return counter.gate | this.#s.system | (refresh << 4) | (counter.output(now) ? 0x20 : 0);
  }

  #writeSystem(value: number): void {
    this.#s.system = value & SYSTEM_WRITABLE;
    this.#counters[2].setGate(value & 1, this.#clockNow());
  }
}
