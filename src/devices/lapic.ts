// The local APICs of all CPUs (xAPIC, SDM vol. 3, chapter 11), at 0xFEE00000. All state is shared,
// so any thread delivers to any CPU. The timers are in lapic-timer.ts.
import type { Device, DeviceContext } from './device.ts';
import { AT, CPU_WORDS, DELIVERY, ID_SHIFT, LVT_COUNT, LVT_MASKED, SVR_ENABLE } from './lapic-state.ts';
import { LapicTimers } from './lapic-timer.ts';

export const LAPIC_BASE = 0xfee00000;
const VERSION = 0x50014;

/** What a CPU is told beside "an interrupt may be pending" (bits of Cpu.pending). */
export interface CpuSignals {
  /** INTR follows the state of the CPU's interrupt input. */
  setIntr(cpu: number, level: boolean): void;
  nmi(cpu: number): void;
  init(cpu: number): void;
  /** The vector is in `Lapic.sipiVector`. */
  startup(cpu: number): void;
}

/** How the LAPICs see the rest of the interrupt system. */
export interface LapicOptions {
  readonly cpuCount: number;
  /** Index of the CPU whose access this thread runs. */
  readonly current: { readonly index: number };
  readonly signals: CpuSignals;
  /** Level-triggered interrupts end at the I/O APIC, too. */
  readonly onEoi: (vector: number) => void;
  /** INT pin of the 8259s, and its acknowledge cycle. */
  readonly picOutput: () => boolean;
  readonly picAcknowledge: () => number;
}

export class Lapic implements Device {
  readonly name = 'lapic';
  readonly #options: LapicOptions;
  readonly #s: Int32Array;
  readonly #timers: LapicTimers;

  constructor(context: DeviceContext, options: LapicOptions) {
    this.#options = options;
    this.#s = context.words(CPU_WORDS * options.cpuCount);
    this.#timers = new LapicTimers(context, this.#s, options.cpuCount);
    context.mmio.map(LAPIC_BASE, 0x1000, {
      read: (offset, size) => this.#readAny(offset, size),
      write: (offset, size, value) => {
        if (size === 4 && (offset & 15) === 0) this.#write(options.current.index, offset, value | 0);
      },
    });
    if (context.isFirst) this.reset();
  }

  /** Power-on; the boot CPU as firmware leaves it: enabled, LINT0 is the 8259 (virtual wire), LINT1 is NMI. */
  reset(): void {
    for (let cpu = 0; cpu < this.#options.cpuCount; cpu++) {
      const at = cpu * CPU_WORDS;
      this.#resetRegisters(cpu);
      this.#s[at + AT.ID] = cpu << ID_SHIFT;
      this.#s[at + AT.GLOBAL] = 1;
      this.#s[at + AT.WAITING] = cpu === 0 ? 0 : 1;
      this.#s[at + AT.EXTINT] = 0;
      if (cpu === 0) {
        this.#s[at + AT.SVR] = 0x1ff;
        this.#s[at + AT.LVT + 3] = DELIVERY.EXTINT << 8;
        this.#s[at + AT.LVT + 4] = DELIVERY.NMI << 8;
      }
      this.#update(cpu);
    }
  }

  /** Registers after an INIT: all but the ID (SDM vol. 3, 11.4.7.3). */
  #resetRegisters(cpu: number): void {
    const s = this.#s;
    const at = cpu * CPU_WORDS;
    const id = s[at + AT.ID];
    const global = s[at + AT.GLOBAL];
    const waiting = s[at + AT.WAITING];
    const sipi = s[at + AT.SIPI];
    const keeper = s[at + AT.KEEPER];
    s.fill(0, at, at + CPU_WORDS);
    s[at + AT.ID] = id;
    s[at + AT.GLOBAL] = global;
    s[at + AT.WAITING] = waiting;
    s[at + AT.SIPI] = sipi;
    s[at + AT.KEEPER] = keeper;
    s[at + AT.DFR] = -1;
    s[at + AT.SVR] = 0xff;
    for (let i = 0; i < LVT_COUNT; i++) s[at + AT.LVT + i] = LVT_MASKED;
    this.#timers.reset(cpu);
  }

  /** APIC ID of a CPU, as its register has it now. */
  idOf(cpu: number): number {
    return this.#s[cpu * CPU_WORDS + AT.ID] >>> ID_SHIFT;
  }

  /** IA32_APIC_BASE bit 11. */
  setEnabled(cpu: number, enabled: boolean): void {
    const s = this.#s;
    const at = cpu * CPU_WORDS;
    if ((s[at + AT.GLOBAL] !== 0) === enabled) return;
    if (!enabled) this.#resetRegisters(cpu);
    s[at + AT.GLOBAL] = enabled ? 1 : 0;
    this.#update(cpu);
  }

  /** True while the CPU waits for a start-up IPI. */
  waitsForStartup(cpu: number): boolean {
    return this.#s[cpu * CPU_WORDS + AT.WAITING] !== 0;
  }

  /** Page number of the last start-up IPI: the CPU starts at vector << 12, real mode, CS = vector << 8. */
  sipiVector(cpu: number): number {
    return this.#s[cpu * CPU_WORDS + AT.SIPI];
  }

  /** The task priority, for CR8 and for tests. */
  taskPriority(cpu: number): number {
    return this.#s[cpu * CPU_WORDS + AT.TPR];
  }

  // Delivery ----------------------------------------------------------------------------------------------------------

  /** Sends a message of the bus: from the I/O APIC or an ICR. True if some CPU took it. */
  send(destination: number, logical: boolean, mode: number, vector: number, level: boolean): boolean {
    const count = this.#options.cpuCount;
    if (mode === DELIVERY.LOWEST) {
      let best = -1;
      let lowest = 0x100;
      for (let cpu = 0; cpu < count; cpu++) {
        if (!this.#matches(cpu, destination, logical) || (this.#s[cpu * CPU_WORDS + AT.SVR] & SVR_ENABLE) === 0) continue;
        const priority = this.#processorPriority(cpu);
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
      if (mode === DELIVERY.FIXED && (this.#s[cpu * CPU_WORDS + AT.SVR] & SVR_ENABLE) === 0) continue;
      this.deliver(cpu, mode, vector, level);
      taken = true;
    }
    return taken;
  }

  /** Connects or disconnects the 8259s to the CPUs of a destination (an I/O APIC input in ExtINT mode). */
  setExtInt(destination: number, logical: boolean, level: boolean): void {
    for (let cpu = 0; cpu < this.#options.cpuCount; cpu++) {
      if (!this.#matches(cpu, destination, logical)) continue;
      this.#s[cpu * CPU_WORDS + AT.EXTINT] = level ? 1 : 0;
      this.#update(cpu);
    }
  }

  /** Delivers to one CPU. */
  deliver(cpu: number, mode: number, vector: number, level: boolean): void {
    const s = this.#s;
    const at = cpu * CPU_WORDS;
    if (s[at + AT.GLOBAL] === 0) return;
    switch (mode) {
      case DELIVERY.FIXED:
      case DELIVERY.LOWEST: {
        if ((s[at + AT.SVR] & SVR_ENABLE) === 0) return;
        if (vector < 16) {
          this.#error(cpu, 0x40);
          return;
        }
        const bit = 1 << (vector & 31);
        const word = vector >> 5;
        s[at + AT.IRR + word] |= bit;
        if (level) s[at + AT.TMR + word] |= bit;
        else s[at + AT.TMR + word] &= ~bit;
        this.#update(cpu);
        return;
      }
      case DELIVERY.NMI:
        this.#options.signals.nmi(cpu);
        return;
      case DELIVERY.INIT:
        this.#resetRegisters(cpu);
        // The boot CPU restarts at the reset vector; the others wait for a start-up IPI.
        s[at + AT.WAITING] = cpu === 0 ? 0 : 1;
        this.#update(cpu);
        this.#options.signals.init(cpu);
        return;
      case DELIVERY.STARTUP:
        if (s[at + AT.WAITING] === 0) return;
        s[at + AT.WAITING] = 0;
        s[at + AT.SIPI] = vector;
        this.#options.signals.startup(cpu);
        return;
    }
  }

  /** The INT pin of the 8259s changed: LINT0 of the boot CPU. */
  picChanged(level: boolean): void {
    const lint0 = this.#s[AT.LVT + 3];
    if (level && (lint0 & LVT_MASKED) === 0 && this.#s[AT.GLOBAL] !== 0) {
      const mode = (lint0 >> 8) & 7;
      if (mode === DELIVERY.FIXED || mode === DELIVERY.NMI) this.deliver(0, mode, lint0 & 0xff, false);
    }
    for (let cpu = 0; cpu < this.#options.cpuCount; cpu++) this.#update(cpu);
  }

  /** True when the CPU's INTR input is up. */
  hasInterrupt(cpu: number): boolean {
    return this.#takesPic(cpu) || this.#deliverable(cpu) >= 0;
  }

  /** The CPU takes its interrupt: the vector; the spurious one if the request went away; -1 where the LAPIC is off. */
  acknowledge(cpu: number): number {
    const s = this.#s;
    const at = cpu * CPU_WORDS;
    // An ExtINT outranks the LAPIC's own requests: it has no priority of its own.
    if (this.#takesPic(cpu)) {
      const vector = this.#options.picAcknowledge();
      this.#update(cpu);
      return vector;
    }
    if (s[at + AT.GLOBAL] === 0) return -1;
    const vector = this.#deliverable(cpu);
    if (vector < 0) {
      this.#update(cpu);
      return -1;
    }
    const bit = 1 << (vector & 31);
    s[at + AT.IRR + (vector >> 5)] &= ~bit;
    s[at + AT.ISR + (vector >> 5)] |= bit;
    this.#update(cpu);
    return vector;
  }

  #takesPic(cpu: number): boolean {
    const s = this.#s;
    const at = cpu * CPU_WORDS;
    if (!this.#options.picOutput()) return false;
    if (s[at + AT.GLOBAL] === 0) return cpu === 0;
    if (s[at + AT.EXTINT] !== 0) return true;
    return cpu === 0 && (s[at + AT.LVT + 3] & (LVT_MASKED | 0x700)) === DELIVERY.EXTINT << 8;
  }

  /** The vector that may interrupt now; -1 for none. */
  #deliverable(cpu: number): number {
    const s = this.#s;
    const at = cpu * CPU_WORDS;
    const vector = highest(s, at + AT.IRR);
    if (vector < 0 || (s[at + AT.SVR] & SVR_ENABLE) === 0) return -1;
    return vector >> 4 > this.#processorPriority(cpu) >> 4 ? vector : -1;
  }

  /** PPR (SDM vol. 3, 11.8.3.1). */
  #processorPriority(cpu: number): number {
    const s = this.#s;
    const at = cpu * CPU_WORDS;
    const tpr = s[at + AT.TPR];
    const service = highest(s, at + AT.ISR);
    if (service < 0) return tpr;
    return tpr >> 4 >= service >> 4 ? tpr : service & 0xf0;
  }

  #matches(cpu: number, destination: number, logical: boolean): boolean {
    const s = this.#s;
    const at = cpu * CPU_WORDS;
    if (s[at + AT.GLOBAL] === 0) return false;
    if (!logical) return destination === 0xff || s[at + AT.ID] >>> ID_SHIFT === destination;
    const ldr = s[at + AT.LDR] >>> 24;
    if (s[at + AT.DFR] >>> 28 === 15) return (ldr & destination) !== 0;
    return (destination === 0xff || ldr >> 4 === destination >> 4) && (ldr & destination & 15) !== 0;
  }

  #update(cpu: number): void {
    this.#options.signals.setIntr(cpu, this.hasInterrupt(cpu));
  }

  #error(cpu: number, bits: number): void {
    const s = this.#s;
    const at = cpu * CPU_WORDS;
    if ((s[at + AT.ESR_NEXT] & bits) === bits) return;
    s[at + AT.ESR_NEXT] |= bits;
    const lvt = s[at + AT.LVT + 5];
    if ((lvt & LVT_MASKED) === 0 && (lvt & 0xff) >= 16) this.deliver(cpu, DELIVERY.FIXED, lvt & 0xff, false);
  }

  // The timer -----------------------------------------------------------------------------------------------------------

  nextDeadline(): number {
    return this.#timers.nextDeadline();
  }

  onTimer(now: number): void {
    this.#timers.look(now);
    for (let cpu = 0; cpu < this.#options.cpuCount; cpu++) if (this.#timers.isTimekeepers(cpu)) this.runTimer(cpu, now);
  }

  /** Runs the timer of one CPU, if its deadline has come. */
  runTimer(cpu: number, now: number): void {
    if (!this.#timers.expire(cpu, now)) return;
    const lvt = this.#s[cpu * CPU_WORDS + AT.LVT];
    if ((lvt & LVT_MASKED) === 0) this.deliver(cpu, DELIVERY.FIXED, lvt & 0xff, false);
  }

  /** The CPU is in HLT. It keeps its timer: it sleeps no longer than until the deadline, then calls `runTimer`. */
  enterHalt(cpu: number): number {
    this.#timers.keep(cpu);
    return this.#timers.deadline(cpu);
  }

  /** The CPU leaves HLT; where it is likely to be back before its timer runs out, with a lease that is looked at in `lease` ns. */
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

  /** Arms the timer for a time of the machine's clock; 0 disarms. Ignored but in TSC-deadline mode (SDM vol. 3, 11.5.4.1). */
  setTscDeadline(cpu: number, nanoseconds: number): void {
    this.#timers.setTscDeadline(cpu, nanoseconds);
  }

  /** True while a TSC deadline is armed: IA32_TSC_DEADLINE reads as 0 otherwise. */
  tscDeadlineArmed(cpu: number): boolean {
    return this.#timers.tscDeadlineArmed(cpu);
  }

  // Registers (SDM vol. 3, table 11-1) -----------------------------------------------------------------------------------

  #readAny(offset: number, size: 1 | 2 | 4): number {
    // Registers are the first four bytes of each 16; narrower reads are not architectural, but harmless.
    if ((offset & 15) >= 4) return 0;
    const value = this.#read(this.#options.current.index, offset & ~15);
    return size === 4 ? value : value >>> (8 * (offset & 3));
  }

  #read(cpu: number, offset: number): number {
    const s = this.#s;
    const at = cpu * CPU_WORDS;
    if (offset >= 0x100 && offset < 0x280) return s[at + AT.ISR + ((offset - 0x100) >> 4)];
    if (offset >= 0x320 && offset <= 0x370) return s[at + AT.LVT + ((offset - 0x320) >> 4)];
    switch (offset) {
      case 0x20:
        return s[at + AT.ID];
      case 0x30:
        return VERSION;
      case 0x80:
        return s[at + AT.TPR];
      case 0xa0:
        return this.#processorPriority(cpu);
      case 0xd0:
        return s[at + AT.LDR];
      case 0xe0:
        return s[at + AT.DFR];
      case 0xf0:
        return s[at + AT.SVR];
      case 0x280:
        return s[at + AT.ESR];
      case 0x300:
        return s[at + AT.ICR_LOW];
      case 0x310:
        return s[at + AT.ICR_HIGH];
      case 0x380:
        return s[at + AT.INITIAL];
      case 0x390:
        return this.#timers.currentCount(cpu);
      case 0x3e0:
        return s[at + AT.DIVIDE];
      default:
        return 0;
    }
  }

  #write(cpu: number, offset: number, value: number): void {
    const s = this.#s;
    const at = cpu * CPU_WORDS;
    if (offset >= 0x320 && offset <= 0x370) {
      this.#writeLvt(cpu, (offset - 0x320) >> 4, value);
      return;
    }
    switch (offset) {
      case 0x20:
        s[at + AT.ID] = value & 0xff000000;
        return;
      case 0x80:
        s[at + AT.TPR] = value & 0xff;
        this.#update(cpu);
        return;
      case 0xb0:
        this.#endOfInterrupt(cpu);
        return;
      case 0xd0:
        s[at + AT.LDR] = value & 0xff000000;
        return;
      case 0xe0:
        s[at + AT.DFR] = value | 0x0fffffff;
        return;
      case 0xf0:
        s[at + AT.SVR] = value & 0x3ff;
        if ((value & SVR_ENABLE) === 0) for (let i = 0; i < LVT_COUNT; i++) s[at + AT.LVT + i] |= LVT_MASKED;
        this.#update(cpu);
        return;
      case 0x280:
        // A write shows what was collected since the last one (SDM vol. 3, 11.5.3).
        s[at + AT.ESR] = s[at + AT.ESR_NEXT];
        s[at + AT.ESR_NEXT] = 0;
        return;
      case 0x300:
        s[at + AT.ICR_LOW] = value & 0xccfff;
        this.#sendCommand(cpu, value);
        return;
      case 0x310:
        s[at + AT.ICR_HIGH] = value & 0xff000000;
        return;
      case 0x380:
        this.#timers.start(cpu, value);
        return;
      case 0x3e0:
        this.#timers.setDivide(cpu, value);
        return;
    }
  }

  #writeLvt(cpu: number, entry: number, value: number): void {
    const s = this.#s;
    const at = cpu * CPU_WORDS;
    const old = s[at + AT.LVT + entry];
    let next = value & LVT_WRITABLE[entry];
    if ((s[at + AT.SVR] & SVR_ENABLE) === 0) next |= LVT_MASKED;
    s[at + AT.LVT + entry] = next;
    if (entry === 0) this.#timers.modeChanged(cpu, old);
    this.#update(cpu);
  }

  #endOfInterrupt(cpu: number): void {
    const s = this.#s;
    const at = cpu * CPU_WORDS;
    const vector = highest(s, at + AT.ISR);
    if (vector < 0) return;
    const bit = 1 << (vector & 31);
    const word = vector >> 5;
    s[at + AT.ISR + word] &= ~bit;
    if ((s[at + AT.TMR + word] & bit) !== 0) {
      s[at + AT.TMR + word] &= ~bit;
      this.#options.onEoi(vector);
    }
    this.#update(cpu);
  }

  #sendCommand(cpu: number, low: number): void {
    const vector = low & 0xff;
    const mode = (low >> 8) & 7;
    const shorthand = (low >> 18) & 3;
    // INIT level de-assert only sets arbitration ids, which no longer exist.
    if (mode === DELIVERY.INIT && (low & 0x8000) !== 0 && (low & 0x4000) === 0) return;
    if ((mode === DELIVERY.FIXED || mode === DELIVERY.LOWEST) && vector < 16) {
      this.#error(cpu, 0x20);
      return;
    }
    if (shorthand === 0) {
      const destination = this.#s[cpu * CPU_WORDS + AT.ICR_HIGH] >>> 24;
      this.send(destination, (low & 0x800) !== 0, mode, vector, false);
    } else if (shorthand === 1) {
      this.deliver(cpu, mode, vector, false);
    } else {
      for (let other = 0; other < this.#options.cpuCount; other++) {
        if (shorthand === 2 || other !== cpu) this.deliver(other, mode, vector, false);
      }
    }
  }
}

/** Writable bits of the LVT entries: timer, thermal, performance, LINT0, LINT1, error. */
const LVT_WRITABLE = [0x700ff, 0x107ff, 0x107ff, 0x1a7ff, 0x1a7ff, 0x100ff] as const;

/** Highest bit set in the 256 bits at `at`; -1 for none. */
function highest(words: Int32Array, at: number): number {
  for (let i = 7; i >= 0; i--) {
    const word = words[at + i];
    if (word !== 0) return i * 32 + 31 - Math.clz32(word);
  }
  return -1;
}
