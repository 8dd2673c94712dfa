// The local APICs of all CPUs (xAPIC, SDM vol. 3, chapter 11), at 0xFEE00000, as one device. All state is shared, so any thread
// delivers to any CPU. Here: power-on, IA32_APIC_BASE and the CPUs' side of the timers; the rest is in lapic-registers.ts (MMIO),
// lapic-delivery.ts (messages and interrupt inputs), lapic-priority.ts (IRR and ISR) and lapic-timer.ts.

import { LAPIC_BASE, LAPIC_TABLE_BYTES, Lapic as LapicState, lapicRegisterWord } from '../layout/lapic.ts';
import { array, records, struct, u8 } from '../layout/struct.ts';
import { address } from '../layout/view.ts';
import type { Device, DeviceContext } from './device.ts';
import { type DeliveryOptions, LapicDelivery } from './lapic-delivery.ts';
import { LapicRegisters, type RegisterOptions } from './lapic-registers.ts';
import { DELIVERY, ID_SHIFT, type LapicView, Lvt } from './lapic-state.ts';
import { LapicTimers } from './lapic-timer.ts';

export { LAPIC_BASE };

/** IA32_APIC_BASE: the local APIC is enabled. */
const BASE_ENABLE = 1 << 11;

const lapicsState = (cpuCount: number) =>
  struct({
    cpus: records(cpuCount, LapicState),
    /** For each 16 bytes of the registers' page the word that is the register + 1, or 0. */
    table: array(LAPIC_TABLE_BYTES, u8),
  });

/** How the LAPICs see the rest of the interrupt system. */
export interface LapicOptions extends DeliveryOptions, RegisterOptions {
  /** Index of the CPU whose access this thread runs. */
  readonly current: { readonly index: number };
}

export class Lapic implements Device {
  readonly name = 'lapic';
  readonly delivery: LapicDelivery;
  /** For the runtime, which reads registers and ends interrupts itself (wasm/system/lapic.ts): where the CPUs' states are, and the table of registers that are words. */
  readonly addresses: { readonly state: number; readonly table: number };
  readonly #cpuCount: number;
  readonly #s: readonly LapicView[];
  readonly #timers: LapicTimers;

  constructor(context: DeviceContext, options: LapicOptions) {
    this.#cpuCount = options.cpuCount;
    const state = context.state(lapicsState(options.cpuCount));
    this.#s = state.cpus;
    this.addresses = { state: address(state.cpus[0]), table: state.table.byteOffset };
    this.#timers = new LapicTimers(context, this.#s, options.cpuCount);
    this.delivery = new LapicDelivery(this.#s, this.#timers, options);
    const registers = new LapicRegisters(this.#s, this.#timers, this.delivery, options);
    context.mmio.map(LAPIC_BASE, 0x1000, {
      read: (offset, size) => (this.#isOn(options.current.index) ? registers.read(options.current.index, offset, size) : -1),
      write: (offset, size, value) => {
        if (size === 4 && (offset & 15) === 0 && this.#isOn(options.current.index))
          registers.write(options.current.index, offset, value | 0);
      },
    });
    if (context.isFirst) {
      this.reset();
      state.table.forEach((_, n) => {
        state.table[n] = (lapicRegisterWord(n << 4) ?? -1) + 1;
      });
    }
  }

  /** Power-on; the boot CPU as firmware leaves it: enabled, LINT0 is the 8259 (virtual wire), LINT1 is NMI. */
  reset(): void {
    for (let cpu = 0; cpu < this.#cpuCount; cpu++) {
      const lapic = this.#s[cpu];
      this.delivery.resetRegisters(cpu);
      lapic.id = cpu << ID_SHIFT;
      lapic.global = 1;
      lapic.waiting = cpu === 0 ? 0 : 1;
      lapic.extint = 0;
      if (cpu === 0) {
        lapic.svr = 0x1ff;
        lapic.lvt[Lvt.LINT0] = DELIVERY.EXTINT << 8;
        lapic.lvt[Lvt.LINT1] = DELIVERY.NMI << 8;
      }
      this.delivery.update(cpu);
    }
  }

  /** APIC ID of a CPU, as its register has it now. */
  idOf(cpu: number): number {
    return this.#s[cpu].id >>> ID_SHIFT;
  }

  #isOn(cpu: number): boolean {
    return this.#s[cpu].global !== 0;
  }

  /** IA32_APIC_BASE of a CPU. Off, its registers are lost, and INTR of the boot CPU is the 8259s' (SDM vol. 3, 11.4.3). */
  setBase(cpu: number, value: number): void {
    const enabled = (value & BASE_ENABLE) !== 0;
    if (this.#isOn(cpu) === enabled) return;
    const lapic = this.#s[cpu];
    if (!enabled) this.delivery.resetRegisters(cpu);
    lapic.id = cpu << ID_SHIFT;
    lapic.global = enabled ? 1 : 0;
    this.delivery.update(cpu);
  }

  /** True while the CPU waits for a start-up IPI. */
  waitsForStartup(cpu: number): boolean {
    return this.#s[cpu].waiting !== 0;
  }

  /** Page number of the last start-up IPI: the CPU starts at vector << 12, real mode, CS = vector << 8. */
  sipiVector(cpu: number): number {
    return this.#s[cpu].sipi;
  }

  /** The task priority, for CR8 and for tests. */
  taskPriority(cpu: number): number {
    return this.#s[cpu].tpr;
  }

  nextDeadline(): number {
    return this.#timers.nextDeadline();
  }

  nextExpected(now: number): number {
    return this.#timers.nextExpected(now);
  }

  onTimer(now: number): void {
    this.#timers.check(now);
    for (let cpu = 0; cpu < this.#cpuCount; cpu++) if (this.#timers.isTimekeepers(cpu)) this.runTimer(cpu, now);
  }

  /** Runs the timer of one CPU, if its deadline has come. */
  runTimer(cpu: number, now: number): void {
    this.delivery.runTimer(cpu, now);
  }

  /** The CPU is in HLT. It keeps its timer: it sleeps no longer than until the deadline, then calls `runTimer`. */
  enterHalt(cpu: number): number {
    this.#timers.keep(cpu);
    return this.#timers.deadline(cpu);
  }

  /** The CPU leaves HLT; where it is likely to be back before its timer runs out, with a lease that is checked in `lease` ns. */
  leaveHalt(cpu: number, lease: number): void {
    if (lease > 0) this.#timers.lease(cpu, lease);
    else this.#timers.giveBack(cpu);
  }

  timerIsPeriodic(cpu: number): boolean {
    return this.#timers.isPeriodic(cpu);
  }

  /** When the CPU's timer runs out; Infinity: never. */
  timerDeadline(cpu: number): number {
    return this.#timers.deadline(cpu);
  }

  /**
   * Arms the timer for a time of the machine's clock; 0 disarms. A time that has passed interrupts at once. Ignored but in TSC-deadline
   * mode (SDM vol. 3, 11.5.4.1).
   */
  setTscDeadline(cpu: number, nanoseconds: number): void {
    const now = this.#timers.now();
    this.runTimer(cpu, now);
    this.#timers.setTscDeadline(cpu, nanoseconds);
    this.runTimer(cpu, now);
  }

  /** True while a TSC deadline is armed: IA32_TSC_DEADLINE reads as 0 otherwise. */
  tscDeadlineArmed(cpu: number): boolean {
    return this.#timers.tscDeadlineArmed(cpu);
  }
}
