// The registers of the local APICs as their CPUs see them (SDM vol. 3, table 11-1): which word an offset means, what of it can be
// written, and what a write sets going: an end of interrupt, an IPI, the timer.

import { lapicRegisterWord } from '../layout/lapic.ts';
import { word } from '../layout/view.ts';
import type { AccessSize } from './device.ts';
import type { LapicDelivery } from './lapic-delivery.ts';
import { endService, processorPriority } from './lapic-priority.ts';
import { DELIVERY, type LapicView, LVT_MASKED, SVR_ENABLE } from './lapic-state.ts';
import type { LapicTimers } from './lapic-timer.ts';

const VERSION = 0x50014;
/** ESR: an access where no register is (SDM vol. 3, 11.5.3). */
const ILLEGAL_REGISTER = 0x80;
/** Writable bits of the LVT entries: timer, thermal, performance, LINT0, LINT1, error. */
const LVT_WRITABLE = [0x700ff, 0x107ff, 0x107ff, 0x1a7ff, 0x1a7ff, 0x100ff] as const;

export interface RegisterOptions {
  readonly cpuCount: number;
  /** Level-triggered interrupts end at the I/O APIC, too. */
  readonly onEoi: (vector: number) => void;
}

export class LapicRegisters {
  readonly #options: RegisterOptions;
  readonly #s: readonly LapicView[];
  readonly #timers: LapicTimers;
  readonly #delivery: LapicDelivery;

  /** `state`: the LAPICs' registers. */
  constructor(state: readonly LapicView[], timers: LapicTimers, delivery: LapicDelivery, options: RegisterOptions) {
    this.#options = options;
    this.#s = state;
    this.#timers = timers;
    this.#delivery = delivery;
  }

  /** What a CPU reads at an offset from LAPIC_BASE. */
  read(cpu: number, offset: number, size: AccessSize): number {
    // Registers are the first four bytes of each 16; narrower reads are not architectural, but harmless.
    if ((offset & 15) >= 4) return 0;
    const value = this.#read(cpu, offset & ~15);
    return size === 4 ? value : value >>> (8 * (offset & 3));
  }

  #read(cpu: number, offset: number): number {
    const lapic = this.#s[cpu];
    const n = lapicRegisterWord(offset);
    if (n !== undefined) return word(lapic, n);
    switch (offset) {
      case 0x30:
        return VERSION;
      case 0xa0:
        return processorPriority(lapic);
      case 0x390:
        this.#delivery.runTimer(cpu, this.#timers.now());
        return this.#timers.currentCount(cpu);
      case 0x90:
      case 0xb0:
      case 0xc0:
        return 0;
      default:
        this.#delivery.error(cpu, ILLEGAL_REGISTER);
        return 0;
    }
  }

  /** A CPU writes a register, whole. */
  write(cpu: number, offset: number, value: number): void {
    const lapic = this.#s[cpu];
    if (offset >= 0x320 && offset <= 0x370) {
      this.#writeLvt(cpu, (offset - 0x320) >> 4, value);
      return;
    }
    switch (offset) {
      case 0x20:
        lapic.id = value & 0xff000000;
        return;
      case 0x80:
        lapic.tpr = value & 0xff;
        this.#delivery.update(cpu);
        return;
      case 0xb0:
        this.#endOfInterrupt(cpu);
        return;
      case 0xd0:
        lapic.ldr = value & 0xff000000;
        return;
      case 0xe0:
        lapic.dfr = value | 0x0fffffff;
        return;
      case 0xf0:
        lapic.svr = value & 0x3ff;
        if ((value & SVR_ENABLE) === 0) lapic.lvt.forEach((entry, n) => (lapic.lvt[n] = entry | LVT_MASKED));
        this.#delivery.update(cpu);
        return;
      case 0x280:
        // A write shows what was collected since the last one (SDM vol. 3, 11.5.3).
        lapic.esr = lapic.esrNext;
        lapic.esrNext = 0;
        return;
      case 0x300:
        lapic.icrLow = value & 0xccfff;
        this.#sendCommand(cpu, value);
        return;
      case 0x310:
        lapic.icrHigh = value & 0xff000000;
        return;
      case 0x380:
        this.#delivery.runTimer(cpu, this.#timers.now());
        this.#timers.start(cpu, value);
        return;
      case 0x3e0:
        this.#delivery.runTimer(cpu, this.#timers.now());
        this.#timers.setDivide(cpu, value);
        return;
      case 0x30:
      case 0x90:
      case 0xa0:
      case 0xc0:
      case 0x390:
        return;
      default:
        if (offset < 0x100 || offset >= 0x280) this.#delivery.error(cpu, ILLEGAL_REGISTER);
    }
  }

  #writeLvt(cpu: number, entry: number, value: number): void {
    const lapic = this.#s[cpu];
    // What the timer owes by now, it owes by the old entry.
    if (entry === 0) this.#delivery.runTimer(cpu, this.#timers.now());
    const old = lapic.lvt[entry];
    let next = value & LVT_WRITABLE[entry];
    if ((lapic.svr & SVR_ENABLE) === 0) next |= LVT_MASKED;
    lapic.lvt[entry] = next;
    if (entry === 0) this.#timers.modeChanged(cpu, old);
    this.#delivery.update(cpu);
  }

  #endOfInterrupt(cpu: number): void {
    if (endService(this.#s[cpu], this.#options.onEoi)) this.#delivery.update(cpu);
  }

  #sendCommand(cpu: number, low: number): void {
    const vector = low & 0xff;
    const mode = (low >> 8) & 7;
    const shorthand = (low >> 18) & 3;
    // INIT level de-assert only sets arbitration ids, which no longer exist.
    if (mode === DELIVERY.INIT && (low & 0x8000) !== 0 && (low & 0x4000) === 0) return;
    if ((mode === DELIVERY.FIXED || mode === DELIVERY.LOWEST) && vector < 16) {
      this.#delivery.error(cpu, 0x20);
      return;
    }
    if (shorthand === 0) {
      const destination = this.#s[cpu].icrHigh >>> 24;
      this.#delivery.send(destination, (low & 0x800) !== 0, mode, vector, false);
    } else if (shorthand === 1) {
      this.#delivery.deliver(cpu, mode, vector, false);
    } else {
      for (let other = 0; other < this.#options.cpuCount; other++) {
        if (shorthand === 2 || other !== cpu) this.#delivery.deliver(other, mode, vector, false);
      }
    }
  }
}
