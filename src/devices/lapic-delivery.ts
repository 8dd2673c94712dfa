// How interrupts get to the CPUs (SDM vol. 3, 11.6 to 11.8): messages of the bus and their destinations, the 8259s at LINT0, the
// CPUs' interrupt inputs and their acknowledge cycle. Which of a CPU's requests comes next is in lapic-priority.ts.
import { clear } from '../layout/view.ts';
import { accept, deliverable, processorPriority, request } from './lapic-priority.ts';
import { DELIVERY, ID_SHIFT, type LapicView, LVT_MASKED, Lvt, SVR_ENABLE } from './lapic-state.ts';
import type { LapicTimers } from './lapic-timer.ts';

/** What a CPU is told beside "an interrupt may be pending" (bits of Cpu.pending). */
export interface CpuSignals {
  /** INTR follows the state of the CPU's interrupt input. */
  setIntr(cpu: number, level: boolean): void;
  nmi(cpu: number): void;
  init(cpu: number): void;
  /** The vector is in `Lapic.sipiVector`. */
  startup(cpu: number): void;
}

/** Where the LAPICs' messages end, and the 8259s that they see. */
export interface DeliveryOptions {
  readonly cpuCount: number;
  readonly signals: CpuSignals;
  /** INT pin of the 8259s, and its acknowledge cycle. */
  readonly picOutput: () => boolean;
  readonly picAcknowledge: () => number;
}

export class LapicDelivery {
  readonly #options: DeliveryOptions;
  readonly #s: readonly LapicView[];
  readonly #timers: LapicTimers;

  /** `state`: the LAPICs' registers. */
  constructor(state: readonly LapicView[], timers: LapicTimers, options: DeliveryOptions) {
    this.#options = options;
    this.#s = state;
    this.#timers = timers;
  }

  /** Sends a message of the bus: from the I/O APIC or an ICR. True if some CPU took it. */
  send(destination: number, logical: boolean, mode: number, vector: number, level: boolean): boolean {
    const count = this.#options.cpuCount;
    if (mode === DELIVERY.LOWEST) {
      let best = -1;
      let lowest = 0x100;
      for (let cpu = 0; cpu < count; cpu++) {
        if (!this.#matches(cpu, destination, logical) || (this.#s[cpu].svr & SVR_ENABLE) === 0) continue;
        const priority = processorPriority(this.#s[cpu]);
        if (priority < lowest) {
          lowest = priority;
          best = cpu;
        }
      }
      if (best < 0) return false;
      this.deliver(best, DELIVERY.FIXED, vector, level);
      return true;
    }
    let taken = false;
    for (let cpu = 0; cpu < count; cpu++) {
      if (!this.#matches(cpu, destination, logical)) continue;
      if (mode === DELIVERY.FIXED && (this.#s[cpu].svr & SVR_ENABLE) === 0) continue;
      this.deliver(cpu, mode, vector, level);
      taken = true;
    }
    return taken;
  }

  /** Connects or disconnects the 8259s to the CPUs of a destination (an I/O APIC input in ExtINT mode). */
  setExtInt(destination: number, logical: boolean, level: boolean): void {
    for (let cpu = 0; cpu < this.#options.cpuCount; cpu++) {
      if (!this.#matches(cpu, destination, logical)) continue;
      this.#s[cpu].extint = level ? 1 : 0;
      this.update(cpu);
    }
  }

  /** Delivers to one CPU. */
  deliver(cpu: number, mode: number, vector: number, level: boolean): void {
    const lapic = this.#s[cpu];
    if (lapic.global === 0) return;
    switch (mode) {
      case DELIVERY.FIXED:
      case DELIVERY.LOWEST:
        if ((lapic.svr & SVR_ENABLE) === 0) return;
        if (vector < 16) {
          this.error(cpu, 0x40);
          return;
        }
        request(lapic, vector, level);
        this.update(cpu);
        return;
      case DELIVERY.NMI:
        this.#options.signals.nmi(cpu);
        return;
      case DELIVERY.INIT:
        this.resetRegisters(cpu);
        // The boot CPU restarts at the reset vector; the others wait for a start-up IPI.
        lapic.waiting = cpu === 0 ? 0 : 1;
        this.update(cpu);
        this.#options.signals.init(cpu);
        return;
      case DELIVERY.STARTUP:
        if (lapic.waiting === 0) return;
        lapic.waiting = 0;
        lapic.sipi = vector;
        this.#options.signals.startup(cpu);
        return;
    }
  }

  /** Runs the timer of one CPU, if its deadline has come. */
  runTimer(cpu: number, now: number): void {
    if (!this.#timers.expire(cpu, now)) return;
    const lvt = this.#s[cpu].lvt[Lvt.TIMER];
    if ((lvt & LVT_MASKED) === 0) this.deliver(cpu, DELIVERY.FIXED, lvt & 0xff, false);
  }

  /** Registers after an INIT: all but the ID (SDM vol. 3, 11.4.7.3). */
  resetRegisters(cpu: number): void {
    const lapic = this.#s[cpu];
    const { id, global, waiting, sipi, keeper } = lapic;
    clear(lapic);
    Object.assign(lapic, { id, global, waiting, sipi, keeper });
    lapic.dfr = 0xffffffff;
    lapic.svr = 0xff;
    lapic.lvt.fill(LVT_MASKED);
    this.#timers.reset(cpu);
  }

  /** The INT pin of the 8259s changed: LINT0 of the boot CPU. */
  picChanged(level: boolean): void {
    const lint0 = this.#s[0].lvt[Lvt.LINT0];
    if (level && (lint0 & LVT_MASKED) === 0 && this.#s[0].global !== 0) {
      const mode = (lint0 >> 8) & 7;
      if (mode === DELIVERY.FIXED || mode === DELIVERY.NMI) this.deliver(0, mode, lint0 & 0xff, false);
    }
    for (let cpu = 0; cpu < this.#options.cpuCount; cpu++) this.update(cpu);
  }

  /** True when the CPU's INTR input is up. */
  hasInterrupt(cpu: number): boolean {
    return this.#takesPic(cpu) || deliverable(this.#s[cpu]) >= 0;
  }

  /** The CPU takes its interrupt: the vector; the spurious one if the request went away; -1 where the LAPIC is off. */
  acknowledge(cpu: number): number {
    const lapic = this.#s[cpu];
    // An ExtINT outranks the LAPIC's own requests: it has no priority of its own.
    if (this.#takesPic(cpu)) {
      const vector = this.#options.picAcknowledge();
      this.update(cpu);
      return vector;
    }
    if (lapic.global === 0) return -1;
    const vector = deliverable(lapic);
    if (vector < 0) {
      this.update(cpu);
      return -1;
    }
    accept(lapic, vector);
    this.update(cpu);
    return vector;
  }

  /** The CPU's interrupt input follows what may interrupt it now. */
  update(cpu: number): void {
    this.#options.signals.setIntr(cpu, this.hasInterrupt(cpu));
  }

  /** Collects errors for the ESR; the first since it was last written is an interrupt, too. */
  error(cpu: number, bits: number): void {
    const lapic = this.#s[cpu];
    const armed = lapic.esrNext === 0;
    lapic.esrNext |= bits;
    if (!armed) return;
    const lvt = lapic.lvt[Lvt.ERROR];
    if ((lvt & LVT_MASKED) === 0 && (lvt & 0xff) >= 16) this.deliver(cpu, DELIVERY.FIXED, lvt & 0xff, false);
  }

  #takesPic(cpu: number): boolean {
    const lapic = this.#s[cpu];
    if (!this.#options.picOutput()) return false;
    if (lapic.global === 0) return cpu === 0;
    if (lapic.extint !== 0) return true;
    return cpu === 0 && (lapic.lvt[Lvt.LINT0] & (LVT_MASKED | 0x700)) === DELIVERY.EXTINT << 8;
  }

  #matches(cpu: number, destination: number, logical: boolean): boolean {
    const lapic = this.#s[cpu];
    if (lapic.global === 0) return false;
    if (!logical) return destination === 0xff || lapic.id >>> ID_SHIFT === destination;
    const ldr = lapic.ldr >>> 24;
    if (lapic.dfr >>> 28 === 15) return (ldr & destination) !== 0;
    return (destination === 0xff || ldr >> 4 === destination >> 4) && (ldr & destination & 15) !== 0;
  }
}
